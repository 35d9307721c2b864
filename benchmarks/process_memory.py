"""The memory of a server's processes while it works, sampled together.

What is counted is the resident set (RSS): every page that is in memory, those of shared libraries in each process that
uses them, so that sums are rather too high than too low. ``ru_maxrss`` would not do: a child inherits its parent's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 0.01
READER = b"workbook_child.py"
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Peaks:
    """Bytes: the largest worker, the largest reader of spreadsheets, the largest worker with its own reader at one
    instant, and all processes of the server at one instant."""

    worker: int = 0
    reader: int = 0
    together: int = 0
    everything: int = 0


@contextmanager
def watched(parent: int) -> Iterator[Peaks]:
    """Peaks among the workers of a server, which are the children of ``parent``, and their children."""
    peaks, over = Peaks(), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY_S):
            _look(parent, peaks)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def _look(parent: int, peaks: Peaks) -> None:
    everything = _resident(parent)
    for worker in _children(parent):
        own = _resident(worker)
        readers = sum(_resident(child) for child in _children(worker) if READER in _command(child))
        peaks.worker, peaks.reader = max(peaks.worker, own), max(peaks.reader, readers)
        peaks.together = max(peaks.together, own + readers)
        everything += own + readers
    peaks.everything = max(peaks.everything, everything)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    except OSError:
        pass  # it ended while it was looked at
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
