"""Spreadsheets as organizers send them: numbers, dates, merged cells, formulas, titles, and files that mean no good."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.spreadsheets import HEADER, bomb, cells, repacked, xlsx
from voting.rules.import_problems import Problem, found
from voting.services import workbooks
from voting.services.candidate_rows import CANDIDATE_COLUMNS
from voting.services.sheets import Sheet, UnreadableSheet, read_sheet
from voting.services.workbook_writing import with_problems

OLD = Path(__file__).parent.parent / "files" / "candidates.xls"
SHEET = "xl/worksheets/sheet1.xml"


def read(content: bytes, keep_raw: bool = False) -> Sheet:
    return read_sheet(content, CANDIDATE_COLUMNS, keep_raw)


def row(code: Any = "a", name: Any = "甲", **others: Any) -> list[Any]:
    return [code, name, *(others.get(column.name, "") for column in CANDIDATE_COLUMNS[2:])]


def refusal(content: bytes) -> str:
    """What a file is refused for as a whole."""
    with pytest.raises(UnreadableSheet) as refused:
        read(content)
    assert len({each.code for each in refused.value.problems}) == 1
    return refused.value.problems[0].code


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
    assert sheet.problems == [found(2, "代码", "digits", text="441702199001011328")]
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
    assert sheet.problems == [found(2, "区划代码", "merged", top=2, bottom=4)]
    assert [line.row for line in sheet.lines] == [5]


def test_formulas_count_by_their_value_and_without_one_they_are_named() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(HEADER)
    page.append(["=1+1", "甲"])
    out = io.BytesIO()
    book.save(out)
    assert read(out.getvalue()).problems == [found(2, "代码", "formula")]

    def more(_book: Any, page: Any) -> None:
        page.write_formula(1, 0, '="a"&"b"', None, "ab")
        page.write_formula(2, 1, "=1/0", None, "#DIV/0!")

    sheet = read(xlsx([row(), row("b")], more=more))
    assert [line.cells[0] for line in sheet.lines] == ["ab"]
    assert sheet.problems == [found(3, "名称", "formula")]


def test_text_beside_the_table_is_named() -> None:
    sheet = read(xlsx([[*row("a"), "", "备注"], row("b")]))
    assert [(each.row, each.column) for each in sheet.problems] == [(2, "")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "kind"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "kind"),
        (b"\0\1\2\3" * 200, "kind"),
        ("\n<html><table><tr><td>代码".encode(), "web_page"),
        (b"PK\x03\x04" + b"x" * 100, "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "damaged"),
        (xlsx([], header=()), "empty"),
        (xlsx([row()], header=("代码",)), "column_missing"),
        (b"", "no_header"),
    ],
    ids=["pdf", "png", "binary", "html", "broken-zip", "broken-xls", "empty", "other-table", "nothing"],
)
def test_what_is_no_such_table_is_refused(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_another_package_is_no_spreadsheet() -> None:
    assert refusal(repacked(xlsx([]), "xl/workbook.xml", lambda text: text).replace(b"xl/w", b"yl/w")) == "kind"


@pytest.mark.parametrize("lie", [None, 5000], ids=["said", "hidden"])
def test_a_bomb_is_refused_before_and_while_it_is_unpacked(lie: int | None) -> None:
    content = bomb(500_000_000, lie)
    assert len(content) < 1_000_000
    assert refusal(content) == "unpacked"


def test_two_cells_a_million_rows_apart_end_the_reader_and_not_the_server() -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    assert refusal(repacked(xlsx([row()]), SHEET, lambda text: text.replace(b"</sheetData>", far))) == "unpacked"


def test_too_many_columns() -> None:
    assert refusal(xlsx([], header=[*HEADER, *(f"列{n}" for n in range(300))])) == "size"


def marked(sheet: Sheet, *problems: Problem) -> bytes:
    return with_problems(sheet, problems, lambda each: f"{each.column} {each.code}", "Problem", "Candidates")


def test_the_file_that_is_sent_back_can_be_mended_and_sent_again() -> None:
    sent = xlsx([row("=a", "甲"), row("b", ""), row(441702103201.0, "丙\ufffe")])
    sheet = read(sent, keep_raw=True)
    back = marked(sheet, found(3, "名称", "required"), found(3, "", "x"))
    table = cells(back)
    assert table[0] == ["Problem", *HEADER]
    assert table[1][:3] == ["", "=a", "甲"]
    assert table[2][0] == "名称 required\n x"
    assert table[3][1] == "441702103201", "a code stays text"
    # It is text, not a formula, also for whoever opens the file.
    book = openpyxl.load_workbook(io.BytesIO(back))
    assert book.worksheets[0]["B2"].data_type == "s"
    again = read(back, keep_raw=True)
    assert [line.cells[0] for line in again.lines] == ["=a", "b", "441702103201"]
    assert cells(marked(again))[0] == ["Problem", *HEADER]


def test_a_csv_file_may_bring_the_column_of_problems_too() -> None:
    text = "问题,代码,名称,区划代码,简介,事迹\n不好,a,甲,,,\n"
    assert read(text.encode("gbk")).lines[0].cells[:2] == ("a", "甲")


def test_an_old_xls_with_floats_dates_and_merged_cells() -> None:
    content = OLD.read_bytes()
    sheet = read(content, keep_raw=True)
    assert (sheet.name, sheet.others) == ("候选对象", ("说明",))
    assert [(line.row, line.cells) for line in sheet.lines] == [
        (2, ("13800138000", "对岸村<script>x</script>", "441702008205", "7", "", "2026-05-01", "便民")),
        (3, ("b", "乙", "", "1.5", "", "2026-05-01 09:30", "")),
    ]
    assert sheet.problems == [
        found(4, "简介", "merged", top=4, bottom=5),
        found(6, "代码", "digits", text="441702199001011264"),
    ]
    back = cells(marked(sheet, *sheet.problems))
    assert back[1][1:3] == ["13800138000", "对岸村<script>x</script>"], "text, as it was typed"
    assert refusal(content[:2600]) == "damaged"


def test_few_texts_in_many_cells_do_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A text that stands in the file once may stand in every cell of it."""
    small = tmp_path / "workbook_child.py"
    small.write_text(
        workbooks.CHILD.read_text("utf-8").replace("MOST_TOLD = 400_000_000", "MOST_TOLD = 100_000"), "utf-8"
    )
    monkeypatch.setattr(workbooks, "CHILD", small)
    assert len(read(xlsx([row("a", story="长" * 5_000)] * 3)).lines) == 3
    assert refusal(xlsx([row("a", story="长" * 30_000)] * 20)) == "unpacked"


def test_whatever_the_reader_needs_is_given_back_before_its_rows_are_looked_at() -> None:
    with workbooks.open_workbook(xlsx([row("a")])) as workbook:
        assert next(iter(workbook.rows))[0] == 1
        children = "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split()
        commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert not any(b"workbook_child.py" in command for command in commands)


def test_formulas_are_found_where_the_pieces_of_a_large_sheet_meet() -> None:
    def more(_book: Any, page: Any) -> None:
        for place in range(1, 12_000):
            page.write_formula(place, 1, "=1/0", None, "#DIV/0!")

    content = xlsx([row(f"c{number}", story="长" * 40) for number in range(12_000)], more=more)
    wrong = read(content).problems
    assert [each.row for each in wrong] == list(range(2, 12_001))
