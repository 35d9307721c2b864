"""The checklist as a whole: advice beside what blocks, the step that mends each finding, and the facts for sentences."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import NOON_MS, PER_DAY, rule_set
from voting.rules.campaign import Award, Limits
from voting.rules.checklist import ORDER, checklist, days_touched, issues_before_opening
from voting.rules.findings import Finding
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.rules.quota import Quota

TEXTS = {"title": "十佳", "organizer_name": "组委会", "supervision_phone": "0662-1"}
COUNTS, GROUPED = {"centres": 6, "households": 6}, {"north": 4, "south": 2}
EIGHT = {"awards": (Award("centres", "中心", 8, Limits(10, 10, False)),)}


def findings(
    texts: dict[str, str] | None = None, counts: dict[str, int] | None = None, **changed: Any
) -> list[Finding]:
    return checklist(
        rule_set(**changed),
        TEXTS if texts is None else texts,
        COUNTS if counts is None else counts,
        GROUPED,
        NOON_MS,
        frozenset({"device"}),
    )


def found(code: str, **given: Any) -> Finding:
    return next(each for each in findings(**given) if each.code == code)


def test_a_campaign_that_lacks_nothing() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("code", "step", "blocks", "given"),
    [
        ("too_few_candidates", "candidates", True, EIGHT | {"counts": {"centres": 8}}),
        ("hours_over_midnight", "time", True, {"daily_hours": (1320, 120)}),
        ("hours_backwards", "time", True, {"daily_hours": (600, 600), "quotas": (Quota("ballots", "voter", "campaign", 1),)}),
        ("window_backwards", "time", True, {"closes_ms": NOON_MS - DAY_MS}),
        ("window_long", "time", True, {"closes_ms": NOON_MS + 400 * DAY_MS}),
        ("days_touched", "time", False, {"opens_ms": NOON_MS + 10 * HOUR_MS, "closes_ms": NOON_MS + 14 * HOUR_MS}),
        ("identity_not_configured", "identity", True, {"identity": ("wechat",)}),
        ("no_challenge", "identity", False, {"challenge": "off"}),
        ("no_contact", "texts", False, {"texts": {"title": "十佳", "organizer_name": "组委会"}}),
        ("no_supervision", "texts", False, {"texts": {**TEXTS, "supervision_phone": "", "contact": "a@b"}}),
        ("no_organizer", "texts", False, {"texts": {**TEXTS, "organizer_name": ""}}),
        ("no_title", "texts", True, {"texts": {**TEXTS, "title": ""}}),
        ("no_purpose", "purpose", False, {"online_weight": 40}),
        ("two_days", "quotas", False, {"quotas": (PER_DAY, Quota("ballots", "voter", "rolling", 1))}),
        (
            "quota_without_groups",
            "quotas",
            False,
            {"quotas": (PER_DAY, Quota("choices", "group", "day", 1)), "awards": (Award("centres", "中心", 2),)},
        ),
    ],
)  # fmt: skip
def test_what_is_found_names_the_step_that_mends_it(code: str, step: str, blocks: bool, given: dict[str, Any]) -> None:
    one = found(code, **given)
    assert (one.step, one.blocks) == (step, blocks)


def test_ten_must_be_picked_but_there_are_eight() -> None:
    facts = found("too_few_candidates", counts={"centres": 8}, **EIGHT).facts
    assert (facts["name"], facts["least"], facts["most"], facts["candidates"]) == ("中心", 10, 10, 8)


def test_advice_keeps_nobody_from_opening() -> None:
    advised = findings(texts={"title": "十佳"}, online_weight=40)
    assert advised
    assert not any(one.blocks for one in advised)
    assert issues_before_opening(rule_set(online_weight=40), COUNTS, GROUPED, NOON_MS, frozenset({"device"})) == []


def test_findings_come_in_the_order_of_the_steps_what_blocks_first() -> None:
    seen = [ORDER.index(one.step) for one in findings(texts={}, identity=(), quotas=(), daily_hours=(1320, 120))]
    assert len(set(seen)) > 3
    assert seen == sorted(seen)
    texts = [one.blocks for one in findings(texts={}) if one.step == "texts"]
    assert texts == sorted(texts, reverse=True)


@pytest.mark.parametrize(
    ("opens", "closes", "days"),
    [(-12, 12, 1), (-12, 12.001, 2), (-3, 3, 1), (10, 14, 2), (-3, 9 * 24 + 6, 10), (6, 8 * 24 - 3, 9)],
)
def test_days_are_counted_by_the_local_calendar(opens: float, closes: float, days: int) -> None:
    """Hours from noon in Shanghai; the closing instant itself belongs to no day any more."""
    window = rule_set(opens_ms=NOON_MS + int(opens * HOUR_MS), closes_ms=NOON_MS + int(closes * HOUR_MS))
    assert days_touched(window) == days


def test_a_usual_window_is_not_complained_about() -> None:
    """From a morning to an evening nine days later: ten days, ten daily quotas, as everybody expects."""
    assert findings(opens_ms=NOON_MS - 3 * HOUR_MS, closes_ms=NOON_MS + 9 * DAY_MS + 6 * HOUR_MS) == []
