"""A campaign's page at the desk: the checklist in words, the preview, and the rule trial."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.builders import NOON_MS, rule_set
from tests.web.desk import Person
from tests.web.wizard import Planner, complaints, fields_of
from tests.world import World, new_world, put_campaign, rules_text
from voting.rules import checklist
from voting.rules.campaign import Award, Group, Limits
from voting.rules.changes import change_findings
from voting.rules.display import Display
from voting.rules.findings import Finding
from voting.rules.nomination import waiting_findings
from voting.rules.quota import Quota
from voting.services import campaigns
from voting.web.organizer.finding_wording import WORDED, finding_sentence


@pytest.fixture
def world(lite_app: Flask) -> World:
    world = new_world(lite_app)
    world.do(lambda: put_campaign(world.slug, rules_text()))
    return world


@pytest.fixture
def planner(lite_app: Flask, world: World) -> Planner:
    return Planner(Person(lite_app, "organizer").signed_in(), world.slug)


class TestTheChecklist:
    def test_ten_must_be_picked_but_there_are_five(self, planner: Planner) -> None:
        limits = {"awards-0-seats": "2", "awards-0-least": "10", "awards-0-most": "10", "ballot_most": "20"}
        assert planner.save("awards", **limits).status_code == 303
        page = planner.get().text
        assert "「十佳中心」必选 10 个，但只有 5 个候选对象" in page
        assert f'href="{planner.base}/candidates"' in page

    def test_each_line_leads_to_the_step_that_mends_it(self, planner: Planner) -> None:
        planner.save("time", opens="2026-12-10T09:00", closes="2026-12-01T09:00")
        planner.save("identity", identity=["wechat"])
        planner.save("time", daily="y", hours_from="20:00", hours_until="02:00")
        page = planner.get().text
        for words, step in (
            ("截止时间早于开始时间", "time"),
            ("跨过了零点", "time"),
            ("选了“微信”，但本系统还没有配置它", "identity"),
            ("没有咨询电话、监督电话或其他联系方式", "texts"),
        ):
            line = next(one for one in re.findall(r'<li class="m\w+">.*?</li>', page, re.S) if words in one)
            assert f'href="{planner.base}/edit/{step}"' in line
        assert "截止时间早于开始时间" in planner.get("/edit/time").text, "and it is told where it is mended"

    def test_what_blocks_here_keeps_it_from_opening_and_advice_does_not(self, planner: Planner, world: World) -> None:
        page = planner.get().text
        assert "必需的内容都齐了" in page
        assert "建议" in page
        world.do(lambda: campaigns.open_campaign(world.slug))
        assert "开始投票前的检查" not in planner.get().text

    def test_there_are_words_for_everything_that_can_be_found(self, lite_app: Flask) -> None:
        """Whatever the rules find in any of these rule sets is said in Chinese, without the operators' English."""
        wrong: list[dict[str, Any]] = [
            {"closes_ms": NOON_MS - 10**10}, {"closes_ms": NOON_MS}, {"closes_ms": NOON_MS + 10**12},
            {"daily_hours": (1320, 120)}, {"daily_hours": (60, 60), "quotas": ()}, {"awards": ()}, {"interval_s": -1},
            {"awards": (Award("a", "A", 0, Limits(3, 2), (Group("g", "G", Limits(9)),)), Award("a", "A", 99))},
            {"awards": (Award("centres", "A", 9, Limits(3, 3, False)),), "ballot": Limits(0, 2, False)},
            {"awards": (Award("centres", "A", 1, Limits(max=1)),), "ballot": Limits(2, 2, False)},
            {"quotas": (Quota("choices", "voter", "day", 0), Quota("choices", "voter", "day", 0))},
            {"quotas": (Quota("ballots", "award", "day", 1), Quota("choices", "group", "rolling", 1)),
             "awards": (Award("centres", "A", 1, Limits(2)),)},
            {"identity": ("wechat", "wechat")}, {"identity": ()}, {"challenge": "off"}, {"challenge": "x"},
            {"ties": ("coin",)}, {"online_weight": 101}, {"online_weight": 1},
            {"opens_ms": NOON_MS + 36_000_000, "closes_ms": NOON_MS + 50_000_000},
            {"display": Display("neon", order="up")}, {"display": Display("cached")},
            {"display": Display("daily", at_minute=-1)},
            {"display": Display("hidden", until="x", order="rank", freeze_hours=1)},  # type: ignore[arg-type]
            {"display": Display(freeze_hours=-1)}, {"display": Display(freeze_hours=9999)},
        ]  # fmt: skip
        texts = [{}, {"contact": "x"}]
        found: list[Finding] = []
        for changed in wrong:
            for given in texts:
                rules = rule_set(**changed)
                found += checklist.checklist(rules, given, {"centres": 1}, {}, NOON_MS, frozenset({"device"}))
        quotas = (Quota("choices", "candidate", "campaign", 9),)
        before = rule_set(interval_s=5, quotas=quotas)
        for after in (
            before, replace(before, repeat=True), replace(before, interval_s=0), replace(before, quotas=()),
            replace(before, quotas=(replace(quotas[0], limit=1),)),
            replace(before, awards=tuple(replace(each, seats=1) for each in before.awards)),
        ):  # fmt: skip
            found += change_findings(before, after, {"centres": 9, "households": 9}, {}, NOON_MS, frozenset({"device"}))
        found += waiting_findings({"sent": 2, "returned": 1, "accepted": 5})
        assert {one.code for one in found} == WORDED
        with lite_app.test_request_context():
            for one in found:
                sentence = finding_sentence(one)
                assert sentence != one.text
                assert re.search(r"[一-鿿]", sentence)
                assert "%(" not in sentence


