"""Trying a rule set out: a sequence of made-up ballots, and what would become of each. No box, no count, no record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voting.rules.ballot import Ballot, BoxState, decide
from voting.rules.ballot_id import CROCKFORD
from voting.rules.campaign import RuleSet
from voting.rules.errors import Refusal
from voting.rules.quota import Cast, Place


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who casts what and when; ``choices`` are candidate ids, repeats listed."""

    who: str
    at_ms: int
    choices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``refusal`` is None for a ballot that would be accepted."""

    attempt: Attempt
    refusal: Refusal | None


def try_out(rules: RuleSet, places: Mapping[int, Place], attempts: Sequence[Attempt]) -> list[Outcome]:
    """What would be accepted, in the order of time; ballots of one instant keep the order they were given in."""
    local = rules.local_time()
    history: dict[str, list[Cast]] = {}
    outcomes = []
    for number, attempt in enumerate(sorted(attempts, key=lambda each: each.at_ms)):
        choices = tuple(sorted(attempt.choices))
        ballot = Ballot(_fresh_id(attempt.at_ms, number), attempt.who.encode(), choices)
        past = history.setdefault(attempt.who, [])
        try:
            decide(rules, BoxState(), places, {}, past, ballot, attempt.at_ms, local)
        except Refusal as refusal:
            outcomes.append(Outcome(attempt, refusal))
        else:
            past.append(Cast(attempt.at_ms, tuple(places[choice] for choice in choices)))
            outcomes.append(Outcome(attempt, None))
    return outcomes


def _fresh_id(made_ms: int, number: int) -> str:
    """A ballot id of that instant: one that nobody could find too old, and no two of them equal."""
    value = made_ms << 80 | number
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(125, -5, -5))
