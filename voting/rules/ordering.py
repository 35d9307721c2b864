"""The order in which candidates are listed: shuffled for each visitor, by number, by name, or by rank.

Shuffling is a permutation worked out item by item: one page of 35,000 candidates costs one page, nothing is kept, and
the same seed gives the same order on every page, worker and node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol, TypeVar, overload

from voting.rules.display import Order

_ROUNDS = 4


class Listed(Protocol):
    """What ordering needs of a candidate."""

    @property
    def id(self) -> int: ...

    @property
    def number(self) -> int: ...

    @property
    def name(self) -> str: ...


Item = TypeVar("Item")
ListedItem = TypeVar("ListedItem", bound=Listed)


class Shuffled(Sequence[Item]):
    """A sequence seen in the order of a seed; positions are computed when they are asked for."""

    def __init__(self, items: Sequence[Item], seed: bytes) -> None:
        self._items = items
        self._key = blake2b(seed, digest_size=32).digest()
        # A Feistel network permutes numbers of an even number of bits: at most four times as many as there are items,
        # and a number that falls outside is sent through again until it falls inside.
        self._half = max(1, (max(1, len(items) - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...

    def __getitem__(self, at: int | slice) -> Item | list[Item]:
        if isinstance(at, slice):
            return [self._items[self._place(n)] for n in range(*at.indices(len(self._items)))]
        return self._items[self._place(range(len(self._items))[at])]

    def _place(self, at: int) -> int:
        while True:
            left, right = at >> self._half, at & self._mask
            for turn in range(_ROUNDS):
                mixed = blake2b(right.to_bytes(4, "big") + bytes((turn,)), digest_size=4, key=self._key).digest()
                left, right = right, left ^ (int.from_bytes(mixed, "big") & self._mask)
            at = left << self._half | right
            if at < len(self._items):
                return at


def ordered(
    candidates: Sequence[ListedItem],
    order: Order,
    seed: bytes,
    ranks: Mapping[int, int] | None = None,
    name_key: Callable[[str], Any] = str,
) -> Sequence[ListedItem]:
    """Candidates (given by number) in the order of a rule set.

    ``seed`` is the visitor's; ``ranks`` are the ranks that may be shown, by candidate id, and an order by rank without
    any is the visitor's own; ``name_key`` says how names sort (pinyin).
    """
    if order == "number":
        return candidates
    if order == "name":
        return sorted(candidates, key=lambda each: (name_key(each.name), each.number))
    if order == "rank" and ranks:
        last = max(ranks.values()) + 1
        return sorted(candidates, key=lambda each: (ranks.get(each.id, last), each.number))
    return Shuffled(candidates, seed)
