"""Spreadsheets (.xlsx and .xls) as rows of text, read by a process of their own (``workbook_child.py``)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
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
    """Read a workbook while its process runs. Raises WorkbookRefused, also while rows are read."""
    if isinstance(source, bytes):
        with tempfile.NamedTemporaryFile() as file:
            file.write(source)
            file.flush()
            with open_workbook(Path(file.name)) as workbook:
                yield workbook
        return
    # -I: nothing of this process's environment or folder decides what the child imports.
    command = [sys.executable, "-I", str(CHILD), str(source)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as child:
        guard = threading.Timer(LONGEST_S, child.kill)
        guard.daemon = True
        guard.start()
        try:
            assert child.stdout is not None
            lines = _lines(child, child.stdout)
            about = next(lines)
            yield Workbook(
                about["sheet"],
                tuple(about["others"]),
                tuple((top, left, bottom, right) for top, left, bottom, right in about["merged"]),
                frozenset((row, column) for row, column in about["formulas"]),
                ((row, cells) for row, cells in lines),
            )
        finally:
            guard.cancel()
            child.kill()


def _lines(child: subprocess.Popen[bytes], out: IO[bytes]) -> Iterator[Any]:
    for line in out:
        told = json.loads(line)
        if isinstance(told, dict) and "problem" in told:
            raise WorkbookRefused(told["problem"])
        yield told
    # Out of memory is how a file that unpacks without end shows itself.
    if child.wait() != 0:
        raise WorkbookRefused("unpacked")
