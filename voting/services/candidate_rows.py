"""Rows of candidates: what may stand in them, and what writing them would change. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from voting.rules.areas import AreaTree
from voting.rules.campaign import Award
from voting.services.sheets import Column, Problem, Sheet, unprintable
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

Row = dict[str, Any]

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


@dataclass(slots=True)
class Plan:
    """What writing would do: rows to insert and to update, ids whose number moves; and by row what becomes of it."""

    fresh: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    #: new, changed or unchanged
    becomes: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


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
                wrong.append((column, "不能为空"))
        if code and codes.setdefault(code, line.row) != line.row:
            wrong.append(("code", f"与第 {codes[code]} 行重复：{code}"))
        if area_code and area_code not in tree:
            wrong.append(("area_code", _unknown_area(area_code)))
        if number and not (is_number(number)):
            wrong.append(("number", f"应为 1 到 9999999 的整数，不能是“{short(number)}”"))
        if group and group not in groups:
            wrong.append(
                ("group", f"没有类别“{short(group)}”，可用的是 {'、'.join(g.name for g in award.groups) or '（无）'}")
            )
        if wrong:
            problems += [Problem(line.row, sheet.header[column], message) for column, message in wrong]
            continue
        given = int(number) if number else None
        entries.append(Entry(line.row, code, name, area_code or None, given, groups.get(group), summary, story))
    return entries, problems


def is_number(text: str) -> bool:
    """Whether this can be a candidate's number."""
    return bool(_DIGITS.fullmatch(text)) and int(text) > 0


def text_problems(texts: dict[str, str]) -> list[tuple[str, str]]:
    """Texts that are too long, or that hold characters which cannot be shown."""
    wrong = []
    for column, text in texts.items():
        if len(text) > LONGEST[column]:
            wrong.append((column, f"有 {len(text)} 个字，最多 {LONGEST[column]} 个"))
        hidden = unprintable(text, breaks=column == "story")
        if hidden:
            wrong.append((column, f"含有不能显示的字符：{hidden}"))
    return wrong


def _unknown_area(code: str) -> str:
    if re.fullmatch(r"[0-9.]+[Ee]\+?[0-9]+", code):
        return f"表格软件把区划代码改成了 {code}，请把这一列设为文本后重新填写"
    return f"没有这个区划代码：{short(code)}"


def short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"


def _number_problems(
    sheet: Sheet, entries: Sequence[Entry], kept: dict[str, int], taken: dict[int, str]
) -> list[Problem]:
    """Numbers given twice in the file, or given here while another candidate keeps them."""
    rows: dict[int, str] = {number: f"已经属于{name}" for number, name in taken.items()}
    for entry in entries:
        if entry.number is None and entry.code in kept:
            rows[kept[entry.code]] = f"已经属于第 {entry.row} 行的{entry.name}"
    problems = []
    for entry in entries:
        if entry.number is None:
            continue
        if entry.number in rows:
            problems.append(Problem(entry.row, sheet.header["number"], f"编号 {entry.number} {rows[entry.number]}"))
        rows.setdefault(entry.number, f"与第 {entry.row} 行重复")
    return problems


def plan_candidates(
    everyone: Iterable[AnyRow], campaign_id: int, award: str, sheet: Sheet, entries: Sequence[Entry]
) -> Plan:
    """Compare with the candidates that are there and give numbers; or say which numbers are wrong."""
    everyone = list(everyone)
    there = {row.code: row for row in everyone if row.award == award}
    inside = {entry.code for entry in entries}
    taken = {row.number: row.name for row in everyone if row.award != award or row.code not in inside}
    plan = Plan()
    plan.problems = _number_problems(sheet, entries, {code: row.number for code, row in there.items()}, taken)
    if plan.problems:
        return plan
    highest = max([0, *(row.number for row in everyone), *(entry.number or 0 for entry in entries)])
    for entry in entries:
        old = there.get(entry.code)
        number = entry.number or (old.number if old else None)
        if number is None:
            highest += 1
            number = highest
        values = {**entry._asdict(), "number": number}
        del values["row"]
        if old is None:
            plan.fresh.append(values | {"campaign_id": campaign_id, "award": award, "standing": "standing"})
        elif any(values[name] != getattr(old, name) for name in values):
            plan.changed.append(values | {"id": old.id})
            if number != old.number:
                plan.moved.append(old.id)
        else:
            plan.becomes[entry.row] = "unchanged"
            continue
        plan.becomes[entry.row] = "new" if old is None else "changed"
    return plan
