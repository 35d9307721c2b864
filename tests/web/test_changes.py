"""Changing rules at the desk: drafting, confirming by another person, what citizens read; and every way around it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.services.test_counting import CLEAR, cast
from tests.web.desk import Person, token_in
from tests.web.wizard import complaints, fields_of
from tests.world import World, new_world, rules_text
from voting.rules.periods import HOUR_MS
from voting.services import campaigns, counting
from voting.services.trail import list_entries

REASON = "连日断网，补足投票时间"


class Changer:
    """A campaign's changes as one organizer sees them."""

    def __init__(self, world: World, person: Person) -> None:
        self.world, self.person = world, person
        self.path = f"/organizer/campaigns/{world.slug}/changes"

    def page(self) -> str:
        answer = self.person.get(self.path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self) -> MultiDict[str, str]:
        """The draft's fields as the page gives them."""
        answer = self.person.get(f"{self.path}/new")
        assert answer.status_code == 200, answer.text
        return fields_of(answer, "/changes/new")

    def send(self, form: MultiDict[str, str], **changed: Any) -> TestResponse:
        sent = MultiDict(form)
        for name, value in changed.items():
            sent.setlist(name, [value] if value is not None else [])
        return self.person.client.post(f"{self.path}/new", data=sent)

    def ask(self, **changed: Any) -> TestResponse:
        return self.send(self.form(), **({"reason": REASON} | changed))

    def decision(self, act: str = "confirm") -> MultiDict[str, str]:
        """The form of a decision, as the page gives it."""
        return fields_of(self.person.get(self.path), f"/changes/{act}")

    def decide(self, act: str, form: MultiDict[str, str] | None = None, **changed: str) -> TestResponse:
        sent = dict(self.decision(act) if form is None else form) | changed
        return self.person.client.post(f"{self.path}/{act}", data=sent)


@pytest.fixture
def chen(lite_world: World) -> Changer:
    return Changer(lite_world, Person(lite_world.app, "organizer").signed_in())


@pytest.fixture
def wang(lite_world: World) -> Changer:
    return Changer(lite_world, Person(lite_world.app, "organizer").signed_in())


def test_the_whole_way(app: Flask) -> None:
    world = new_world(app).put(rules_text(interval_s=1))
    chen, wang = (Changer(world, Person(app, "organizer").signed_in()) for _ in range(2))
    cast(world, *CLEAR)
    before = world.campaign()
    assert "变更" not in world.get(f"/c/{world.slug}").text
    assert 'id="changes"' not in world.get(f"/c/{world.slug}/rules").text

    moved = before.rules.local(before.rules.closes_ms + 72 * HOUR_MS)
    wanted = {"closes": f"{moved:%Y-%m-%dT%H:%M}", "limit_0": "2", "seats_0": "3", "interval": "2"}
    looked = chen.ask(preview="1", reason="", **wanted)
    assert looked.status_code == 200
    assert "市民将会看到的变更" in looked.text
    assert "每天给同一候选对象最多投 1 票" in looked.text
    assert "每天给同一候选对象最多投 2 票" in looked.text
    assert world.sql("SELECT count(*) FROM requests") == [(0,)], "looking asks for nothing"
    answer = chen.ask(**wanted)
    assert answer.status_code == 303, complaints(answer)
    assert "已提出变更申请" in chen.person.get(answer.headers["Location"]).text
    assert "这是您的申请" in chen.page()
    assert "/changes/confirm" not in chen.page()
    assert world.campaign().rules == before.rules
    assert "变更" not in world.get(f"/c/{world.slug}").text, "a proposal is not public"

    page = wang.page()
    assert REASON in page
    assert "每天给同一候选对象最多投 2 票" in page
    done = wang.decide("confirm")
    assert "新规则已经生效" in wang.person.get(done.headers["Location"]).text
    after = world.campaign()
    assert after.rules.closes_ms // 60_000 == before.rules.closes_ms // 60_000 + 72 * 60
    assert (after.rules.quotas[0].limit, after.rules.awards[0].seats, after.rules.interval_s) == (2, 3, 2)

    home = world.get(f"/c/{world.slug}").text
    assert "规则已于" in home
    assert f'href="/c/{world.slug}/rules#changes"' in home
    rules = world.get(f"/c/{world.slug}/rules").text
    for words in (REASON, before.rules_hash, after.rules_hash, "变更前", "变更后", "评选 2 个", "评选 3 个", "2 秒"):
        assert words in rules
    for private in (chen.person.name, wang.person.name):
        assert f">{private}" not in rules
    assert "Rules were changed on" in world.get(f"/c/{world.slug}?lang=en").text
    assert "第 2 版" in wang.page()
    assert world.failing() == set()


