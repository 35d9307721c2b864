"""A campaign's rule set as data, the stages it goes through, and what is still missing before it may open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from voting.rules.display import LIVE, Display, display_issues
from voting.rules.errors import StageRefused
from voting.rules.periods import LocalTime
from voting.rules.quota import Quota
from voting.rules.ranking import TIE_RULES

#: when a voter known by the device alone must prove some effort: with every ballot, only when many come from one
#: network address, or never
CHALLENGES = ("always", "on_challenge", "off")

Stage = Literal["draft", "open", "closed", "provisional", "published"]

#: act -> (stages it is possible at, stage it leads to; None = stays)
TRANSITIONS: Mapping[str, tuple[tuple[Stage, ...], Stage | None]] = {
    "import": (("draft",), None),
    "number": (("draft",), None),
    "withdraw": (("draft",), None),
    "open": (("draft",), "open"),
    "pause": (("open",), None),
    "resume": (("open",), None),
    "close": (("open",), "closed"),
    "count": (("closed", "provisional"), "provisional"),
    "publish": (("provisional",), "published"),
}


def check_transition(act: str, stage: Stage) -> Stage:
    """The stage an act leads to; raises StageRefused when it is not possible now."""
    allowed, following = TRANSITIONS[act]
    if stage not in allowed:
        raise StageRefused(act, stage)
    return following or stage


@dataclass(frozen=True, slots=True)
class Limits:
    """How many choices: at least ``min`` (unless ``optional`` and none at all) and at most ``max``."""

    min: int = 0
    max: int | None = None
    optional: bool = True

    def too_few(self, chosen: int) -> bool:
        return chosen < self.min and not (self.optional and chosen == 0)

    def too_many(self, chosen: int) -> bool:
        return self.max is not None and chosen > self.max


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    name: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Award:
    key: str
    name: str
    seats: int
    limits: Limits = Limits()
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything that decides whether a ballot is accepted. Frozen and hashed when the campaign opens.

    ``opens_ms <= t < closes_ms`` is the window; ``daily_hours`` are minutes after local midnight, from <= t < until;
    ``identity`` names the providers a voter may use, the one that decides first;
    ``challenge`` is one of CHALLENGES; ``repeat`` allows one candidate several times on a ballot;
    ``ties`` lists, in order, what settles a tie across the last seat (``ranking.TIE_RULES``). ``online_weight`` is
    the share of the online vote in the whole selection, in percent, and ``purpose`` what its outcome is used for.
    """

    time_zone: str
    opens_ms: int
    closes_ms: int
    awards: tuple[Award, ...]
    quotas: tuple[Quota, ...]
    ballot: Limits = Limits(min=1, optional=False)
    repeat: bool = False
    daily_hours: tuple[int, int] | None = None
    interval_s: int = 0
    identity: tuple[str, ...] = ("device",)
    challenge: str = "on_challenge"
    display: Display = LIVE
    ties: tuple[str, ...] = ()
    online_weight: int = 100
    purpose: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def local_time(self) -> LocalTime:
        """The campaign's local clock over its window."""
        return LocalTime.of_zone(self.time_zone, self.opens_ms, self.closes_ms)

    def local(self, at_ms: int) -> datetime:
        """An instant as an aware datetime in the campaign's time zone."""
        return datetime.fromtimestamp(at_ms / 1000, self.zone)

    def award(self, key: str) -> Award:
        """The award of that key; raises KeyError."""
        for award in self.awards:
            if award.key == key:
                return award
        raise KeyError(key)

    def groups(self) -> tuple[Group, ...]:
        """All groups of all awards, in order; their keys are unique in the campaign."""
        return tuple(group for award in self.awards for group in award.groups)


def rules_hash(canonical_json: str) -> str:
    """The fingerprint that is published when the campaign opens."""
    return sha256(canonical_json.encode()).hexdigest()


def _doubled(keys: list[str]) -> set[str]:
    return {key for key in keys if keys.count(key) > 1}


def _window_issues(rules: RuleSet, now_ms: int) -> list[str]:
    issues = []
    if rules.closes_ms <= rules.opens_ms:
        issues.append("the window closes before it opens")
    elif rules.closes_ms <= now_ms:
        issues.append("the window is already over")
    if rules.daily_hours and not 0 <= rules.daily_hours[0] < rules.daily_hours[1] <= 24 * 60:
        issues.append("daily hours must begin before they end, within one day")
    return issues


