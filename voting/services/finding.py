"""Finds candidates of a campaign by number, name, pinyin, initials and area: an index in memory, made at loading.

The names stand in one long text, so that looking through 35,000 of them is one search that the C library makes in well
under a millisecond. What was found is kept for a while: the next page of it is a slice, and nothing is searched twice.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, overload

from voting.rules.areas import AreaTree
from voting.rules.display import Order
from voting.rules.ordering import ordered
from voting.services.spelling import sort_key, spellings

if TYPE_CHECKING:
    from voting.services.catalogue import CandidateView

MOST_KEPT = 64
LONGEST_SYLLABLE = 6
MOST_WAYS = 8
Key = TypeVar("Key")
Value = TypeVar("Value")
_NUMBER = re.compile(r"(?:第|#|no\.?)?\s*0*([0-9]{1,9})\s*号?")
_LATIN = re.compile(r"[a-z]+")

#: (code, name, level) of an area
AreaLine = tuple[str, str, str]
#: places in the list of candidates, ascending
Places = Sequence[int]


@dataclass(frozen=True, slots=True)
class Listing:
    """In which order candidates are listed: the visitor's ``seed``, or the ``ranks`` that may be shown, by id."""

    order: Order = "number"
    seed: bytes = b""
    ranks: Mapping[int, int] | None = None


BY_NUMBER = Listing()


