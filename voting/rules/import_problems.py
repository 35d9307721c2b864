"""What can be wrong in a table that is imported, as codes with facts; the words are the edge's to find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: the file as a whole, its header, a row, a cell
FILE = ("bytes", "kind", "unpacked", "password", "damaged", "empty", "size", "web_page", "utf16", "no_award")
HEADER = ("no_header", "unknown_column", "column_twice", "column_missing")
ROW = ("width", "merged", "no_head", "broken_byte", "broken_quote")
CELL = ("formula", "digits", "required", "long", "hidden", "code_twice", "no_area", "area_as_number", "not_a_number")
CANDIDATE = ("no_group", "number_taken", "number_kept", "number_twice")
AREA = ("area_code", "area_level", "parent_needed", "no_parent", "parent_level")
CODES = frozenset((*FILE, *HEADER, *ROW, *CELL, *CANDIDATE, *AREA))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file. ``row`` 0 is the file as a whole; ``column`` is empty when the whole row is meant."""

    row: int
    column: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def found(row: int, column: str, code: str, /, **facts: Any) -> Problem:
    """A problem with its facts by their names."""
    return Problem(row, column, code, facts)
