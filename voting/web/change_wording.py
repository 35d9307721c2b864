"""Changed rules in words: what it was and what it is, field by field, for citizens and for the second person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flask_babel import gettext

from voting.rules.campaign import RuleSet
from voting.rules.changes import changed_fields
from voting.services.rule_history import Edition
from voting.web.display_wording import display_sentences, tie_sentence
from voting.web.rule_wording import quota_sentence
from voting.web.times import duration, full_time, minute_of_day


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One thing that is another now."""

    name: str
    was: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """One change of the rules as the public reads it."""

    edition: Edition
    lines: Sequence[ChangeLine]


def notices(history: Sequence[Edition]) -> list[Notice]:
    """Every change since opening, newest first."""
    return [Notice(after, change_lines(before.rules, after.rules)) for before, after in pairwise(history)][::-1]


def change_lines(before: RuleSet, after: RuleSet) -> list[ChangeLine]:
    """What differs between two rule sets of one campaign."""
    return [line for name in changed_fields(before, after) for line in _LINES[name](before, after)]


def _one(name: Callable[[], str], words: Callable[[RuleSet], str]) -> Callable[[RuleSet, RuleSet], list[ChangeLine]]:
    return lambda before, after: [ChangeLine(name(), (words(before),), (words(after),))]


def _hours(rules: RuleSet) -> str:
    if rules.daily_hours is None:
        return gettext("全天")
    start, end = (minute_of_day(minute) for minute in rules.daily_hours)
    return gettext("%(start)s 至 %(end)s", start=start, end=end)


def _challenge(rules: RuleSet) -> str:
    words = {
        "always": gettext("每次都验证"),
        "on_challenge": gettext("同一网络投票多时才验证"),
        "off": gettext("不验证"),
    }
    return words.get(rules.challenge, rules.challenge)


def _quotas(before: RuleSet, after: RuleSet) -> list[ChangeLine]:
    pairs = zip(before.quotas, after.quotas, strict=False)
    return [
        ChangeLine(gettext("可以投多少"), (quota_sentence(old),), (quota_sentence(new),))
        for old, new in pairs
        if old != new
    ]


def _display(before: RuleSet, after: RuleSet) -> list[ChangeLine]:
    lines = []
    was, now = display_sentences(before), display_sentences(after)
    if was != now:
        gone = tuple(one for one in was if one not in now) or (gettext("没有这一项"),)
        come = tuple(one for one in now if one not in was) or (gettext("没有这一项"),)
        lines.append(ChangeLine(gettext("票数怎样公布"), gone, come))
    if before.display.gap != after.display.gap:
        lines += _one(lambda: gettext("与上一名的票差"), _gap)(before, after)
    return lines


def _gap(rules: RuleSet) -> str:
    return gettext("在候选对象页显示") if rules.display.gap else gettext("不显示")


def _awards(before: RuleSet, after: RuleSet) -> list[ChangeLine]:
    return [
        ChangeLine(
            gettext("「%(name)s」", name=old.name),
            (gettext("评选 %(n)s 个", n=old.seats),),
            (gettext("评选 %(n)s 个", n=new.seats),),
        )
        for old, new in zip(before.awards, after.awards, strict=False)
        if old != new
    ]


_LINES: dict[str, Callable[[RuleSet, RuleSet], list[ChangeLine]]] = {
    "closes_ms": _one(lambda: gettext("截止时间"), lambda rules: full_time(rules.closes_ms, rules)),
    "daily_hours": _one(lambda: gettext("每天的投票时间"), _hours),
    "quotas": _quotas,
    "interval_s": _one(lambda: gettext("两次投票的间隔"), lambda rules: duration(rules.interval_s)),
    "challenge": _one(lambda: gettext("手机浏览器投票时的人机验证"), _challenge),
    "display": _display,
    "ties": _one(lambda: gettext("票数相同时"), tie_sentence),
    "awards": _awards,
    "purpose": _one(lambda: gettext("结果的用途"), lambda rules: rules.purpose or gettext("未注明")),
}