class TestThePreview:
    def test_it_is_the_citizens_page(self, planner: Planner) -> None:
        planner.save("texts", title="预览<标题>")
        page = planner.get("/preview").text
        assert "市民还看不到这个页面" in page
        assert "预览&lt;标题&gt;" in page
        assert "候选c1" in page
        assert "每天给同一候选对象最多投 1 票" in page

    def test_an_open_campaign_has_a_page_of_its_own(self, planner: Planner, world: World) -> None:
        world.do(lambda: campaigns.open_campaign(world.slug))
        assert planner.get("/preview").headers["Location"] == f"/c/{world.slug}"

    def test_without_an_award_there_is_nothing_to_show(self, planner: Planner, world: World) -> None:
        world.sql("DELETE FROM candidates")
        fields = fields_of(planner.save("awards", remove="awards-0"))
        fields = fields_of(planner.send("awards", fields, remove="awards-0"))
        assert planner.send("awards", fields).status_code == 303
        assert planner.get("/preview").status_code == 303
        assert "还没有奖项" in planner.get().text
        assert planner.get("/trial").status_code == 200

    def test_the_phone_shows_what_is_typed_before_it_is_saved(self, planner: Planner) -> None:
        page = planner.save("quotas", **{"quotas-0-limit": "4", "preview": "1"})
        phone = page.text[page.text.index('id="phone"') :]
        assert "还没有保存" in phone
        assert "每天给同一候选对象最多投 4 票" in phone
        assert "每天给同一候选对象最多投 1 票" in planner.get("/edit/quotas").text


class TestTheTrial:
    def test_the_same_voter_twice(self, planner: Planner, world: World) -> None:
        before = world.dump()
        fields = fields_of(planner.get("/trial"), "/trial")
        page = planner.person.client.post(f"{planner.base}/trial", data=fields)
        verdicts = re.findall(r'<li class="(accepted|refused)">', page.text)
        assert verdicts == ["accepted", "refused", "accepted"]
        assert "今天给 1 号 候选c1 的票已投完" in page.text
        assert world.dump() == before

    def test_refusals_are_in_the_citizens_words(self, planner: Planner) -> None:
        fields = fields_of(planner.get("/trial"), "/trial")
        for at, numbers in enumerate(("1、2、3，4", "999", "")):
            fields[f"rows-{at}-numbers"] = numbers
        fields["rows-2-at"] = "2020-01-01T00:00"
        page = planner.person.client.post(f"{planner.base}/trial", data=fields).text
        assert "「十佳中心」最多选 3 个，现在选了 4 个" in page
        assert "不在本次活动中" in page
        assert "投票还没有开始" in page
        assert "空白选票" in page

    def test_rows_come_and_go_and_stay_as_typed(self, planner: Planner) -> None:
        fields = fields_of(planner.get("/trial"), "/trial")
        fields["rows-0-who"] = "<b>张</b>"
        page = planner.person.client.post(f"{planner.base}/trial", data=fields | {"add": "rows"})
        again = fields_of(page, "/trial")
        assert (again["rows-0-who"], again["rows-3-who"]) == ("<b>张</b>", "")
        again["rows-1-numbers"] = "一号"
        answer = planner.person.client.post(f"{planner.base}/trial", data=again)
        assert answer.status_code == 422
        assert sorted(complaints(answer)) == [
            "请填写这一项。",
            "请填写这一项。",
            "请填编号，用空格或逗号分开，例如 1 3 5。",
        ]

    def test_there_need_not_be_candidates(self, planner: Planner, world: World) -> None:
        world.sql("DELETE FROM candidates")
        world.sql("UPDATE campaigns SET version = version + 1")
        world.campaign()
        page = planner.get("/trial")
        assert "先用假想的候选对象试算" in page.text
        page = planner.person.client.post(f"{planner.base}/trial", data=fields_of(page, "/trial"))
        assert "✓ 受理" in page.text

    def test_a_window_that_is_none_is_not_worked_through(self, planner: Planner) -> None:
        fields = fields_of(planner.get("/trial"), "/trial")
        planner.save("time", opens="2000-01-01T09:00", closes="2100-12-01T09:00")
        answer = planner.person.client.post(f"{planner.base}/trial", data=fields)
        assert answer.status_code == 422
        assert "请先改好再试算" in answer.text
