"""Spreadsheets (.xlsx and .xls) as rows of text, read by a process of their own (``workbook_child.py``).

That process writes to a file and is over before the first row is looked at here: its memory and that of whatever is
made of the rows are never needed at the same time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CHILD = Path(__file__).with_name("workbook_child.py")
#: an .xlsx is a zip, an .xls a compound file
MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
LONGEST_S = 120.0

#: a cell's text, or what is wrong with it and its text
Cell = str | list[str]


class WorkbookRefused(Exception):
    """``problem``: kind, unpacked, password, damaged, empty, size."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Workbook:
    """The first sheet with anything on it. ``merged`` are ranges (top, left, bottom, right), ``broken`` cells whose
    formula has no value, both counted from 1; ``others`` are sheets that are not read."""

    name: str
    others: tuple[str, ...]
    merged: tuple[tuple[int, int, int, int], ...]
    broken: frozenset[tuple[int, int]]
    rows: Iterator[tuple[int, list[Cell]]]


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins like this is for this room; its name says nothing."""
    return head.startswith(MAGIC)


@contextmanager
def open_workbook(source: bytes | Path) -> Iterator[Workbook]:
    """Have a workbook read, and give its rows one after the other. Raises WorkbookRefused, also while rows are read."""
    if isinstance(source, bytes):
        with tempfile.NamedTemporaryFile() as file:
            file.write(source)
            file.flush()
            with open_workbook(Path(file.name)) as workbook:
                yield workbook
        return
    with tempfile.TemporaryFile() as told:
        _read_apart(source, told)
        lines = _lines(told)
        about = next(lines)
        yield Workbook(
            about["sheet"],
            tuple(about["others"]),
            tuple((top, left, bottom, right) for top, left, bottom, right in about["merged"]),
            frozenset((row, column) for row, column in about["formulas"]),
            ((row, cells) for row, cells in lines),
        )


def _read_apart(source: Path, told: IO[bytes]) -> None:
    """Let the process write all it has to tell."""
    # -I: nothing of this process's environment or folder decides what the child imports.
    command = [sys.executable, "-I", str(CHILD), str(source)]
    try:
        # Out of memory, time or room is how a file that unpacks without end shows itself.
        subprocess.run(
            command,
            stdout=told,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=LONGEST_S,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise WorkbookRefused("unpacked") from error
    told.seek(0)


def _lines(told: IO[bytes]) -> Iterator[Any]:
    for line in told:
        each = json.loads(line)
        if isinstance(each, dict) and "problem" in each:
            raise WorkbookRefused(each["problem"])
        yield each
