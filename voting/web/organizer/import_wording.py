"""What is wrong in an imported table, in words: for the page, the file that is sent back, and the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import get_locale, gettext, lazy_gettext

from voting.rules.import_problems import Problem

_PLAIN = {
    "kind": lazy_gettext("不是表格文件，请用 .xlsx、.xls 或 .csv"),
    "unpacked": lazy_gettext("解压后太大，请删去图片和多余的工作表，或拆成几个文件"),
    "password": lazy_gettext("有打开密码，请取消密码后再上传"),
    "damaged": lazy_gettext("已损坏或不是表格，请用表格软件打开后另存为 .xlsx"),
    "empty": lazy_gettext("没有内容，第一行应是各列的名称"),
    "size": lazy_gettext("超过 100000 行或 200 列，请删去空白的行列，或拆成几个文件"),
    "web_page": lazy_gettext("其实是网页，请用表格软件打开后另存为 .xlsx"),
    "utf16": lazy_gettext("是 UTF-16 编码，请另存为“CSV UTF-8”"),
    "no_header": lazy_gettext("没有表头，第一行应是各列的名称"),
    "column_twice": lazy_gettext("这一列出现了两次"),
    "broken_quote": lazy_gettext("引号不成对，或有单元格过长"),
    "formula": lazy_gettext("公式没有算出结果，请改为填写内容本身"),
    "required": lazy_gettext("不能为空"),
    "parent_needed": lazy_gettext("不能为空，只有市没有上级"),
}


def problem_sentence(problem: Problem) -> str:
    """What is wrong, without the place."""
    if (plain := _PLAIN.get(problem.code)) is not None:
        return str(plain)
    return _WITH_FACTS[problem.code](problem.facts)


def cell_sentence(problem: Problem) -> str:
    """What is wrong, for a line that stands beside its row."""
    said = problem_sentence(problem)
    return gettext("%(column)s：%(said)s", column=problem.column, said=said) if problem.column else said


def problem_line(problem: Problem) -> str:
    """What is wrong and where, as a line by itself."""
    said = problem_sentence(problem)
    if not problem.row:
        return gettext("文件：%(said)s", said=said)
    if not problem.column:
        return gettext("第 %(row)s 行：%(said)s", row=problem.row, said=said)
    return gettext("第 %(row)s 行，“%(column)s”列：%(said)s", row=problem.row, column=problem.column, said=said)


def character(number: str) -> str:
    """A character that cannot be shown, named."""
    return gettext("换行") if number in ("U+000A", "U+000D") else number


def listed(words: list[str]) -> str:
    """Several words in a row."""
    return ("、" if _chinese() else ", ").join(words)


def _chinese() -> bool:
    locale = get_locale()
    return locale is None or locale.language == "zh"


Facts = Mapping[str, Any]


def _columns(facts: Facts) -> str:
    # A template in Chinese and a file of a program: whoever reads this has one of them at hand.
    return gettext(
        "不认识这一列，可用的列是 %(columns)s",
        columns=listed([f"{chinese} ({name})" for name, chinese in facts["columns"]]),
    )


def _merged(facts: Facts) -> str:
    return gettext(
        "合并了单元格（第 %(top)s 至 %(bottom)s 行），请取消合并，每行每列都填写",
        top=facts["top"], bottom=facts["bottom"],
    )  # fmt: skip


def _broken_byte(facts: Facts) -> str:
    return gettext(
        "有无法识别的字节 %(byte)s，这一处不是完好的 %(encoding)s 编码", byte=facts["byte"], encoding=facts["encoding"]
    )


def _digits(facts: Facts) -> str:
    return gettext("%(text)s 超过 15 位，表格软件已丢失末尾的数字，请把这一列设为文本后重新填写", text=facts["text"])


def _group(facts: Facts) -> str:
    if not facts["groups"]:
        return gettext("没有类别“%(text)s”：这个奖项不分类别，请留空", text=facts["text"])
    return gettext("没有类别“%(text)s”，可用的是 %(groups)s", text=facts["text"], groups=listed(facts["groups"]))


_WITH_FACTS: dict[str, Callable[[Facts], str]] = {
    "bytes": lambda f: gettext("超过 %(n)s MB，请拆成几个文件", n=f["most_mb"]),
    "no_award": lambda f: gettext(
        "活动没有奖项 %(award)s，可用的是 %(awards)s", award=f["award"], awards=listed(f["awards"])
    ),
    "unknown_column": _columns,
    "column_missing": lambda f: gettext("缺少这一列（也可以叫“%(name)s”）", name=f["chinese"]),
    "width": lambda f: gettext("有 %(n)s 列，应与表头一样是 %(m)s 列", n=f["cells"], m=f["header"]),
    "merged": _merged,
    "no_head": lambda f: gettext("“%(text)s”所在的一列没有表头", text=f["text"]),
    "broken_byte": _broken_byte,
    "digits": _digits,
    "long": lambda f: gettext("有 %(n)s 个字，最多 %(m)s 个", n=f["length"], m=f["most"]),
    "hidden": lambda f: gettext("含有不能显示的字符：%(char)s", char=character(f["char"])),
    "code_twice": lambda f: gettext("与第 %(row)s 行重复：%(code)s", row=f["row"], code=f["code"]),
    "no_area": lambda f: gettext("没有这个区划代码：%(code)s", code=f["code"]),
    "area_as_number": lambda f: gettext(
        "表格软件把区划代码改成了 %(code)s，请把这一列设为文本后重新填写", code=f["code"]
    ),
    "not_a_number": lambda f: gettext("应为 1 到 9999999 的整数，不能是“%(text)s”", text=f["text"]),
    "no_group": _group,
    "number_taken": lambda f: gettext("编号 %(n)s 已经属于%(name)s", n=f["number"], name=f["name"]),
    "number_kept": lambda f: gettext(
        "编号 %(n)s 已经属于第 %(row)s 行的%(name)s", n=f["number"], row=f["row"], name=f["name"]
    ),
    "number_twice": lambda f: gettext("编号 %(n)s 与第 %(row)s 行重复", n=f["number"], row=f["row"]),
    "area_code": lambda f: gettext("应为 2 到 12 位数字，不能是“%(text)s”", text=f["text"]),
    "area_level": lambda f: gettext("应为 市、县、镇、村 之一，不能是“%(text)s”", text=f["text"]),
    "no_parent": lambda f: gettext("没有这个上级代码：%(code)s", code=f["code"]),
    "parent_level": lambda f: gettext("上级应高一级，不能是%(name)s", name=f["name"]),
}
#: every code there are words for: a test holds it against what the rules say
WORDED = frozenset({*_PLAIN, *_WITH_FACTS})