class TestOnePersonAlone:
    def test_the_same_account_does_not_confirm(self, chen: Changer, wang: Changer, lite_world: World) -> None:
        chen.ask(limit_0="2")
        answer = chen.decide(
            "confirm", MultiDict(dict(wang.decision()) | {"csrf_token": token_in(chen.person.get(chen.path))})
        )
        assert answer.status_code == 403
        assert "不能由您确认" in answer.text
        assert len(lite_world.campaign().history) == 1

    @pytest.mark.parametrize("role", ["auditor", "administrator", "judge"])
    def test_nor_does_somebody_who_is_no_organizer(self, lite_world: World, chen: Changer, role: str) -> None:
        chen.ask(limit_0="2")
        other = Changer(lite_world, Person(lite_world.app, role).signed_in())
        form = dict(chen.decision("withdraw")) | {"csrf_token": token_in(other.person.get("/organizer/account"))}
        for act in ("confirm", "withdraw", "finish"):
            assert other.decide(act, MultiDict(form)).status_code == 403
        assert lite_world.sql("SELECT outcome FROM requests") == [(None,)]

    def test_fields_beside_the_form_are_not_read(self, chen: Changer, wang: Changer, lite_world: World) -> None:
        before = lite_world.campaign().rules
        forged = {"identity": "wechat", "repeat": "y", "online_weight": "1", "opens": "2030-01-01T00:00", "zone": "UTC"}
        forged |= {
            "rules": "{}",
            "rules_hash": "0" * 64,
            "epoch": "mine",
            "stage": "draft",
            "votes": "9",
            "limit_9": "9",
        }
        answer = chen.ask(limit_0="2", **forged)
        assert answer.status_code == 303
        wang.decide("confirm", rules=rules_text(), reason="另一个", limit_0="99", asked_by="x", outcome="confirmed")
        after = lite_world.campaign()
        assert after.rules.quotas[0].limit == 2
        assert (after.rules.identity, after.rules.repeat, after.rules.opens_ms) == (
            before.identity,
            before.repeat,
            before.opens_ms,
        )
        assert after.history[-1].reason == REASON

    @pytest.mark.parametrize("changed", [{"mark": "0" * 64}, {"mark": ""}, {"version": "1"}], ids=str)
    def test_only_what_was_read_is_confirmed(
        self, chen: Changer, wang: Changer, lite_world: World, changed: dict[str, str]
    ) -> None:
        chen.ask(limit_0="2")
        assert wang.decide("confirm", **changed).status_code == 409
        assert len(lite_world.campaign().history) == 1

    def test_an_old_page_does_not_confirm_a_newer_proposal(
        self, chen: Changer, wang: Changer, lite_world: World
    ) -> None:
        chen.ask(limit_0="2")
        old = wang.decision()
        chen.decide("withdraw")
        chen.ask(limit_0="9")
        answer = wang.decide("confirm", old)
        assert answer.status_code == 409
        assert "在此期间" in answer.text
        assert chen.person.name in answer.text.split("在此期间")[1].split("</ul>")[0]
        assert lite_world.campaign().rules.quotas[0].limit == 1

    def test_twice_is_once(self, chen: Changer, wang: Changer, lite_world: World) -> None:
        chen.ask(limit_0="2")
        form = wang.decision()
        assert wang.decide("confirm", form).status_code == 303
        assert wang.decide("confirm", form).status_code == 409
        assert len(lite_world.do(lambda: list_entries(lite_world.slug, act="rules.change"))) == 1

    def test_after_closing_it_is_too_late(self, chen: Changer, wang: Changer, lite_world: World) -> None:
        chen.ask(limit_0="2")
        form = wang.decision()
        lite_world.do(counting.close_campaign, lite_world.slug)
        assert wang.decide("confirm", form).status_code == 409
        assert wang.decide("confirm", form, version=str(lite_world.campaign().version)).status_code == 409
        assert chen.person.get(f"{chen.path}/new").status_code == 409
        assert "投票时间已经结束" in chen.page()

    @pytest.mark.parametrize("form", [{}, {"version": ""}, {"version": "x"}])
    def test_a_press_that_comes_from_no_page_of_ours_leads_to_the_page(
        self, chen: Changer, wang: Changer, lite_world: World, form: dict[str, str]
    ) -> None:
        chen.ask(limit_0="2")
        sent = MultiDict({"csrf_token": wang.decision()["csrf_token"]} | form)
        for act in ("confirm", "withdraw", "finish", "new"):
            assert wang.decide(act, sent).status_code in (303, 409)
        assert lite_world.sql("SELECT outcome FROM requests") == [(None,)]


