"""The rule trial answers as the box would: tried on the refusals that organizers ask about."""

from __future__ import annotations

from tests.builders import NOON_MS, PER_DAY, places, rule_set
from voting.rules.errors import (
    CandidateWithdrawn,
    NotOpenYet,
    QuotaSpent,
    TooManyChoices,
    TooSoon,
    UnknownCandidate,
    VotingClosed,
)
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.rules.quota import Quota
from voting.rules.trial import Attempt, try_out

RULES = rule_set(quotas=(PER_DAY, Quota("ballots", "voter", "day", 2)), interval_s=60)


def said(*attempts: Attempt) -> list[type | None]:
    return [one.refusal and type(one.refusal) for one in try_out(RULES, places(withdrawn=(16,)), attempts)]


def test_what_would_be_accepted_and_why_not() -> None:
    later = NOON_MS + HOUR_MS
    assert said(
        Attempt("a", NOON_MS, (1, 11)),
        Attempt("a", NOON_MS + 1000, (2,)),
        Attempt("a", later, (1,)),
        Attempt("b", later, (1,)),
        Attempt("a", later + 1, (2,)),
        Attempt("a", later + HOUR_MS, (3,)),
        Attempt("a", NOON_MS + DAY_MS, (1,)),
    ) == [None, TooSoon, QuotaSpent, None, None, QuotaSpent, None]


def test_the_paper_and_the_window() -> None:
    assert said(
        Attempt("a", RULES.opens_ms - 1, (1,)),
        Attempt("b", NOON_MS, (1, 2, 3)),
        Attempt("c", NOON_MS, (16,)),
        Attempt("d", NOON_MS, (-99,)),
        Attempt("e", RULES.closes_ms, (1,)),
    ) == [NotOpenYet, TooManyChoices, CandidateWithdrawn, UnknownCandidate, VotingClosed]


def test_ballots_are_tried_in_the_order_of_time_and_a_refused_one_spends_nothing() -> None:
    outcomes = try_out(
        RULES,
        places(),
        [
            Attempt("a", NOON_MS + 3 * HOUR_MS, (1,)),
            Attempt("a", NOON_MS, (1, 2, 3)),
            Attempt("a", NOON_MS + HOUR_MS, (1,)),
        ],
    )
    assert [one.attempt.at_ms for one in outcomes] == [NOON_MS, NOON_MS + HOUR_MS, NOON_MS + 3 * HOUR_MS]
    assert [one.refusal is None for one in outcomes] == [False, True, False]
