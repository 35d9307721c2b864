"""Quotas: how much of the election one voter may use up, and over which period.

A quota line is data: *unit* (ballots or choices) *per* (voter, award, group or candidate) in a *period*. The lines of
every published rule set are combinations of these; none of them is code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voting.rules.periods import DAY_MS, LocalTime

Unit = Literal["ballots", "choices"]
Per = Literal["voter", "award", "group", "candidate"]
Period = Literal["day", "rolling", "campaign"]


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``limit`` units per voter and scope in a period: local day, rolling 24 hours, or the campaign."""

    unit: Unit
    per: Per
    period: Period
    limit: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a candidate stands: the scopes its choices are counted under."""

    candidate: int
    award: str
    group: str | None = None
    standing: bool = True


@dataclass(frozen=True, slots=True)
class Cast:
    """One accepted ballot of a voter's history, repeats listed as often as chosen."""

    at_ms: int
    choices: tuple[Place, ...]


def scope_key(quota: Quota, place: Place) -> str | None:
    """The scope of a choice under a quota line; None when the line does not touch it."""
    if quota.per == "voter":
        return ""
    if quota.per == "award":
        return place.award
    if quota.per == "group":
        return place.group
    return str(place.candidate)


def asked_by(quota: Quota, choices: Sequence[Place]) -> dict[str, int]:
    """Units a ballot asks of a quota line, by scope, scopes in order of first appearance."""
    if quota.unit == "ballots":
        return {"": 1}
    asked: dict[str, int] = {}
    for place in choices:
        key = scope_key(quota, place)
        if key is not None:
            asked[key] = asked.get(key, 0) + 1
    return asked


def casts_in_period(quota: Quota, history: Sequence[Cast], local: LocalTime, now_ms: int) -> list[Cast]:
    """The ballots of a history that still count against a quota line, oldest first."""
    if quota.period == "campaign":
        return list(history)
    if quota.period == "day":
        today = local.day(now_ms)
        return [cast for cast in history if local.day(cast.at_ms) == today]
    return [cast for cast in history if cast.at_ms > now_ms - DAY_MS]


def used_of(quota: Quota, history: Sequence[Cast], local: LocalTime, now_ms: int) -> dict[str, int]:
    """Units already used under a quota line, by scope."""
    used: dict[str, int] = {}
    for cast in casts_in_period(quota, history, local, now_ms):
        for key, units in asked_by(quota, cast.choices).items():
            used[key] = used.get(key, 0) + units
    return used


def resets_at(quota: Quota, local: LocalTime, now_ms: int, oldest_ms: int | None) -> int | None:
    """When a spent quota line gives again (epoch ms): next local midnight, oldest ballot + 24 h, or never."""
    if quota.period == "day":
        return local.next_midnight(now_ms)
    if quota.period == "rolling" and oldest_ms is not None:
        return oldest_ms + DAY_MS
    return None
