"""The search index: pinyin and initials, every usual reading, what is kept, and the orders of a listing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from voting.rules.areas import Area, AreaTree
from voting.services import finding
from voting.services.catalogue import CandidateView
from voting.services.finding import BY_NUMBER, Finder, Listing

TREE = AreaTree(
    [
        Area("44", "阳江市", "city", None),
        Area("4401", "江城区", "county", "44"),
        Area("44011", "岗列街道", "town", "4401"),
    ]
)
NAMES = (
    "陈丽华 户",
    "西安村党群服务中心",
    "先锋村党群服务中心",
    "曾小单 户",
    "吕布 户",
    "喆垚犇彧镕 户",
    "Ａ区中心",
    "3号院 户",
)


def finder(names: tuple[str, ...] = NAMES, before: Finder | None = None) -> Finder:
    candidates = []
    for number, name in enumerate(names, 1):
        award, area = ("centres", "44011") if "中心" in name else ("households", None)
        path = TREE.path(area) if area else ()
        candidates.append(CandidateView(number, number, award, None, str(number), name, area, path, "", "", "standing"))
    # As the catalogue gives them: the candidates of an award stand together.
    return Finder(sorted(candidates, key=lambda each: each.award), TREE, before)


def found(q: str, award: str | None = None) -> set[int]:
    return {one.number for one in finder().listed(award, q, "", BY_NUMBER)}


@pytest.mark.parametrize(
    ("q", "numbers"),
    [
        ("clh", {1}), ("chenlihua", {1}), ("CHENLI", {1}), ("lihua", {1}), ("chenlih", {1}), ("chen hua", {1}),
        ("henli", set()),  # a word begins where a syllable begins
        ("xian", {2, 3}), ("xiancun", {2}), ("xianfeng", {3}), ("dqfwzx", {2, 3}),
        ("zengxiaoshan", {4}), ("cengxiaodan", {4}), ("zxs", {4}), ("lvbu", {5}),
        ("zheyaobenyurong", {6}), ("zybyr", {6}), ("喆", {6}), ("aqu", {7}), ("ａ区", {7}),
        ("jiangcheng", {2, 3, 7}), ("jcq", {2, 3, 7}), ("gljd xianfeng", {3}), ("岗列 feng", {3}),
        ("3", {3, 8}), ("003", {3}), ("第3号", {3}), ("qqq", set()), ("a" * 40, set()), ("'", set()),
        ("\n", set(range(1, 9))),
    ],
)  # fmt: skip
def test_names_are_found_as_people_type_them(q: str, numbers: set[int]) -> None:
    assert found(q) == numbers


def test_only_the_award_asked_for_is_found() -> None:
    assert found("xian", "centres") == {2, 3}
    assert found("xian", "households") == set()
    assert found("3", "centres") == {3}
    assert found("", "none") == set()


def test_the_number_asked_for_comes_first() -> None:
    assert next(one.number for one in finder().listed(None, "3", "", Listing("random", b"x"))) == 3


def test_what_was_found_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    index = finder()
    first = list(index.find(None, "chen", ""))
    monkeypatch.setattr(finding.Finder, "_find", lambda *_: pytest.fail("searched a second time"))
    assert list(index.find(None, " CHEN ", "")) == first


def test_no_more_is_kept_than_fits() -> None:
    index = finder()
    for number in range(finding.MOST_KEPT + 20):
        index.find(None, f"无{number}", "")
    assert len(index._kept) == finding.MOST_KEPT


def test_equal_names_are_not_spelled_again() -> None:
    first = finder()
    assert finder(before=first)._sounds is first._sounds
    assert finder(NAMES[:-1], before=first)._sounds is not first._sounds


def test_a_visitors_order_is_stable_and_another_visitors_is_another() -> None:
    names = tuple(f"{n}号村" for n in range(200))
    index = finder(names)
    orders = {seed: [c.number for c in index.listed(None, "", "", Listing("random", seed))] for seed in (b"a", b"b")}
    assert orders[b"a"] == [c.number for c in finder(names).listed(None, "", "", Listing("random", b"a"))]
    assert orders[b"a"] != orders[b"b"]
    assert sorted(orders[b"a"]) == sorted(orders[b"b"]) == list(range(1, 201))


def test_orders_by_name_and_rank() -> None:
    index = finder(("张三", "李四", "陈五", "阿六"))
    assert [c.name for c in index.listed(None, "", "", Listing("name"))] == ["阿六", "陈五", "李四", "张三"]
    ranks = {2: 1, 4: 2, 1: 3}
    assert [c.number for c in index.listed(None, "", "", Listing("rank", ranks=ranks))] == [2, 4, 1, 3]
    other = {1: 1, 2: 2, 3: 3, 4: 4}
    assert [c.number for c in index.listed(None, "", "", Listing("rank", ranks=other))] == [1, 2, 3, 4]


def test_a_cursor_reads_everybody_once() -> None:
    index = finder(tuple(f"{n}号村" for n in range(1, 96)))
    seen: list[int] = []
    after = 0
    while found := index.following(None, "村", "", after, 10):
        seen += [candidate.number for candidate in found]
        after = seen[-1]
    assert seen == list(range(1, 96))
    assert index.following(None, "村", "", 999_999, 10) == [], "an unknown cursor is the end, not the start"
    assert [c.number for c in index.following("households", "9", "", 90, 3)] == [91, 92, 93]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every word that an index has been searched for from now on."""
    words: list[str] = []
    real = finding._Lines.find

    def looking(self: finding._Lines, word: str, first: int, stop: int) -> Iterator[int]:
        words.append(word)
        return real(self, word, first, stop)

    monkeypatch.setattr(finding._Lines, "find", looking)
    return words


def test_the_same_word_again_costs_nothing(looked: list[str]) -> None:
    """One syllable typed twenty times was looked for twenty times: a quarter of a second with a city's candidates."""
    index = finder()
    once = index.find(None, "l", "")
    for_one = len(looked)
    assert index.find(None, "l " * 20, "") == once
    assert index.find(None, "L Ｌ l", "") == once
    assert len(looked) == for_one, "and it is the same query"


def test_nothing_is_looked_for_where_nothing_was_found(looked: list[str]) -> None:
    assert list(finder().find(None, "l h 没有这样的人 c", "")) == []
    assert set(looked) == {"没有这样的人"}, "the longest word comes first: it leaves the fewest"