def _limit_issues(name: str, limits: Limits, candidates: int | None, repeat: bool) -> list[str]:
    issues = []
    if limits.min < 0 or (limits.max is not None and limits.max < max(1, limits.min)):
        issues.append(f"{name}: at least {limits.min} and at most {limits.max} choices contradict each other")
    if candidates is not None and not repeat and limits.min > candidates:
        issues.append(f"{name}: {limits.min} must be chosen but there are only {candidates} candidates")
    return issues


def _quota_issues(rules: RuleSet) -> list[str]:
    if not rules.quotas:
        return ["no quota: a voter could vote without end"]
    issues = []
    seen: set[tuple[str, str, str]] = set()
    for quota in rules.quotas:
        line = f"quota of {quota.unit} per {quota.per} and {quota.period}"
        if (kind := (quota.unit, quota.per, quota.period)) in seen:
            issues.append(f"{line}: is given twice")
        seen.add(kind)
        if quota.limit < 1:
            issues.append(f"{line}: the limit must be at least 1")
        if quota.unit == "ballots" and quota.per != "voter":
            issues.append(f"{line}: ballots are counted per voter only")
        if quota.unit == "choices" and quota.per == "voter" and quota.limit < rules.ballot.min:
            issues.append(f"{line}: {quota.limit} allowed but a ballot needs {rules.ballot.min}")
        if quota.per == "award" and any(a.limits.min > quota.limit for a in rules.awards):
            issues.append(f"{line}: {quota.limit} allowed but an award needs more on one ballot")
    return issues


def issues_before_opening(
    rules: RuleSet, standing: Mapping[str, int], grouped: Mapping[str, int], now_ms: int, providers: frozenset[str]
) -> list[str]:
    """What is missing or contradictory; an empty list means the campaign may open.

    ``standing`` and ``grouped`` count the standing candidates of each award key and group key.
    """
    issues = _window_issues(rules, now_ms)
    if not rules.awards:
        issues.append("no award")
    for key in sorted(_doubled([a.key for a in rules.awards]) | _doubled([g.key for g in rules.groups()])):
        issues.append(f"the key {key} is used twice")
    for award in rules.awards:
        count = standing.get(award.key, 0)
        if count == 0:
            issues.append(f"award {award.key}: no candidates")
        elif award.seats > count:
            issues.append(f"award {award.key}: {award.seats} seats but only {count} candidates")
        if award.seats < 1:
            issues.append(f"award {award.key}: needs at least one seat")
        issues += _limit_issues(f"award {award.key}", award.limits, count, rules.repeat)
        for group in award.groups:
            issues += _limit_issues(f"group {group.key}", group.limits, grouped.get(group.key, 0), rules.repeat)
    issues += _limit_issues("ballot", rules.ballot, sum(standing.values()), rules.repeat)
    if rules.ballot.min < 1:
        issues.append("ballot: an empty ballot must not be allowed, set at least 1 choice")
    reachable = [a.limits.max for a in rules.awards]
    if None not in reachable and sum(filter(None, reachable)) < rules.ballot.min:
        issues.append(f"ballot: {rules.ballot.min} must be chosen but the awards allow fewer together")
    required = sum(a.limits.min for a in rules.awards if not a.limits.optional)
    if rules.ballot.max is not None and required > rules.ballot.max:
        issues.append(f"ballot: the awards require {required} choices but a ballot allows {rules.ballot.max}")
    issues += _quota_issues(rules)
    if rules.interval_s < 0:
        issues.append("the minimum interval must not be negative")
    issues += [f"tie rule {tie} is not known" for tie in rules.ties if tie not in TIE_RULES]
    issues += display_issues(rules.display, rules.opens_ms, rules.closes_ms)
    if not 0 <= rules.online_weight <= 100:
        issues.append(f"online_weight: {rules.online_weight} is not a percentage from 0 to 100")
    if rules.challenge not in CHALLENGES:
        issues.append(f"challenge {rules.challenge} is not known")
    for provider in sorted(_doubled(list(rules.identity))):
        issues.append(f"identity {provider} is given twice")
    for provider in rules.identity:
        if provider not in providers:
            issues.append(f"identity {provider} is not available")
    if not rules.identity:
        issues.append("no identity is chosen")
    return issues
