"""What may be changed while voting runs: each field once, what may not, and what only in one direction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import NOON_MS, rule_set
from voting.rules.campaign import Award, Limits, RuleSet
from voting.rules.changes import CHANGEABLE, change_findings, changed_fields
from voting.rules.display import Display
from voting.rules.periods import HOUR_MS
from voting.rules.quota import Quota

STANDING = {"centres": 6, "households": 6}
GROUPED = {"north": 4, "south": 2}
IN_ALL = Quota("choices", "voter", "campaign", 20)
A_DAY = Quota("ballots", "voter", "day", 3)
BEFORE = rule_set(quotas=(A_DAY, IN_ALL), interval_s=60)


def found(after: RuleSet, before: RuleSet = BEFORE) -> set[str]:
    providers = frozenset({"device", "wechat"})
    return {one.code for one in change_findings(before, after, STANDING, GROUPED, NOON_MS, providers)}


def awards(seats: int, **changed: Any) -> tuple[Award, ...]:
    return (replace(BEFORE.awards[0], seats=seats, **changed), *BEFORE.awards[1:])


@pytest.mark.parametrize(
    "changed",
    [
        {"closes_ms": BEFORE.closes_ms + 72 * HOUR_MS},
        {"closes_ms": NOON_MS + HOUR_MS},
        {"daily_hours": (360, 1320)},
        {"interval_s": 30},
        {"challenge": "always"},
        {"display": Display("hidden")},
        {"ties": ("extend_seats",)},
        {"purpose": "表彰"},
        {"awards": awards(3)},
        {"quotas": (replace(A_DAY, limit=1), IN_ALL)},
        {"quotas": (replace(A_DAY, limit=9), replace(IN_ALL, limit=21))},
    ],
    ids=str,
)
def test_what_may_be_changed(changed: dict[str, Any]) -> None:
    after = replace(BEFORE, **changed)
    assert found(after) == set()
    assert changed_fields(BEFORE, after) == list(changed)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, "nothing_changed"),
        ({"opens_ms": BEFORE.opens_ms + 1000}, "rule_fixed"),
        ({"time_zone": "Asia/Urumqi"}, "rule_fixed"),
        ({"identity": ("device", "wechat")}, "rule_fixed"),
        ({"ballot": Limits(2, None, False)}, "rule_fixed"),
        ({"repeat": True}, "rule_fixed"),
        ({"online_weight": 50}, "rule_fixed"),
        ({"awards": BEFORE.awards[:1]}, "rule_fixed"),
        ({"awards": awards(2, limits=Limits(max=1))}, "rule_fixed"),
        ({"awards": awards(2, groups=())}, "rule_fixed"),
        ({"awards": awards(1)}, "seats_fewer"),
        ({"awards": awards(7)}, "seats_over_candidates"),
        ({"interval_s": 0}, "interval_switched"),
        ({"quotas": (A_DAY,)}, "quota_kinds"),
        ({"quotas": (IN_ALL, A_DAY)}, "quota_kinds"),
        ({"quotas": (A_DAY, IN_ALL, Quota("choices", "candidate", "day", 1))}, "quota_kinds"),
        ({"quotas": (A_DAY, replace(IN_ALL, limit=19))}, "quota_lowered"),
        ({"quotas": (replace(A_DAY, limit=0), IN_ALL)}, "quota_none"),
        ({"closes_ms": NOON_MS - 1}, "window_over"),
        ({"daily_hours": (1320, 360)}, "hours_over_midnight"),
        ({"display": Display("hidden", order="rank")}, "display_rank_hidden"),
        ({"ties": ("dice",)}, "display_unknown"),
    ],
    ids=str,
)
def test_what_may_not(changed: dict[str, Any], code: str) -> None:
    assert found(replace(BEFORE, **changed)) == {code}


def test_an_interval_is_not_brought_in_either() -> None:
    before = replace(BEFORE, interval_s=0)
    assert found(replace(before, interval_s=60), before) == {"interval_switched"}


def test_what_was_wrong_before_does_not_stand_against_a_change() -> None:
    """Candidates may have withdrawn: a closing time can be moved all the same."""
    few = replace(BEFORE, awards=awards(9))
    assert found(replace(few, purpose="表彰"), few) == set()


def test_every_field_is_either_changeable_or_fixed() -> None:
    """A field that is added to the rule set is fixed until somebody decides."""
    assert set(CHANGEABLE) < set(RuleSet.__slots__)
