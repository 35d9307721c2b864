"""A table from a CSV file or a spreadsheet: rows counted from 1 as it shows them, columns by their names.

Knows encodings, headers and cells; what a cell means is for ``importing.py`` to say. No SQL here, and no words: what is
wrong is a code of ``rules/import_problems.py``. How a spreadsheet is taken apart is in ``workbooks.py``.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voting.rules.import_problems import Problem, found
from voting.services.workbooks import Cell, Workbook, WorkbookRefused, is_workbook, open_workbook

MAX_BYTES = 64 * 1024 * 1024
#: a spreadsheet may have a title above its header
HEADER_WITHIN = 20
#: the column of the file that tells what is wrong, in either language: it may come back, and is not read
PROBLEM_COLUMNS = frozenset({"问题", "problem"})

#: Characters that are not visible but belong into Chinese text: the wide space, and the space that does not break.
_SPACES = dict.fromkeys(map(ord, "\u3000\u00a0"))


class UnreadableSheet(Exception):
    """The file is not a table with the columns that are needed."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"row {each.row}: {each.code}" for each in problems))
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
    """``header`` is how the file itself names each column; ``lines`` are the rows that are not empty.

    ``name`` and ``others`` are sheets of a spreadsheet: the one that was read, and those that were not. ``raw`` is
    the header and every row as they stand in the file, where that was asked for.
    """

    header: Mapping[str, str]
    lines: list[Line]
    problems: list[Problem]
    name: str = ""
    others: tuple[str, ...] = ()
    raw: list[tuple[int, list[str]]] = field(default_factory=list)


