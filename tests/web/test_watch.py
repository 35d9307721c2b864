"""Watching at the desk: true figures, also those that citizens do not see yet, made seldom; and the audit."""

from __future__ import annotations

import pytest
from flask import Flask
from ulid import ULID

from tests.services.test_counting import CLEAR, cast
from tests.web.desk import Person
from tests.world import World, new_world, rules_text
from voting.services import watching
from voting.services.trail import list_entries


@pytest.fixture
def chen(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


def room(world: World) -> str:
    return f"/organizer/campaigns/{world.slug}/watch"


def test_the_figures_are_those_of_box_and_ledger(app: Flask) -> None:
    chen = Person(app, "organizer").signed_in()
    world = new_world(app).put(rules_text())
    cast(world, *CLEAR)
    world.record()
    cast(world, ("c1",))
    answer = chen.get(f"{room(world)}/figures")
    assert answer.headers["Cache-Control"] == "no-store"
    shown = answer.json
    assert shown["totals"] == {"accepted": "4", "recorded": "3", "waiting": "1", "votes": "14"}
    assert sum(votes for _, votes in shown["hours"]["rows"]) == 13
    assert len(shown["minutes"]["rows"]) == 60
    assert sum(ballots for _, ballots in shown["minutes"]["rows"]) == 3
    assert shown["areas"] == {"head": ["县（市、区）", "十佳中心", "百佳中心户"], "rows": [["江城区", 7, 7]]}
    assert shown["marks"]["rows"] == [["没有标记", 3]]
    assert not shown["warning"]
    assert chen.get(room(world)).status_code == 200


AGENTS = {
    "微信里": "Mozilla/5.0 (Linux; Android 14; V2218A) AppleWebKit/537.36 Mobile Safari/537.36 MicroMessenger/8.0.50",
    "手机、平板的其他浏览器": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148",
    "电脑浏览器": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "不是浏览器，或没有说明": "curl/8.5",
}


def test_who_votes_with_what_is_counted_at_sight_and_not_kept(lite_world: World, chen: Person) -> None:
    assert chen.get(f"{room(lite_world)}/figures").json["devices"]["rows"] == []
    assert "还没有" in chen.get(room(lite_world)).text
    other = new_world(lite_world.app).put(rules_text(display="hidden"))
    for number, agent in enumerate(AGENTS.values()):
        for world in (lite_world, other):
            for _ in range(number + 1):
                voter, ballot_id = world.voter(), str(ULID())
                voter.paper()
                headers = {"User-Agent": agent}
                assert voter.cast("c1", "h1", ballot_id=ballot_id, headers=headers).status_code == 201
                assert voter.cast("c1", "h1", ballot_id=ballot_id, headers=headers).status_code == 200
                assert voter.cast("c1", headers=headers).status_code == 403
    shown = chen.get(f"{room(other)}/figures").json
    assert shown["devices"]["head"] == ["用什么投票", "选票数", "票数"]
    assert shown["devices"]["rows"] == [[name, n, 2 * n] for n, name in reversed(list(enumerate(AGENTS, 1)))]
    assert shown["identities"]["rows"] == [["手机浏览器（不用登录）", 10, 20]]
    told = other.get("/metrics").text
    assert f'voting_campaign_votes_total{{campaign="{lite_world.slug}",device="wechat",identity="device"}} 2.0' in told
    assert f'campaign="{other.slug}"' not in "".join(line for line in told.splitlines(True) if "_votes_total" in line)
    lite_world.record()
    kept = b"".join(bytes(str(each), "utf-8") for each in lite_world.dump().values())
    rows = str(lite_world.sql("SELECT * FROM ballots"))
    for word in ("MicroMessenger", "Windows", "iPhone", "curl"):
        assert word.encode() not in kept
        assert word not in rows


def test_refusals_are_told_by_campaign_and_reason(lite_world: World, chen: Person) -> None:
    other = new_world(lite_world.app).put(rules_text())
    voter = lite_world.voter()
    assert voter.cast("c1", "c2", "c3", "c4").status_code == 422
    assert voter.cast("c1").status_code == 201
    assert voter.cast("c1").json["code"] == "quota_spent"
    assert lite_world.get("/c/no-such-campaign").status_code == 404
    found = dict(chen.get(f"{room(lite_world)}/figures").json["refusals"]["rows"])
    assert found == {"选得太多": 1, "票已投完": 1}
    assert chen.get(f"{room(other)}/figures").json["refusals"]["rows"] == []
    assert "no-such-campaign" not in lite_world.get("/metrics").text


def test_what_citizens_do_not_see_is_seen_here_and_said_so(lite_app: Flask, chen: Person) -> None:
    world = new_world(lite_app).put(rules_text(display="hidden"))
    cast(world, *CLEAR)
    assert world.voter().cast("c1", "c1").status_code == 422
    page = chen.get(room(world)).text
    assert "市民现在看不到即时票数" in page
    assert chen.get(f"{room(world)}/figures").json["totals"]["votes"] == "13"
    assert f'refusals_total{{campaign="{world.slug}"' not in world.get("/metrics").text
    open_to_all = new_world(lite_app).put(rules_text())
    assert "市民现在看不到即时票数" not in chen.get(room(open_to_all)).text


def test_figures_are_made_at_most_every_few_seconds(lite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    chen = Person(lite_world.app, "organizer").signed_in()
    made: list[str] = []
    look = watching._look
    monkeypatch.setattr(watching, "_look", lambda campaign: made.append(campaign.slug) or look(campaign))
    for _ in range(5):
        chen.get(f"{room(lite_world)}/figures")
    assert len(made) == 1


def test_without_the_box_the_ledger_is_still_told(lite_world: World, chen: Person) -> None:
    cast(lite_world, *CLEAR)
    lite_world.record()
    lite_world.valkey.delete(lite_world.key("box"))
    shown = chen.get(f"{room(lite_world)}/figures").json
    assert shown["totals"] == {"accepted": "—", "recorded": "3", "waiting": "—", "votes": "—"}
    assert "票箱不见了" in shown["warning"]


def test_a_draft_can_be_watched(lite_app: Flask, chen: Person) -> None:
    world = new_world(lite_app).put(rules_text(), opened=False)
    assert chen.get(room(world)).status_code == 200


class TestTheAudit:
    def test_it_says_what_holds_and_is_on_record(self, lite_world: World, chen: Person) -> None:
        cast(lite_world, *CLEAR)
        page = chen.post(f"{room(lite_world)}/audit").text
        assert "全部相符" in page
        assert page.count("相符</span>") == 7
        entry = lite_world.do(lambda: list_entries(lite_world.slug, act="campaign.audit"))[0]
        assert (entry.actor, entry.after) == (chen.name, {"checked": 7, "failing": []})

    def test_it_finds_a_tally_that_somebody_changed(self, lite_world: World, chen: Person) -> None:
        cast(lite_world, *CLEAR)
        lite_world.valkey.hset(lite_world.key("tally"), str(lite_world.ids("c1")[0]), 99)
        page = chen.post(f"{room(lite_world)}/audit").text
        assert "有核对项不符" in page
        entry = lite_world.do(lambda: list_entries(lite_world.slug, act="campaign.audit"))[0]
        assert entry.after["failing"] == ["I3", "I7"]

    def test_one_at_a_time(self, lite_world: World, chen: Person) -> None:
        lite_world.valkey.set(f"desk:audit:{lite_world.campaign().id}", "1")
        answer = chen.post(f"{room(lite_world)}/audit")
        assert answer.status_code == 409
        assert "正在核对" in answer.text

    def test_a_draft_has_nothing_to_audit(self, lite_app: Flask, chen: Person) -> None:
        world = new_world(lite_app).put(rules_text(), opened=False)
        assert chen.post(f"{room(world)}/audit").status_code == 409
