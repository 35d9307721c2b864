"""Tables that mean no good, or were made in a hurry, as an organizer meets them: told in words, and not imported."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.services.test_workbooks import OLD
from tests.spreadsheets import HEADER, cells, xlsx
from tests.storage.rows import VILLAGE
from tests.web.desk import Person
from tests.web.test_desk_candidates import home, seen_in, upload
from tests.world import World, new_world, rules_text

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def draft(lite_app: Any) -> World:
    return new_world(lite_app).put(rules_text(), opened=False)


@pytest.fixture
def organizer(draft: World) -> Person:
    return Person(draft.app, "organizer").signed_in()


def codes(world: World) -> set[str]:
    return {one.code for one in world.campaign().candidates}


def test_a_script_in_a_table_stays_text(draft: World, organizer: Person) -> None:
    rows = [["s1", SCRIPT, "", "", SCRIPT, "", ""], ["s2", "乙", SCRIPT, "", "", "", ""]]
    place = upload(organizer, draft, xlsx(rows))
    page = organizer.get(place).text
    assert "没有类别“&lt;script&gt;" in page
    assert SCRIPT not in page
    back = cells(organizer.get(f"{place}/problems.xlsx").data)
    assert back[1][2] == SCRIPT, "whoever mends it sees what stands there"
    place = upload(organizer, draft, xlsx([["s1", SCRIPT, "", "", "", SCRIPT, SCRIPT]]))
    preview = organizer.get(place)
    assert SCRIPT not in preview.text
    organizer.post(place, {"seen": seen_in(preview)})
    for path in (home(draft) + "?q=script", "/organizer/trail"):
        assert SCRIPT not in organizer.get(path).text
    assert "s1" in codes(draft)


def test_telephone_numbers_dates_and_lost_digits(draft: World, organizer: Person) -> None:
    """In one table: a code that is a float is what was typed; a date is no number; lost digits are not guessed."""

    def more(book: Any, page: Any) -> None:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        page.write_datetime(2, 3, datetime.date(2026, 5, 1), day)

    rows: list[list[Any]] = [
        [13800138000.0, "甲", float(VILLAGE), 901.0, "", "", ""],
        ["d", "乙", "", "", "", "", ""],
        ["e", "丙", "", "2026年5月1日", "", "", ""],
        [441702199001011234.0, "丁", "", "", "", "", ""],
    ]
    place = upload(organizer, draft, xlsx(rows, more=more))
    page = organizer.get(place).text
    for said in ("不能是“2026-05-01”", "不能是“2026年5月1日”", "超过 15 位"):
        assert said in page
    assert "有 3 处错误" in page
    place = upload(organizer, draft, xlsx(rows[:1]))
    organizer.post(place, {"seen": seen_in(organizer.get(place))})
    assert draft.campaign().by_number[901].code == "13800138000"


def test_an_old_xls_is_told_and_mended(draft: World, organizer: Person) -> None:
    place = upload(organizer, draft, OLD.read_bytes(), "名单.xls")
    page = organizer.get(place).text
    for said in ("其他工作表没有读取：说明", "合并了单元格（第 4 至 5 行）", "超过 15 位"):
        assert said in page
    before = codes(draft)
    assert organizer.post(place, {"seen": str(draft.campaign().version)}).status_code == 303
    assert codes(draft) == before, "all or nothing"
    back = cells(organizer.get(f"{place}/problems.xlsx").data)
    mended = [row[1:] for row in back[1:] if row[1] == "13800138000"]
    mended[0][3] = "907"
    place = upload(organizer, draft, xlsx(mended, header=HEADER))
    organizer.post(place, {"seen": seen_in(organizer.get(place))})
    assert codes(draft) == before | {"13800138000"}


def test_everything_in_english_and_back_again(draft: World, organizer: Person) -> None:
    place = upload(organizer, draft, xlsx([["x1", "", "999", "", "", "", ""]]))
    page = organizer.get(f"{place}?lang=en").text
    for said in ("Must not be empty", "There is no area with the code 999"):
        assert said in page
    back = cells(organizer.get(f"{place}/problems.xlsx?lang=en").data)
    assert back[0][0] == "Problem"
    assert back[1][0].splitlines() == ["名称: Must not be empty", "区划代码: There is no area with the code 999"]
    back[1][2], back[1][3] = "Wang", VILLAGE
    place = upload(organizer, draft, xlsx(back[1:], header=back[0]))
    organizer.post(place, {"seen": seen_in(organizer.get(place))})
    assert "x1" in codes(draft), "the column of problems is left out"
