"""From votes to ranks and seats. One function ranks; a tie is stated, never broken silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["selected", "tie_at_last_seat", "not_selected"]
TIE_RULES = ("extend_seats",)


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate's place: ``rank`` as in sport (1, 2, 2, 4), ``tied`` when another has the same votes."""

    candidate: int
    rank: int
    votes: int
    tied: bool
    outcome: Outcome


def rank(votes: Mapping[int, int], seats: int, ties: Sequence[str] = ()) -> list[Standing]:
    """Rank candidates by votes, most first.

    Ties: equal votes share a rank and are listed by candidate id, which decides nothing. When equals straddle the
    last seat, ``ties`` names what settles it: "extend_seats" selects them all; without it each of them is
    "tie_at_last_seat", and the seats left among them are not given away here. Nobody is selected without a vote.
    """
    ordered = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    standings: list[Standing] = []
    at = 0
    while at < len(ordered):
        count = ordered[at][1]
        end = at
        while end < len(ordered) and ordered[end][1] == count:
            end += 1
        outcome: Outcome = "selected" if at < seats and count > 0 else "not_selected"
        if outcome == "selected" and seats < end and "extend_seats" not in ties:
            outcome = "tie_at_last_seat"
        standings += [Standing(ordered[n][0], at + 1, count, end - at > 1, outcome) for n in range(at, end)]
        at = end
    return standings