def fold(text: str) -> str:
    """Full-width and upper-case letters made plain; the text itself when nothing changes, to keep one copy."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return text if folded == text else folded


def number_of(q: str) -> int | None:
    """The number in a query such as 3, 03, 3号 or 第3号."""
    match = _NUMBER.fullmatch(fold(q).strip())
    return int(match[1]) if match else None


class _Lines:
    """Many short lines as one text; finds the lines in which a word stands."""

    __slots__ = ("starts", "text")

    def __init__(self, lines: Iterable[str]) -> None:
        self.starts = array("I")
        parts, at = [], 0
        for line in lines:
            self.starts.append(at)
            parts.append(line)
            at += len(line) + 1
        self.text = "\n".join([*parts, ""])

    def find(self, word: str, first: int, stop: int) -> Iterator[int]:
        """The lines from ``first`` to before ``stop`` in which the word stands."""
        if first >= stop:
            return
        text, starts = self.text, self.starts
        end = starts[stop] if stop < len(starts) else len(text)
        at = text.find(word, starts[first], end)
        while at >= 0:
            line = bisect_right(starts, at) - 1
            yield line
            if line + 1 >= stop:
                return
            at = text.find(word, starts[line + 1], end)


class _Sounds:
    """Names as they are typed with Latin letters: pinyin in full from any syllable on, initials anywhere."""

    __slots__ = ("_begun", "_full", "_initials", "_syllables")

    def __init__(self, names: Iterable[str]) -> None:
        full, initials = [], []
        syllables: set[str] = set()
        for name in names:
            read = list(spellings(name))
            syllables.update(*read)
            # A space before every syllable: 丽华 is " li hua", and that is how it is looked for.
            full.append("\t".join([f" {' '.join(way)}" for way in read]))
            initials.append(" ".join({"".join([syllable[0] for syllable in way]) for way in read}))
        self._full, self._initials = _Lines(full), _Lines(initials)
        self._syllables = syllables
        self._begun = {syllable[:end] for syllable in syllables for end in range(1, len(syllable) + 1)}

    def find(self, word: str, first: int, stop: int) -> set[int]:
        """The names that are typed like this, from the line ``first`` to before ``stop``."""
        found = set(self._initials.find(word, first, stop))
        # One letter is an initial: as the beginning of a syllable it would find the same names again.
        for way in self._split(word) if len(word) > 1 else ():
            found.update(self._full.find(way, first, stop))
        return found

    def _split(self, word: str) -> list[str]:
        """Ways to read a word as syllables, the last not always finished: "xian" is " xian" or " xi an"."""
        ways: list[list[str]] = [[] for _ in word] + [[""]]
        for at in range(len(word) - 1, -1, -1):
            if word[at:] in self._begun:
                ways[at].append(f" {word[at:]}")
            for end in range(at + 1, min(at + LONGEST_SYLLABLE, len(word) - 1) + 1):
                if word[at:end] in self._syllables:
                    ways[at] += [f" {word[at:end]}{rest}" for rest in ways[end]]
            del ways[at][MOST_WAYS:]
        return ways[0]


class _Placed(Sequence["CandidateView"]):
    """Candidates by their places, looked up when they are asked for."""

    __slots__ = ("_candidates", "_places")

    def __init__(self, candidates: Sequence[CandidateView], places: Places) -> None:
        self._candidates, self._places = candidates, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> CandidateView: ...

    @overload
    def __getitem__(self, at: slice) -> list[CandidateView]: ...

    def __getitem__(self, at: int | slice) -> CandidateView | list[CandidateView]:
        if isinstance(at, slice):
            return [self._candidates[place] for place in self._places[at]]
        return self._candidates[self._places[at]]


class Finder:
    """The index of one campaign. ``before`` is the one whose place it takes: equal names are not spelled again."""

    def __init__(self, candidates: Sequence[CandidateView], tree: AreaTree, before: Finder | None = None) -> None:
        self._candidates = candidates
        self._by_number = {candidate.number: place for place, candidate in enumerate(candidates)}
        self._slices: dict[str | None, tuple[int, int]] = {None: (0, len(candidates))}
        self._by_area: dict[str, array[int]] = {}
        codes: dict[str | None, set[str]] = {None: set()}
        for place, candidate in enumerate(candidates):
            start, _ = self._slices.setdefault(candidate.award, (place, place))
            self._slices[candidate.award] = (start, place + 1)
            if candidate.area_code is not None:
                codes.setdefault(candidate.award, set()).add(candidate.area_code)
                codes[None].add(candidate.area_code)
                self._by_area.setdefault(candidate.area_code, array("I")).append(place)
        lineages = {code: tree.lineage(code) for code in codes[None]}
        paths = {code: fold(" ".join(tree.path(code))) for code in lineages}
        self._within = {code: frozenset(area.code for area in line) for code, line in lineages.items()}
        self._codes = list(paths)
        self.areas = {award: _area_lines(tree, some) for award, some in codes.items()}
        self._names = _Lines(fold(candidate.name) for candidate in candidates)
        self._paths = _Lines(paths.values())
        old = before._sounds if before and before._names.text == self._names.text else None
        self._sounds: _Sounds = old or _Sounds(fold(candidate.name) for candidate in candidates)
        old = before._path_sounds if before and before._paths.text == self._paths.text else None
        self._path_sounds: _Sounds = old or _Sounds(paths.values())
        self._kept: dict[tuple[str | None, str, str], Places] = {}
        self._sorted: dict[tuple[Order, str | None, str, str], tuple[object, Sequence[CandidateView]]] = {}
        self._keeping = threading.Lock()

    def listed(self, award: str | None, q: str, area: str, listing: Listing) -> Sequence[CandidateView]:
        """What ``find`` finds, in the order of a listing; a candidate whose number was asked for comes first."""
        found = self._in_order(award, q, area, listing)
        first = self.first(award, q, area)
        if first is None:
            return found
        one = self._candidates[first]
        return [one, *(candidate for candidate in found if candidate is not one)]

    def following(self, award: str | None, q: str, area: str, after: int, size: int) -> list[CandidateView]:
        """What ``find`` finds behind the candidate of that number, in the campaign's own order; 0 = from the start."""
        places = self.find(award, q, area)
        at = bisect_right(places, self._by_number.get(after, len(self._candidates))) if after else 0
        return [self._candidates[place] for place in places[at : at + size]]

    def _in_order(self, award: str | None, q: str, area: str, listing: Listing) -> Sequence[CandidateView]:
        placed = _Placed(self._candidates, self.find(award, q, area))
        if listing.order in ("number", "random") or (listing.order == "rank" and not listing.ranks):
            return ordered(placed, listing.order, listing.seed)
        # Sorting is for all visitors at once: names until the campaign changes, ranks as long as the board stays.
        key = (listing.order, award, fold(q), area)
        kept = self._sorted.get(key)
        if kept is None or kept[0] is not listing.ranks:
            in_order = ordered(placed, listing.order, listing.seed, listing.ranks, sort_key)
            kept = self._keep(self._sorted, key, (listing.ranks, in_order))
        return kept[1]

    def first(self, award: str | None, q: str, area: str) -> int | None:
        """The place of the candidate whose number was asked for, if it is in the award and the area."""
        number = number_of(q)
        place = None if number is None else self._by_number.get(number)
        if place is None:
            return None
        start, stop = self._slices.get(award, (0, 0))
        code = self._candidates[place].area_code
        inside = not area or (code is not None and area in self._within[code])
        return place if start <= place < stop and inside else None

    def find(self, award: str | None, q: str, area: str) -> Places:
        """Candidates of an award and an area with every word of ``q`` in their name, its pinyin or their area names."""
        start, stop = self._slices.get(award, (0, 0))
        # The same word twice asks for nothing more; and the longest first, for it leaves the fewest.
        words = sorted(dict.fromkeys(fold(q).split()), key=lambda word: (-len(word), word))
        if not words and not area:
            return range(start, stop)
        key = (award, " ".join(words), area)
        found = self._kept.get(key)
        if found is None:
            found = self._keep(self._kept, key, array("I", self._find(words, area, start, stop)))
        return found

    def _keep(self, where: dict[Key, Value], key: Key, value: Value) -> Value:
        with self._keeping:
            while len(where) >= MOST_KEPT:
                del where[next(iter(where))]
            where[key] = value
        return value

    def _find(self, words: list[str], area: str, start: int, stop: int) -> list[int]:
        found: set[int] | None = None
        if area:
            found = set(self._of_areas((code for code, line in self._within.items() if area in line), start, stop))
        for word in words:
            if found is not None and not found:
                break
            here = set(self._names.find(word, start, stop))
            codes = set(self._paths.find(word, 0, len(self._codes)))
            if _LATIN.fullmatch(word):
                here |= self._sounds.find(word, start, stop)
                codes |= self._path_sounds.find(word, 0, len(self._codes))
            here.update(self._of_areas((self._codes[at] for at in codes), start, stop))
            found = here if found is None else found & here
        return sorted(found or ())

    def _of_areas(self, codes: Iterable[str], start: int, stop: int) -> Iterator[int]:
        for code in codes:
            places = self._by_area[code]
            yield from places[bisect_left(places, start) : bisect_left(places, stop)]


def _area_lines(tree: AreaTree, codes: Iterable[str]) -> list[AreaLine]:
    lines = {area.code: area for code in codes for area in tree.lineage(code) if area.level in ("county", "town")}
    in_order = sorted(lines.values(), key=lambda area: [above.code for above in tree.lineage(area.code)])
    return [(area.code, area.name, area.level) for area in in_order]
