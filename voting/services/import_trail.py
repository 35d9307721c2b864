"""What the audit trail keeps of an import: which rows came, and every changed field before and after.

An import may change thirty thousand rows, an entry of the trail is read by people: so many of them are listed by code,
and a digest stands for all. It is the SHA-256 of one line of JSON for each changed row, in the order of the file: code,
fields before, fields after; and then for each new one: code and number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

from voting.rules.areas import Area, AreaTree
from voting.services.candidate_rows import Plan

#: rows of each kind, and characters of a text, that an entry lists
LISTED, LONGEST_TEXT = 200, 400

Figures = dict[str, Any]


def candidates_entry(plan: Plan, figures: Figures) -> tuple[Figures, Figures]:
    """Before and after of an import of candidates."""
    changes = ((change.entry.code, change.was, change.now) for change in plan.changed)
    fresh = [(entry.code, entry.number or 0) for entry in plan.fresh]
    before, after = _changes(islice(changes, LISTED))
    after |= figures
    if fresh:
        after["new_numbers"] = ranges(number for _, number in fresh)
        after["new_codes"] = [code for code, _ in fresh[:LISTED]]
    if max(len(plan.changed), len(fresh)) > LISTED:
        everything = ([change.entry.code, change.was, change.now] for change in plan.changed)
        after |= {"listed": LISTED, "digest": _digest(everything, fresh)}
    return before, after


def areas_entry(fresh: Sequence[Area], changed: Sequence[Area], tree: AreaTree, figures: Figures) -> tuple[Any, Any]:
    """Before and after of an import of areas."""

    def fields(area: Area) -> dict[str, str | None]:
        return {"name": area.name, "level": area.level, "parent": area.parent}

    changes = [(area.code, fields(tree.get(area.code)), fields(area)) for area in changed]
    before, after = _changes(changes[:LISTED])
    after |= figures
    if fresh:
        after["new_codes"] = [area.code for area in fresh[:LISTED]]
    if max(len(changed), len(fresh)) > LISTED:
        after |= {"listed": LISTED, "digest": _digest(changes, ((area.code, area.name) for area in fresh))}
    return before, after


def _changes(changes: Iterable[tuple[str, dict[str, Any], dict[str, Any]]]) -> tuple[Figures, Figures]:
    before, after = {}, {}
    for code, was, now in changes:
        differing = [name for name in was if was[name] != now[name]]
        before[code] = {name: _short(was[name]) for name in differing}
        after[code] = {name: _short(now[name]) for name in differing}
    return ({"rows_changed": before}, {"rows_changed": after}) if before else ({}, {})


def _short(value: Any) -> Any:
    """A value as it is listed: of a long story its beginning, its length, and what tells it from every other."""
    if not isinstance(value, str) or len(value) <= LONGEST_TEXT:
        return value
    return f"{value[:LONGEST_TEXT]}… ({len(value)}, sha256 {sha256(value.encode()).hexdigest()[:16]})"


def _digest(*parts: Iterable[Sequence[Any]]) -> str:
    digest = sha256()
    for part in parts:
        for line in part:
            text = json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            digest.update(f"{text}\n".encode())
    return digest.hexdigest()


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in order, those that follow each other as one: "1-3, 7". Of very many pieces the first ones."""
    pieces: list[list[int]] = []
    for number in sorted(numbers):
        if pieces and pieces[-1][1] + 1 == number:
            pieces[-1][1] = number
        else:
            pieces.append([number, number])
    told = [str(first) if first == last else f"{first}-{last}" for first, last in pieces[:LISTED]]
    return ", ".join([*told, "…"] if len(pieces) > LISTED else told)
