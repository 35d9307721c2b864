"""Candidates and areas from CSV files and spreadsheets: every mistake is named by row and column, nothing is half done.

How a file becomes rows is in ``sheets.py``, what a row of candidates may be in ``candidate_rows.py``. An import can be
repeated: it updates by code and deletes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from voting.rules.areas import Area, AreaTree
from voting.rules.campaign import check_transition
from voting.rules.candidate_errors import ChangedMeanwhile
from voting.rules.rule_text import parse_rules
from voting.services.candidate_rows import (
    CANDIDATE_COLUMNS,
    Plan,
    Row,
    check_candidates,
    plan_candidates,
    short,
    text_problems,
)
from voting.services.sheets import Column, Line, Problem, Sheet, UnreadableSheet, read_sheet
from voting.services.trail import write_entry
from voting.services.transactions import reading, writing
from voting.storage.areas import LEVELS, load_areas, save_areas
from voting.storage.campaigns import Campaign, bump_all_versions, bump_version, get_by_slug, lock_by_slug
from voting.storage.candidates import insert_candidates, list_candidates, release_numbers, update_candidates

AREA_COLUMNS = (
    Column("code", "代码"),
    Column("name", "名称"),
    Column("level", "级别"),
    Column("parent_code", "上级代码"),
)
LEVEL_WORDS = {"市": "city", "县": "county", "镇": "town", "村": "village"} | {level: level for level in LEVELS}

#: Problems beyond these are counted only: nobody reads thirty thousand lines about one wrong column.
PROBLEMS_SHOWN = 200
BATCH = 1000

#: Called with the rows written so far and all rows.
Progress = Callable[[int, int], None]
Write = Callable[[Session, Sequence[Row]], None]

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


def import_candidates(
    slug: str, award: str, source: bytes | Path, progress: Progress | None = None, seen: int | None = None
) -> ImportReport:
    """Add or update the candidates of one award, all or none.

    ``seen`` is the campaign's version in the preview that somebody confirms. Raises CampaignNotFound, StageRefused
    when the campaign is no longer a draft, and ChangedMeanwhile.
    """
    try:
        sheet = read_sheet(source, CANDIDATE_COLUMNS)
    except UnreadableSheet as unreadable:
        return _refused(unreadable.problems)
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_transition("import", campaign.stage)
        if seen is not None and seen != campaign.version:
            raise ChangedMeanwhile
        plan = _plan(session, campaign, award, sheet)
        if plan.problems:
            return _refused(plan.problems)
        release_numbers(session, plan.moved)
        work = ((update_candidates, plan.changed), (insert_candidates, plan.fresh))
        _in_batches(session, work, len(plan.becomes), progress or _silent)
        report = _report(plan)
        if report.added + report.changed:
            bump_version(session, campaign.id)
            write_entry(session, "candidates.import", award, slug, after=_figures(report))
        return report


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do, every problem included; ``version`` is the campaign's that it was compared with."""

    report: ImportReport
    sheet: Sheet | None
    becomes: dict[int, str]
    version: int


def preview_candidates(slug: str, award: str, source: bytes | Path, keep_raw: bool = False) -> Preview:
    """As ``import_candidates``, and nothing is written. Raises CampaignNotFound and StageRefused."""
    sheet: Sheet | None = None
    unreadable: tuple[Problem, ...] = ()
    try:
        sheet = read_sheet(source, CANDIDATE_COLUMNS, keep_raw)
    except UnreadableSheet as error:
        unreadable = error.problems
    with reading() as session:
        campaign = get_by_slug(session, slug)
        check_transition("import", campaign.stage)
        version = campaign.version
        if sheet is None:
            return Preview(ImportReport(problems=unreadable), None, {}, version)
        plan = _plan(session, campaign, award, sheet)
        if plan.problems:
            in_order = tuple(sorted(plan.problems, key=lambda problem: problem.row))
            return Preview(ImportReport(problems=in_order), sheet, {}, version)
        return Preview(_report(plan), sheet, plan.becomes, version)


def _plan(session: Session, campaign: Campaign, award: str, sheet: Sheet) -> Plan:
    awards = {each.key: each for each in parse_rules(campaign.rules).awards}
    if award not in awards:
        return Plan(problems=[Problem(0, "", f"活动没有奖项 {award}，可用的是 {'、'.join(awards)}")])
    entries, problems = check_candidates(sheet, awards[award], load_areas(session))
    if problems:
        return Plan(problems=problems)
    return plan_candidates(list_candidates(session, campaign.id), campaign.id, award, sheet, entries)


def _report(plan: Plan) -> ImportReport:
    rows, fresh, changed = len(plan.becomes), len(plan.fresh), len(plan.changed)
    return ImportReport(rows, fresh, changed, rows - fresh - changed)


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


# --- areas ------------------------------------------------------------------------------------------------------


def _check_areas(sheet: Sheet, tree: AreaTree) -> tuple[list[Area], list[Problem]]:
    """Every row by itself, then every parent: it must be in the file or known, and stand one level above."""
    found: dict[str, tuple[Line, Area]] = {}
    problems = list(sheet.problems)
    for line in sheet.lines:
        code, name, level, parent = line.cells
        wrong = text_problems({"name": name})
        if not _AREA_CODE.fullmatch(code):
            wrong.append(("code", f"应为 2 到 12 位数字，不能是“{short(code)}”"))
        elif code in found:
            wrong.append(("code", f"与第 {found[code][0].row} 行重复：{code}"))
        if not name:
            wrong.append(("name", "不能为空"))
        if level not in LEVEL_WORDS:
            wrong.append(("level", f"应为 市、县、镇、村 之一，不能是“{short(level)}”"))
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
        return f"没有这个上级代码：{short(area.parent)}"
    if above < 0 or parent.level != LEVELS[above]:
        return f"上级应高一级，不能是{parent.name}"
    return None
