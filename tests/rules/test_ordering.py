"""The order of the list: a permutation per visitor, stable and fair; number, name and rank."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from voting.rules.ordering import Shuffled, ordered


@dataclass(frozen=True)
class Someone:
    id: int
    number: int
    name: str


SOME = [Someone(100 + number, number, name) for number, name in enumerate("丁甲丙乙戊", 1)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 16, 17, 40, 257, 1000])
def test_everybody_stands_in_it_once(count: int) -> None:
    shuffled = Shuffled(range(count), b"seed")
    assert sorted(shuffled) == list(range(count))
    assert len(shuffled) == count
    assert [*shuffled[:7], *shuffled[7:]] == list(shuffled)
    with pytest.raises(IndexError):
        shuffled[count]


def test_a_visitor_keeps_the_order_and_another_has_another() -> None:
    people = range(300)
    assert list(Shuffled(people, b"a")) == list(Shuffled(people, b"a"))
    assert list(Shuffled(people, b"a")) != list(Shuffled(people, b"b"))
    assert list(Shuffled(people, b"a")) != list(people)
    assert Shuffled(people, b"a")[-1] == list(Shuffled(people, b"a"))[-1]


def test_nobody_is_favoured_on_the_first_page() -> None:
    """10 of 50 on a first page: each of them for a fifth of the visitors, within what chance does (4.9 sigma)."""
    seen = Counter(each for seed in range(2000) for each in Shuffled(range(50), seed.to_bytes(4, "big"))[:10])
    assert all(abs(seen[each] - 400) < 88 for each in range(50)), sorted(seen.values())


def test_who_stands_before_whom_is_even() -> None:
    before = sum(
        (order := list(Shuffled(range(20), seed.to_bytes(4, "big")))).index(3) < order.index(17) for seed in range(1000)
    )
    assert 420 < before < 580


def test_number_name_and_rank() -> None:
    assert [each.number for each in ordered(SOME, "number", b"")] == [1, 2, 3, 4, 5]
    by_name = ordered(SOME, "name", b"", name_key=lambda name: "甲乙丙丁戊".index(name))
    assert [each.name for each in by_name] == list("甲乙丙丁戊")
    ranks = {105: 1, 101: 2, 103: 2}
    assert [each.number for each in ordered(SOME, "rank", b"", ranks)] == [5, 1, 3, 2, 4]


def test_an_order_by_rank_without_ranks_is_the_visitors_own() -> None:
    assert list(ordered(SOME, "rank", b"x", {})) == list(ordered(SOME, "random", b"x"))
