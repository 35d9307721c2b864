"""The box and the pure rules give the same answer to every ballot: random campaigns, clocks and ballots."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis import Redis

from tests.builders import NOON_MS, Poll, ballot_id_at, places, rule_set, voter
from voting.rules.ballot import Ballot, BoxState, decide
from voting.rules.campaign import Limits, RuleSet
from voting.rules.errors import Refusal
from voting.rules.periods import DAY_MS, HOUR_MS, MINUTE_MS
from voting.rules.quota import Cast, Quota

QUOTAS = st.lists(
    st.one_of(
        st.builds(
            Quota,
            st.just("ballots"),
            st.just("voter"),
            st.sampled_from(["day", "rolling", "campaign"]),
            st.integers(1, 3),
        ),
        st.builds(
            Quota,
            st.just("choices"),
            st.sampled_from(["voter", "award", "group", "candidate"]),
            st.sampled_from(["day", "rolling", "campaign"]),
            st.integers(1, 5),
        ),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda q: (q.unit, q.per, q.period),
)
RULES = st.builds(
    rule_set,
    quotas=QUOTAS.map(tuple),
    ballot=st.builds(Limits, st.integers(1, 2), st.sampled_from([None, 3, 5]), st.just(False)),
    repeat=st.booleans(),
    interval_s=st.sampled_from([0, 0, 1800]),
    daily_hours=st.sampled_from([None, None, (6 * 60, 22 * 60)]),
    time_zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Pacific/Auckland"]),
)
#: noon in June, and the evening before the clocks go back in Berlin (2040-10-28) and forward in Auckland (2040-09-30)
STARTS = st.sampled_from([NOON_MS, 2_234_980_800_000, 2_232_522_000_000])
VOTERS = st.sampled_from(["a", "b", "c"])
CHOICES = st.lists(st.sampled_from([*range(1, 7), *range(11, 17), 99]), min_size=0, max_size=6)
STEPS = st.sampled_from(
    [
        0,
        1,
        MINUTE_MS,
        20 * MINUTE_MS,
        HOUR_MS,
        5 * HOUR_MS,
        11 * HOUR_MS,
        12 * HOUR_MS - 1,
        DAY_MS,
        DAY_MS + 1,
        -HOUR_MS,
    ]
)


class BoxAgainstRules(RuleBasedStateMachine):
    """Every ballot is put to the box and to ``rules.ballot.decide``; a history in Python is the second witness."""

    client: Redis

    @initialize(
        rules=RULES, start=STARTS, days=st.sampled_from([2, 5]), withdrawn=st.sampled_from([(), (2,), (11, 12)])
    )
    def begin(self, rules: RuleSet, start: int, days: int, withdrawn: tuple[int, ...]) -> None:
        self.client.flushall()
        self.places = places(withdrawn)
        self.rules = replace(rules, opens_ms=start - HOUR_MS, closes_ms=start + days * DAY_MS)
        self.poll = Poll(self.client, self.rules, self.places)
        self.poll.set_clock(start)
        self.local = self.rules.local_time()
        self.state = BoxState()
        self.last_ms = 0
        self.seen: dict[str, tuple[bytes, tuple[int, ...]]] = {}
        self.receipts: dict[str, tuple[int, int]] = {}
        self.histories: dict[bytes, list[Cast]] = {}
        self.tally: dict[int, int] = {}

    def submit(self, name: str, choices: list[int], ballot_id: str) -> None:
        ballot = Ballot(ballot_id, voter(name), tuple(sorted(choices)))
        history = self.histories.setdefault(ballot.voter_key, [])
        now_ms = max(self.poll.now_ms, self.last_ms)
        expected: bool | Refusal
        try:
            expected = decide(self.rules, self.state, self.places, self.seen, history, ballot, now_ms, self.local)
        except Refusal as refusal:
            expected = refusal
        try:
            accepted = self.poll.cast(name, *choices, ballot_id=ballot_id)
        except Refusal as refusal:
            assert refusal == expected
            return
        assert accepted.first is expected
        if not accepted.first:
            assert accepted.stream_id == self.receipts[ballot_id]
            return
        assert accepted.at_ms == now_ms
        self.last_ms = now_ms
        self.seen[ballot_id] = (ballot.voter_key, ballot.choices)
        self.receipts[ballot_id] = accepted.stream_id
        history.append(Cast(now_ms, tuple(self.places[c] for c in ballot.choices)))
        for choice in ballot.choices:
            self.tally[choice] = self.tally.get(choice, 0) + 1

    @rule(
        name=VOTERS,
        choices=CHOICES,
        age=st.sampled_from([0, 0, 0, 0, 1000, DAY_MS, DAY_MS + 1, -5 * MINUTE_MS, -5 * MINUTE_MS - 1]),
    )
    def cast_new(self, name: str, choices: list[int], age: int) -> None:
        self.submit(name, choices, ballot_id_at(self.poll.now_ms - age))

    @rule(name=VOTERS, choices=st.lists(st.sampled_from([1, 5, 11, 12]), min_size=1, max_size=3, unique=True))
    def cast_plausible(self, name: str, choices: list[int]) -> None:
        self.submit(name, choices, ballot_id_at(self.poll.now_ms))

    @rule(data=st.data(), name=VOTERS, other=st.booleans(), choices=CHOICES)
    def cast_again(self, data: st.DataObject, name: str, other: bool, choices: list[int]) -> None:
        if not self.seen:
            return
        ballot_id = data.draw(st.sampled_from(sorted(self.seen)))
        if not other:
            key, chosen = self.seen[ballot_id]
            name, choices = next(n for n in "abc" if voter(n) == key), list(chosen)
        self.submit(name, choices, ballot_id)

    @rule(step=STEPS)
    def move_clock(self, step: int) -> None:
        self.poll.set_clock(self.poll.now_ms + step)

    @rule(data=st.data(), off=st.sampled_from([-1, 0, 1]))
    def jump_to_an_edge(self, data: st.DataObject, off: int) -> None:
        """To the very millisecond at which an answer changes, or one before or after it."""
        now = self.poll.now_ms
        edges = [self.rules.opens_ms, self.rules.closes_ms, self.local.next_midnight(now)]
        edges += [from_ms for from_ms, _ in self.local.offsets if from_ms]
        edges += [cast.at_ms + DAY_MS for history in self.histories.values() for cast in history[-2:]]
        if self.rules.daily_hours:
            midnight = self.local.next_midnight(now)
            edges += [midnight + minute * MINUTE_MS for minute in self.rules.daily_hours]
        ahead = [edge for edge in edges if now < edge + off <= self.rules.closes_ms + 1]
        if ahead:
            self.poll.set_clock(data.draw(st.sampled_from(sorted(ahead))) + off)

    @rule(reason=st.sampled_from(["", "设备检修"]))
    def pause_or_resume(self, reason: str) -> None:
        if reason:
            self.poll.box.pause(reason)
        else:
            self.poll.box.resume()
        self.state = BoxState(reason or None, self.state.sealed_ms)

    @rule(really=st.sampled_from([False] * 9 + [True]))
    def seal(self, really: bool) -> None:
        if really:
            sealed_ms, _ = self.poll.box.seal()
            self.last_ms = max(self.last_ms, sealed_ms)
            self.state = BoxState(self.state.paused, self.state.sealed_ms or sealed_ms)

    @invariant()
    def counts_agree(self) -> None:
        if hasattr(self, "poll"):
            counts = self.poll.box.counts()
            assert counts.votes == self.tally
            assert counts.ballots == len(self.seen)


@pytest.mark.parametrize("examples", [300])
def test_box_and_rules_agree(valkey: Redis, examples: int) -> None:
    machine = type("Machine", (BoxAgainstRules,), {"client": valkey})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
