"""What is missing before opening, stages, and rule sets as text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import NOON_MS, PER_DAY, rule_set
from voting.rules.campaign import Award, Group, Limits, check_transition, rules_hash
from voting.rules.checklist import issues_before_opening
from voting.rules.display import Display
from voting.rules.errors import StageRefused
from voting.rules.periods import DAY_MS
from voting.rules.quota import Quota
from voting.rules.rule_text import RuleTextError, parse_rules, write_rules

COUNTS = {"centres": 6, "households": 6}
GROUPED = {"north": 4, "south": 2}


def issues(now_ms: int = NOON_MS, counts: dict[str, int] | None = None, **changed: Any) -> str:
    found = issues_before_opening(
        rule_set(**changed), COUNTS if counts is None else counts, GROUPED, now_ms, frozenset({"device"})
    )
    return "; ".join(found)


def test_nothing_is_missing() -> None:
    assert issues() == ""


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"closes_ms": NOON_MS - DAY_MS}, "closes before it opens"),
        ({"closes_ms": NOON_MS}, "already over"),
        ({"awards": ()}, "no award"),
        ({"awards": (Award("a", "A", 1), Award("a", "A", 1))}, "a is used twice"),
        ({"awards": (Award("centres", "A", 7),)}, "7 seats but only 6 candidates"),
        ({"awards": (Award("centres", "A", 0),)}, "at least one seat"),
        ({"awards": (Award("other", "A", 1),)}, "award other: no candidates"),
        ({"awards": (Award("centres", "A", 1, Limits(min=7)),)}, "7 must be chosen but there are only 6 candidates"),
        ({"awards": (Award("centres", "A", 1, Limits(min=3, max=2)),)}, "contradict"),
        ({"awards": (Award("centres", "A", 1, Limits(max=0)),)}, "contradict"),
        (
            {"awards": (Award("centres", "A", 1, groups=(Group("south", "S", Limits(min=3)),)),)},
            "group south: 3 must be chosen",
        ),
        (
            {"awards": (Award("centres", "A", 1, Limits(max=2)),), "ballot": Limits(3, 5, False)},
            "the awards allow fewer",
        ),
        (
            {"awards": (Award("centres", "A", 1, Limits(3, 3, False)),), "ballot": Limits(1, 2, False)},
            "the awards require 3",
        ),
        ({"ballot": Limits(0, None, False)}, "empty ballot"),
        ({"ballot": Limits(13, None, False)}, "13 must be chosen"),
        ({"quotas": ()}, "no quota"),
        ({"quotas": (Quota("choices", "candidate", "day", 0),)}, "at least 1"),
        ({"quotas": (Quota("ballots", "award", "day", 1),)}, "per voter only"),
        ({"quotas": (PER_DAY, Quota("choices", "candidate", "day", 2))}, "given twice"),
        (
            {"quotas": (Quota("choices", "voter", "day", 1),), "ballot": Limits(2, None, False)},
            "1 allowed but a ballot needs 2",
        ),
        (
            {
                "quotas": (Quota("choices", "award", "day", 1),),
                "awards": (Award("centres", "A", 1, Limits(2, 2, False)),),
            },
            "an award needs more",
        ),
        ({"daily_hours": (1320, 360)}, "within one day"),
        ({"interval_s": -1}, "must not be negative"),
        ({"identity": ("sms",)}, "identity sms is not available"),
        ({"identity": ()}, "no identity"),
        ({"ties": ("coin",)}, "tie rule coin"),
        ({"display": Display("neon")}, "display neon"),  # type: ignore[arg-type]
        ({"online_weight": 101}, "not a percentage"),
    ],
)
def test_what_is_missing_is_named(changed: dict[str, Any], expected: str) -> None:
    assert expected in issues(**changed)


def test_stages() -> None:
    assert check_transition("open", "draft") == "open"
    assert check_transition("pause", "open") == "open"
    assert check_transition("close", "open") == "closed"
    assert check_transition("count", "closed") == "provisional"
    assert check_transition("publish", "provisional") == "published"
    for act, stage in [
        ("open", "open"),
        ("open", "closed"),
        ("pause", "draft"),
        ("publish", "closed"),
        ("import", "open"),
    ]:
        with pytest.raises(StageRefused):
            check_transition(act, stage)  # type: ignore[arg-type]


FULL = rule_set(
    daily_hours=(360, 1440),
    interval_s=30,
    repeat=True,
    ties=("extend_seats",),
    quotas=(PER_DAY, Quota("ballots", "voter", "rolling", 3)),
)


def test_rules_survive_text_and_equal_rules_give_equal_bytes() -> None:
    text = write_rules(FULL)
    assert parse_rules(text) == FULL
    spaced = json.dumps(json.loads(text), indent=2, ensure_ascii=True)
    assert write_rules(parse_rules(spaced)) == text
    assert rules_hash(text) != rules_hash(write_rules(rule_set()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"opens_at": None}, "opens_at: is missing"),
        ({"opens_at": "tomorrow"}, "opens_at: must be a date and time"),
        ({"closes_at": "2026-11-01T09:00:00"}, "closes_at: must carry its UTC offset"),
        ({"colour": "red"}, "unknown field colour"),
        ({"time_zone": "Asia/Yangjiang"}, "time_zone: Asia/Yangjiang is not known"),
        ({"daily_hours": ["6", "22:00"]}, "daily_hours"),
        ({"daily_hours": "always"}, "daily_hours"),
        ({"awards": {}}, "awards: must be a list"),
        ({"awards": ["centres"]}, "awards[0]: must be an object"),
        ({"awards": [{"key": "a", "name": "A", "seats": "10"}]}, "awards[0].seats: must be int"),
        ({"awards": [{"key": "a", "name": "A", "seats": True}]}, "awards[0].seats: must be int"),
        (
            {"awards": [{"key": "a", "name": "A", "seats": 1, "groups": [{"key": "g"}]}]},
            "awards[0].groups[0].name: is missing",
        ),
        ({"quotas": [{"unit": "votes"}]}, "quotas[0].unit: must be one of ballots, choices"),
        ({"ballot": {"votes": 5}}, "ballot: unknown field votes"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], message: str) -> None:
    document = json.loads(write_rules(FULL)) | change
    with pytest.raises(RuleTextError, match=message.replace("[", r"\[")):
        parse_rules(json.dumps({key: value for key, value in document.items() if value is not None}))


def test_what_is_not_json_names_the_line() -> None:
    with pytest.raises(RuleTextError, match="line 2"):
        parse_rules("{\n,}")


def test_a_rule_set_answers_by_key_and_in_its_own_time_zone() -> None:
    rules = rule_set()
    assert rules.award("households").seats == 3
    assert [group.key for group in rules.groups()] == ["north", "south"]
    assert rules.local(NOON_MS).isoformat() == "2040-06-01T12:00:00+08:00"
    with pytest.raises(KeyError):
        rules.award("nothing")
    assert not rules.ballot.too_many(99)
    assert str(StageRefused("open", "closed")) == "stage_refused {'act': 'open', 'stage': 'closed'}"
    assert len({StageRefused("open", "closed"), StageRefused("open", "closed")}) == 1
