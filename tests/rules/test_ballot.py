"""Truth tables of the one decision: which ballot is accepted, and which refusal it gets otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import NOON_MS, PER_DAY, ballot_id_at, places, rule_set, voter
from voting.rules import errors
from voting.rules.ballot import Ballot, BoxState, check_choices, check_open, check_quotas, decide
from voting.rules.campaign import Award, Group, Limits, RuleSet
from voting.rules.periods import DAY_MS, HOUR_MS, MINUTE_MS
from voting.rules.quota import Cast, Quota

CLOSES_MS = NOON_MS + 240 * HOUR_MS
OPENS_MS = NOON_MS - HOUR_MS
HOURS = {"daily_hours": (6 * 60, 22 * 60)}
MIDNIGHT_MS = NOON_MS + 12 * HOUR_MS


def answer(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except errors.Refusal as refusal:
        return refusal


@pytest.mark.parametrize(
    ("changed", "box", "now_ms", "expected"),
    [
        ({}, BoxState(), NOON_MS, None),
        ({}, BoxState(), OPENS_MS, None),
        ({}, BoxState(), OPENS_MS - 1, errors.NotOpenYet(OPENS_MS)),
        ({}, BoxState(), CLOSES_MS - 1, None),
        ({}, BoxState(), CLOSES_MS, errors.VotingClosed(CLOSES_MS)),
        ({}, BoxState(paused="检修"), NOON_MS, errors.VotingPaused("检修")),
        ({}, BoxState(paused="检修"), OPENS_MS - 1, errors.NotOpenYet(OPENS_MS)),
        ({}, BoxState(paused="检修"), CLOSES_MS, errors.VotingClosed(CLOSES_MS)),
        ({}, BoxState(sealed_ms=NOON_MS), NOON_MS, errors.VotingClosed(NOON_MS)),
        ({}, BoxState(sealed_ms=CLOSES_MS + 9), CLOSES_MS + 10, errors.VotingClosed(CLOSES_MS)),
        (HOURS, BoxState(), NOON_MS, None),
        (HOURS, BoxState(), MIDNIGHT_MS - 2 * HOUR_MS - 1, None),
        (HOURS, BoxState(), MIDNIGHT_MS - 2 * HOUR_MS, errors.OutsideDailyHours(360, 1320)),
        (HOURS, BoxState(), MIDNIGHT_MS + 6 * HOUR_MS - 1, errors.OutsideDailyHours(360, 1320)),
        (HOURS, BoxState(), MIDNIGHT_MS + 6 * HOUR_MS, None),
    ],
)
def test_when(changed: dict[str, Any], box: BoxState, now_ms: int, expected: object) -> None:
    rules = rule_set(**changed)
    assert answer(check_open, rules, box, rules.local_time(), now_ms) == expected


SLATE = (Award("centres", "中心", 2, Limits(min=2, max=3, optional=False)),)
MAYBE = (Award("centres", "中心", 2, Limits(min=2, max=3, optional=True)), Award("households", "户", 2))
GROUPED = (
    Award(
        "centres",
        "中心",
        2,
        groups=(Group("north", "北", Limits(min=1, optional=False)), Group("south", "南", Limits(max=1))),
    ),
)


@pytest.mark.parametrize(
    ("changed", "choices", "expected"),
    [
        ({}, (1,), None),
        ({}, (), errors.TooFewChoices("ballot", "", 0, 1)),
        ({}, (1, 99), errors.UnknownCandidate(99)),
        ({}, (1, 2), errors.CandidateWithdrawn(2)),
        ({}, (1, 1), errors.RepeatedCandidate(1)),
        ({"repeat": True}, (1, 1), None),
        ({"ballot": Limits(2, 4, False)}, (1,), errors.TooFewChoices("ballot", "", 1, 2)),
        ({"ballot": Limits(2, 3, False)}, (1, 3, 5, 11), errors.TooManyChoices("ballot", "", 4, 3)),
        ({}, (1, 3, 4), errors.TooManyChoices("group", "north", 3, 2)),
        ({}, (1, 3, 5, 6), errors.TooManyChoices("award", "centres", 4, 3)),
        ({"awards": SLATE}, (11,), errors.TooFewChoices("award", "centres", 0, 2)),
        ({"awards": SLATE}, (1,), errors.TooFewChoices("award", "centres", 1, 2)),
        ({"awards": SLATE}, (1, 3), None),
        ({"awards": MAYBE}, (11,), None),
        ({"awards": MAYBE}, (1, 11), errors.TooFewChoices("award", "centres", 1, 2)),
        ({"awards": GROUPED}, (5,), errors.TooFewChoices("group", "north", 0, 1)),
        ({"awards": GROUPED}, (1, 5, 6), errors.TooManyChoices("group", "south", 2, 1)),
        ({"awards": GROUPED}, (1, 5), None),
    ],
)
def test_which_choices(changed: dict[str, Any], choices: tuple[int, ...], expected: object) -> None:
    found = answer(check_choices, rule_set(**changed), places(withdrawn=(2,)), choices)
    assert [place.candidate for place in found] == list(choices) if expected is None else found == expected


def quotas(*lines: Quota, **changed: Any) -> RuleSet:
    return rule_set(quotas=lines, **changed)


BALLOTS_A_DAY = Quota("ballots", "voter", "day", 2)
CHOICES_ROLLING = Quota("choices", "voter", "rolling", 3)
AWARD_EVER = Quota("choices", "award", "campaign", 2)
GROUP_A_DAY = Quota("choices", "group", "day", 1)
TWICE_EVER = Quota("choices", "candidate", "campaign", 2)


@pytest.mark.parametrize(
    ("rules", "history", "choices", "now_ms", "expected"),
    [
        (quotas(BALLOTS_A_DAY), [(0, (1,))], (1,), NOON_MS, None),
        (quotas(BALLOTS_A_DAY), [(0, (1,)), (1, (1,))], (1,), NOON_MS, errors.QuotaSpent(BALLOTS_A_DAY, "", 2, 1, MIDNIGHT_MS)),
        (quotas(BALLOTS_A_DAY), [(0, (1,)), (1, (1,))], (1,), MIDNIGHT_MS - 1, errors.QuotaSpent(BALLOTS_A_DAY, "", 2, 1, MIDNIGHT_MS)),
        (quotas(BALLOTS_A_DAY), [(0, (1,)), (1, (1,))], (1,), MIDNIGHT_MS, None),
        (quotas(PER_DAY), [(0, (1,))], (1, 3), NOON_MS, errors.QuotaSpent(PER_DAY, "1", 1, 1, MIDNIGHT_MS)),
        (quotas(PER_DAY), [(0, (1,))], (3,), NOON_MS, None),
        (quotas(CHOICES_ROLLING), [(0, (1, 3))], (1, 3), NOON_MS + DAY_MS - 1, errors.QuotaSpent(CHOICES_ROLLING, "", 2, 2, NOON_MS + DAY_MS)),
        (quotas(CHOICES_ROLLING), [(0, (1, 3))], (1, 3), NOON_MS + DAY_MS, None),
        (quotas(CHOICES_ROLLING), [(0, (1, 3))], (1,), NOON_MS, None),
        (quotas(AWARD_EVER), [(0, (1, 11, 12))], (13,), NOON_MS + 9 * DAY_MS, errors.QuotaSpent(AWARD_EVER, "households", 2, 1, None)),
        (quotas(AWARD_EVER), [(0, (1, 11, 12))], (3,), NOON_MS, None),
        (quotas(GROUP_A_DAY), [(0, (1,))], (5, 11), NOON_MS, None),
        (quotas(GROUP_A_DAY), [(0, (1,))], (3, 5), NOON_MS, errors.QuotaSpent(GROUP_A_DAY, "north", 1, 1, MIDNIGHT_MS)),
        (quotas(TWICE_EVER, repeat=True), [(0, (1,))], (1, 1), NOON_MS, errors.QuotaSpent(TWICE_EVER, "1", 1, 2, None)),
        (quotas(TWICE_EVER, PER_DAY), [(0, (1,))], (1,), NOON_MS, errors.QuotaSpent(PER_DAY, "1", 1, 1, MIDNIGHT_MS)),
        (quotas(PER_DAY, interval_s=60), [(0, (1,))], (3,), NOON_MS + MINUTE_MS - 1, errors.TooSoon(NOON_MS + MINUTE_MS)),
        (quotas(PER_DAY, interval_s=60), [(0, (1,))], (3,), NOON_MS + MINUTE_MS, None),
        (quotas(PER_DAY, interval_s=60), [], (3,), NOON_MS, None),
    ],
)  # fmt: skip
def test_how_much(
    rules: RuleSet, history: list[tuple[int, tuple[int, ...]]], choices: tuple[int, ...], now_ms: int, expected: object
) -> None:
    known = places()
    casts = [Cast(NOON_MS + ms, tuple(known[c] for c in chosen)) for ms, chosen in history]
    assert answer(check_quotas, rules, casts, [known[c] for c in choices], rules.local_time(), now_ms) == expected


def test_a_repeat_is_recognised_even_after_closing_and_another_content_is_a_conflict() -> None:
    rules = rule_set()
    ballot = Ballot(ballot_id_at(NOON_MS), voter("a"), (1, 5))
    seen = {ballot.ballot_id: (ballot.voter_key, ballot.choices)}

    def ask(voter_key: bytes, choices: tuple[int, ...]) -> Any:
        again = Ballot(ballot.ballot_id, voter_key, choices)
        state = BoxState(sealed_ms=NOON_MS)
        return answer(decide, rules, state, places(), seen, [], again, CLOSES_MS + DAY_MS, rules.local_time())

    assert ask(voter("a"), (1, 5)) is False
    assert ask(voter("a"), (1,)) == errors.BallotIdConflict()
    assert ask(voter("b"), (1, 5)) == errors.BallotIdConflict()


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [
        (0, True),
        (DAY_MS, True),
        (DAY_MS + 1, errors.BallotIdExpired()),
        (-5 * MINUTE_MS, True),
        (-5 * MINUTE_MS - 1, errors.BallotIdFromFuture()),
    ],
)
def test_the_age_of_a_ballot_id(age_ms: int, expected: object) -> None:
    rules = rule_set()
    ballot = Ballot(ballot_id_at(NOON_MS - age_ms), voter("a"), (1,))
    assert answer(decide, rules, BoxState(), places(), {}, [], ballot, NOON_MS, rules.local_time()) == expected