def read_sheet(source: bytes | Path, columns: tuple[Column, ...], keep_raw: bool = False) -> Sheet:
    """Read a whole CSV file or the first sheet of a spreadsheet; cells come in the order of ``columns``.

    What is wrong with single rows and cells is named in ``problems``, and these rows are left out of ``lines``.
    Raises UnreadableSheet.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableSheet(found(0, "", "bytes", most_mb=MAX_BYTES // 1024 // 1024))
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        head = file.read(512)
    if is_workbook(head):
        try:
            with open_workbook(source) as workbook:
                return _read_workbook(workbook, columns, keep_raw)
        except WorkbookRefused as refused:
            raise UnreadableSheet(found(0, "", refused.problem)) from None
    _check_kind(head)
    return _read_csv(source if isinstance(source, bytes) else source.read_bytes(), columns, keep_raw)


def _check_kind(head: bytes) -> None:
    """Refuse what is plainly something else, before its bytes are taken for characters."""
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise UnreadableSheet(found(0, "", "web_page"))
    # One such byte is a damaged cell, which is named where it stands.
    binary = head.count(0) > len(head) // 32 and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if binary or start.startswith((b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"rar!", b"7z")):
        raise UnreadableSheet(found(0, "", "kind"))


def _read_csv(data: bytes, columns: tuple[Column, ...], keep_raw: bool) -> Sheet:
    records = _records(data, _encoding(data))
    first = next(records, (1, []))
    if not any(cell.strip() for cell in first[1]):
        raise UnreadableSheet(found(1, "", "no_header"))
    sheet, order = _begin(first[0], first[1], columns, keep_raw)
    width = len(first[1])
    for row, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if keep_raw:
            sheet.raw.append((row, cells))
        if len(cells) != width:
            sheet.problems.append(found(row, "", "width", cells=len(cells), header=width))
            continue
        sheet.lines.append(Line(row, tuple("" if place is None else cells[place].strip() for place in order)))
    return sheet


def _begin(
    row: int,
    names: list[str],
    columns: tuple[Column, ...],
    keep_raw: bool,
    name: str = "",
    others: tuple[str, ...] = (),
) -> tuple[Sheet, list[int | None]]:
    """A sheet with its header, and where in a row each column stands."""
    # A spreadsheet's table need not begin in its first column.
    places = _places(row, [cell.strip() for cell in names], columns, bool(name))
    raw = [(row, names)] if keep_raw else []
    header = {column: names[place].strip() for column, place in places.items()}
    return Sheet(header, [], [], name, others, raw), [places.get(column.name) for column in columns]


def _read_workbook(workbook: Workbook, columns: tuple[Column, ...], keep_raw: bool) -> Sheet:
    known = {spelling for column in columns for spelling in (column.name, column.chinese)}
    above: list[tuple[int, list[Cell]]] = []
    for row, cells in workbook.rows:
        above.append((row, cells))
        if sum(_plain(cell).lower() in known for cell in cells) > 1 or row >= HEADER_WITHIN:
            break
    filled = [each for each in above if any(map(_plain, each[1]))]
    if not filled:
        raise UnreadableSheet(found(0, "", "empty"))
    top_row = next((each for each in filled if sum(_plain(cell).lower() in known for cell in each[1]) > 1), filled[0])
    names = [_plain(cell) for cell in top_row[1]]
    while not names[-1]:
        names.pop()
    sheet, order = _begin(top_row[0], names, columns, keep_raw, workbook.name, workbook.others)
    inside: set[int] = set()
    for top, left, bottom, _ in workbook.merged:
        if top > top_row[0] and left <= len(names):
            # It is not known which of the rows the text is meant for.
            sheet.problems.append(found(top, names[left - 1], "merged", top=top, bottom=bottom))
            inside.update(range(top, bottom + 1))
    for row, cells in workbook.rows:
        texts = [_plain(cell) for cell in cells]
        if not any(texts) and not any(place == row for place, _ in workbook.broken):
            continue
        if keep_raw:
            sheet.raw.append((row, texts[: len(names)]))
        wrong = _cell_problems(row, cells, names, workbook)
        sheet.problems.extend(wrong)
        if not wrong and row not in inside:
            sheet.lines.append(Line(row, tuple("" if place is None else texts[place] for place in order)))
    return sheet


def _plain(cell: Cell) -> str:
    return (cell if isinstance(cell, str) else cell[1]).strip()


def _cell_problems(row: int, cells: list[Cell], names: list[str], workbook: Workbook) -> list[Problem]:
    wrong = []
    for place, name in enumerate(names, 1):
        cell = cells[place - 1] if place <= len(cells) else ""
        if not name:
            if _plain(cell):
                wrong.append(found(row, "", "no_head", text=_plain(cell)[:20]))
        elif (row, place) in workbook.broken:
            wrong.append(found(row, name, "formula"))
        elif not isinstance(cell, str):
            wrong.append(found(row, name, "digits", text=cell[1]))
    if any(map(_plain, cells[len(names) :])):
        wrong.append(found(row, "", "width", cells=len(cells), header=len(names)))
    return wrong


def unprintable(text: str, breaks: bool = False) -> str | None:
    """The first character that cannot be seen or stored, by its number; line breaks count unless allowed."""
    shown = text.translate(_SPACES)
    if breaks:
        shown = shown.replace("\r\n", "").replace("\n", "")
    if shown.isprintable():
        return None
    for char in shown:
        # Not "unassigned": characters younger than this Python's tables are rare names, and fine.
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
            return f"U+{ord(char):04X}"
    return None


def _encoding(data: bytes) -> str:
    """utf-8-sig or gb18030, whichever decodes the whole file; raises UnreadableSheet."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableSheet(found(0, "", "utf16"))
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
    return found(len(records), column, "broken_byte", byte=f"0x{data[at]:02X}", encoding=name)


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
                raise UnreadableSheet(found(row, "", "broken_quote")) from None
            yield row, cells


def _places(row: int, names: list[str], columns: tuple[Column, ...], nameless: bool) -> dict[str, int]:
    """Where each column stands in the header; raises UnreadableSheet with every mistake in it."""
    known = {spelling: column.name for column in columns for spelling in (column.name, column.chinese)}
    problems = []
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        column = known.get(name.lower())
        if name.lower() in PROBLEM_COLUMNS or (not name and nameless):
            continue
        if column is None:
            problems.append(found(row, name, "unknown_column", columns=[(c.name, c.chinese) for c in columns]))
        elif column in places:
            problems.append(found(row, name, "column_twice"))
        else:
            places[column] = place
    problems += [
        found(row, column.name, "column_missing", chinese=column.chinese)
        for column in columns
        if column.needed and column.name not in places
    ]
    if problems:
        raise UnreadableSheet(*problems)
    return places
