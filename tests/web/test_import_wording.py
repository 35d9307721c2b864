"""What is wrong in an imported table, in both languages: every code has words, and the file that is sent back too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import g
from flask_babel import gettext

from tests.storage.rows import VILLAGE
from tests.world import World, new_world, rules_text
from voting.rules.import_problems import CODES, Problem
from voting.services.sheets import PROBLEM_COLUMNS
from voting.web.organizer.import_wording import WORDED, cell_sentence, problem_line, problem_sentence

ROOT = Path(__file__).resolve().parent.parent.parent
#: everything any of them says of itself
FACTS: dict[str, Any] = {
    "most_mb": 64, "award": "villages", "awards": ["centres", "households"],
    "columns": [("code", "代码"), ("name", "名称")],
    "chinese": "名称", "cells": 3, "header": 7, "top": 4, "bottom": 6, "text": "x", "byte": "0xFF", "encoding": "GBK",
    "length": 65, "most": 64, "char": "U+000A", "row": 3, "code": "441702", "groups": ["North", "South"], "number": 7,
    "name": "Wang",
}  # fmt: skip
_CHINESE = re.compile("[\u3400-\u9fff，。：；“”、]")


def test_every_code_has_words_and_no_words_are_left_over() -> None:
    assert WORDED == CODES


@pytest.mark.parametrize("code", sorted(CODES))
def test_in_both_languages(lite_app: Any, code: str) -> None:
    problem = Problem(2, "code", code, FACTS)
    with lite_app.test_request_context("/"):
        g.locale = "zh_Hans_CN"
        chinese = problem_sentence(problem), problem_line(problem)
    with lite_app.test_request_context("/"):
        g.locale = "en"
        english = problem_sentence(problem), problem_line(problem)
        assert cell_sentence(problem) == f"code: {english[0]}"
    assert all(_CHINESE.search(line) for line in chinese)
    # Names of columns and the quotation marks around them are the file's own.
    assert not _CHINESE.search(re.sub("[“”]|代码|名称", "", english[1])), english[1]
    assert english[1] == f"Row 2, column “code”: {english[0]}"


@pytest.mark.parametrize("locale", ["zh_Hans_CN", "en"])
def test_the_column_of_problems_is_known_when_it_comes_back(lite_app: Any, locale: str) -> None:
    with lite_app.test_request_context("/"):
        g.locale = locale
        assert gettext("问题").lower() in PROBLEM_COLUMNS


def test_the_rules_of_an_import_hold_no_sentences() -> None:
    """Column names are data; a sentence has a comma or a full stop."""
    for name in ("sheets", "candidate_rows", "area_rows", "importing", "workbooks", "workbook_child", "import_trail"):
        text = (ROOT / "voting" / "services" / f"{name}.py").read_text("utf-8")
        assert not re.search("[，。：；]", text), name


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("zh_CN.UTF-8", "第 2 行，“name”列：不能为空"),
        ("en_GB.UTF-8", "Row 2, column “name”: Must not be empty"),
        ("C", "Row 3, column “area_code”: There is no area with the code 999"),
    ],
)
def test_the_command_line_speaks_the_terminals_language(
    lite_app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, says: str
) -> None:
    world: World = new_world(lite_app).put(rules_text(), opened=False)
    file = tmp_path / "a.csv"
    file.write_text(f"code,name,area_code,summary,story\na,,{VILLAGE},,\nb,B,999,,\n", "utf-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", language)
    told = lite_app.test_cli_runner().invoke(args=["campaign", "import", world.slug, "centres", str(file)])
    assert told.exit_code == 1
    assert says in told.output
    assert "nothing was imported: 2 problems" in told.output