class TestDrafting:
    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"limit_0": "0"}, "请填 1 至"),
            ({"limit_0": "两"}, "请填整数"),
            ({"closes": "昨天"}, "请填日期和时间"),
            ({"daily": "y", "hours_from": "", "hours_until": "99:00"}, "请填时刻"),
            ({"mode": "made-up"}, "请从列表中选择"),
            ({"reason": ""}, "请填写这一项"),
            ({"reason": "长" * 301}, "最多 300 个字"),
        ],
        ids=str,
    )
    def test_mistakes_are_told_at_their_field_and_what_was_typed_is_kept(
        self, chen: Changer, lite_world: World, changed: dict[str, str], words: str
    ) -> None:
        answer = chen.ask(**({"purpose": "留着这一句"} | changed))
        assert answer.status_code == 422
        assert any(words in said for said in complaints(answer)), complaints(answer)
        assert "留着这一句" in answer.text
        assert lite_world.sql("SELECT count(*) FROM requests") == [(0,)]

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({}, "没有任何改动"),
            ({"seats_0": "1"}, "名额只能增加"),
            ({"seats_0": "9"}, "但只有 5 个候选对象"),
            ({"closes": "2020-01-01T00:00"}, "截止时间"),
            ({"mode": "hidden", "order": "rank"}, "顺序会泄露排名"),
        ],
        ids=str,
    )
    def test_what_the_rules_refuse_is_said_in_words(
        self, chen: Changer, lite_world: World, changed: dict[str, str], words: str
    ) -> None:
        for button in ({}, {"preview": "1"}):
            answer = chen.ask(**changed, **button)
            assert answer.status_code == 422
            assert words in answer.text
        assert lite_world.sql("SELECT count(*) FROM requests") == [(0,)]

    def test_somebody_else_acted_meanwhile(self, chen: Changer, lite_world: World) -> None:
        form = chen.form()
        lite_world.do(campaigns.pause_campaign, lite_world.slug, "核实")
        answer = chen.send(form, limit_0="2", reason=REASON)
        assert answer.status_code == 409
        assert "暂停投票" in answer.text.split("在此期间")[1]
        again = fields_of(answer, "/changes/new")
        assert (again["limit_0"], again["reason"]) == ("2", REASON)
        assert chen.send(again).status_code == 303

    def test_one_at_a_time(self, chen: Changer, wang: Changer) -> None:
        form = wang.form()
        chen.ask(limit_0="2")
        assert wang.person.get(f"{wang.path}/new").status_code == 409
        answer = wang.send(form, limit_0="3", reason=REASON)
        assert answer.status_code == 409
        assert "一次只能有一份" in answer.text

    def test_a_reason_is_text_and_nothing_else(self, chen: Changer, wang: Changer, lite_world: World) -> None:
        chen.ask(limit_0="2", reason="<script>alert(1)</script>")
        assert "<script>alert" not in wang.page()
        wang.decide("confirm")
        assert "<script>alert" not in lite_world.get(f"/c/{lite_world.slug}/rules").text + wang.page()

    def test_everything_that_can_be_said_differently_has_words(
        self, chen: Changer, wang: Changer, lite_world: World
    ) -> None:
        chen.ask(
            daily="y", hours_from="06:00", hours_until="22:00", challenge="always", mode="daily", at="18:00",
            gap="y", extend="y", purpose="用于表彰", order="name",
        )  # fmt: skip
        wang.decide("confirm")
        page = lite_world.get(f"/c/{lite_world.slug}/rules").text.split('id="changes"')[1]
        names = re.findall(r"<dt>([^<]+)</dt>", page)
        assert names == [
            "每天的投票时间",
            "手机浏览器投票时的人机验证",
            "票数怎样公布",
            "与上一名的票差",
            "票数相同时",
            "结果的用途",
        ]
        for words in ("全天", "06:00 至 22:00", "票数每天 18:00 更新", "按名称排列", "并列者全部入选", "用于表彰"):
            assert words in page


def test_a_box_that_does_not_answer_is_said_and_finished(chen: Changer, wang: Changer, lite_world: World) -> None:
    chen.ask(limit_0="2")
    form = wang.decision()
    box = lite_world.valkey.hgetall(lite_world.key("box"))
    lite_world.valkey.delete(lite_world.key("box"))
    answer = wang.decide("confirm", form)
    assert answer.status_code == 503
    assert "还没有换上新规则" in answer.text
    lite_world.valkey.hset(lite_world.key("box"), mapping=box)
    assert "票箱还没有换上新规则" in wang.person.get(f"/organizer/campaigns/{lite_world.slug}/stages").text
    assert lite_world.voter().cast("c1").status_code == 503
    done = chen.decide("finish")
    assert "新规则已经生效" in chen.person.get(done.headers["Location"]).text
    assert lite_world.voter().cast("c1").status_code == 201


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_may_read_sees_no_button(chen: Changer, lite_world: World, role: str) -> None:
    chen.ask(limit_0="2")
    person = Person(lite_world.app, role).signed_in()
    page = person.get(chen.path).text
    assert REASON in page
    assert re.findall(r'action="([^"]+)"', page) == ["/organizer/sign-out"]


def test_a_draft_has_nothing_to_change(lite_app: Flask) -> None:
    world = new_world(lite_app).put(rules_text(), opened=False)
    changer = Changer(world, Person(lite_app, "organizer").signed_in())
    assert "规则可以直接修改" in changer.page()
    assert changer.person.get(f"{changer.path}/new").status_code == 409
