"""Spreadsheets as people and programs make them, for tests of the import."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import openpyxl
import xlsxwriter

HEADER = ("代码", "名称", "区划代码", "编号", "类别", "简介", "事迹")


def xlsx(
    rows: Iterable[Sequence[Any]], header: Sequence[str] = HEADER, more: Callable[..., None] | None = None
) -> bytes:
    """Rows of plain values under a header; ``more(book, sheet)`` adds what a test is about."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("候选对象")
    for place, row in enumerate([header, *rows]):
        sheet.write_row(place, 0, row)
    if more:
        more(book, sheet)
    book.close()
    return out.getvalue()


def cells(content: bytes, sheet: int = 0) -> list[list[Any]]:
    """What a spreadsheet program reads from an .xlsx, formulas as they stand."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [list(row) for row in book.worksheets[sheet].iter_rows(values_only=True)]


def repacked(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same package with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


def bomb(size: int, lie: int | None = None) -> bytes:
    """A small .xlsx that unpacks to ``size`` bytes; with ``lie`` its directory says that it is so many."""
    small = xlsx([])
    part = "xl/worksheets/sheet1.xml"
    length = 0

    def blow(text: bytes) -> bytes:
        nonlocal length
        length = len(text) + size
        return text + b" " * size

    packed = repacked(small, part, blow)
    return packed if lie is None else packed.replace(struct.pack("<I", length), struct.pack("<I", lie))


def zipped(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files:
            package.writestr(name, content)
    return out.getvalue()
