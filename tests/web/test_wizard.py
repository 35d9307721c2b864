"""The campaign wizard over HTTP, without script: every step, what it refuses, what it never loses, and what it never
touches."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest
from flask import Flask

from tests.web.desk import Person, token_in
from tests.web.wizard import Planner, complaints, fields_of
from tests.world import World, new_world, put_campaign, rules_text
from voting.services import campaigns
from voting.services.drafting import Dossier, get_dossier
from voting.services.trail import list_entries
from voting.web.organizer.wizard import STEPS


@pytest.fixture
def organizer(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


@pytest.fixture
def world(lite_app: Flask) -> World:
    """A draft with 5 centres and 8 households."""
    world = new_world(lite_app)
    world.do(lambda: put_campaign(world.slug, rules_text()))
    return world


@pytest.fixture
def planner(organizer: Person, world: World) -> Planner:
    return Planner(organizer, world.slug)


def saved(world: World) -> Dossier:
    return world.do(lambda: get_dossier(world.slug))


class TestANewCampaign:
    form: ClassVar[dict[str, str]] = {
        "title": "十佳<党群>",
        "slug": "best-2026",
        "organizer_name": "组织部",
        "preset": "r4",
    }

    def test_it_begins_with_a_preset(self, organizer: Person) -> None:
        page = organizer.get("/organizer/campaigns/new")
        assert "驻马店 道德模范 2019" in page.text
        assert "暂不支持" in page.text, "what a preset cannot do is said before it is chosen"
        answer = organizer.post("/organizer/campaigns/new", self.form)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/organizer/campaigns/best-2026/edit/texts")
        overview = organizer.get("/organizer/campaigns/best-2026").text
        assert "十佳&lt;党群&gt;" in overview
        assert "「助人为乐」一次最多选 2 个" in overview
        assert "best-2026" in organizer.get("/organizer/").text
        assert organizer.client.get("/c/best-2026").status_code == 404, "a draft is nobody's business"

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"slug": "Best"}, "小写字母"),
            ({"slug": "../x"}, "小写字母"),
            ({"slug": "x"}, "小写字母"),
            ({"slug": ""}, "请填写这一项"),
            ({"title": " \u200b\x00 "}, "请填写这一项"),
            ({"title": "长" * 201}, "最多 200 个字"),
            ({"preset": "r99"}, ""),
            ({"preset": ""}, ""),
        ],
    )
    def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
        self, organizer: Person, wrong: dict[str, str], complaint: str
    ) -> None:
        answer = organizer.post("/organizer/campaigns/new", self.form | wrong)
        assert answer.status_code == 422
        assert complaint in " ".join(complaints(answer))
        assert 'value="组织部"' in answer.text

    def test_an_address_is_given_once(self, organizer: Person) -> None:
        organizer.post("/organizer/campaigns/new", self.form)
        answer = organizer.post("/organizer/campaigns/new", self.form | {"title": "别的"})
        assert answer.status_code == 409
        assert "已经有活动用了" in answer.text
        assert 'value="别的"' in answer.text


class TestSteps:
    @pytest.mark.parametrize("step", STEPS)
    def test_saving_what_stands_there_changes_nothing(self, planner: Planner, world: World, step: str) -> None:
        before = saved(world)
        answer = planner.save(step)
        assert answer.status_code == 303, complaints(answer)
        assert saved(world) == before
        assert world.do(lambda: list_entries(world.slug, act="campaign.edit")) == []

    def test_each_step_leads_to_the_next_and_the_last_one_back(self, planner: Planner) -> None:
        names = list(STEPS)
        for step, following in zip(names, [*[f"/edit/{name}" for name in names[1:]], ""], strict=True):
            assert planner.save(step).headers["Location"] == planner.base + following
        assert planner.save("texts", stay="1").headers["Location"].endswith("/edit/texts?saved=1")

    def test_texts(self, planner: Planner, world: World) -> None:
        planner.save("texts", title="  十佳\t中心 ", summary="一\r\n二\x00", supervision_phone="0662-12345 转 6")
        texts = saved(world).texts
        assert (texts["title"], texts["summary"]) == ("十佳 中心", "一\n二")
        assert texts["supervision_phone"] == "0662-12345 转 6"
        assert "请只填数字" in " ".join(complaints(planner.save("texts", enquiry_phone="打电话给我")))

    def test_the_time_is_the_campaigns_own(self, planner: Planner, world: World) -> None:
        planner.save("time", zone="Asia/Urumqi", opens="2026-12-01T09:00", closes="2026-12-10 18:30")
        rules = saved(world).rules
        assert rules.local(rules.opens_ms).isoformat() == "2026-12-01T09:00:00+06:00"
        assert saved(world).content["closes_at"] == "2026-12-10T18:30:00+06:00"
        planner.save("time", daily="y", hours_from="6：00", hours_until="24:00")
        assert saved(world).rules.daily_hours == (360, 1440)
        planner.save("time", daily=None)
        assert saved(world).rules.daily_hours is None

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"zone": "Asia/Yangjiang"}, "没有这个时区"),
            ({"zone": "../../etc/passwd"}, "没有这个时区"),
            ({"opens": ""}, "请填写这一项"),
            ({"opens": "45627"}, "请填日期和时间"),
            ({"opens": "2026-02-30T09:00"}, "请填日期和时间"),
            ({"closes": "9999-12-31T23:59"}, "请填日期和时间"),
            ({"closes": "2026-12-01T09:00+08:00"}, "请填日期和时间"),
            ({"daily": "y", "hours_from": "", "hours_until": "22:00"}, "例如 06:00"),
            ({"daily": "y", "hours_from": "6", "hours_until": "22:00"}, "例如 06:00"),
            ({"daily": "y", "hours_from": "06:00", "hours_until": "24:01"}, "24:00"),
            ({"daily": "y", "hours_from": "06:61", "hours_until": "22:00"}, "24:00"),
        ],
    )
    def test_a_time_that_cannot_be_is_said_at_its_field(
        self, planner: Planner, world: World, wrong: dict[str, str], complaint: str
    ) -> None:
        before = saved(world)
        answer = planner.save("time", **wrong)
        assert answer.status_code == 422
        assert len(complaints(answer)) == 1
        assert complaint in complaints(answer)[0]
        name, value = next((name, value) for name, value in wrong.items() if name != "daily")
        assert fields_of(answer)[name] == value, "what was typed is still there"
        assert saved(world) == before

    def test_identity_keeps_the_order_that_decides(self, planner: Planner, world: World) -> None:
        assert "微信（本系统尚未配置）" in planner.get("/edit/identity").text
        planner.save("identity", identity=["wechat"])
        planner.save("identity", identity=["device", "wechat"], challenge="always")
        assert (saved(world).rules.identity, saved(world).rules.challenge) == (("wechat", "device"), "always")
        assert complaints(planner.save("identity", identity=None)) == ["请至少选择一种。"]
        assert complaints(planner.save("identity", identity=["face"])) == ["请从列表中选择。"]

    def test_display(self, planner: Planner, world: World) -> None:
        planner.save("display", mode="cached", every="5", every_unit="m", freeze_hours="2", gap="y", extend="y")
        rules = saved(world).rules
        assert (rules.display.mode, rules.display.every_s, rules.display.freeze_hours) == ("cached", 300, 2)
        assert (rules.display.gap, rules.ties) == (True, ("extend_seats",))
        planner.save("display", mode="daily", at="18:00")
        assert saved(world).rules.display.at_minute == 18 * 60
        planner.save("display", mode="hidden", until="close")
        assert saved(world).rules.display.until == "close"
        assert complaints(planner.save("display", mode="cached", every="")) == ["请填写这一项。"]
        assert "最长 24 小时" in complaints(planner.save("display", mode="cached", every="25", every_unit="h"))[0]
        assert "18:00" in complaints(planner.save("display", mode="daily", at="24:00"))[0]
        assert complaints(planner.save("display", mode="neon")) == ["请从列表中选择。"]

    def test_the_weight_and_its_purpose(self, planner: Planner, world: World) -> None:
        planner.save("purpose", online_weight="４0", purpose="专家占 60%")
        rules = saved(world).rules
        assert (rules.online_weight, rules.purpose) == (40, "专家占 60%")
        for wrong in ("101", "-1", "4.5", "一半", "9" * 5000, ""):
            assert len(complaints(planner.save("purpose", online_weight=wrong))) == 1


class TestRows:
    def test_an_award_is_added_without_losing_a_word(self, planner: Planner, world: World) -> None:
        before = saved(world)
        page = planner.save("awards", **{"awards-0-name": "改了名", "ballot_most": "x", "add": "awards"})
        assert page.status_code == 200
        assert complaints(page) == [], "nobody is scolded for what they have not finished"
        fields = fields_of(page)
        assert (fields["awards-0-name"], fields["ballot_most"], fields["awards-2-name"]) == ("改了名", "x", "")
        assert saved(world) == before
        fields = fields_of(planner.send("awards", fields, add="awards-2-groups"))
        new = {"awards-2-name": "新奖", "awards-2-seats": "3", "awards-2-least": "0", "ballot_most": ""}
        new |= {"awards-2-groups-0-name": "甲类", "awards-2-groups-0-least": "1", "awards-2-groups-0-most": "2"}
        answer = planner.send("awards", fields, **new)
        assert answer.status_code == 303, complaints(answer)
        awards = saved(world).rules.awards
        assert [award.key for award in awards] == ["centres", "households", "award-1"]
        assert (awards[0].name, awards[2].groups[0].name, awards[2].groups[0].limits.max) == ("改了名", "甲类", 2)
        assert awards[2].groups[0].limits.optional

    def test_a_row_in_the_middle_goes_and_the_others_stay(self, planner: Planner, world: World) -> None:
        page = planner.save("quotas", remove="quotas-1")
        fields = fields_of(page)
        assert [fields[f"quotas-{at}-kind"] for at in range(2)] == ["choices-candidate", "ballots-voter"]
        assert "quotas-2-kind" not in fields
        planner.send("quotas", fields)
        kept = [(quota.unit, quota.per, quota.period) for quota in saved(world).rules.quotas]
        assert kept == [("choices", "candidate", "day"), ("ballots", "voter", "rolling")]

    def test_a_button_that_leads_nowhere_saves_nothing(self, planner: Planner, world: World) -> None:
        before = saved(world)
        for button in ({"add": "votes"}, {"remove": "quotas-99"}, {"remove": ""}, {"add": "csrf_token"}):
            assert planner.save("quotas", interval="7", **button).status_code == 200
        assert saved(world) == before

    def test_rows_have_an_end(self, planner: Planner) -> None:
        fields = planner.step("quotas")
        for _ in range(25):
            fields = fields_of(planner.send("quotas", fields, add="quotas"))
        assert len([name for name in fields if name.endswith("-limit")]) == 20

    def test_an_award_with_candidates_stays(self, planner: Planner, world: World) -> None:
        before = saved(world)
        fields = fields_of(planner.save("awards", remove="awards-1"))
        answer = planner.send("awards", fields, **{"awards-0-name": "改了名"})
        assert answer.status_code == 409
        assert "「百佳中心户」已有 8 个候选对象，不能删除" in answer.text
        assert fields_of(answer)["awards-0-name"] == "改了名"
        assert saved(world) == before

    def test_quotas(self, planner: Planner, world: World) -> None:
        planner.save("quotas", **{"quotas-0-limit": "2", "interval": "30", "interval_unit": "m"})
        rules = saved(world).rules
        assert (rules.quotas[0].limit, rules.interval_s) == (2, 1800)
        assert planner.step("quotas")["interval_unit"] == "m"
        twice = {"quotas-1-kind": "choices-candidate", "quotas-1-period": "day"}
        assert "合并成一行" in " ".join(complaints(planner.save("quotas", **twice)))
        assert len(complaints(planner.save("quotas", **{"quotas-0-limit": "0"}))) == 1
        assert len(complaints(planner.save("quotas", **{"quotas-0-kind": "votes-voter"}))) == 1

    def test_limits_that_contradict_each_other(self, planner: Planner) -> None:
        answer = planner.save("awards", **{"awards-0-least": "3", "awards-0-most": "2"})
        assert complaints(answer) == ["不能少于“至少选几个”。"]


class TestTwoAtOnce:
    def test_the_second_is_told_sees_both_and_may_insist(self, planner: Planner, lite_app: Flask, world: World) -> None:
        first = Planner(Person(lite_app, "organizer").signed_in(), world.slug)
        fields = planner.step("texts")
        assert first.save("texts", title="先来的名称", contact="a@b.cn").status_code == 303
        answer = planner.send("texts", fields, title="后来的名称")
        assert answer.status_code == 409
        assert f"{first.person.name} 已经保存过" in answer.text
        assert "<td>先来的名称</td><td>后来的名称</td>" in answer.text
        assert "<td>a@b.cn</td><td>—</td>" in answer.text
        assert saved(world).texts["title"] == "先来的名称"
        again = fields_of(answer)
        assert again["title"] == "后来的名称"
        assert planner.send("texts", again).status_code == 303
        assert saved(world).texts["title"] == "后来的名称"
        entries = world.do(lambda: list_entries(world.slug, act="campaign.edit"))
        assert [entry.actor for entry in entries] == [planner.person.name, first.person.name]

    def test_two_steps_at_once_do_not_disturb_each_other(self, planner: Planner, world: World) -> None:
        texts, quotas = planner.step("texts"), planner.step("quotas")
        assert planner.send("texts", texts, title="新").status_code == 303
        assert planner.send("quotas", quotas, interval="9", interval_unit="s").status_code == 303
        assert (saved(world).texts["title"], saved(world).rules.interval_s) == ("新", 9)

    def test_a_session_that_ended_keeps_what_was_typed(self, planner: Planner) -> None:
        fields = planner.step("awards")
        planner.person.client.delete_cookie("desk")
        page = planner.send("awards", fields, **{"awards-0-name": "写了很久"})
        assert page.status_code == 403
        assert 'name="kept:awards-0-name" value="写了很久"' in page.text


class TestFrozen:
    def test_no_form_changes_an_open_campaign(self, planner: Planner, world: World) -> None:
        steps = {step: planner.step(step) for step in STEPS}
        world.do(lambda: campaigns.open_campaign(world.slug))
        before, box = saved(world), world.dump()
        for step, fields in steps.items():
            for button in ({}, {"preview": "1"}, {"add": "awards"}, {"stay": "1"}):
                answer = planner.send(step, fields, title="x", online_weight="0", **button)
                assert answer.status_code == 409
                assert "campaign_frozen" in answer.text
            assert planner.get(f"/edit/{step}").status_code == 409
        assert planner.person.post(f"{planner.base}/discard").status_code == 409
        assert (saved(world), world.dump()) == (before, box)

    def test_its_page_says_so(self, planner: Planner, world: World) -> None:
        world.do(lambda: campaigns.open_campaign(world.slug))
        page = planner.get().text
        assert "规则已经冻结" in page
        assert "/edit/" not in page
        assert f'href="/c/{world.slug}"' in page


class TestDiscarding:
    def test_an_empty_draft_goes(self, organizer: Person) -> None:
        organizer.post("/organizer/campaigns/new", TestANewCampaign.form)
        assert "删除这个活动" in organizer.get("/organizer/campaigns/best-2026").text
        assert organizer.post("/organizer/campaigns/best-2026/discard").headers["Location"] == "/organizer/"
        assert organizer.get("/organizer/campaigns/best-2026").status_code == 404
        assert organizer.post("/organizer/campaigns/best-2026/discard").status_code == 404

    def test_one_with_candidates_stays(self, planner: Planner) -> None:
        assert "删除这个活动" not in planner.get().text
        answer = planner.person.post(f"{planner.base}/discard")
        assert answer.status_code == 409
        assert "不能删除" in answer.text


def test_an_auditor_reads_and_does_not_write(lite_app: Flask, world: World) -> None:
    auditor = Person(lite_app, "auditor").signed_in()
    page = auditor.get(f"/organizer/campaigns/{world.slug}")
    assert page.status_code == 200
    assert not re.search(r"/edit/|/discard", page.text)
    token = token_in(auditor.get("/organizer/account"))
    for step in STEPS:
        sent = auditor.client.post(f"/organizer/campaigns/{world.slug}/edit/{step}", data={"csrf_token": token})
        assert sent.status_code == 403


def test_nobody_knows_a_campaign_that_is_not_there(organizer: Person) -> None:
    for path in ("", "/edit/texts", "/preview", "/trial"):
        assert organizer.get(f"/organizer/campaigns/none{path}").status_code == 404
