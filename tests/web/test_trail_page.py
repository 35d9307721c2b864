"""The audit trail as lines to read: what was what, and what it is now, inside of rule sets too."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.spreadsheets import xlsx
from tests.storage.rows import VILLAGE
from tests.web.desk import Person
from tests.world import World, new_world, rules_text
from voting.services.importing import import_candidates
from voting.services.trail import Entry
from voting.web.organizer.trail_wording import Change, changes_of


def entry(before: dict[str, Any], after: dict[str, Any]) -> Entry:
    return Entry(1, 0, "a", "campaign.edit", "best", "best", before, after, "", "")


@pytest.fixture
def in_chinese(lite_app: Any) -> Any:
    with lite_app.test_request_context("/"):
        yield


@pytest.mark.usefixtures("in_chinese")
def test_of_a_rule_set_only_what_was_changed_in_it() -> None:
    before = {"awards": [{"key": "a", "seats": 10, "groups": []}, {"key": "b", "seats": 5, "groups": []}]}
    after = {"awards": [{"key": "b", "seats": 6, "groups": []}, {"key": "a", "seats": 10, "groups": []}]}
    assert changes_of(entry(before, after)) == [Change("奖项 › b › 评选几个", "5", "6")]
    as_text = {"rules": json.dumps(before)}, {"rules": json.dumps(after)}
    assert changes_of(entry(*as_text)) == [Change("规则 › 奖项 › b › 评选几个", "5", "6")]
    quota = {"unit": "choices", "per": "award", "period": "day", "limit": 3}
    told = changes_of(entry({"quotas": [quota]}, {"quotas": [quota | {"limit": 4}, quota | {"per": "group"}]}))
    assert told == [
        Change("限额 › choices、award、day › 最多", "3", "4"),
        Change("限额 › choices、group、day › 最多", None, "3"),
    ]


@pytest.mark.usefixtures("in_chinese")
def test_values_are_told_as_people_would() -> None:
    before = {"photo": None, "optional": False, "identity": ["device"], "story": "", "same": 1}
    after = {"photo": "ab", "optional": True, "identity": ["device", "sms"], "story": "长" * 500, "same": 1}
    assert changes_of(entry(before, after)) == [
        Change("事迹", "—", f"{'长' * 80}……（共 500 个字）"),
        Change("也可以一个都不选", "否", "是"),
        Change("身份", "device", "device、sms"),
        Change("照片", "—", "ab"),
    ]
    nested = {"rows_changed": {"c1": {"name": "x"}}, "rows": 2, "odd": 1}
    assert [each.name for each in changes_of(entry({}, nested))] == ["行数", "odd", "c1 › 名称"]
    assert changes_of(entry({}, {"odd": "{not json", "list": []})) == [
        Change("odd", None, "{not json"),
        Change("list", None, "—"),
    ]


def test_the_page_of_an_import(lite_app: Any) -> None:
    world: World = new_world(lite_app).put(rules_text(), opened=False)
    organizer = Person(lite_app, "organizer").signed_in()
    with lite_app.app_context():
        rows = [
            ["c1", "改名<script>", VILLAGE, "", "", "", ""],
            *([f"n{n}", "新", "", "", "", "", ""] for n in range(3)),
        ]
        assert import_candidates(world.slug, "centres", xlsx(rows)).ok
    page = organizer.get(f"/organizer/trail?campaign={world.slug}&act=candidates.import").text
    assert "{&#39;" not in page, "no Python on a page"
    assert re.search(r"c1 › 名称</span> <del>候选c1</del> → <ins>改名&lt;script&gt;</ins>", page)
    assert "n0、n1、n2" in page
    english = organizer.get(f"/organizer/trail?campaign={world.slug}&act=candidates.import&lang=en").text
    assert "New codes</span> <ins>n0, n1, n2</ins>" in english


def test_many_changes_are_folded(lite_app: Any) -> None:
    world: World = new_world(lite_app).put(rules_text(), opened=False)
    organizer = Person(lite_app, "organizer").signed_in()
    with lite_app.app_context():
        assert import_candidates(world.slug, "centres", xlsx([[f"c{n}", f"名{n}"] for n in range(1, 6)])).ok
    page = organizer.get(f"/organizer/trail?campaign={world.slug}&act=candidates.import").text
    assert re.search(r"<summary>还有 \d+ 项改动</summary>", page)
