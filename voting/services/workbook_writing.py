"""Spreadsheets for people: the blank template, and a table sent back with what is wrong in it.

Nothing that is written can become a formula or a link: every cell is a string, whatever it begins with.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from voting.rules.areas import AreaTree
from voting.rules.campaign import Award
from voting.rules.import_problems import Problem
from voting.services.candidate_rows import CANDIDATE_COLUMNS, LONGEST
from voting.services.sheets import PROBLEM_COLUMNS, Sheet
from voting.services.transactions import reading
from voting.storage.areas import LEVELS, load_areas

#: characters that no .xlsx may hold; a table sent back would not open with them
_UNWRITABLE = {code: "\ufffd" for code in (*range(0x20), 0xFFFE, 0xFFFF) if code not in (0x09, 0x0A, 0x0D)}
_LONGEST_CELL = 32_767
#: how many rows of the template are set to text, so that a long code stays as it is typed
_TEXT_ROWS = 5_000
_WIDTHS = {"code": 18, "name": 28, "area_code": 18, "number": 10, "group": 14, "summary": 48, "story": 64}


class Writer:
    """A workbook in the making; ``sheet`` adds a page of text cells."""

    def __init__(self, path: Path) -> None:
        # In constant memory, rows go to a file as they are written.
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(str(path), options)
        self.text = self.book.add_format({"num_format": "@", "valign": "top"})
        self.wrapped = self.book.add_format({"num_format": "@", "valign": "top", "text_wrap": True})
        self.head = self.book.add_format({"bold": True, "bg_color": "#F8EFD9", "bottom": 1, "num_format": "@"})
        self.wrong = self.book.add_format(
            {"num_format": "@", "valign": "top", "bg_color": "#FBE9E4", "font_color": "#A01A15", "text_wrap": True}
        )

    def sheet(self, name: str, header: Sequence[str], widths: Sequence[float]) -> Any:
        """A page with its header, which stays in sight."""
        page = self.book.add_worksheet(name)
        for place, width in enumerate(widths):
            page.set_column(place, place, width, self.text)
        self.row(page, 0, header, self.head)
        page.freeze_panes(1, 0)
        return page

    def row(self, page: Any, row: int, cells: Iterable[str], look: Any = None, marked: Iterable[int] = ()) -> None:
        places = set(marked)
        for place, cell in enumerate(cells):
            text = cell.translate(_UNWRITABLE)[:_LONGEST_CELL]
            page.write_string(row, place, text, self.wrong if place in places else look or self.text)


def _finished(writer: Writer, path: Path) -> bytes:
    writer.book.close()
    return path.read_bytes()


def blank_template(awards: Sequence[Award]) -> bytes:
    """The columns, a page that explains them, and the codes of all areas."""
    with reading() as session:
        tree = load_areas(session)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        writer = Writer(path)
        names = [column.chinese for column in CANDIDATE_COLUMNS]
        page = writer.sheet("候选对象", names, [_WIDTHS[column.name] for column in CANDIDATE_COLUMNS])
        for row in range(1, _TEXT_ROWS):
            page.set_row(row, None, writer.text)
        _explain(writer, awards)
        _list_areas(writer, tree)
        return _finished(writer, path)


def _explain(writer: Writer, awards: Sequence[Award]) -> None:
    groups = "；".join(
        f"{award.name}：{'、'.join(group.name for group in award.groups) or '没有类别，留空'}" for award in awards
    )
    lines = {
        "code": (
            "必填",
            f"每个候选对象自己的代码，同一奖项内不重复，最多 {LONGEST['code']} 个字。再次导入时按它更新。",
        ),
        "name": ("必填", f"显示给群众的名称，最多 {LONGEST['name']} 个字。"),
        "area_code": ("可空", "统计用区划代码，见“区划代码”工作表。这一列是文本，不要改成数字。"),
        "number": ("可空", "1 到 9999999 的整数，整个活动内不重复。留空则接着往下编，也可以导入后再抽签编号。"),
        "group": ("可空", f"类别名称。{groups}。"),
        "summary": ("可空", f"一两句话，最多 {LONGEST['summary']} 个字，中间不换行。"),
        "story": ("可空", f"最多 {LONGEST['story']} 个字。空一行分段，**加粗**，行首写 - 是列表。"),
    }
    page = writer.sheet("填写说明", ("列", "是否必填", "说明"), (14, 12, 100))
    for row, column in enumerate(CANDIDATE_COLUMNS, 1):
        writer.row(page, row, (column.chinese, *lines[column.name]), writer.wrapped)
    notes = (
        "一行一个候选对象，不要合并单元格，不要用公式。",
        "只读取第一个有内容的工作表。",
        "列可以换位置，表头不要改。",
    )
    for row, note in enumerate(notes, len(CANDIDATE_COLUMNS) + 2):
        writer.row(page, row, ("", "", note), writer.wrapped)


def _list_areas(writer: Writer, tree: AreaTree) -> None:
    words = dict(zip(LEVELS, ("市", "县（市、区）", "镇（街道）", "村（社区）"), strict=True))
    page = writer.sheet("区划代码", ("区划代码", "名称", "级别", "所属"), (18, 28, 14, 40))
    for row, area in enumerate(tree.all(), 1):
        above = " · ".join(each.name for each in tree.lineage(area.code)[:-1])
        writer.row(page, row, (area.code, area.name, words[area.level], above))


def with_problems(
    sheet: Sheet, problems: Sequence[Problem], said: Callable[[Problem], str], column: str, title: str
) -> bytes:
    """The rows as they were sent, with a column that says what is wrong; wrong cells are coloured.

    ``said`` puts a problem into words, ``column`` is the name of theirs, one of PROBLEM_COLUMNS, ``title`` that of the
    page.
    """
    by_row: dict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        by_row[problem.row].append(problem)
    (_, names), *rows = sheet.raw
    keep = [place for place, name in enumerate(names) if name.strip().lower() not in PROBLEM_COLUMNS]
    header = [names[place] for place in keep]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problems.xlsx"
        writer = Writer(path)
        page = writer.sheet(title, [column, *header], [48, *([24] * len(header))])
        for at, (row, cells) in enumerate(rows, 1):
            wrong = by_row.get(row, [])
            told = "\n".join(map(said, wrong))
            columns = {problem.column for problem in wrong}
            marked = [place for place, name in enumerate(header, 1) if name.strip() in columns]
            texts = [cells[place] if place < len(cells) else "" for place in keep]
            writer.row(page, at, [told, *texts], None, [*marked, *([0] if told else [])])
        return _finished(writer, path)
