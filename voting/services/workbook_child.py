"""Reads one spreadsheet in a process of its own, with little memory: `python workbook_child.py FILE`.

A file that unpacks without end, or makes the reader fall over, ends this process and not the server that votes. Writes
lines of JSON: what the workbook is, then each row with its number; or one line that says what is wrong. Imports nothing
of ours: it is started by its path.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

#: all parts of an .xlsx together, unpacked; 35,000 households with long stories have about 200 MB
MOST_UNPACKED = 400_000_000
MOST_PARTS = 5_000
MOST_MEMORY = 1_500_000_000
#: what is told of it: few texts, each repeated in thousands of cells, make much of a little file
MOST_TOLD = 400_000_000
MOST_ROWS, MOST_COLUMNS = 100_000, 200
#: spreadsheets keep fifteen digits of a number; more than these were lost when it was typed
EXACT = 10**15
_PIECE = 1 << 20
_EMPTY_FORMULA = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
_ERROR = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*\bt="e"')


class Refused(Exception):
    """``problem``: kind, unpacked, password, damaged, empty, size."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def check_parts(path: Path) -> None:
    """Refuse a package by what it says of itself, then by what really comes out of it."""
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            if "xl/workbook.xml" not in {part.filename for part in parts}:
                raise Refused("kind")
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise Refused("unpacked")
            total = 0
            for part in parts:
                for size in _inflated(package, part):
                    total += size
                    if total > MOST_UNPACKED:
                        raise Refused("unpacked")
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, ValueError) as error:
        raise Refused("damaged") from error


def _inflated(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[int]:
    """How much comes out of a part, piece by piece, whatever its header says."""
    source = package.fp
    assert source is not None
    source.seek(part.header_offset)
    head = source.read(30)
    source.seek(part.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"))
    if part.compress_type != zipfile.ZIP_DEFLATED:
        yield part.compress_size
        return
    left, unpacker = part.compress_size, zlib.decompressobj(-15)
    while left > 0 and not unpacker.eof:
        packed = source.read(min(left, _PIECE))
        if not packed:
            raise zlib.error("cut off")
        left -= len(packed)
        while packed:
            yield len(unpacker.decompress(packed, _PIECE))
            packed = unpacker.unconsumed_tail


def broken_formulas(path: Path, name: str) -> list[list[int]]:
    """Cells (row, column, from 1) of a sheet whose formula has no value: written by a program, or an error."""
    found: list[tuple[bytes, bytes]] = []
    with zipfile.ZipFile(path) as package:
        part = _part_of(package, name)
        if part in package.namelist():
            with package.open(part) as source:
                for text in _whole_cells(source):
                    found += _EMPTY_FORMULA.findall(text) if b"<f" in text else []
                    found += _ERROR.findall(text)
    return [[int(row), _column(letters)] for letters, row in found]


def _whole_cells(source: IO[bytes]) -> Iterator[bytes]:
    """A sheet in pieces that end where a cell does: the whole text would be most of this process's memory."""
    left = b""
    while piece := source.read(_PIECE):
        text = left + piece
        end = text.rfind(b"</c>") + 4
        # No cell is longer than that.
        end = end if end > 3 else max(0, len(text) - _PIECE)
        yield text[:end]
        left = text[end:]
    yield left


def _part_of(package: zipfile.ZipFile, name: str) -> str:
    """Where a sheet lies in the package."""
    relations = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    for each in ElementTree.fromstring(package.read("xl/workbook.xml")).iter():
        if each.tag.endswith("}sheet") and each.get("name") == name:
            identity = next((value for key, value in each.attrib.items() if key.endswith("}id")), None)
            target = targets.get(identity, "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return ""


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def as_text(cell: Any) -> str | list[str]:
    """A cell as a person would type it; a list names what is wrong with it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float | int):
        if abs(cell) >= EXACT:
            return ["digits", f"{cell:.0f}" if abs(cell) < 1e20 else f"{cell:g}"]
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d" if cell.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    return "" if cell is None else str(cell)


def read(path: Path) -> Iterator[Any]:
    """What the workbook is, and then its rows."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    package = path.read_bytes()[:2] == b"PK"
    if package:
        check_parts(path)
    try:
        with CalamineWorkbook.from_path(str(path)) as workbook:
            # Only what somebody can see in front of them is meant: the first sheet with anything on it.
            shown = [
                meta.name
                for meta in workbook.sheets_metadata
                if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
            ]
            sheet, filled = None, []
            for name in shown:
                # Of the others it is only asked whether they are empty; they are not kept in memory.
                each = workbook.get_sheet_by_name(name)
                if each.height:
                    sheet = sheet or each
                    filled.append(name)
            if sheet is None:
                raise Refused("empty")
            if sheet.total_height > MOST_ROWS or sheet.total_width > MOST_COLUMNS:
                raise Refused("size")
            yield {
                "sheet": filled[0],
                "others": filled[1:],
                "merged": [
                    [top + 1, left + 1, bottom + 1, right + 1]
                    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
                ],
                "formulas": broken_formulas(path, filled[0]) if package else [],
            }
            # Rows are given from the first one on, but cells from the first column that is filled.
            before = [""] * (sheet.start or (0, 0))[1]
            for row, cells in enumerate(sheet.iter_rows(), 1):
                yield [row, before + [as_text(cell) for cell in cells]]
    except PasswordError as error:
        raise Refused("password") from error
    except (CalamineError, ElementTree.ParseError, KeyError) as error:
        raise Refused("damaged") from error


def main(path: str) -> int:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_TOLD, MOST_TOLD))
    except (ImportError, ValueError, OSError):
        pass  # a system without such limits
    out = sys.stdout
    try:
        for line in read(Path(path)):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    except Refused as refused:
        out.write(json.dumps({"problem": refused.problem}) + "\n")
    except MemoryError:
        out.write('{"problem": "unpacked"}\n')
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
