"""What counts may be shown when, for every mode, as tables; and displays as text."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.builders import rule_set
from voting.rules.campaign import RuleSet, Stage
from voting.rules.display import AsOf, Counted, Display, Hidden, Visible, display_findings, holds_back, visible
from voting.rules.rule_text import RuleTextError, parse_rules, write_rules


def ms(text: str) -> int:
    """An instant of June 2040 in Shanghai: "day hour:minute[:second]"."""
    day, clock = text.split()
    clock += ":00" if clock.count(":") == 1 else ""
    return int(datetime.fromisoformat(f"2040-06-{int(day):02}T{clock:0>8}+08:00").timestamp() * 1000)


OPENS, CLOSES = ms("1 9:00"), ms("10 20:00")


def campaign(display: Display) -> RuleSet:
    return rule_set(opens_ms=OPENS, closes_ms=CLOSES, display=display)


LIVE, FREEZING = Display(), Display(freeze_hours=2)
CACHED = Display("cached", every_s=300)
HOURLY = Display("cached", every_s=3600, freeze_hours=1)
DAILY = Display("daily", at_minute=18 * 60)
DAILY_FREEZING = Display("daily", at_minute=18 * 60, freeze_hours=3)
UNTIL_CLOSE, UNTIL_PUBLISHED = Display("hidden", until="close"), Display("hidden")


@pytest.mark.parametrize(
    ("display", "now", "expected"),
    [
        (LIVE, "1 8:00", AsOf(ms("1 8:00"), live=True)),
        (LIVE, "5 12:34:56", AsOf(ms("5 12:34:56"), live=True)),
        (LIVE, "10 20:00", AsOf(CLOSES, live=True)),
        (LIVE, "11 9:00", AsOf(CLOSES, live=True)),
        (FREEZING, "10 17:59:59", AsOf(ms("10 17:59:59"), live=True)),
        (FREEZING, "10 18:00", AsOf(ms("10 18:00"), live=False, frozen=True)),
        (FREEZING, "10 19:59", AsOf(ms("10 18:00"), live=False, frozen=True)),
        (FREEZING, "11 9:00", AsOf(ms("10 18:00"), live=False, frozen=True)),
        (CACHED, "5 12:04:59", AsOf(ms("5 12:00"), live=False, next_ms=ms("5 12:05"))),
        (CACHED, "5 12:05", AsOf(ms("5 12:05"), live=False, next_ms=ms("5 12:10"))),
        (CACHED, "10 20:00", AsOf(CLOSES, live=True)),
        (HOURLY, "10 18:59", AsOf(ms("10 18:00"), live=False, next_ms=ms("10 19:00"))),
        (HOURLY, "10 19:00", AsOf(ms("10 19:00"), live=False, frozen=True)),
        (HOURLY, "10 20:00", AsOf(ms("10 19:00"), live=False, frozen=True)),
        (DAILY, "1 12:00", AsOf(ms("1 18:00") - 86_400_000, live=False, next_ms=ms("1 18:00"))),
        (DAILY, "5 17:59:59", AsOf(ms("4 18:00"), live=False, next_ms=ms("5 18:00"))),
        (DAILY, "5 18:00", AsOf(ms("5 18:00"), live=False, next_ms=ms("6 18:00"))),
        (DAILY, "6 0:00", AsOf(ms("5 18:00"), live=False, next_ms=ms("6 18:00"))),
        (DAILY, "10 19:00", AsOf(ms("10 18:00"), live=False, next_ms=ms("11 18:00"))),
        (DAILY, "11 9:00", AsOf(ms("10 18:00"), live=False, next_ms=ms("11 18:00"))),
        (DAILY, "11 18:00", AsOf(CLOSES, live=True)),
        (DAILY_FREEZING, "10 9:00", AsOf(ms("9 18:00"), live=False)),
        (DAILY_FREEZING, "10 18:30", AsOf(ms("9 18:00"), live=False, frozen=True)),
        (UNTIL_CLOSE, "10 19:59:59", Hidden(CLOSES)),
        (UNTIL_CLOSE, "10 20:00", AsOf(CLOSES, live=True)),
        (UNTIL_PUBLISHED, "5 12:00", Hidden(None)),
        (UNTIL_PUBLISHED, "11 12:00", Hidden(None)),
    ],
)
def test_before_counting(display: Display, now: str, expected: Visible) -> None:
    rules = campaign(display)
    stages: tuple[Stage, ...] = ("open", "closed") if ms(now) >= CLOSES else ("open",)
    for stage in stages:
        assert visible(rules, stage, ms(now)) == expected
    holds = isinstance(expected, Hidden) or (isinstance(expected, AsOf) and not expected.live)
    assert holds_back(rules, "open", ms(now)) == holds


@pytest.mark.parametrize("display", [LIVE, FREEZING, CACHED, HOURLY, DAILY, UNTIL_CLOSE, UNTIL_PUBLISHED])
def test_after_counting_only_hidden_until_published_waits(display: Display) -> None:
    rules, now_ms = campaign(display), ms("12 9:00")
    waits = display == UNTIL_PUBLISHED
    assert visible(rules, "provisional", now_ms) == (Hidden(None) if waits else Counted())
    assert visible(rules, "published", now_ms) == Counted()
    assert holds_back(rules, "provisional", now_ms) == waits
    assert not holds_back(rules, "published", now_ms)


@pytest.mark.parametrize("display", [LIVE, FREEZING, CACHED, DAILY, UNTIL_CLOSE])
def test_a_box_sealed_early_is_closed(display: Display) -> None:
    sealed_ms = ms("5 17:00")
    shown = visible(campaign(display), "closed", ms("5 18:00"), sealed_ms)
    assert shown == AsOf(sealed_ms, live=True)


def test_updates_come_on_round_times_of_the_local_clock() -> None:
    rules = rule_set(
        time_zone="Asia/Kathmandu", opens_ms=OPENS, closes_ms=CLOSES, display=Display("cached", every_s=3600)
    )
    shown = visible(rules, "open", ms("5 12:00"))
    assert isinstance(shown, AsOf)
    assert (rules.local(shown.at_ms).minute, rules.local(shown.at_ms).hour) == (0, 9)


def test_daily_keeps_its_hour_over_a_change_of_the_clock() -> None:
    rules = rule_set(
        time_zone="Europe/Berlin",
        opens_ms=int(datetime.fromisoformat("2040-03-20T09:00:00+01:00").timestamp() * 1000),
        closes_ms=int(datetime.fromisoformat("2040-04-10T09:00:00+02:00").timestamp() * 1000),
        display=DAILY,
    )
    for day, offset in (("24", "+01:00"), ("25", "+02:00")):
        at_ms = int(datetime.fromisoformat(f"2040-03-{day}T18:00:00{offset}").timestamp() * 1000)
        assert visible(rules, "open", at_ms) == AsOf(at_ms, live=False, next_ms=visible_next(rules, at_ms))
        assert visible(rules, "open", at_ms - 1) == AsOf(visible_last(rules, at_ms - 1), live=False, next_ms=at_ms)
    assert visible_next(rules, at_ms - 1) - visible_last(rules, at_ms - 1) == 23 * 3_600_000


def visible_next(rules: RuleSet, now_ms: int) -> int:
    shown = visible(rules, "open", now_ms)
    assert isinstance(shown, AsOf)
    assert shown.next_ms is not None
    return shown.next_ms


def visible_last(rules: RuleSet, now_ms: int) -> int:
    shown = visible(rules, "open", now_ms)
    assert isinstance(shown, AsOf)
    return shown.at_ms


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("live", LIVE),
        ("hidden", UNTIL_PUBLISHED),
        ({"mode": "cached", "every_s": 300}, CACHED),
        ({"mode": "daily", "at": "18:00", "freeze_hours": 3}, DAILY_FREEZING),
        ({"mode": "hidden", "until": "close"}, UNTIL_CLOSE),
        ({"mode": "live", "order": "name"}, Display(order="name")),
    ],
)
def test_displays_survive_text_in_their_shortest_form(text: Any, display: Display) -> None:
    document = json.loads(write_rules(rule_set())) | {"display": text}
    rules = parse_rules(json.dumps(document))
    assert rules.display == display
    assert json.loads(write_rules(rules))["display"] == text
    assert parse_rules(write_rules(rules)) == rules


def test_rule_sets_written_before_displays_could_say_more_keep_their_bytes() -> None:
    assert '"display":"live"' in write_rules(rule_set())
    for later in ("online_weight", "purpose", "order", "freeze_hours"):
        assert later not in write_rules(rule_set())
    told = rule_set(online_weight=40, purpose="供评审参考")
    assert parse_rules(write_rules(told)) == told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("neon", "display.mode: must be one of live, cached, daily, hidden"),
        ("cached", "display.every_s: is missing"),
        ("daily", "display.at: must be a time"),
        ({"mode": "daily", "at": "25"}, "display.at: must be a time"),
        ({"mode": "live", "at": "18:00"}, "display.at: says nothing about live"),
        ({"mode": "cached", "every_s": "300"}, "display.every_s: must be int"),
        ({"mode": "hidden", "until": "ever"}, "display.until: must be one of close, published"),
        ({"mode": "live", "order": "bribe"}, "display.order: must be one of"),
        ({"mode": "live", "colour": "red"}, "display: unknown field colour"),
        (5, "display: must be an object"),
    ],
)
def test_a_wrong_display_is_named(text: Any, message: str) -> None:
    document = json.loads(write_rules(rule_set())) | {"display": text}
    with pytest.raises(RuleTextError, match=message):
        parse_rules(json.dumps(document))


@pytest.mark.parametrize(
    ("display", "issue"),
    [
        (Display("neon"), "display neon is not known"),  # type: ignore[arg-type]
        (Display(order="bribe"), "order bribe"),  # type: ignore[arg-type]
        (Display("cached"), "every_s from 1"),
        (Display("cached", every_s=90_000), "every_s from 1 to 86400"),
        (Display("daily", at_minute=1440), "time of day"),
        (Display("hidden", until="ever"), "until ever"),  # type: ignore[arg-type]
        (Display("hidden", order="rank"), "rank would tell"),
        (Display("hidden", freeze_hours=2), "needs no freeze_hours"),
        (Display(freeze_hours=-1), "must not be negative"),
        (Display(freeze_hours=240), "frozen for the whole"),
    ],
)
def test_contradictions_are_named_before_opening(display: Display, issue: str) -> None:
    assert issue in "; ".join(found.text for found in display_findings(display, OPENS, CLOSES))


@pytest.mark.parametrize("display", [LIVE, FREEZING, CACHED, HOURLY, DAILY, UNTIL_CLOSE, UNTIL_PUBLISHED])
def test_nothing_is_wrong_with_the_modes_of_published_rule_sets(display: Display) -> None:
    assert display_findings(display, OPENS, CLOSES) == []
