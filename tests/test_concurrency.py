"""64 clients at once send 10,000 ballots, most of them again and again, to the real server with two recorders.

Afterwards nobody is counted twice, no voter got more than the rules allow, and whatever was said to a voter is true.
"""

from __future__ import annotations

import random
import secrets
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from flask import Flask

from tests.crowd import Answer, Sent, new_ballot_id, register, send_all
from tests.servers import Server, wait_until
from tests.world import World, new_world, quota, rules_text
from voting.services import campaigns

pytestmark = pytest.mark.faults
VOTERS, BALLOTS, SENDS, CLIENTS = 250, 8, 5, 64
#: of the eight ballots of a voter, how many may count
ALLOWED = 5


@pytest.fixture
def crowded(app: Flask) -> World:
    """A campaign whose voters may send five ballots and give no candidate more than three choices."""
    quotas = [quota("ballots", "voter", "campaign", ALLOWED), quota("choices", "candidate", "campaign", 3)]
    return new_world(app).put(rules_text(quotas=quotas))


def recorded(world: World) -> dict[str, tuple[int, Counter[int]]]:
    """ballot id -> accepted ms, choices, as the ledger has them."""
    times = dict(world.sql("SELECT ballot_id, stream_ms FROM ballots"))
    choices: dict[str, Counter[int]] = defaultdict(Counter)
    for ballot_id, candidate, count in world.sql("SELECT ballot_id, candidate_id, times FROM choices"):
        choices[ballot_id][candidate] += count
    return {ballot_id: (at_ms, choices[ballot_id]) for ballot_id, at_ms in times.items()}


def waiting(world: World) -> bool:
    backlog = world.do(campaigns.campaign_state, world.slug).backlog
    return backlog is None or backlog.waiting


def test_nobody_is_counted_twice(crowded: World, tmp_path: Path, database_url: str, valkey_url: str) -> None:
    world, seed = crowded, secrets.randbits(32)
    sys.stderr.write(f"seed {seed}\n")  # shown when the test fails
    chance = random.Random(seed)
    candidates = world.ids("c1", "c2", "c3", "h1", "h2", "h3")
    with Server(tmp_path, database_url, valkey_url, recorders=2) as server:
        voters = register(server.port, world.slug, VOTERS)
        ballots = [
            Sent(voter, new_ballot_id(), tuple(chance.sample(candidates, 2)))
            for voter in voters
            for _ in range(BALLOTS)
        ]
        work = ballots * SENDS
        chance.shuffle(work)
        assert len(work) == 10_000
        answers = send_all(server.port, world.slug, work, CLIENTS)
        wait_until(lambda: not waiting(world), "everything is recorded")

    by_ballot: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_ballot[answer.sent.ballot_id].append(answer)
    assert {len(each) for each in by_ballot.values()} == {SENDS}
    assert Counter(answer.status for answer in answers).keys() <= {200, 201, 403}
    assert {answer.json["code"] for answer in answers if answer.status == 403} == {"quota_spent"}

    ledger, accepted = recorded(world), set()
    for ballot_id, each in by_ballot.items():
        yes = [answer for answer in each if answer.accepted]
        if not yes:
            continue
        accepted.add(ballot_id)
        # Once it was accepted there is no other answer, and it is the same answer to the byte.
        assert [answer.status for answer in yes].count(201) == 1
        assert len({answer.body for answer in yes}) == 1
        at_ms, choices = ledger[ballot_id]
        assert yes[0].json["accepted_at"] == at_ms
        assert choices == Counter(yes[0].sent.choices)
    assert ledger.keys() == accepted

    used = Counter(by_ballot[ballot_id][0].sent.voter for ballot_id in accepted)
    assert max(used.values()) == ALLOWED
    per_candidate = Counter(
        (by_ballot[ballot_id][0].sent.voter, candidate) for ballot_id in accepted for candidate in ledger[ballot_id][1]
    )
    assert max(per_candidate.values()) <= 3
    total = sum((choices for _, choices in ledger.values()), Counter[int]())
    assert world.get(f"{world.api}/leaderboard").json["votes"] == total.total() == 2 * len(accepted)
    tally = world.valkey.hgetall(world.key("tally"))
    assert {int(candidate): int(votes) for candidate, votes in tally.items()} == total
    assert world.failing() == set()
    # Enough of everything happened for this to mean something.
    assert len(accepted) > VOTERS * 3
    assert len([answer for answer in answers if answer.status == 403]) > VOTERS
