"""Every refusal and every rule has its sentence, in Chinese and in English, and the two lists of sentences agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale

from tests.builders import NOON_MS, rule_set
from voting.rules import errors
from voting.rules.campaign import Award, Group, Limits
from voting.rules.errors import Refusal
from voting.rules.periods import HOUR_MS
from voting.rules.quota import Quota
from voting.services.catalogue import CampaignView, get_campaign
from voting.web.rule_wording import brief, quota_sentence, rules_page
from voting.web.wording import describe, describe_status

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
REFUSALS = sorted(Refusal.__subclasses__(), key=lambda kind: kind.__name__)
#: a value for every fact that a refusal may carry
FACTS: dict[str, Any] = {
    "problem": "choice: missing", "opens_ms": NOON_MS, "closed_ms": NOON_MS, "reason": "核查", "from_minute": 360,
    "until_minute": 1320, "candidate": 1, "scope": "award", "key": "centres", "chosen": 4, "least": 5, "most": 3,
    "retry_ms": NOON_MS + HOUR_MS, "quota": Quota("choices", "award", "day", 3), "used": 3, "asked": 1,
    "resets_ms": NOON_MS + 12 * HOUR_MS, "retry_s": 30, "slug": "best", "number": 3, "act": "open", "stage": "draft",
    "providers": ("wechat", "sms"), "provider": "wechat", "left": 3, "issues": ("one",), "reasons": ("one",),
    "by": "chen", "name": "中心", "candidates": 8,
}  # fmt: skip
FACTS |= {"version": 3, "asked_by": "chen", "rows": 2_000_000, "findings": ()}
FACTS |= {"until_ms": NOON_MS, "problems": ("too_short",), "roles": ("auditor", "organizer"), "role": "king"}
FACTS |= {"by": "chen", "name": "north", "candidates": 3, "fields": ("number",), "first": 7, "sent": "0" * 32}


def made(kind: type[Refusal]) -> Refusal:
    return kind(**{field.name: FACTS[field.name] for field in fields(kind)})  # type: ignore[arg-type]


@pytest.fixture
def request_in(web_app: Flask) -> Iterator[None]:
    with web_app.test_request_context("/"):
        yield


@pytest.fixture
def campaign(open_slug: str, request_in: None) -> CampaignView:
    return get_campaign(open_slug)


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_says_what_happened_and_what_to_do(kind: type[Refusal], campaign: CampaignView) -> None:
    for about in (campaign, None):
        chinese = describe(made(kind), about, NOON_MS)
        assert CHINESE.search(chinese.title)
        assert CHINESE.search(chinese.next_step)
        with force_locale("en"):
            english = describe(made(kind), about, NOON_MS)
        assert english.title != chinese.title
        assert english.next_step != chinese.next_step
        english_words = re.sub("候选\\d+|中心|核查", "", str(english))
        assert not CHINESE.search(english_words), "an English sentence may hold Chinese only in names"


def test_a_spent_quota_says_when_to_come_back(campaign: CampaignView) -> None:
    now_ms = campaign.rules.opens_ms + HOUR_MS
    midnight = campaign.rules.local_time().next_midnight(now_ms)
    spent = errors.QuotaSpent(Quota("choices", "award", "day", 3), "centres", 3, 1, midnight)
    sentence = describe(spent, campaign, now_ms)
    assert sentence.title == "今天「中心」的票已投完。"
    assert sentence.next_step == "明天 0:00 后可再投。"
    last = describe(errors.QuotaSpent(spent.quota, "centres", 3, 1, campaign.rules.closes_ms), campaign, now_ms)
    assert last.next_step == "投票截止前不能再投，感谢参与。"
    never = describe(errors.QuotaSpent(Quota("choices", "voter", "campaign", 3), "", 3, 1, None), campaign, now_ms)
    assert never.title == "整个活动期间的票已投完。"
    some = describe(errors.QuotaSpent(spent.quota, "centres", 2, 3, midnight), campaign, now_ms)
    assert some.title == "今天「中心」的票还可投 1 票，这次选了 3 票，未计票。"
    assert some.next_step == "请去掉 2 个再提交。您选好的候选对象还在。"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 414, 415, 429, 500, 503, 418, 599])
def test_every_status_has_a_sentence(status: int, request_in: None) -> None:
    assert CHINESE.search(describe_status(status).title)
    assert CHINESE.search(describe_status(status).next_step)


@pytest.mark.parametrize(
    ("quota", "sentence"),
    [
        (Quota("ballots", "voter", "day", 1), "每天每人最多提交 1 张选票"),
        (Quota("choices", "voter", "rolling", 4), "任意 24 小时内每人最多投 4 票"),
        (Quota("choices", "award", "day", 10), "每天每个奖项最多投 10 票"),
        (Quota("choices", "group", "campaign", 2), "整个活动期间每个类别最多投 2 票"),
        (Quota("choices", "candidate", "day", 1), "每天给同一候选对象最多投 1 票"),
    ],
)
def test_quota_sentences(quota: Quota, sentence: str, request_in: None) -> None:
    assert quota_sentence(quota) == sentence


def test_limits_are_stated_unless_a_quota_says_them_already(request_in: None) -> None:
    ten = Quota("choices", "award", "day", 10)
    same = rule_set(awards=(Award("a", "十佳", 10, Limits(max=10)),), quotas=(ten,))
    assert brief(same) == ["每天每个奖项最多投 10 票"]
    tighter = rule_set(awards=(Award("a", "十佳", 10, Limits(max=5)),), quotas=(ten,))
    assert "「十佳」一次最多选 5 个" in brief(tighter)
    exact = rule_set(ballot=Limits(10, 10, False), quotas=(Quota("ballots", "voter", "day", 1),))
    assert "每张选票要选满 10 个" in brief(exact)
    groups = (
        Group("g", "道德", Limits(max=2)),
        Group("h", "敬业", Limits(1, 2)),
        Group("i", "其他", Limits(2, None, False)),
    )
    grouped = brief(rule_set(awards=(Award("a", "十佳", 10, Limits(), groups),), quotas=(ten,)))
    assert "「道德」一次最多选 2 个" in grouped
    assert "「敬业」一次最多选 2 个" in grouped
    assert "「其他」至少选 2 个" in grouped
    hours = brief(rule_set(daily_hours=(360, 1320), interval_s=1800))
    assert hours[-2:] == ["两次投票至少间隔 30 分钟", "每天 06:00 至 22:00 可以投票"]


def test_the_rules_page_tells_everything(request_in: None) -> None:
    rules = rule_set(daily_hours=(360, 1320), interval_s=60, repeat=True)
    text = " ".join(s for fact in rules_page(rules, {"centres": 1234}) for s in fact.sentences)
    for part in (
        "2040年6月1日（周五）11:00 开始",
        "北京时间",
        "1,234 个候选对象中选出 2 个",
        "06:00 至 22:00",
        "60 秒",
        "可以给同一候选对象投几票",
    ):
        assert part in text


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


def extracted() -> Catalog:
    """The sentences that stand in code and templates now."""
    catalogue = Catalog()
    methods = [("voting/**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
    for folder in ("voting", "templates"):
        parts = [(pattern.removeprefix(f"{folder}/"), kind) for pattern, kind in methods if pattern.startswith(folder)]
        for _, _, message, _, _ in extract_from_dir(
            ROOT / folder, parts, {"**": {"silent": "false"}}, keywords=keywords
        ):
            catalogue.add(message)
    return catalogue


def test_every_sentence_has_its_english() -> None:
    with (ROOT / "voting/translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        english = read_po(file, locale="en", abort_invalid=True)
    sources = {str(message.id) for message in extracted() if message.id}
    translated = {str(message.id): message for message in english if message.id}
    assert len(sources) > 150
    assert sorted(sources - translated.keys()) == [], "not translated: see babel.cfg"
    assert sorted(translated.keys() - sources) == [], "translated but no longer used"
    for message in translated.values():
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        source = message.id if isinstance(message.id, str) else message.id[0]
        assert not message.fuzzy
        for text in texts:
            assert text, source
            assert placeholders(text) == placeholders(source), source
            assert not CHINESE.search(text.replace("3号", "")), source
