"""What stands against opening or publishing is told in words, whatever shape the rules give it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from tests.builders import rule_set
from voting.rules.campaign import Award, Group, Limits, RuleSet
from voting.rules.checklist import rule_findings
from voting.rules.display import Display
from voting.rules.findings import Finding
from voting.rules.periods import HOUR_MS
from voting.rules.quota import Quota
from voting.web.organizer.blocker_wording import blocker_words
from voting.web.organizer.finding_wording import finding_sentence

ROOT = Path(__file__).resolve().parents[2]
RULES = rule_set(awards=(Award("centres", "十佳中心", 10, groups=(Group("north", "北片"),)),))
BROKEN = (
    rule_set(opens_ms=2, closes_ms=1, daily_hours=(9, 8), quotas=(), identity=(), online_weight=101, challenge="x"),
    rule_set(opens_ms=0, closes_ms=1, interval_s=-1, ties=("lot",), identity=("wechat", "wechat"), awards=()),
    rule_set(
        awards=(
            Award("a", "甲", 3, Limits(5, 4), (Group("g", "片", Limits(9, 9)),)),
            Award("a", "甲", 0, Limits(3, 3, optional=False)),
            Award("b", "乙", 1),
        ),
        ballot=Limits(0, 2),
        quotas=(
            *(Quota("choices", "voter", "day", 0), Quota("choices", "voter", "day", 1)),
            *(Quota("ballots", "award", "rolling", 1), Quota("choices", "award", "campaign", 1)),
        ),
    ),
    rule_set(
        awards=(Award("a", "甲", 1, Limits(0, 1)),),
        ballot=Limits(3, 9),
        quotas=(Quota("choices", "voter", "day", 1),),
    ),
    *(
        rule_set(display=Display(**shown))
        for shown in (
            {"mode": "x", "order": "x", "freeze_hours": -1},
            {"mode": "cached"},
            {"mode": "daily", "at_minute": -1},
            {"mode": "hidden", "until": "x", "order": "rank", "freeze_hours": 2},
            {"freeze_hours": 10_000},
        )
    ),
    rule_set(daily_hours=(1200, 120), quotas=(Quota("choices", "voter", "day", 1),)),
    rule_set(opens_ms=0, closes_ms=HOUR_MS * 24 * 400),
)
PUBLISHING = (
    "nothing has been counted",
    "ledger and tally differ for 3 candidates: run flask ledger audit",
    "award centres: 3 candidates are tied across the last seat; the rules name nothing to settle it",
    "the box is missing but 7 ballots are recorded: run flask ledger rebuild best",
)


@pytest.fixture(autouse=True)
def request_in(web_app: Flask) -> Iterator[None]:
    with web_app.test_request_context("/"):
        yield


def findings() -> list[tuple[RuleSet, Finding]]:
    return [
        (rules, found)
        for rules in BROKEN
        for at_ms in (0, HOUR_MS * 10**6)
        for found in rule_findings(rules, {"a": 2}, {"g": 1}, at_ms, frozenset({"device"}))
    ]


def test_every_line_has_words_in_both_languages() -> None:
    told = [(line, lambda line=line: blocker_words(line, RULES)) for line in PUBLISHING]
    told += [(found.text, lambda found=found: finding_sentence(found)) for _, found in findings()]
    for line, words in told:
        assert words() != line, line
        assert re.search("[\u4e00-\u9fff]", words())
        with force_locale("en"):
            english = re.sub("[「“][^」”]*[」”]", "", words())
        assert not re.search("[\u4e00-\u9fff]", english), english


def test_the_broken_rules_give_every_line_there_is() -> None:
    """Every finding that the rules can make is made by one of the broken rule sets; a new one needs a rule set here."""
    text = (ROOT / "voting/rules/checklist.py").read_text("utf-8").partition("def text_findings")[0]
    text += (ROOT / "voting/rules/display.py").read_text("utf-8")
    known = set(re.findall(r'Finding\(\s*"(\w+)"', text))
    assert len(known) > 10
    assert known - {found.code for _, found in findings()} == set()


def test_names_and_figures_are_carried_over() -> None:
    found = rule_findings(RULES, {"centres": 8}, {"north": 2}, 0, frozenset({"device"}))
    said = [finding_sentence(each) for each in found]
    assert "「十佳中心」要评选 10 个，但只有 8 个候选对象" in said
    assert "「十佳中心」有 3 个候选对象在末位并列" in blocker_words(PUBLISHING[2], RULES)
    assert blocker_words("something new", RULES) == "something new", "nothing is kept back"
