"""A CSV file as a spreadsheet shows it: rows counted from 1 with the header first, columns by their names.

Knows encodings, headers and cells; what a cell means is for ``importing.py`` to say. No SQL here.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024

#: Characters that are not visible but belong into Chinese text: the wide space, and the space that does not break.
_SPACES = dict.fromkeys(map(ord, "\u3000\u00a0"))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file. ``row`` 0 is the file as a whole; ``column`` is empty when the whole row is meant."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        place = f"第 {self.row} 行" if self.row else "文件"
        return f"{place}{f'，“{self.column}”列' if self.column else ''}：{self.message}"


class UnreadableSheet(Exception):
    """The file is not a table with the columns that are needed."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its English and Chinese name; ``needed`` columns must be in the header, their cells may be empty."""

    name: str
    chinese: str
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One row: cells by column name, stripped of space around them; columns the file does not have are empty."""

    row: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``header`` is how the file itself names each column; ``lines`` are the rows that are not empty."""

    header: Mapping[str, str]
    lines: list[Line]
    problems: list[Problem]


def read_sheet(source: bytes | Path, columns: tuple[Column, ...]) -> Sheet:
    """Read a whole CSV file; cells come in the order of ``columns``. Raises UnreadableSheet.

    Rows that are too short or too long are named in ``problems`` and left out of ``lines``.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    if len(data) > MAX_BYTES:
        raise UnreadableSheet(Problem(0, "", f"超过 {MAX_BYTES // 1024 // 1024} MB，请拆成几个文件"))
    records = _records(data, _encoding(data))
    first = next(records, (1, []))
    if not any(cell.strip() for cell in first[1]):
        raise UnreadableSheet(Problem(1, "", "没有表头，第一行应是各列的名称"))
    places = _places([cell.strip() for cell in first[1]], columns)
    width = len(first[1])
    order = [places.get(column.name) for column in columns]
    sheet = Sheet({name: first[1][place].strip() for name, place in places.items()}, [], [])
    for row, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != width:
            sheet.problems.append(Problem(row, "", f"有 {len(cells)} 列，应与表头一样是 {width} 列"))
            continue
        sheet.lines.append(Line(row, tuple("" if place is None else cells[place].strip() for place in order)))
    return sheet


def unprintable(text: str, breaks: bool = False) -> str | None:
    """The first character that cannot be seen or stored, named; line breaks count unless allowed."""
    shown = text.translate(_SPACES)
    if breaks:
        shown = shown.replace("\r\n", "").replace("\n", "")
    if shown.isprintable():
        return None
    for char in shown:
        # Not "unassigned": characters younger than this Python's tables are rare names, and fine.
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
            return "换行" if char in "\r\n" else f"U+{ord(char):04X}"
    return None


def _encoding(data: bytes) -> str:
    """utf-8-sig or gb18030, whichever decodes the whole file; raises UnreadableSheet."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableSheet(Problem(0, "", "是 UTF-16 编码，请另存为“CSV UTF-8”"))
    try:
        data.decode("utf-8-sig")
        return "utf-8-sig"
    except UnicodeDecodeError as error:
        broken = error
    # GB18030 gives some meaning to almost any bytes. A UTF-8 file with one damaged byte must not become nonsense:
    # where most of the Chinese is readable as UTF-8, UTF-8 was meant.
    as_utf8 = data.decode("utf-8-sig", "replace")
    readable = sum(1 for char in as_utf8 if "\u3400" <= char <= "\u9fff")
    if readable > as_utf8.count("\ufffd") or data.startswith(b"\xef\xbb\xbf"):
        raise UnreadableSheet(_damage(data, "utf-8-sig", "UTF-8", broken.start))
    try:
        data.decode("gb18030")
        return "gb18030"
    except UnicodeDecodeError as error:
        raise UnreadableSheet(_damage(data, "gb18030", "GBK", error.start)) from None


def _damage(data: bytes, encoding: str, name: str, at: int) -> Problem:
    """Where in the table the byte stands that cannot be decoded."""
    before = data[:at].decode(encoding, "replace")
    records = list(csv.reader(io.StringIO(before + "?", newline="")))
    header, last = records[0], records[-1]
    column = header[len(last) - 1].strip() if len(records) > 1 and len(last) <= len(header) else ""
    return Problem(len(records), column, f"有无法识别的字节 0x{data[at]:02X}，这一处不是完好的 {name} 编码")


def _records(data: bytes, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with their numbers, empty ones too: a spreadsheet counts them. Raises UnreadableSheet at a broken quote."""
    row = 0
    with io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="") as text:
        reader = csv.reader(text, strict=True)
        while True:
            row += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                raise UnreadableSheet(Problem(row, "", "引号不成对，或有单元格过长")) from None
            yield row, cells


def _places(names: list[str], columns: tuple[Column, ...]) -> dict[str, int]:
    """Where each column stands in the header; raises UnreadableSheet with every mistake in it."""
    known = {spelling: column.name for column in columns for spelling in (column.name, column.chinese)}
    problems = []
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        column = known.get(name.lower())
        if column is None:
            problems.append(Problem(1, name, f"不认识这一列，可用的列是 {'、'.join(c.name for c in columns)}"))
        elif column in places:
            problems.append(Problem(1, name, "这一列出现了两次"))
        else:
            places[column] = place
    problems += [
        Problem(1, column.name, f"缺少这一列（也可以叫“{column.chinese}”）")
        for column in columns
        if column.needed and column.name not in places
    ]
    if problems:
        raise UnreadableSheet(*problems)
    return places
