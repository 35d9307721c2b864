"""Instants as citizens read them: in the campaign's time zone and the reader's language. No rules live here."""

from __future__ import annotations

import time
from datetime import datetime

from babel.dates import format_datetime
from flask_babel import get_locale, gettext

from voting.rules.campaign import RuleSet
from voting.rules.periods import DAY_MS, HOUR_MS, MINUTE_MS


def now_ms() -> int:
    """This server's clock, epoch ms: for what pages say, never for what the ballot box decides."""
    return time.time_ns() // 1_000_000


def _pattern(moment: datetime, pattern: str) -> str:
    return format_datetime(moment, pattern, locale=get_locale() or "zh_Hans_CN")


def day_time(at_ms: int, rules: RuleSet) -> str:
    """Date, weekday and minute of an instant not far away: 11月10日（周二）18:00; the year only when it is another."""
    moment = rules.local(at_ms)
    if moment.year != rules.local(now_ms()).year:
        return full_time(at_ms, rules)
    return _pattern(moment, gettext("M月d日（EEE）HH:mm"))


def full_time(at_ms: int, rules: RuleSet) -> str:
    """Date, weekday and minute: 2026年11月10日(周二)18:00."""
    return _pattern(rules.local(at_ms), gettext("y年M月d日（EEE）HH:mm"))


def date_and_time(at_ms: int, rules: RuleSet) -> str:
    """Date and minute without the weekday: 2026年11月10日 18:00."""
    return _pattern(rules.local(at_ms), gettext("y年M月d日 HH:mm"))


def near_time(at_ms: int, rules: RuleSet, at: int) -> str:
    """An instant close to now: 今天 18:00, 明天 0:00, or the full date."""
    moment, today = rules.local(at_ms), rules.local(at)
    clock = f"{moment.hour}:{moment.minute:02}"
    days = (moment.date() - today.date()).days
    if days == 0:
        return gettext("今天 %(clock)s", clock=clock)
    if days == 1:
        return gettext("明天 %(clock)s", clock=clock)
    return day_time(at_ms, rules)


def exact_time(at_ms: int, rules: RuleSet) -> str:
    """Date and second: 2026年11月10日 18:00:05."""
    return _pattern(rules.local(at_ms), gettext("y年M月d日 HH:mm:ss"))


def iso_time(at_ms: int, rules: RuleSet) -> str:
    """An instant for programs: 2026-11-10T18:00:05+08:00."""
    return rules.local(at_ms).isoformat(timespec="seconds")


def clock_time(at_ms: int, rules: RuleSet) -> str:
    """Hour, minute and second: 18:00:05."""
    return rules.local(at_ms).strftime("%H:%M:%S")


def minute_of_day(minute: int) -> str:
    """Minutes after midnight as a clock: 06:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def time_left(left_ms: int) -> str:
    """How long something still lasts, in its two largest units: 3 天 4 小时."""
    days, hours, minutes = left_ms // DAY_MS, left_ms % DAY_MS // HOUR_MS, left_ms % HOUR_MS // MINUTE_MS
    if days:
        return gettext("%(days)s 天 %(hours)s 小时", days=days, hours=hours)
    if hours:
        return gettext("%(hours)s 小时 %(minutes)s 分钟", hours=hours, minutes=minutes)
    return gettext("%(minutes)s 分钟", minutes=max(1, minutes))


def duration(seconds: int) -> str:
    """A length of time in its natural unit: 30 秒, 5 分钟, 2 小时."""
    if seconds < 120:
        return gettext("%(seconds)s 秒", seconds=seconds)
    if seconds < 7200:
        return gettext("%(minutes)s 分钟", minutes=-(-seconds // 60))
    return gettext("%(hours)s 小时", hours=-(-seconds // 3600))
