"""Ranks, seats and ties."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from voting.rules.ranking import rank

VOTES = st.dictionaries(st.integers(1, 50), st.integers(0, 9), max_size=20)


@pytest.mark.parametrize(
    ("votes", "seats", "ties", "expected"),
    [
        ({}, 2, (), []),
        ({1: 5, 2: 9, 3: 1}, 2, (), [(2, 1, False, "selected"), (1, 2, False, "selected"), (3, 3, False, "not_selected")]),
        ({1: 5, 2: 5, 3: 1}, 2, (), [(1, 1, True, "selected"), (2, 1, True, "selected"), (3, 3, False, "not_selected")]),
        ({1: 9, 2: 5, 3: 5}, 2, (), [(1, 1, False, "selected"), (2, 2, True, "tie_at_last_seat"), (3, 2, True, "tie_at_last_seat")]),
        ({1: 9, 2: 5, 3: 5}, 2, ("extend_seats",), [(1, 1, False, "selected"), (2, 2, True, "selected"), (3, 2, True, "selected")]),
        ({1: 9, 2: 5, 3: 5}, 1, (), [(1, 1, False, "selected"), (2, 2, True, "not_selected"), (3, 2, True, "not_selected")]),
        ({1: 0, 2: 0}, 1, (), [(1, 1, True, "not_selected"), (2, 1, True, "not_selected")]),
        ({1: 3, 2: 0}, 2, (), [(1, 1, False, "selected"), (2, 2, False, "not_selected")]),
    ],
)  # fmt: skip
def test_ranks(votes: dict[int, int], seats: int, ties: tuple[str, ...], expected: list[object]) -> None:
    assert [(s.candidate, s.rank, s.tied, s.outcome) for s in rank(votes, seats, ties)] == expected


@given(VOTES, st.integers(1, 10))
def test_the_order_of_input_decides_nothing(votes: dict[int, int], seats: int) -> None:
    backwards = dict(reversed(votes.items()))
    assert rank(votes, seats) == rank(backwards, seats)


@given(VOTES, st.integers(1, 10), st.data())
def test_one_more_vote_never_lowers_a_rank(votes: dict[int, int], seats: int, data: st.DataObject) -> None:
    if votes:
        lucky = data.draw(st.sampled_from(sorted(votes)))
        before = {s.candidate: s.rank for s in rank(votes, seats)}
        after = {s.candidate: s.rank for s in rank(votes | {lucky: votes[lucky] + 1}, seats)}
        assert after[lucky] <= before[lucky]


@given(VOTES, st.integers(1, 10))
def test_seats_are_never_exceeded_silently(votes: dict[int, int], seats: int) -> None:
    lines = rank(votes, seats)
    selected = sum(line.outcome == "selected" for line in lines)
    tied = sum(line.outcome == "tie_at_last_seat" for line in lines)
    assert selected <= seats
    assert tied == 0 or selected + tied > seats
