"""What people bring to the desk: a spreadsheet of every village with mistakes in it, and a zip of photos."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from PIL import Image, ImageDraw

from tests.spreadsheets import xlsx, zipped
from voting.services.demonstration import AREAS_FILE

HEADER = ("代码", "名称", "区划代码", "简介", "事迹")

Row = list[str]


def village_rows() -> list[Row]:
    """A centre for every village and community of the city, as the counties write them down."""
    with AREAS_FILE.open(encoding="utf-8", newline="") as file:
        villages = [area for area in csv.DictReader(file) if area["level"] == "village"]
    return [
        [
            area["code"],
            f"{area['name']}党群服务中心",
            area["code"],
            f"{area['name']}的党群服务中心。",
            "**便民**，天天开门。",
        ]
        for area in villages
    ]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A cell that somebody got wrong: its place in the sheet, and what the desk says about it."""

    row: int
    column: str
    text: str
    said: str


def mistakes(rows: list[Row]) -> list[Mistake]:
    """Five rows gone wrong, each in another way. Rows are counted as a spreadsheet shows them, the header is row 1."""
    return [
        Mistake(12, "名称", "", "不能为空"),
        Mistake(101, "区划代码", "441799999999", "没有这个区划代码：441799999999"),
        Mistake(250, "代码", rows[1][0], f"与第 3 行重复：{rows[1][0]}"),
        Mistake(500, "简介", "好" * 281, "有 281 个字，最多 280 个"),
        Mistake(len(rows) + 1, "名称", "党" * 65, "有 65 个字，最多 64 个"),
    ]


def with_mistakes(rows: list[Row], wrong: list[Mistake]) -> bytes:
    """The .xlsx with those cells in it."""
    sheet = [list(row) for row in rows]
    for each in wrong:
        sheet[each.row - 2][HEADER.index(each.column)] = each.text
    return xlsx(sheet, HEADER)


def mend(file: Path, rows: list[Row]) -> int:
    """Open the file that the desk sent back, put right what it marks, save; how many rows were marked."""
    book = openpyxl.load_workbook(file)
    sheet = book.active
    assert sheet is not None
    names = [cell.value for cell in sheet[1]]
    assert names == ["问题", *HEADER]
    marked = 0
    for line in sheet.iter_rows(min_row=2):
        if line[0].value:
            marked += 1
            for cell, text in zip(line[1:], rows[line[0].row - 2], strict=True):
                cell.value = text
    book.save(file)
    return marked


def photos(numbers: list[int], strays: tuple[str, ...] = ()) -> bytes:
    """A zip with a picture for each number, and files that belong to nobody."""
    return zipped(*((f"{number:03}.png", _picture(number)) for number in numbers), *((name, b"-") for name in strays))


def _picture(number: int) -> bytes:
    """A hill under a sky, another colour for everybody."""
    hue = number * 47 % 360
    image = Image.new("RGB", (640, 400), f"hsl({hue}, 45%, 78%)")
    draw = ImageDraw.Draw(image)
    draw.ellipse((-160, 220, 420, 640), f"hsl({hue}, 35%, 48%)")
    draw.ellipse((220, 260, 820, 700), f"hsl({hue}, 40%, 36%)")
    draw.rectangle((250, 190, 390, 300), "#f4ead2")
    draw.polygon(((230, 195), (320, 130), (410, 195)), "#a33b2c")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
