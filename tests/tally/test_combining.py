"""Many threads on one round trip: everybody gets the answer to their own ballot, whatever the others sent."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from tests.builders import NOON_MS, SECRET, TEST_CLOCK, Poll, ballot_id_at, places, rule_set, voter
from voting.rules import errors
from voting.rules.ballot import Ballot
from voting.rules.errors import Refusal
from voting.rules.voter import receipt_code
from voting.tally.ballot_box import Accepted, BallotBox
from voting.tally.combining import Combiner
from voting.tally.connection import connect

THREADS, BALLOTS = 24, 1200


@pytest.fixture
def box(valkey: Redis) -> BallotBox:
    """A box that is already up, seen through a combiner."""
    poll = Poll(valkey, rule_set(), places(), epoch="combined")
    valkey.function_flush()
    return BallotBox(valkey, 1, poll.rules, replaced_scripts={"clock.lua": TEST_CLOCK}, combiner=Combiner(valkey))


def cast(box: BallotBox, name: str, choice: int, ballot_id: str) -> Accepted | Refusal:
    ballot = Ballot(ballot_id, voter(name), (choice,))
    try:
        return box.cast("combined", ballot, receipt_code(SECRET, 1, ballot_id), app_ms=NOON_MS)
    except Refusal as refusal:
        return refusal


def test_everybody_gets_their_own_answer(box: BallotBox) -> None:
    """Every third ballot is a second for the same candidate, every third names nobody: refused, each by name."""
    ids = [ballot_id_at(NOON_MS) for _ in range(BALLOTS)]

    def one(number: int) -> tuple[int, Accepted | Refusal]:
        choice = 99 if number % 3 == 2 else 1
        return number, cast(box, f"v{number // 3}", choice, ids[number])

    with ThreadPoolExecutor(THREADS) as threads:
        answers = dict(threads.map(one, range(BALLOTS)))
    for number in range(0, BALLOTS, 3):
        pair = [answers[number], answers[number + 1]]
        accepted = [answer for answer in pair if isinstance(answer, Accepted)]
        assert len(accepted) == 1
        assert sum(isinstance(answer, errors.QuotaSpent) for answer in pair) == 1
        assert answers[number + 2] == errors.UnknownCandidate(99)
    assert box.counts().votes == {1: BALLOTS // 3}
    places_in_stream = {answer.stream_id for answer in answers.values() if isinstance(answer, Accepted)}
    assert len(places_in_stream) == BALLOTS // 3


def test_a_repeat_among_the_others_is_still_a_repeat(box: BallotBox) -> None:
    ballot_id = ballot_id_at(NOON_MS)
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda _: cast(box, "a", 1, ballot_id), range(200)))
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert len(accepted) == 200
    assert sum(answer.first for answer in accepted) == 1
    assert len({answer.stream_id for answer in accepted}) == 1


def test_when_redis_is_away_everybody_is_told_and_the_next_try_works_again(tmp_path: Path, box: BallotBox) -> None:
    away = connect(f"unix://{tmp_path}/nothing.sock")
    combiner = Combiner(away)
    gone = BallotBox(away, 1, box.layout.rules, combiner=combiner)
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda n: cast(gone, f"v{n}", 1, ballot_id_at(NOON_MS)), range(THREADS * 3)))
    assert answers == [errors.BoxUnavailable("unreachable")] * (THREADS * 3)
    combiner._client, combiner._connection = box.client, None
    started_s = time.monotonic()
    back = BallotBox(box.client, 1, box.layout.rules, replaced_scripts={"clock.lua": TEST_CLOCK}, combiner=combiner)
    assert isinstance(cast(back, "x", 1, ballot_id_at(NOON_MS)), Accepted)
    assert time.monotonic() - started_s < 5
