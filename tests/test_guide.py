"""The organizers' guide speaks in the words of the pages: every label it quotes is one, in both languages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from PIL import Image

from tests.documents import ROOT, read
from voting.services.presets import presets

GUIDES = {"zh": ("docs/organizers.zh-CN.md", "「([^」]+)」"), "en": ("docs/organizers.md", "“([^”]+)”")}
#: names of file formats stand in the pages as they are
SAME_IN_ALL = {"Excel", "CSV"}
#: "what stands in “quotes”"
ABOUT_QUOTES = {"quotes"}


def guide(language: str) -> str:
    """The part that is about the browser."""
    return re.split(r"^# (?:用命令|The same by)", read(GUIDES[language][0]), flags=re.MULTILINE)[0]


@cache
def sentences(language: str) -> frozenset[str]:
    """Everything a page can say: what is translated, and what the presets are called."""
    with (ROOT / "voting/translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = [each for each in read_po(file) if isinstance(each.id, str) and each.id]
    said = {str(each.id if language == "zh" else each.string) for each in catalogue}
    return frozenset(said | {one.name[language] for one in presets()} | SAME_IN_ALL)


@cache
def sources() -> str:
    """Python and templates: sentences about a file are written there, in Chinese only."""
    files = [*(ROOT / "voting").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]
    return "\n".join(path.read_text("utf-8") for path in files)


def exists(quoted: str, language: str) -> bool:
    """Whether a page can say this: with figures where it has them, and with the dots of a button that asks first."""
    if quoted in sentences(language) or quoted in ABOUT_QUOTES:
        return True
    if quoted.endswith("…") and f"{quoted[:-1]}" in sentences(language):
        return "{{ button }}…" in sources()
    parts = (re.split(r"%\(\w+\)s", each) for each in sentences(language) if "%(" in each)
    if any(re.fullmatch(".+".join(map(re.escape, each)), quoted) for each in parts):
        return True
    return language == "zh" and f'"{quoted}' in sources()


@pytest.mark.parametrize("language", GUIDES)
def test_what_the_guide_quotes_stands_on_a_page(language: str) -> None:
    quoted = set(re.findall(GUIDES[language][1], guide(language)))
    assert len(quoted) > 60
    assert sorted(each for each in quoted if not exists(each, language)) == []


def test_words_that_are_on_no_page_are_noticed() -> None:
    for made_up in ("开始投票吧", "加票", "开放投票……", "保存照片"):
        assert not exists(made_up, "zh")


def test_both_guides_have_the_same_steps_and_pictures() -> None:
    one, other = guide("zh"), guide("en")
    for pattern in (r"^## ", r"^\d+\. ", r"^\| "):
        assert len(re.findall(pattern, one, re.MULTILINE)) == len(re.findall(pattern, other, re.MULTILINE)), pattern
    pictures = re.findall(r"images/guide/[\w-]+\.png", one)
    assert re.findall(r"images/guide/[\w-]+\.png", other) == pictures
    assert len(set(pictures)) == len(pictures) > 25


def test_pictures_are_not_too_large() -> None:
    pictures = list((ROOT / "docs/images/guide").glob("*.png"))
    assert sum(path.stat().st_size for path in pictures) < 4_000_000
    for path in pictures:
        with Image.open(Path(path)) as picture:
            assert picture.width <= 1440
