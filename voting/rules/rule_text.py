"""Rule sets as JSON text: read with an error that names the field, written in one canonical form (the hashed one)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voting.rules.campaign import Award, Group, Limits, RuleSet
from voting.rules.display import Display, Mode, Order, Until
from voting.rules.quota import Per, Period, Quota, Unit

T = TypeVar("T")
KNOWN = {
    "": "time_zone opens_at closes_at daily_hours identity challenge ballot awards quotas interval_s display ties "
    "online_weight purpose",
    "display": "mode every_s at until freeze_hours order gap",
    "ballot": "min max repeat",
    "award": "key name seats min max optional groups",
    "group": "key name min max optional",
    "quota": "unit per period limit",
}


class RuleTextError(ValueError):
    """A rule set that cannot be read; the message names the field and what it must be."""


def _object(value: object, kind: str, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RuleTextError(f"{path or 'rules'}: must be an object")
    unknown = sorted(set(value) - set(KNOWN[kind].split()))
    if unknown:
        raise RuleTextError(f"{path or 'rules'}: unknown field {unknown[0]}")
    return value


def _field(of: dict[str, Any], name: str, path: str, kind: type[T], default: T | None = None) -> T:
    value = of.get(name, default)
    if value is None:
        raise RuleTextError(f"{path}{name}: is missing")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RuleTextError(f"{path}{name}: must be {'text' if kind is str else kind.__name__}")
    return value


def _each(of: dict[str, Any], name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
    items = of.get(name, [])
    if not isinstance(items, list):
        raise RuleTextError(f"{name}: must be a list")
    return tuple(read(item, f"{name}[{at}]") for at, item in enumerate(items))


def _instant(of: dict[str, Any], name: str) -> int:
    text = _field(of, name, "", str)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RuleTextError(f"{name}: must be a date and time such as 2026-11-01T09:00:00+08:00") from None
    if moment.tzinfo is None:
        raise RuleTextError(f"{name}: must carry its UTC offset, such as +08:00")
    return int(moment.timestamp() * 1000)


def _minute(text: object, problem: str) -> int:
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 2 or not all(part.isdecimal() and len(part) == 2 for part in parts) or int(parts[1]) > 59:
        raise RuleTextError(problem)
    return int(parts[0]) * 60 + int(parts[1])


def _limits(of: dict[str, Any], path: str, default: Limits) -> Limits:
    most = of.get("max", default.max)
    if most is not None:
        most = _field(of, "max", path, int)
    return Limits(_field(of, "min", path, int, default.min), most, _field(of, "optional", path, bool, default.optional))


def _group(value: object, path: str) -> Group:
    of = _object(value, "group", path)
    path += "."
    return Group(_field(of, "key", path, str), _field(of, "name", path, str), _limits(of, path, Limits()))


def _award(value: object, path: str) -> Award:
    of = _object(value, "award", path)
    groups = _each(of, "groups", lambda item, at: _group(item, f"{path}.{at}"))
    path += "."
    return Award(
        key=_field(of, "key", path, str),
        name=_field(of, "name", path, str),
        seats=_field(of, "seats", path, int),
        limits=_limits(of, path, Limits()),
        groups=groups,
    )


def _quota(value: object, path: str) -> Quota:
    of = _object(value, "quota", path)
    for name, words in (("unit", get_args(Unit)), ("per", get_args(Per)), ("period", get_args(Period))):
        if of.get(name) not in words:
            raise RuleTextError(f"{path}.{name}: must be one of {', '.join(words)}")
    return Quota(of["unit"], of["per"], of["period"], _field(of, "limit", f"{path}.", int))


#: what each mode of display is told, beside freeze_hours and order
_TOLD = {"live": "", "cached": "every_s", "daily": "at", "hidden": "until"}


def _word(of: dict[str, Any], name: str, words: tuple[str, ...], default: str) -> Any:
    word = of.get(name, default)
    if word not in words:
        raise RuleTextError(f"display.{name}: must be one of {', '.join(words)}")
    return word


def _display(value: object) -> Display:
    """A mode by its name alone, or an object with what the mode needs to be told."""
    of = {"mode": value} if isinstance(value, str) else _object(value, "display", "display")
    mode: Mode = _word(of, "mode", get_args(Mode), "live")
    told = _TOLD[mode]
    for name in set(_TOLD.values()) & set(of) - {told}:
        raise RuleTextError(f"display.{name}: says nothing about {mode}")
    at = _minute(of.get("at"), 'display.at: must be a time such as "18:00"') if mode == "daily" else 0
    return Display(
        mode=mode,
        every_s=_field(of, "every_s", "display.", int) if mode == "cached" else 0,
        at_minute=at,
        until=cast(Until, _word(of, "until", get_args(Until), "published")),
        freeze_hours=_field(of, "freeze_hours", "display.", int, 0),
        order=cast(Order, _word(of, "order", get_args(Order), "random")),
        gap=_field(of, "gap", "display.", bool, False),
    )


def parse_rules(text: str) -> RuleSet:
    """Read a rule set from JSON; raises RuleTextError."""
    try:
        of = _object(json.loads(text), "", "")
    except json.JSONDecodeError as error:
        raise RuleTextError(f"not JSON: {error.msg} at line {error.lineno}") from None
    zone = _field(of, "time_zone", "", str, "Asia/Shanghai")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RuleTextError(f"time_zone: {zone} is not known") from None
    hours = of.get("daily_hours")
    daily = 'daily_hours: must be two times such as ["06:00", "22:00"]'
    if hours is not None and (not isinstance(hours, list) or len(hours) != 2):
        raise RuleTextError(daily)
    paper = _object(of.get("ballot", {}), "ballot", "ballot")
    return RuleSet(
        time_zone=zone,
        opens_ms=_instant(of, "opens_at"),
        closes_ms=_instant(of, "closes_at"),
        awards=_each(of, "awards", _award),
        quotas=_each(of, "quotas", _quota),
        ballot=_limits(paper, "ballot.", Limits(min=1, optional=False)),
        repeat=_field(paper, "repeat", "ballot.", bool, False),
        daily_hours=None if hours is None else (_minute(hours[0], daily), _minute(hours[1], daily)),
        interval_s=_field(of, "interval_s", "", int, 0),
        identity=_each(of, "identity", lambda item, at: str(item)) or ("device",),
        challenge=_field(of, "challenge", "", str, "on_challenge"),
        display=_display(of.get("display", "live")),
        ties=_each(of, "ties", lambda item, at: str(item)),
        online_weight=_field(of, "online_weight", "", int, 100),
        purpose=_field(of, "purpose", "", str, ""),
    )


def _iso(rules: RuleSet, at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(rules.zone).isoformat()


def _write_limits(limits: Limits) -> dict[str, Any]:
    return {"min": limits.min, "max": limits.max, "optional": limits.optional}


def _write_display(display: Display) -> object:
    told: dict[str, Any] = {"every_s": display.every_s, "at": _clock(display.at_minute), "until": display.until}
    of = {name: value for name, value in told.items() if name == _TOLD[display.mode] and value != "published"}
    of |= {"freeze_hours": display.freeze_hours} if display.freeze_hours else {}
    of |= {"order": display.order} if display.order != "random" else {}
    of |= {"gap": True} if display.gap else {}
    return {"mode": display.mode} | of if of else display.mode


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def write_rules(rules: RuleSet) -> str:
    """The canonical JSON of a rule set: sorted keys, whole seconds, no spaces. Equal rules give equal bytes.

    What rule sets could not say when the first campaigns opened is left out where it has nothing to say, so that the
    published fingerprint of an older rule set stays the fingerprint of what this writes.
    """
    document: dict[str, Any] = {
        "time_zone": rules.time_zone,
        "opens_at": _iso(rules, rules.opens_ms),
        "closes_at": _iso(rules, rules.closes_ms),
        "daily_hours": rules.daily_hours and [_clock(minute) for minute in rules.daily_hours],
        "identity": list(rules.identity),
        "ballot": {"min": rules.ballot.min, "max": rules.ballot.max, "repeat": rules.repeat},
        "awards": [
            {"key": a.key, "name": a.name, "seats": a.seats}
            | _write_limits(a.limits)
            | {"groups": [{"key": g.key, "name": g.name} | _write_limits(g.limits) for g in a.groups]}
            for a in rules.awards
        ],
        "quotas": [{"unit": q.unit, "per": q.per, "period": q.period, "limit": q.limit} for q in rules.quotas],
        "interval_s": rules.interval_s,
        "display": _write_display(rules.display),
        "ties": list(rules.ties),
    }
    document |= {"challenge": rules.challenge} if rules.challenge != "on_challenge" else {}
    document |= {"online_weight": rules.online_weight} if rules.online_weight != 100 else {}
    document |= {"purpose": rules.purpose} if rules.purpose else {}
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
