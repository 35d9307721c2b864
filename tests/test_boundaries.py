"""The edges of time: the box alone opens and closes, by its own clock, while nothing else runs; and local midnight."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from tests.builders import NOON_MS, PER_DAY, Poll, places, rule_set
from tests.crowd import Answer, Phone, Sent, Voter, new_ballot_id, register
from tests.servers import Server
from tests.world import World, new_world, quota, rules_text
from voting.rules.errors import NotOpenYet, QuotaSpent, VotingClosed
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.rules.quota import Quota
from voting.services import campaigns

#: 2040-06-02 00:00:00 in Shanghai
MIDNIGHT_MS = NOON_MS + 12 * HOUR_MS


def vote_until(port: int, world: World, voter: Voter, end_s: float, answers: list[Answer]) -> None:
    phone = Phone(port, world.slug)
    chosen = tuple(world.ids("c1"))
    while time.time() < end_s:
        answers.append(phone.send(Sent(voter, new_ballot_id(), chosen)))
        time.sleep(0.003)
    phone.close()


@pytest.mark.faults
def test_opening_and_closing_happen_by_themselves(
    lite_app: Flask, tmp_path: Path, sqlite_url: str, valkey_url: str
) -> None:
    """A real server and no other process: no recorder, no command, nobody at the desk."""
    world = new_world(lite_app)
    with Server(tmp_path, sqlite_url, valkey_url, recorders=0) as server:
        # Rule sets are written in whole seconds.
        start_s = int(time.time()) + 1
        window = {"opens_s": start_s + 3 - time.time(), "closes_s": start_s + 6 - time.time()}
        world.put(rules_text(quotas=[quota("ballots", "voter", "campaign", 100_000)], **window))
        rules = world.campaign().rules
        voters = register(server.port, world.slug, 6)
        answers: list[Answer] = []
        end_s = rules.closes_ms / 1000 + 0.7
        threads = [
            threading.Thread(target=vote_until, args=(server.port, world, voter, end_s, answers)) for voter in voters
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    opens, closes = rules.opens_ms, rules.closes_ms
    assert closes - opens == 3000
    codes = {answer.json.get("code", "accepted") for answer in answers}
    assert codes == {"not_open_yet", "accepted", "voting_closed"}
    for answer in answers:
        before, after = answer.at_ms
        if answer.accepted:
            assert opens <= answer.json["accepted_at"] < closes
            assert after >= opens
            assert before < closes
        elif answer.json["code"] == "not_open_yet":
            assert before < opens
        else:
            assert after >= closes
    entries = world.valkey.xrange(world.key("ballots"))
    assert len(entries) == sum(answer.accepted for answer in answers)
    assert all(opens <= int(place.split(b"-")[0]) < closes for place, _ in entries)
    # Both edges were really met: somebody voted within the first and within the last moments.
    times = sorted(answer.json["accepted_at"] for answer in answers if answer.accepted)
    assert times[0] - opens < 700
    assert closes - times[-1] < 700
    world.record()
    assert world.failing() == set()


def test_nobody_votes_early_by_asking_early(lite_app: Flask) -> None:
    """A paper may be fetched before the opening; its ballot is refused until then, with the time to come back."""
    world = new_world(lite_app).put(rules_text(opens_s=60, closes_s=600))
    early = world.voter().cast("c1")
    assert (early.status_code, early.json["code"]) == (403, "not_open_yet")
    assert 50 <= early.json["retry_after"] <= 61
    assert world.campaign().phase(campaigns.now_ms()) == "upcoming"


@pytest.mark.parametrize(
    ("at", "expected"),
    [("opens", None), ("before", NotOpenYet), ("last", None), ("closes", VotingClosed)],
)
def test_the_window_to_the_millisecond(valkey: Redis, at: str, expected: type[Exception] | None) -> None:
    rules = rule_set()
    poll = Poll(valkey, rules, places())
    edges = {
        "opens": rules.opens_ms,
        "before": rules.opens_ms - 1,
        "last": rules.closes_ms - 1,
        "closes": rules.closes_ms,
    }
    poll.set_clock(edges[at])
    if expected is None:
        assert poll.cast("a", 1).at_ms == edges[at]
    else:
        with pytest.raises(expected):
            poll.cast("a", 1)


def test_a_day_ends_at_local_midnight(valkey: Redis) -> None:
    """The last millisecond of a day and the first of the next are two days, and nothing else is."""
    poll = Poll(valkey, rule_set(quotas=(PER_DAY,)), places())
    poll.set_clock(MIDNIGHT_MS - 1)
    assert poll.cast("a", 1).at_ms == MIDNIGHT_MS - 1
    with pytest.raises(QuotaSpent) as refused:
        poll.cast("a", 1)
    assert refused.value.resets_ms == MIDNIGHT_MS
    poll.set_clock(MIDNIGHT_MS)
    assert poll.cast("a", 1).at_ms == MIDNIGHT_MS
    poll.set_clock(MIDNIGHT_MS + DAY_MS - 1)
    with pytest.raises(QuotaSpent):
        poll.cast("a", 1)
    poll.set_clock(MIDNIGHT_MS + DAY_MS)
    poll.cast("a", 1)
    assert poll.box.counts().votes == {1: 3}


def test_a_clock_set_back_over_midnight_gives_no_second_day(valkey: Redis) -> None:
    poll = Poll(valkey, rule_set(quotas=(PER_DAY,)), places())
    poll.set_clock(MIDNIGHT_MS)
    poll.cast("a", 1)
    poll.set_clock(MIDNIGHT_MS - HOUR_MS)
    with pytest.raises(QuotaSpent):
        poll.cast("a", 1)
    assert poll.cast("b", 1).at_ms == MIDNIGHT_MS, "the box stands still until time has caught up"


def test_a_rolling_day_ends_to_the_millisecond(valkey: Redis) -> None:
    poll = Poll(valkey, rule_set(quotas=(Quota("ballots", "voter", "rolling", 1),)), places())
    poll.cast("a", 1)
    poll.set_clock(NOON_MS + DAY_MS - 1)
    with pytest.raises(QuotaSpent) as refused:
        poll.cast("a", 2)
    assert refused.value.resets_ms == NOON_MS + DAY_MS
    poll.set_clock(NOON_MS + DAY_MS)
    assert poll.cast("a", 2).first


def test_the_seal_wins_over_the_clock(valkey: Redis) -> None:
    """Sealed before its closing time: whatever the clock says then, nothing follows."""
    poll = Poll(valkey, rule_set(), places())
    poll.cast("a", 1)
    seal = poll.box.seal()
    for now_ms in (NOON_MS, NOON_MS + 1, NOON_MS - HOUR_MS):
        poll.set_clock(now_ms)
        with pytest.raises(VotingClosed):
            poll.cast("b", 1)
    assert poll.box.seal() == seal
