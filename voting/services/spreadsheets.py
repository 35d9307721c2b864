"""Tables as files for a spreadsheet: Excel and CSV, row by row, so that memory stays small however long they are.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, in both formats: an Excel cell is text
anyway, but it may be saved as CSV by whoever opened it.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from typing import IO, Literal

import xlsxwriter

from voting.rules.stage_errors import TooLongForExcel

Format = Literal["xlsx", "csv"]
Cell = str | int | None
#: an Excel file takes seconds of CPU time for every hundred thousand rows
MOST_EXCEL_ROWS = 300_000
MIME = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}
_LONGEST_CELL = 32_767
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def harmless(cell: Cell) -> Cell:
    """The cell, with an apostrophe in front where it could be read as a formula."""
    if not isinstance(cell, str) or not cell:
        return cell
    # Some programs skip what cannot be seen in front of it.
    if cell[0] in "\t\r\n" or cell.lstrip().startswith(_FORMULA):
        return "'" + cell
    return cell


def write_table(
    form: Format, title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int] = ()
) -> tuple[IO[bytes], int]:
    """A temporary file that holds the table, at its beginning, and how many rows it has; raises TooLongForExcel.

    The file has no name and is gone when it is closed.
    """
    out = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        count = _write_excel(out, title, head, rows, widths) if form == "xlsx" else _write_csv(out, head, rows)
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return out, count


def _write_csv(out: IO[bytes], head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    # With a byte order mark: without it, Excel takes UTF-8 for GBK.
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="")
    writer, count = csv.writer(text), 0
    writer.writerow([harmless(cell) for cell in head])
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        count += 1
    text.flush()
    text.detach()
    return count


def _write_excel(
    out: IO[bytes], title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int]
) -> int:
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        sheet, bold = book.add_worksheet(title[:31]), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        for column, name in enumerate(head):
            sheet.write_string(0, column, str(harmless(name)), bold)
        count = 0
        for row in rows:
            count += 1
            if count > MOST_EXCEL_ROWS:
                continue  # only counted, for the refusal to say
            for column, cell in enumerate(row):
                if isinstance(cell, int):
                    sheet.write_number(count, column, cell)
                elif cell:
                    sheet.write_string(count, column, str(harmless(cell))[:_LONGEST_CELL])
    if count > MOST_EXCEL_ROWS:
        raise TooLongForExcel(count, MOST_EXCEL_ROWS)
    return count
