"""Rows of areas: what may stand in them. Nothing is written here."""

from __future__ import annotations

import re

from voting.rules.areas import Area, AreaTree
from voting.rules.import_problems import Problem, found
from voting.services.candidate_rows import short, text_problems
from voting.services.sheets import Column, Line, Sheet
from voting.storage.areas import LEVELS

AREA_COLUMNS = (
    Column("code", "代码"),
    Column("name", "名称"),
    Column("level", "级别"),
    Column("parent_code", "上级代码"),
)
LEVEL_WORDS = {"市": "city", "县": "county", "镇": "town", "村": "village"} | {level: level for level in LEVELS}

_AREA_CODE = re.compile(r"[0-9]{2,12}")


def check_areas(sheet: Sheet, tree: AreaTree) -> tuple[list[Area], list[Problem]]:
    """Every row by itself, then every parent: it must be in the file or known, and stand one level above."""
    read: dict[str, tuple[Line, Area]] = {}
    problems = list(sheet.problems)
    for line in sheet.lines:
        code, name, level, parent = line.cells
        wrong = text_problems({"name": name})
        if not _AREA_CODE.fullmatch(code):
            wrong.append(("code", "area_code", {"text": short(code)}))
        elif code in read:
            wrong.append(("code", "code_twice", {"row": read[code][0].row, "code": code}))
        if not name:
            wrong.append(("name", "required", {}))
        if level not in LEVEL_WORDS:
            wrong.append(("level", "area_level", {"text": short(level)}))
        problems += [Problem(line.row, sheet.header[column], what, facts) for column, what, facts in wrong]
        if not wrong:
            read[code] = (line, Area(code, name, LEVEL_WORDS[level], parent or None))
    for line, area in read.values():
        known = read[area.parent][1] if area.parent in read else None
        problem = _parent_problem(line.row, sheet.header["parent_code"], area, known, tree)
        if problem:
            problems.append(problem)
    return [area for _, area in read.values()], problems


def _parent_problem(row: int, column: str, area: Area, parent: Area | None, tree: AreaTree) -> Problem | None:
    above = LEVELS.index(area.level) - 1
    if area.parent is None:
        return None if above < 0 else found(row, column, "parent_needed")
    parent = parent or (tree.get(area.parent) if area.parent in tree else None)
    if parent is None:
        return found(row, column, "no_parent", code=short(area.parent))
    if above < 0 or parent.level != LEVELS[above]:
        return found(row, column, "parent_level", name=parent.name)
    return None
