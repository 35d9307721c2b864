"""Rows of candidates: what may stand in them, and what writing them would change. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from voting.rules.areas import AreaTree
from voting.rules.campaign import Award
from voting.rules.import_problems import Problem, found
from voting.services.sheets import Column, Sheet, unprintable
from voting.storage.database import AnyRow

CANDIDATE_COLUMNS = (
    Column("code", "代码"),
    Column("name", "名称"),
    Column("area_code", "区划代码"),
    Column("number", "编号", needed=False),
    Column("group", "类别", needed=False),
    Column("summary", "简介"),
    Column("story", "事迹"),
)
LONGEST = {"code": 64, "name": 64, "summary": 280, "story": 5000}

#: a column by its English name, what is wrong there, and facts to say it with
Wrong = tuple[str, str, dict[str, Any]]

_DIGITS = re.compile(r"[0-9]{1,7}")
#: a code that one program wrote as a number and another as text
_AS_FLOAT = re.compile(r"([0-9]+)\.0+")


class Entry(NamedTuple):
    """A row that was understood, its number still open when the file gives none."""

    row: int
    code: str
    name: str
    area_code: str | None
    number: int | None
    group_key: str | None
    summary: str
    story: str


#: what an import may change of a candidate that is there
COMPARED = ("name", "area_code", "number", "group_key", "summary", "story")


def check_candidates(sheet: Sheet, award: Award, tree: AreaTree) -> tuple[list[Entry], list[Problem]]:
    """Every row by itself, and codes against each other; numbers need the candidates that are there already."""
    groups = {word: group.key for group in award.groups for word in (group.key, group.name)}
    codes: dict[str, int] = {}
    entries: list[Entry] = []
    problems = list(sheet.problems)
    for line in sheet.lines:
        code, name, area_code, number, group, summary, story = line.cells
        area_code = _AS_FLOAT.sub(r"\1", area_code)
        wrong = text_problems({"code": code, "name": name, "summary": summary, "story": story})
        for column, text in (("code", code), ("name", name)):
            if not text:
                wrong.append((column, "required", {}))
        if code and codes.setdefault(code, line.row) != line.row:
            wrong.append(("code", "code_twice", {"row": codes[code], "code": short(code)}))
        if area_code and area_code not in tree:
            wrong.append(("area_code", _unknown_area(area_code), {"code": short(area_code)}))
        if number and not is_number(number):
            wrong.append(("number", "not_a_number", {"text": short(number)}))
        if group and group not in groups:
            wrong.append(("group", "no_group", {"text": short(group), "groups": [each.name for each in award.groups]}))
        if wrong:
            problems += [Problem(line.row, sheet.header[column], what, facts) for column, what, facts in wrong]
            continue
        given = int(number) if number else None
        entries.append(Entry(line.row, code, name, area_code or None, given, groups.get(group), summary, story))
    return entries, problems


def is_number(text: str) -> bool:
    """Whether this can be a candidate's number."""
    return bool(_DIGITS.fullmatch(text)) and int(text) > 0


def text_problems(texts: dict[str, str]) -> list[Wrong]:
    """Texts that are too long, or that hold characters which cannot be shown."""
    wrong: list[Wrong] = []
    for column, text in texts.items():
        if len(text) > LONGEST[column]:
            wrong.append((column, "long", {"length": len(text), "most": LONGEST[column]}))
        hidden = unprintable(text, breaks=column == "story")
        if hidden:
            wrong.append((column, "hidden", {"char": hidden}))
    return wrong


def _unknown_area(code: str) -> str:
    return "area_as_number" if re.fullmatch(r"[0-9.]+[Ee]\+?[0-9]+", code) else "no_area"


def short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"


@dataclass(slots=True)
class Change:
    """A candidate that is there already: its id, its row in the file with its number, and the fields that differ, as
    they were."""

    id: int
    entry: Entry
    was: dict[str, Any]

    @property
    def now(self) -> dict[str, Any]:
        return {name: getattr(self.entry, name) for name in self.was}


@dataclass(slots=True)
class Plan:
    """What writing would do: rows to insert and to update, ids whose number moves; and by row what becomes of it."""

    fresh: list[Entry] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    #: new, changed or unchanged
    becomes: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def plan_candidates(everyone: Iterable[AnyRow], award: str, sheet: Sheet, entries: list[Entry]) -> Plan:
    """Compare with the candidates that are there and give numbers; or say which numbers are wrong.

    ``everyone`` is looked at once, one after the other, and ``entries`` is used up: of tens of thousands, neither is
    in memory a second time.
    """
    places = {entry.code: place for place, entry in enumerate(entries)}
    asked = {entry.number for entry in entries}
    highest = max([0, *(entry.number or 0 for entry in entries)])
    kept: dict[int, int] = {}
    taken: dict[int, str] = {}
    there: dict[int, int] = {}
    plan = Plan()
    changes: dict[int, Change] = {}
    for old in everyone:
        highest = max(highest, old.number)
        place = places.get(old.code) if old.award == award else None
        if place is None:
            if old.number in asked:
                taken[old.number] = old.name
            continue
        there[place] = old.id
        entry = entries[place]
        if entry.number is None:
            kept[old.number] = place
            entry = entries[place] = entry._replace(number=old.number)
        if was := {name: getattr(old, name) for name in COMPARED if getattr(entry, name) != getattr(old, name)}:
            changes[place] = Change(old.id, entry, was)
    plan.problems = _number_problems(sheet, entries, kept, taken)
    if plan.problems:
        return plan
    for place, entry in enumerate(entries):
        if change := changes.get(place):
            plan.changed.append(change)
            if "number" in change.was:
                plan.moved.append(change.id)
        elif place not in there:
            if entry.number is None:
                highest += 1
                entry = entry._replace(number=highest)
            plan.fresh.append(entry)
        plan.becomes[entry.row] = "changed" if change else "unchanged" if place in there else "new"
    entries.clear()
    return plan


def _number_problems(
    sheet: Sheet, entries: Sequence[Entry], kept: Mapping[int, int], taken: Mapping[int, str]
) -> list[Problem]:
    """Numbers given twice in the file, or given here while another candidate keeps them.

    ``kept`` are the numbers of rows that give none, by their places in ``entries``.
    """
    first: dict[int, int] = {}
    problems = []
    for place, entry in enumerate(entries):
        number = entry.number
        if number is None or kept.get(number) == place:
            continue
        wrong = None
        if number in taken:
            wrong = found(entry.row, "", "number_taken", number=number, name=taken[number])
        elif number in kept:
            other = entries[kept[number]]
            wrong = found(entry.row, "", "number_kept", number=number, row=other.row, name=other.name)
        elif first.setdefault(number, entry.row) != entry.row:
            wrong = found(entry.row, "", "number_twice", number=number, row=first[number])
        if wrong:
            problems.append(replace(wrong, column=sheet.header["number"]))
    return problems
