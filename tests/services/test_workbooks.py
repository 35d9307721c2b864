"""Spreadsheets as organizers send them: numbers, dates, merged cells, formulas, titles, and files that mean no good."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.spreadsheets import HEADER, bomb, cells, repacked, xlsx
from voting.services.candidate_rows import CANDIDATE_COLUMNS
from voting.services.sheets import PROBLEM_COLUMN, Problem, Sheet, UnreadableSheet, read_sheet
from voting.services.workbook_writing import with_problems

SHEET = "xl/worksheets/sheet1.xml"


def read(content: bytes, keep_raw: bool = False) -> Sheet:
    return read_sheet(content, CANDIDATE_COLUMNS, keep_raw)


def row(code: Any = "a", name: Any = "甲", **others: Any) -> list[Any]:
    return [code, name, *(others.get(column.name, "") for column in CANDIDATE_COLUMNS[2:])]


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableSheet) as refused:
        read(content)
    return "；".join(map(str, refused.value.problems))


def test_rows_are_read_as_they_stand_empty_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx([row("a", " 甲 ", story="第一段\n第二段"), [], row("b", "乙")]))
    sheet = read_sheet(path, CANDIDATE_COLUMNS)
    assert [(line.row, line.cells[:2], line.cells[6]) for line in sheet.lines] == [
        (2, ("a", "甲"), "第一段\n第二段"),
        (4, ("b", "乙"), ""),
    ]
    assert (sheet.problems, sheet.name, sheet.others) == ([], "候选对象", ())


def test_numbers_come_back_as_they_were_typed() -> None:
    day = datetime.date(2026, 5, 1)
    sheet = read(xlsx([row(441702103201.0, 13800138000.0, number=7.0, group=1.5)]))
    assert sheet.lines[0].cells[:5] == ("441702103201", "13800138000", "", "7", "1.5")

    def dated(book: Any, page: Any) -> None:
        page.write_datetime(1, 5, day, book.add_format({"num_format": "yyyy-mm-dd"}))

    assert read(xlsx([row()], more=dated)).lines[0].cells[5] == "2026-05-01"


def test_digits_that_the_spreadsheet_lost_are_not_guessed() -> None:
    sheet = read(xlsx([row(441702199001011234)]))
    (problem,) = sheet.problems
    assert (problem.row, problem.column) == (2, "代码")
    assert "超过 15 位" in problem.message
    assert sheet.lines == []


def test_a_title_above_the_header_and_further_sheets() -> None:
    def more(book: Any, page: Any) -> None:
        page.merge_range(0, 0, 0, 6, "阳江市十佳评选候选名单")
        page.write_row(2, 0, HEADER)
        page.write_row(3, 0, row("a"))
        book.add_worksheet("看不见").write(0, 0, "x")
        book.worksheets()[1].hide()
        book.add_worksheet("填写说明").write(0, 0, "说明")
        book.add_worksheet("空的")

    sheet = read(xlsx([], header=(), more=more))
    assert ([line.row for line in sheet.lines], sheet.problems) == ([4], [])
    assert sheet.others == ("填写说明",)


def test_a_table_that_does_not_begin_in_the_corner() -> None:
    def more(_book: Any, page: Any) -> None:
        page.write_row(4, 3, HEADER)
        page.write_row(5, 3, row("a", "甲"))

    sheet = read(xlsx([], header=(), more=more))
    assert sheet.lines[0].row == 6
    assert sheet.lines[0].cells[:2] == ("a", "甲")


def test_merged_cells_are_named_and_not_guessed() -> None:
    def more(_book: Any, page: Any) -> None:
        page.merge_range(1, 2, 3, 2, "441702103201")

    sheet = read(xlsx([row("a"), row("b"), row("c"), row("d")], more=more))
    (problem,) = sheet.problems
    assert (problem.row, problem.column) == (2, "区划代码")
    assert "第 2 至 4 行" in problem.message
    assert [line.row for line in sheet.lines] == [5]


def test_formulas_count_by_their_value_and_without_one_they_are_named() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(HEADER)
    page.append(["=1+1", "甲"])
    out = io.BytesIO()
    book.save(out)
    (problem,) = read(out.getvalue()).problems
    assert (problem.row, problem.column) == (2, "代码")
    assert "公式" in problem.message

    def more(_book: Any, page: Any) -> None:
        page.write_formula(1, 0, '="a"&"b"', None, "ab")
        page.write_formula(2, 1, "=1/0", None, "#DIV/0!")

    sheet = read(xlsx([row(), row("b")], more=more))
    assert [line.cells[0] for line in sheet.lines] == ["ab"]
    assert [(each.row, each.column) for each in sheet.problems] == [(3, "名称")]


def test_text_beside_the_table_is_named() -> None:
    sheet = read(xlsx([[*row("a"), "", "备注"], row("b")]))
    assert [(each.row, each.column) for each in sheet.problems] == [(2, "")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "不是表格文件"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "不是表格文件"),
        (b"\0\1\2\3" * 200, "不是表格文件"),
        ("\n<html><table><tr><td>代码".encode(), "其实是网页"),
        (b"PK\x03\x04" + b"x" * 100, "已损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "已损坏"),
        (xlsx([], header=()), "没有内容"),
        (xlsx([row()], header=("姓名", "电话")), "缺少这一列"),
        (b"", "没有表头"),
    ],
    ids=["pdf", "png", "binary", "html", "broken-zip", "broken-xls", "empty", "other-table", "nothing"],
)
def test_what_is_no_such_table_is_refused_in_words(content: bytes, says: str) -> None:
    assert says in refusal(content)


def test_another_package_is_no_spreadsheet() -> None:
    assert "不是表格文件" in refusal(repacked(xlsx([]), "xl/workbook.xml", lambda text: text).replace(b"xl/w", b"yl/w"))


@pytest.mark.parametrize("lie", [None, 5000], ids=["said", "hidden"])
def test_a_bomb_is_refused_before_and_while_it_is_unpacked(lie: int | None) -> None:
    content = bomb(500_000_000, lie)
    assert len(content) < 1_000_000
    assert "解压后太大" in refusal(content)


def test_two_cells_a_million_rows_apart_end_the_reader_and_not_the_server() -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    assert "太大" in refusal(repacked(xlsx([row()]), SHEET, lambda text: text.replace(b"</sheetData>", far)))


def test_too_many_columns() -> None:
    assert "200 列" in refusal(xlsx([], header=[*HEADER, *(f"列{n}" for n in range(300))]))


def test_the_file_that_is_sent_back_can_be_mended_and_sent_again() -> None:
    sent = xlsx([row("=a", "甲"), row("b", ""), row(441702103201.0, "丙\ufffe")])
    sheet = read(sent, keep_raw=True)
    back = with_problems(sheet, [Problem(3, "名称", "不能为空"), Problem(3, "", "x")])
    table = cells(back)
    assert table[0] == [PROBLEM_COLUMN, *HEADER]
    assert table[1][:3] == ["", "=a", "甲"]
    assert table[2][0] == "名称：不能为空；x"
    assert table[3][1] == "441702103201", "a code stays text"
    # It is text, not a formula, also for whoever opens the file.
    book = openpyxl.load_workbook(io.BytesIO(back))
    assert book.worksheets[0]["B2"].data_type == "s"
    again = read(back, keep_raw=True)
    assert [line.cells[0] for line in again.lines] == ["=a", "b", "441702103201"]
    assert cells(with_problems(again, []))[0] == [PROBLEM_COLUMN, *HEADER]


def test_a_csv_file_may_bring_the_column_of_problems_too() -> None:
    text = "问题,代码,名称,区划代码,简介,事迹\n不好,a,甲,,,\n"
    assert read(text.encode("gbk")).lines[0].cells[:2] == ("a", "甲")
