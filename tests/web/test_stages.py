"""The stages at the desk: what a page says, pressing twice, two people, what stands in the way, and who may not."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.services.test_counting import CLEAR, cast
from tests.web.desk import Person, token_in
from tests.world import World, new_world, rules_text
from voting.rules.rule_text import write_rules
from voting.services import campaigns
from voting.services.trail import check_trail, list_entries


@pytest.fixture
def chen(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


@pytest.fixture
def wang(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


class Desk:
    """A campaign's stages as one organizer sees them."""

    def __init__(self, world: World, person: Person) -> None:
        self.world, self.person = world, person
        self.path = f"/organizer/campaigns/{world.slug}/stages"

    def page(self) -> str:
        answer = self.person.get(self.path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def ask(self, act: str) -> dict[str, str]:
        """The form of a confirmation, as the page gives it."""
        answer = self.person.get(f"{self.path}/{act}")
        assert answer.status_code == 200, answer.text
        return dict(re.findall(r'name="(csrf_token|version|seen)" value="([^"]*)"', answer.text))

    def send(self, act: str, form: dict[str, str], **more: str) -> TestResponse:
        return self.person.client.post(f"{self.path}/{act}", data=form | more)

    def close_early(self, other: Desk) -> TestResponse:
        """Close before the time in the rules, which takes a second person; the page that follows."""
        self.press("ask_close", reason="提前完成")
        return other.press("confirm_close")

    def press(self, act: str, **more: str) -> TestResponse:
        """Ask and confirm; the page that follows."""
        answer = self.send(act, self.ask(act), **more)
        if answer.status_code != 303:
            return answer
        return self.person.get(answer.headers["Location"])


def voting_is_over(world: World) -> None:
    """The time in the rules is over: set back in SQL and in the box, as if it had passed."""
    rules = world.campaign().rules
    past = int(time.time()) * 1000 - 1000
    text = write_rules(replace(rules, opens_ms=past - 3_600_000, closes_ms=past))
    world.sql("UPDATE campaigns SET rules = :rules, version = version + 1", rules=text)
    world.valkey.hset(world.key("box"), "closes", past)


def entries(world: World, act: str) -> list[Any]:
    return world.do(lambda: list_entries(world.slug, act=act))


def test_the_whole_way_from_draft_to_published(app: Flask) -> None:
    chen, wang = Person(app, "organizer").signed_in(), Person(app, "organizer").signed_in()
    world = new_world(app).put(rules_text(), opened=False)
    desk, other = Desk(world, chen), Desk(world, wang)
    assert "规则和候选名单从此冻结" in desk.page()
    opened = desk.press("open").text
    assert "规则已冻结，票箱已建立" in opened
    assert world.campaign().rules_hash in opened
    cast(world, *CLEAR)
    paused = desk.press("pause", reason="正在核实").text
    assert "市民看到的理由：正在核实" in paused
    assert world.voter().cast("c1").json["code"] == "voting_paused"
    assert "正在核实" in world.get(f"/c/{world.slug}").text
    assert "已恢复投票" in desk.press("resume").text
    assert world.voter().cast("c1").status_code == 201
    assert "已清点，初步结果第 1 版" in desk.close_early(other).text
    assert world.campaign().stage == "provisional"
    assert "已清点，初步结果第 2 版" in desk.press("count").text
    asked = desk.press("ask").text
    assert "已提出公布申请" in asked
    assert "要由另一位组织者确认" in asked
    assert "结果已公布" in other.press("confirm").text
    assert world.campaign().stage == "published"
    assert world.sql("SELECT outcome, asked_by, settled_by, subject FROM requests WHERE act = 'publish'") == [
        ("confirmed", chen.name, wang.name, "2")
    ]
    assert world.failing() == set()
    assert world.do(check_trail) == []
    published = entries(world, "campaign.publish")[0]
    assert (published.actor, published.after) == (wang.name, {"version": 2, "asked by": chen.name})
    assert "没有下一步" in desk.page()


class TestTwice:
    def test_the_same_press_twice_does_it_once(self, lite_world: World, chen: Person) -> None:
        desk = Desk(lite_world, chen)
        form = desk.ask("pause")
        assert desk.send("pause", form, reason="核实").status_code == 303
        second = desk.send("pause", form, reason="核实")
        assert second.status_code == 409
        assert "您打开页面后，活动有了变化" in second.text
        meanwhile = second.text.split("在此期间")[1].split("</ul>")[0]
        assert chen.name in meanwhile
        assert "暂停投票" in meanwhile
        assert len(entries(lite_world, "campaign.pause")) == 1

    def test_two_people_open_at_once(self, lite_app: Flask, chen: Person, wang: Person) -> None:
        world = new_world(lite_app).put(rules_text(), opened=False)
        first, second = Desk(world, chen), Desk(world, wang)
        forms = first.ask("open"), second.ask("open")
        assert first.send("open", forms[0]).status_code == 303
        before = world.dump(), world.sql("SELECT epoch, rules_hash, version FROM campaigns")
        answer = second.send("open", forms[1])
        assert answer.status_code == 409
        assert chen.name in answer.text.split("在此期间")[1]
        assert (world.dump(), world.sql("SELECT epoch, rules_hash, version FROM campaigns")) == before

    def test_two_people_close_at_once(self, lite_world: World, chen: Person, wang: Person) -> None:
        cast(lite_world, *CLEAR)
        voting_is_over(lite_world)
        first, second = Desk(lite_world, chen), Desk(lite_world, wang)
        forms = first.ask("close"), second.ask("close")
        assert first.send("close", forms[0]).status_code == 303
        assert second.send("close", forms[1]).status_code == 409
        assert lite_world.sql("SELECT count(*) FROM results") == [(1,)]

    def test_resuming_on_an_old_page_does_not_undo_a_pause_of_somebody_else(
        self, lite_world: World, chen: Person, wang: Person
    ) -> None:
        first, second = Desk(lite_world, chen), Desk(lite_world, wang)
        first.press("pause", reason="甲")
        old = first.ask("resume")
        second.press("resume")
        second.press("pause", reason="乙")
        assert first.send("resume", old).status_code == 409
        assert lite_world.campaign().paused_reason == "乙"

    @pytest.mark.parametrize("form", [{}, {"version": ""}, {"version": "x"}, {"version": "1e3"}])
    def test_a_press_that_comes_from_no_page_of_ours_leads_to_the_page(
        self, lite_world: World, chen: Person, form: dict[str, str]
    ) -> None:
        desk = Desk(lite_world, chen)
        answer = desk.send("close", {"csrf_token": desk.ask("pause")["csrf_token"]} | form)
        assert answer.headers["Location"] == f"{desk.path}/close"
        assert lite_world.campaign().stage == "open"


class TestEmergency:
    def test_one_press_stops_and_the_second_changes_nothing(self, lite_world: World, chen: Person) -> None:
        desk, stop = Desk(lite_world, chen), f"/organizer/campaigns/{lite_world.slug}/stop"
        answer = chen.post(stop, page=desk.path)
        assert answer.status_code == 303
        assert "因紧急情况暂停" in chen.get(answer.headers["Location"]).text
        assert lite_world.voter().cast("c1").json["code"] == "voting_paused"
        again = chen.post(stop, page=desk.path)
        assert "没有重复操作" in chen.get(again.headers["Location"]).text
        assert len(entries(lite_world, "campaign.pause")) == 1

    def test_it_keeps_a_reason_that_somebody_gave(self, lite_world: World, chen: Person) -> None:
        lite_world.do(campaigns.pause_campaign, lite_world.slug, "停电")
        chen.post(f"/organizer/campaigns/{lite_world.slug}/stop")
        assert lite_world.campaign().paused_reason == "停电"

    def test_a_draft_cannot_be_stopped(self, lite_app: Flask, chen: Person) -> None:
        world = new_world(lite_app).put(rules_text(), opened=False)
        answer = chen.post(f"/organizer/campaigns/{world.slug}/stop")
        assert answer.status_code == 409
        assert "当前的阶段不能这样操作" in answer.text


class TestWhatStandsInTheWay:
    def test_what_is_missing_is_said_in_words_and_nothing_opens(self, lite_app: Flask, chen: Person) -> None:
        awards = [{"key": "centres", "name": "十佳中心", "seats": 9}, {"key": "none", "name": "空", "seats": 1}]
        world = new_world(lite_app)
        world.do(campaigns.create_campaign, world.slug, "测试", rules_text(awards=awards, identity=["wechat"]))
        desk = Desk(world, chen)
        page = desk.page()
        for words in ("「十佳中心」还没有候选对象", "「空」还没有候选对象", "但本系统还没有配置它，请联系技术人员"):
            assert words in page
        assert "award" not in page.split("下一步")[1].split("现状")[0]
        assert 'stages/open"' not in page, "no button leads to what would be refused"
        answer = desk.send("open", desk.ask("open"))
        assert answer.status_code == 409
        assert "「空」还没有候选对象" in answer.text
        assert world.campaign().stage == "draft"

    def test_a_tie_across_the_last_seat_stops_publishing(self, lite_world: World, chen: Person) -> None:
        cast(lite_world, ("c1", "c2", "c3"))
        voting_is_over(lite_world)
        desk = Desk(lite_world, chen)
        desk.press("close")
        page = desk.page()
        assert "「十佳中心」有 3 个候选对象在末位并列，规则没有写明怎样决定。" in page
        answer = desk.send("ask", desk.ask("ask"))
        assert answer.status_code == 409
        assert "结果还不能公布" in answer.text
        assert lite_world.sql("SELECT count(*) FROM requests") == [(0,)]

    @pytest.mark.parametrize("act", ["resume", "count", "ask", "confirm", "withdraw", "open"])
    def test_the_wrong_stage_is_refused(self, lite_world: World, chen: Person, act: str) -> None:
        desk = Desk(lite_world, chen)
        assert chen.get(f"{desk.path}/{act}").status_code == 409
        version = str(lite_world.campaign().version)
        form = {"csrf_token": token_in(chen.get("/organizer/account")), "version": version}
        before = lite_world.dump(), lite_world.sql("SELECT stage, version, paused_reason FROM campaigns")
        answer = desk.send(act, form)
        if act != "resume":  # resuming what is not paused changes nothing
            assert answer.status_code == 409
            assert lite_world.dump() == before[0]
            assert lite_world.sql("SELECT stage, version, paused_reason FROM campaigns") == before[1]

    @pytest.mark.parametrize("reason", ["", "   ", "长" * 201])
    def test_a_pause_needs_a_reason(self, lite_world: World, chen: Person, reason: str) -> None:
        desk = Desk(lite_world, chen)
        answer = desk.send("pause", desk.ask("pause"), reason=reason)
        assert answer.status_code == 422
        assert "请写明暂停的理由" in answer.text
        assert reason.strip() in answer.text, "what was typed is kept"
        assert lite_world.campaign().paused_reason is None

    def test_a_reason_is_text_and_nothing_else(self, lite_world: World, chen: Person) -> None:
        desk = Desk(lite_world, chen)
        desk.press("pause", reason="<script>alert(1)</script>")
        assert "<script>alert" not in desk.page() + lite_world.get(f"/c/{lite_world.slug}").text

    def test_a_box_that_is_away_is_said(self, lite_world: World, chen: Person) -> None:
        lite_world.valkey.delete(lite_world.key("box"))
        assert "票箱不见了" in Desk(lite_world, chen).page()


class TestTwoPeople:
    @pytest.fixture
    def counted(self, lite_world: World, chen: Person) -> World:
        cast(lite_world, *CLEAR)
        voting_is_over(lite_world)
        Desk(lite_world, chen).press("close")
        return lite_world

    def test_nobody_confirms_their_own_request(self, counted: World, chen: Person) -> None:
        desk = Desk(counted, chen)
        desk.press("ask")
        assert 'stages/confirm"' not in desk.page()
        answer = desk.send("confirm", desk.ask("confirm"))
        assert answer.status_code == 403
        assert "这份申请是您本人提出的" in answer.text
        assert counted.campaign().stage == "provisional"

    def test_a_request_is_for_the_version_that_was_asked(self, counted: World, chen: Person, wang: Person) -> None:
        """Counted anew in between: the other person would confirm what nobody asked for."""
        desk, other = Desk(counted, chen), Desk(counted, wang)
        desk.press("ask")
        old = other.ask("confirm")
        desk.press("count")
        assert other.send("confirm", old).status_code == 409
        assert other.send("confirm", old | {"version": str(counted.campaign().version)}).status_code == 409
        assert counted.campaign().stage == "provisional"
        other.press("ask")
        assert counted.sql("SELECT outcome FROM requests ORDER BY id") == [("lapsed",), (None,)]
        assert "结果已公布" in desk.press("confirm").text

    def test_both_ask_at_once(self, counted: World, chen: Person, wang: Person) -> None:
        desk, other = Desk(counted, chen), Desk(counted, wang)
        forms = desk.ask("ask"), other.ask("ask")
        assert desk.send("ask", forms[0]).status_code == 303
        assert other.send("ask", forms[1]).status_code == 409
        assert counted.sql("SELECT asked_by FROM requests") == [(chen.name,)]

    def test_a_request_can_be_withdrawn(self, counted: World, chen: Person, wang: Person) -> None:
        desk, other = Desk(counted, chen), Desk(counted, wang)
        desk.press("ask")
        form = other.ask("confirm")
        assert "已撤回" in desk.press("withdraw").text
        assert other.send("confirm", form).status_code == 409
        assert counted.campaign().stage == "provisional"


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_may_read_sees_no_button(lite_world: World, role: str) -> None:
    person = Person(lite_world.app, role).signed_in()
    page = person.get(f"/organizer/campaigns/{lite_world.slug}/stages").text
    assert "操作由组织者进行" in page
    assert "紧急停止" not in page
    assert re.findall(r'action="([^"]+)"', page) == ["/organizer/sign-out"]


@pytest.mark.parametrize("role", ["reviewer", "judge"])
def test_who_has_no_business_here_gets_nothing(lite_world: World, role: str) -> None:
    person = Person(lite_world.app, role, area="441702").signed_in()
    for room in ("stages", "stages/close", "watch", "watch/figures", "results", "exports"):
        assert person.get(f"/organizer/campaigns/{lite_world.slug}/{room}").status_code == 403


def test_an_unknown_campaign_is_not_found(lite_app: Flask, chen: Person) -> None:
    for room in ("stages", "stages/open", "watch", "watch/figures", "results", "exports"):
        assert chen.get(f"/organizer/campaigns/nobody/{room}").status_code == 404
