"""How rules and candidates are laid out for the box, and how its answers become refusals again.

Scopes are numbers in the box: 0 ballots of a voter, 1 choices of a voter, then awards, groups, candidates. A usage
record of small numbers takes one byte each, and one form serves every quota line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgpack

from voting.rules import errors
from voting.rules.campaign import Limits, RuleSet
from voting.rules.errors import Refusal
from voting.rules.periods import DAY_MS
from voting.rules.quota import Period, Place, Quota, resets_at

BALLOTS, CHOICES, FIRST_SCOPE = 0, 1, 2
PART = {"ballot": 0, "award": 1, "group": 2}


@dataclass(frozen=True, slots=True)
class _Limited:
    scope: str
    key: str
    limits: Limits


class Layout:
    """The numbering of one rule set, and both directions of translation."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.local = rules.local_time()
        keys = [("award", a.key) for a in rules.awards] + [("group", g.key) for g in rules.groups()]
        self._scopes = {key: number for number, key in enumerate(keys, FIRST_SCOPE)}
        self._keys = {number: key for (_, key), number in self._scopes.items()}
        self._first_candidate = FIRST_SCOPE + len(keys)
        self._limited = [
            _Limited("ballot", "", rules.ballot),
            *(_Limited("award", a.key, a.limits) for a in rules.awards),
            *(_Limited("group", g.key, g.limits) for g in rules.groups()),
        ]

    def pack_rules(self) -> bytes:
        rules = self.rules
        packed: bytes = msgpack.packb(
            {
                "offsets": self.local.offsets,
                "hours": rules.daily_hours or False,
                "repeats": rules.repeat,
                "interval": rules.interval_s * 1000,
                "limits": [self._pack_limits(limited) for limited in self._limited],
                "quotas": [{"unit": q.unit, "per": q.per, "period": q.period, "limit": q.limit} for q in rules.quotas],
            }
        )
        return packed

    def _pack_limits(self, limited: _Limited) -> dict[str, Any]:
        limits = limited.limits
        packed: dict[str, Any] = {"part": PART[limited.scope], "min": limits.min, "optional": limits.optional}
        if limits.max is not None:
            packed["max"] = limits.max
        if limited.key:
            packed["scope"] = self._scopes[limited.scope, limited.key]
        return packed

    def pack_places(self, places: Iterable[Place]) -> Iterable[tuple[int, bytes]]:
        """``(candidate id, place)``; candidates are numbered in the order of their ids, so a rebuild numbers alike."""
        for number, place in enumerate(sorted(places, key=lambda p: p.candidate), self._first_candidate):
            award = self._scopes["award", place.award]
            group = self._scopes["group", place.group] if place.group else 0
            yield place.candidate, msgpack.packb([award, group, number, int(place.standing)])

    def refusal(self, answer: list[Any]) -> Refusal:
        """The named type of a refusal that the script gave as code and figures."""
        code = answer[0].decode()
        facts = answer[1:]
        if code == "quota_spent":
            return self._quota_spent(facts)
        if code in ("too_few_choices", "too_many_choices"):
            limited, chosen = self._limited[facts[0] - 1], facts[1]
            if code == "too_few_choices":
                return errors.TooFewChoices(limited.scope, limited.key, chosen, limited.limits.min)
            return errors.TooManyChoices(limited.scope, limited.key, chosen, limited.limits.max or 0)
        if code in ("voting_paused", "box_unavailable"):
            facts = [facts[0].decode()]
        return _BY_CODE[code](*facts)

    def _quota_spent(self, facts: list[int]) -> Refusal:
        line, scope, candidate, used, asked, now_ms, oldest_ms = facts
        quota = self.rules.quotas[line - 1]
        key = str(candidate) if candidate else self._keys.get(scope, "")
        return errors.QuotaSpent(quota, key, used, asked, resets_at(quota, self.local, now_ms, oldest_ms or None))

    def usage_in(self, period: Period, flat: list[Any], now_ms: int) -> dict[int, int]:
        """Units by scope in an unpacked usage record of that period."""
        records = [flat]
        if period == "rolling":
            pairs = zip(flat[::2], flat[1::2], strict=True)
            records = [record for at_ms, record in pairs if at_ms > now_ms - DAY_MS]
        used: dict[int, int] = {}
        for record in records:
            for scope, units in zip(record[::2], record[1::2], strict=True):
                used[scope] = used.get(scope, 0) + units
        return used

    def lines_of(self, quota: Quota, used: dict[int, int]) -> dict[str, int]:
        """Units a quota line has used, by award key, group key, or place among the candidates ("0" = lowest id).

        A line per voter has one entry, under "". Awards and groups are all listed, candidates only where used.
        """
        if quota.unit == "ballots":
            return {"": used.get(BALLOTS, 0)}
        if quota.per == "voter":
            return {"": used.get(CHOICES, 0)}
        if quota.per == "candidate":
            first = self._first_candidate
            return {str(scope - first): units for scope, units in used.items() if scope >= first}
        return {key: used.get(scope, 0) for (part, key), scope in self._scopes.items() if part == quota.per}


_BY_CODE: dict[str, type[Refusal]] = {
    cls.code: cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, Refusal)
}
