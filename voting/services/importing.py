"""Candidates and areas from CSV files and spreadsheets: every mistake is named by row and column, nothing is half done.

How a file becomes rows is in ``sheets.py``, what a row may be in ``candidate_rows.py`` and ``area_rows.py``, what is
written down of it in ``import_trail.py``. An import can be repeated: it updates by code and deletes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from voting.rules.campaign import check_transition
from voting.rules.candidate_errors import ChangedMeanwhile
from voting.rules.import_problems import Problem, found
from voting.rules.rule_text import parse_rules
from voting.services.area_rows import AREA_COLUMNS, check_areas
from voting.services.candidate_rows import CANDIDATE_COLUMNS, Change, Entry, Plan, check_candidates, plan_candidates
from voting.services.import_trail import areas_entry, candidates_entry
from voting.services.sheets import Sheet, UnreadableSheet, read_sheet
from voting.services.trail import write_entry
from voting.services.transactions import reading, writing
from voting.storage.areas import LEVELS, load_areas, save_areas
from voting.storage.campaigns import Campaign, bump_all_versions, bump_version, get_by_slug, lock_by_slug
from voting.storage.candidates import insert_candidates, iter_candidates, release_numbers, update_candidates

#: Problems beyond these are counted only: nobody reads thirty thousand lines about one wrong column.
PROBLEMS_SHOWN = 200
#: rows of a preview that somebody looks at
ROWS_SHOWN = 12
BATCH = 1000

#: Called with the rows written so far and all rows.
Progress = Callable[[int, int], None]
#: Writes some of the things that are planned.
Write = Callable[[Sequence[Any]], None]


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
        constant = {"campaign_id": campaign.id, "award": award, "standing": "standing"}

        def update(changes: Sequence[Change]) -> None:
            update_candidates(session, [_row(change.entry) | {"id": change.id} for change in changes])

        def insert(entries: Sequence[Entry]) -> None:
            insert_candidates(session, [_row(entry) | constant for entry in entries])

        work: list[tuple[Write, Sequence[Any]]] = [(update, plan.changed), (insert, plan.fresh)]
        _in_batches(work, len(plan.becomes), progress or _silent)
        report = _report(plan)
        if report.added + report.changed:
            bump_version(session, campaign.id)
            before, after = candidates_entry(plan, _figures(report))
            write_entry(session, "candidates.import", award, slug, before=before, after=after)
        return report


def _row(entry: Entry) -> dict[str, Any]:
    values = entry._asdict()
    del values["row"]
    return values


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do, every problem included; ``version`` is the campaign's that it was compared with.

    ``sheet`` has the first rows only, and all of them as they stand in the file where that was asked for.
    """

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
        return Plan(problems=[found(0, "", "no_award", award=award, awards=list(awards))])
    entries, problems = check_candidates(sheet, awards[award], load_areas(session))
    # From here on the entries are the rows.
    del sheet.lines[ROWS_SHOWN:]
    if problems:
        return Plan(problems=problems)
    return plan_candidates(iter_candidates(session, campaign.id), award, sheet, entries)


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
        areas, problems = check_areas(sheet, tree)
        if problems:
            return _refused(problems)
        fresh = [area for area in areas if area.code not in tree]
        changed = [area for area in areas if area.code in tree and tree.get(area.code) != area]
        rows = [
            {"code": area.code, "name": area.name, "level": area.level, "parent_code": area.parent}
            for area in sorted(fresh + changed, key=lambda area: LEVELS.index(area.level))
        ]
        _in_batches([(lambda piece: save_areas(session, piece), rows)], len(areas), progress or _silent)
        report = ImportReport(len(areas), len(fresh), len(changed), len(areas) - len(rows))
        if rows:
            bump_all_versions(session)
            before, after = areas_entry(fresh, changed, tree, _figures(report))
            write_entry(session, "areas.import", before=before, after=after)
        return report


def _figures(report: ImportReport) -> dict[str, Any]:
    return {"rows": report.rows, "added": report.added, "changed": report.changed}


def _silent(_done: int, _total: int) -> None:
    """The progress of an import that nobody watches."""


def _refused(problems: Sequence[Problem]) -> ImportReport:
    in_order = sorted(problems, key=lambda problem: problem.row)
    return ImportReport(problems=tuple(in_order[:PROBLEMS_SHOWN]), more=max(0, len(in_order) - PROBLEMS_SHOWN))


def _in_batches(work: Sequence[tuple[Write, Sequence[Any]]], total: int, progress: Progress) -> None:
    """Write rows piece by piece and tell how far it is; rows that need no writing count as done."""
    done = total - sum(len(rows) for _, rows in work)
    progress(done, total)
    for write, rows in work:
        for start in range(0, len(rows), BATCH):
            piece = rows[start : start + BATCH]
            write(piece)
            done += len(piece)
            progress(done, total)
