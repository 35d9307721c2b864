"""Rules changed while voting runs: two people, box and ledger agree whatever dies in between, used is used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from ulid import ULID

from tests.services.test_auditing import put_row
from tests.services.test_counting import CLEAR, cast
from tests.world import World, new_world, quota, rules_text
from voting.identity.base import Identity
from voting.rules.campaign import rules_hash
from voting.rules.change_errors import BoxNotTold
from voting.rules.errors import BoxUnavailable
from voting.rules.periods import HOUR_MS
from voting.rules.rule_text import write_rules
from voting.services import campaigns, casting, counting, rebuilding, rule_changes
from voting.services.trail import acting_as, check_trail, list_entries

BY_CANDIDATE = quota("choices", "candidate", "day", 1)
#: lines of every period, as they are and with other limits
QUOTAS = [
    BY_CANDIDATE,
    quota("choices", "award", "day", 4),
    quota("ballots", "voter", "rolling", 3),
    quota("choices", "voter", "campaign", 8),
]


def limits(*numbers: int) -> dict[str, Any]:
    return {"quotas": [line | {"limit": number} for line, number in zip(QUOTAS, numbers, strict=True)]}


def act(world: World, who: str, what: Callable[..., Any], *arguments: Any) -> Any:
    def run() -> Any:
        with acting_as(who):
            return what(world.slug, *arguments)

    return world.do(run)


def ask(world: World, changes: dict[str, Any], who: str = "chen", reason: str = "连日断网") -> None:
    act(world, who, rule_changes.ask_for_change, world.campaign().version, changes, reason)


def mark(world: World) -> str:
    proposed = world.do(rule_changes.view_changes, world.slug).proposed
    return proposed.mark if proposed else ""


def confirm(world: World, who: str = "wang") -> None:
    act(world, who, rule_changes.confirm_change, world.campaign().version, mark(world))


def change(world: World, changes: dict[str, Any]) -> None:
    ask(world, changes)
    confirm(world)


@pytest.fixture
def open_world(app: Flask) -> World:
    return new_world(app).put(rules_text(quotas=QUOTAS))


@pytest.fixture
def lite(lite_app: Flask) -> World:
    return new_world(lite_app).put(rules_text(quotas=QUOTAS))


def test_a_change_is_asked_confirmed_in_force_and_on_record(open_world: World) -> None:
    world, before = open_world, open_world.campaign()
    voter = world.voter()
    assert voter.cast("c1", "c2", "h1", "h2").status_code == 201
    ask(world, limits(1, 2, 5, 9) | {"purpose": "表彰"})
    asked = world.campaign()
    assert (asked.rules, asked.rules_hash, asked.epoch) == (before.rules, before.rules_hash, before.epoch)
    assert voter.cast("c3").status_code == 201, "nothing changes before somebody confirms"
    confirm(world)

    after = world.campaign()
    assert [line.limit for line in after.rules.quotas] == [1, 2, 5, 9]
    assert after.rules.purpose == "表彰"
    assert after.rules_hash == rules_hash(write_rules(after.rules)) != before.rules_hash
    assert after.epoch != before.epoch
    first, second = after.history
    assert (first.number, first.rules_hash, first.in_force_ms) == (1, before.rules_hash, before.opened_at)
    assert (second.number, second.rules_hash, second.reason) == (2, after.rules_hash, "连日断网")
    assert (second.asked_by, second.confirmed_by) == ("chen", "wang")
    assert world.sql("SELECT act, asked_by, settled_by, outcome FROM requests") == [
        ("rules", "chen", "wang", "confirmed")
    ]
    told = {entry.act: entry for entry in world.do(list_entries, world.slug)}
    assert told["rules.ask"].reason == "连日断网"
    decided = told["rules.change"]
    assert (decided.actor, decided.before["rules_hash"]) == ("wang", before.rules_hash)
    assert decided.after["asked by"] == "chen"
    assert decided.before["quotas"][1]["limit"] == 4
    assert decided.after["quotas"][1]["limit"] == 2
    assert told["rules.in_force"].after == {"version": 2, "from": second.in_force_ms}
    assert world.do(check_trail) == []

    # Three of four centres were used, and two a day is the limit now.
    assert voter.cast("c4").json["code"] == "quota_spent"
    assert voter.cast("c1").json["code"] == "quota_spent", "what was used stays used"
    assert world.voter().cast("c1", "c2", "h1").status_code == 201
    assert world.voter().cast("c1", "c2", "c3").json["code"] == "quota_spent"
    world.record()
    assert world.failing() == set()


def test_what_was_used_is_what_a_raised_limit_begins_from(lite: World) -> None:
    voter = lite.voter()
    for codes in (("c1",), ("c2",), ("c3",)):
        assert voter.cast(*codes).status_code == 201
    assert voter.cast("h1").json["code"] == "quota_spent"
    change(lite, limits(1, 4, 4, 8))
    assert voter.cast("h1").status_code == 201
    assert voter.cast("h2").json["code"] == "quota_spent"
    left = {line["limit"]: line["used"] for line in voter.client.get(f"{lite.api}/mine").json["left"]}
    assert left[4] == 4
    lite.record()
    assert lite.failing() == set()


class TestTheAudit:
    def test_a_lowered_limit_makes_nobody_guilty_of_what_was_allowed(self, open_world: World) -> None:
        world = open_world
        for _ in range(2):
            voter = world.voter()
            for codes in (("c1", "c2"), ("c3", "c4"), ("h1", "h2")):
                assert voter.cast(*codes).status_code == 201
        change(world, limits(1, 2, 1, 8))
        assert voter.cast("h3").json["code"] == "quota_spent"
        fresh = world.voter()
        assert fresh.cast("c1", "c2", "h1").status_code == 201
        assert fresh.cast("h2").json["code"] == "quota_spent"
        world.record()
        assert world.failing() == set()
        change(world, limits(1, 4, 3, 9))
        assert fresh.cast("h2").status_code == 201
        world.record()
        assert world.failing() == set()

    @pytest.mark.parametrize("lowered", [limits(1, 2, 3, 8), limits(1, 4, 1, 8)], ids=["day", "rolling"])
    def test_and_finds_who_has_more_than_the_limit_of_its_time(
        self, open_world: World, lowered: dict[str, Any]
    ) -> None:
        """A ballot that stands in the ledger after the change is judged by the changed limit."""
        world = open_world
        answer = world.voter().cast("c1", "c2")
        world.record()
        change(world, lowered)
        assert world.voter().cast("h7").status_code == 201
        world.record()
        assert world.failing() == set()
        world.unlock_ledger()
        put_row(world, "c3", voter_of=answer.json["ballot_id"])
        assert "I4" in world.failing()

    def test_it_still_finds_what_was_too_much_before_the_change(self, lite: World) -> None:
        voter = lite.voter()
        answer = voter.cast("c1", "c2")
        assert voter.cast("h1").status_code == 201
        lite.record()
        lite.unlock_ledger()
        put_row(lite, "c1", voter_of=answer.json["ballot_id"])
        assert "I4" in lite.failing()
        change(lite, limits(5, 9, 9, 20))
        assert "I4" in lite.failing()


def test_a_box_rebuilt_after_a_change_equals_the_live_one(open_world: World) -> None:
    world = open_world
    voter = world.voter()
    assert voter.cast("c1", "h1").status_code == 201
    change(world, limits(2, 4, 5, 9) | {"challenge": "off", "daily_hours": ["00:00", "24:00"]})
    assert voter.cast("c1", "h2").status_code == 201
    world.record()
    before = world.dump("box", "ballots", "address")
    world.valkey.flushall()
    world.do(rebuilding.rebuild, world.slug)
    assert world.dump("box", "ballots", "address") == before
    assert world.failing() == set()
    assert voter.cast("c1").json["code"] == "quota_spent"
    assert voter.cast("c3").status_code == 201
    world.record()
    assert world.do(counting.close_campaign, world.slug).difference == {}


def test_a_server_with_the_old_rules_admits_nothing(lite: World) -> None:
    """It would judge by what it knew; the box does not let it, from the first moment."""
    old, identity = lite.campaign(), Identity("device", b"somebody", 0)
    arguments = (identity, str(ULID()), lite.ids("c1"), "192.0.2.1")
    change(lite, limits(1, 4, 3, 9))
    with pytest.raises(BoxUnavailable, match="epoch"):
        lite.do(casting.cast_ballot, old, *arguments)
    assert lite.do(casting.cast_ballot, lite.campaign(), *arguments).first, "sent again, it counts, once"


def test_the_closing_time_moves_both_ways(lite: World) -> None:
    before = lite.campaign().rules
    later = replace(before, closes_ms=before.closes_ms + 72 * HOUR_MS)
    change(lite, {"closes_at": later.local(later.closes_ms).isoformat()})
    assert int(lite.valkey.hget(lite.key("box"), "closes")) == later.closes_ms // 1000 * 1000
    change(lite, {"closes_at": before.local(before.closes_ms - HOUR_MS).isoformat()})
    assert [edition.number for edition in lite.campaign().history] == [1, 2, 3]
    assert lite.voter().cast("c1").status_code == 201
    assert lite.failing() == set()


class TestCutOff:
    """A power cut between SQL and the box: nothing is admitted, and doing it again finishes it."""

    @pytest.fixture
    def cut_off(self, open_world: World) -> tuple[World, dict[bytes, bytes]]:
        world = open_world
        cast(world, *CLEAR)
        ask(world, limits(1, 4, 2, 8))
        box = world.valkey.hgetall(world.key("box"))
        # The box is out of reach while the change is confirmed, and comes back as it was.
        world.valkey.delete(world.key("box"))
        with pytest.raises(BoxNotTold):
            confirm(world)
        world.valkey.hset(world.key("box"), mapping=box)
        return world, box

    def test_nothing_is_admitted_until_it_is_finished(self, cut_off: tuple[World, dict[bytes, bytes]]) -> None:
        world, box = cut_off
        answer = world.voter().cast("c1")
        assert (answer.status_code, answer.json["code"]) == (503, "box_unavailable")
        view = world.do(rule_changes.view_changes, world.slug)
        assert view.waiting
        assert world.campaign().history[-1].in_force_ms is None
        with pytest.raises(BoxNotTold):
            ask(world, {"purpose": "另一个"})
        # The same form once more, as somebody does whose page did not answer.
        act(world, "wang", rule_changes.confirm_change, view.campaign.version - 1, "")
        assert world.voter().cast("c1").status_code == 201
        in_force = world.campaign().history[-1].in_force_ms
        assert in_force is not None
        assert in_force > int(box[b"last"])
        assert not act(world, "wang", rule_changes.finish_change), "once more changes nothing"
        assert world.campaign().history[-1].in_force_ms == in_force
        world.record()
        assert world.failing() == set()

    def test_cut_off_after_the_box_was_told(self, cut_off: tuple[World, dict[bytes, bytes]]) -> None:
        world, _ = cut_off
        act(world, "li", rule_changes.finish_change)
        since = world.campaign().history[-1].in_force_ms
        world.sql("UPDATE rule_versions SET in_force_ms = NULL WHERE version = 2")
        act(world, "li", rule_changes.finish_change)
        assert world.campaign().history[-1].in_force_ms == since

    def test_a_rebuild_finishes_it_too(self, cut_off: tuple[World, dict[bytes, bytes]]) -> None:
        world, _ = cut_off
        world.do(rebuilding.rebuild, world.slug)
        assert not act(world, "wang", rule_changes.finish_change)
        assert world.voter().cast("c1").status_code == 201
        world.record()
        assert world.failing() == set()

    def test_a_box_of_another_life_is_not_touched(self, cut_off: tuple[World, dict[bytes, bytes]]) -> None:
        world, _ = cut_off
        world.valkey.hset(world.key("box"), "epoch", "of an old copy")
        before = world.dump()
        with pytest.raises(BoxNotTold):
            act(world, "wang", rule_changes.finish_change)
        assert world.dump() == before


def test_while_paused_rules_can_be_changed_and_the_pause_stays(lite: World) -> None:
    lite.do(campaigns.pause_campaign, lite.slug, "核实")
    change(lite, {"challenge": "always"})
    assert lite.voter().cast("c1").json["code"] == "voting_paused"
    lite.do(campaigns.resume_campaign, lite.slug)
    assert lite.voter().cast("c1").json["code"] == "challenge_required"


def test_nothing_is_lost_or_counted_twice_while_rules_change_under_votes(open_world: World) -> None:
    """Limits go up and down between ballots: every 201 is counted once, and a 503 is sent again, as a page does."""
    world, odd, done = open_world, [], threading.Event()
    accepted: list[str] = []

    def vote() -> None:
        while not done.is_set():
            voter, ballot_id = world.voter(), str(ULID())
            answer = voter.cast("c1", "h1", ballot_id=ballot_id)
            while answer.status_code == 503:
                answer = voter.cast("c1", "h1", ballot_id=ballot_id)
            (accepted if answer.status_code in (200, 201) else odd).append(answer.json.get("ballot_id", answer.text))

    thread = threading.Thread(target=vote)
    thread.start()
    try:
        for step, limit in enumerate((5, 2, 6, 1, 7)):
            change(world, limits(limit, 4 + limit, 3 + limit, 10 + step))
    finally:
        done.set()
        thread.join(60)
    assert odd == []
    assert accepted
    assert len(world.campaign().history) == 6
    world.record()
    assert world.failing() == set()
    assert world.sql("SELECT count(*) FROM ballots") == [(len(accepted),)]
