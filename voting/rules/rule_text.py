"""Rule sets as JSON text: read with an error that names the field, written in one canonical form (the hashed one)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voting.rules.campaign import Award, Group, Limits, RuleSet
from voting.rules.quota import Per, Period, Quota, Unit

T = TypeVar("T")
KNOWN = {
    "": "time_zone opens_at closes_at daily_hours identity ballot awards quotas interval_s display ties",
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


def _minute(text: object) -> int:
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 2 or not all(part.isdecimal() and len(part) == 2 for part in parts) or int(parts[1]) > 59:
        raise RuleTextError('daily_hours: must be two times such as ["06:00", "22:00"]')
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
    if hours is not None and (not isinstance(hours, list) or len(hours) != 2):
        raise RuleTextError('daily_hours: must be two times such as ["06:00", "22:00"]')
    paper = _object(of.get("ballot", {}), "ballot", "ballot")
    return RuleSet(
        time_zone=zone,
        opens_ms=_instant(of, "opens_at"),
        closes_ms=_instant(of, "closes_at"),
        awards=_each(of, "awards", _award),
        quotas=_each(of, "quotas", _quota),
        ballot=_limits(paper, "ballot.", Limits(min=1, optional=False)),
        repeat=_field(paper, "repeat", "ballot.", bool, False),
        daily_hours=None if hours is None else (_minute(hours[0]), _minute(hours[1])),
        interval_s=_field(of, "interval_s", "", int, 0),
        identity=_each(of, "identity", lambda item, at: str(item)) or ("device",),
        display=_field(of, "display", "", str, "live"),
        ties=_each(of, "ties", lambda item, at: str(item)),
    )


def _iso(rules: RuleSet, at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(rules.zone).isoformat()


def _write_limits(limits: Limits) -> dict[str, Any]:
    return {"min": limits.min, "max": limits.max, "optional": limits.optional}


def write_rules(rules: RuleSet) -> str:
    """The canonical JSON of a rule set: sorted keys, whole seconds, no spaces. Equal rules give equal bytes."""
    document = {
        "time_zone": rules.time_zone,
        "opens_at": _iso(rules, rules.opens_ms),
        "closes_at": _iso(rules, rules.closes_ms),
        "daily_hours": rules.daily_hours and [f"{m // 60:02}:{m % 60:02}" for m in rules.daily_hours],
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
        "display": rules.display,
        "ties": list(rules.ties),
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
