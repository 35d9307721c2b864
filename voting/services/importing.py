"""Candidates and areas from CSV files: every mistake is named by row and column, and nothing is half imported.

How a file becomes rows is in ``sheets.py``. An import can be repeated: it updates by code and deletes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from voting.rules.areas import Area, AreaTree
from voting.rules.campaign import Award, check_transition
from voting.rules.rule_text import parse_rules
from voting.services.sheets import Column, Line, Problem, Sheet, UnreadableSheet, read_sheet, unprintable
from voting.services.trail import write_entry
from voting.services.transactions import writing
from voting.storage.areas import LEVELS, load_areas, save_areas
from voting.storage.campaigns import bump_all_versions, bump_version, lock_by_slug
from voting.storage.candidates import insert_candidates, list_candidates, release_numbers, update_candidates

CANDIDATE_COLUMNS = (
    Column("code", "代码"),
    Column("name", "名称"),
    Column("area_code", "区划代码"),
    Column("number", "编号", needed=False),
    Column("group", "类别", needed=False),
    Column("summary", "简介"),
    Column("story", "事迹"),
)
AREA_COLUMNS = (
    Column("code", "代码"),
    Column("name", "名称"),
    Column("level", "级别"),
    Column("parent_code", "上级代码"),
)
LEVEL_WORDS = {"市": "city", "县": "county", "镇": "town", "村": "village"} | {level: level for level in LEVELS}
LONGEST = {"code": 64, "name": 64, "summary": 280, "story": 5000}

#: Problems beyond these are counted only: nobody reads thirty thousand lines about one wrong column.
PROBLEMS_SHOWN = 200
BATCH = 1000

#: Called with the rows written so far and all rows.
Progress = Callable[[int, int], None]
Row = dict[str, Any]
Write = Callable[[Session, Sequence[Row]], None]

_DIGITS = re.compile(r"[0-9]{1,7}")
_AREA_CODE = re.compile(r"[0-9]{2,12}")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. With problems it did nothing; ``more`` of them were found than are listed."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: tuple[Problem, ...] = ()
    more: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems


class _Entry(NamedTuple):
    """A row that was understood, its number still open when the file gives none."""

    row: int
    code: str
    name: str
    area_code: str | None
    number: int | None
    group_key: str | None
    summary: str
    story: str


def import_candidates(slug: str, award: str, source: bytes | Path, progress: Progress | None = None) -> ImportReport:
    """Add or update the candidates of one award, all or none.

    Raises CampaignNotFound, and StageRefused when the campaign is no longer a draft.
    """
    try:
        sheet = read_sheet(source, CANDIDATE_COLUMNS)
    except UnreadableSheet as unreadable:
        return _refused(unreadable.problems)
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_transition("import", campaign.stage)
        awards = {each.key: each for each in parse_rules(campaign.rules).awards}
        if award not in awards:
            return _refused([Problem(0, "", f"活动没有奖项 {award}，可用的是 {'、'.join(awards)}")])
        entries, problems = _check_candidates(sheet, awards[award], load_areas(session))
        if problems:
            return _refused(problems)
        report = _write_candidates(session, campaign.id, award, sheet, entries, progress or _silent)
        if report.added + report.changed:
            bump_version(session, campaign.id)
            write_entry(session, "candidates.import", award, slug, after=_figures(report))
        return report


def import_areas(source: bytes | Path, progress: Progress | None = None) -> ImportReport:
    """Add or update areas, all or none; a parent may stand after its children."""
    try:
        sheet = read_sheet(source, AREA_COLUMNS)
    except UnreadableSheet as unreadable:
        return _refused(unreadable.problems)
    with writing() as session:
        tree = load_areas(session)
        areas, problems = _check_areas(sheet, tree)
        if problems:
            return _refused(problems)
        fresh = [area for area in areas if area.code not in tree]
        changed = [area for area in areas if area.code in tree and tree.get(area.code) != area]
        rows: list[Row] = [
            {"code": area.code, "name": area.name, "level": area.level, "parent_code": area.parent}
            for area in sorted(fresh + changed, key=lambda area: LEVELS.index(area.level))
        ]
        _in_batches(session, ((save_areas, rows),), len(areas), progress or _silent)
        report = ImportReport(len(areas), len(fresh), len(changed), len(areas) - len(rows))
        if rows:
            bump_all_versions(session)
            write_entry(session, "areas.import", after=_figures(report))
        return report


def _figures(report: ImportReport) -> dict[str, int]:
    return {"rows": report.rows, "added": report.added, "changed": report.changed}


def _silent(_done: int, _total: int) -> None:
    """The progress of an import that nobody watches."""


def _refused(problems: Sequence[Problem]) -> ImportReport:
    in_order = sorted(problems, key=lambda problem: problem.row)
    return ImportReport(problems=tuple(in_order[:PROBLEMS_SHOWN]), more=max(0, len(in_order) - PROBLEMS_SHOWN))


def _in_batches(session: Session, work: Sequence[tuple[Write, Sequence[Row]]], total: int, progress: Progress) -> None:
    """Write rows piece by piece and tell how far it is; rows that need no writing count as done."""
    done = total - sum(len(rows) for _, rows in work)
    progress(done, total)
    for write, rows in work:
        for start in range(0, len(rows), BATCH):
            piece = rows[start : start + BATCH]
            write(session, piece)
            done += len(piece)
            progress(done, total)


# --- candidates -------------------------------------------------------------------------------------------------


def _check_candidates(sheet: Sheet, award: Award, tree: AreaTree) -> tuple[list[_Entry], list[Problem]]:
    """Every row by itself, and codes against each other; numbers need the candidates that are there already."""
    groups = {word: group.key for group in award.groups for word in (group.key, group.name)}
    codes: dict[str, int] = {}
    entries: list[_Entry] = []
    problems = list(sheet.problems)
    for line in sheet.lines:
        code, name, area_code, number, group, summary, story = line.cells
        wrong = _text_problems({"code": code, "name": name, "summary": summary, "story": story})
        for column, text in (("code", code), ("name", name)):
            if not text:
                wrong.append((column, "不能为空"))
        if code and codes.setdefault(code, line.row) != line.row:
            wrong.append(("code", f"与第 {codes[code]} 行重复：{code}"))
        if area_code and area_code not in tree:
            wrong.append(("area_code", _unknown_area(area_code)))
        if number and not (_DIGITS.fullmatch(number) and int(number) > 0):
            wrong.append(("number", f"应为 1 到 9999999 的整数，不能是“{_short(number)}”"))
        if group and group not in groups:
            wrong.append(
                ("group", f"没有类别“{_short(group)}”，可用的是 {'、'.join(g.name for g in award.groups) or '（无）'}")
            )
        if wrong:
            problems += [Problem(line.row, sheet.header[column], message) for column, message in wrong]
            continue
        given = int(number) if number else None
        entries.append(_Entry(line.row, code, name, area_code or None, given, groups.get(group), summary, story))
    return entries, problems


def _text_problems(texts: dict[str, str]) -> list[tuple[str, str]]:
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
    return f"没有这个区划代码：{_short(code)}"


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"


def _number_problems(
    sheet: Sheet, entries: Sequence[_Entry], kept: dict[str, int], taken: dict[int, str]
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


def _write_candidates(
    session: Session, campaign_id: int, award: str, sheet: Sheet, entries: Sequence[_Entry], progress: Progress
) -> ImportReport:
    """Compare with the candidates that are there, give numbers, and write; or say which numbers are wrong."""
    everyone = list_candidates(session, campaign_id)
    there = {row.code: row for row in everyone if row.award == award}
    inside = {entry.code for entry in entries}
    taken = {row.number: row.name for row in everyone if row.award != award or row.code not in inside}
    problems = _number_problems(sheet, entries, {code: row.number for code, row in there.items()}, taken)
    if problems:
        return _refused(problems)
    highest = max([0, *(row.number for row in everyone), *(entry.number or 0 for entry in entries)])
    fresh: list[Row] = []
    changed: list[Row] = []
    moved: list[int] = []
    for entry in entries:
        old = there.get(entry.code)
        number = entry.number or (old.number if old else None)
        if number is None:
            highest += 1
            number = highest
        values = {**entry._asdict(), "number": number}
        del values["row"]
        if old is None:
            fresh.append(values | {"campaign_id": campaign_id, "award": award, "standing": "standing"})
        elif any(values[name] != getattr(old, name) for name in values):
            changed.append(values | {"id": old.id})
            if number != old.number:
                moved.append(old.id)
    # Numbers may be handed on from one candidate to another: all that move let go first.
    release_numbers(session, moved)
    _in_batches(session, ((update_candidates, changed), (insert_candidates, fresh)), len(entries), progress)
    return ImportReport(len(entries), len(fresh), len(changed), len(entries) - len(fresh) - len(changed))


# --- areas ------------------------------------------------------------------------------------------------------


def _check_areas(sheet: Sheet, tree: AreaTree) -> tuple[list[Area], list[Problem]]:
    """Every row by itself, then every parent: it must be in the file or known, and stand one level above."""
    found: dict[str, tuple[Line, Area]] = {}
    problems = list(sheet.problems)
    for line in sheet.lines:
        code, name, level, parent = line.cells
        wrong = _text_problems({"name": name})
        if not _AREA_CODE.fullmatch(code):
            wrong.append(("code", f"应为 2 到 12 位数字，不能是“{_short(code)}”"))
        elif code in found:
            wrong.append(("code", f"与第 {found[code][0].row} 行重复：{code}"))
        if not name:
            wrong.append(("name", "不能为空"))
        if level not in LEVEL_WORDS:
            wrong.append(("level", f"应为 市、县、镇、村 之一，不能是“{_short(level)}”"))
        problems += [Problem(line.row, sheet.header[column], message) for column, message in wrong]
        if not wrong:
            found[code] = (line, Area(code, name, LEVEL_WORDS[level], parent or None))
    for line, area in found.values():
        message = _parent_problem(area, {code: each for code, (_, each) in found.items()}, tree)
        if message:
            problems.append(Problem(line.row, sheet.header["parent_code"], message))
    return [area for _, area in found.values()], problems


def _parent_problem(area: Area, found: dict[str, Area], tree: AreaTree) -> str | None:
    above = LEVELS.index(area.level) - 1
    if area.parent is None:
        return None if above < 0 else "不能为空，只有市没有上级"
    parent = found.get(area.parent) or (tree.get(area.parent) if area.parent in tree else None)
    if parent is None:
        return f"没有这个上级代码：{_short(area.parent)}"
    if above < 0 or parent.level != LEVELS[above]:
        return f"上级应高一级，不能是{parent.name}"
    return None
