"""A campaign's rule set as data, and the stages it goes through. What is missing before opening is in checklist.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from voting.rules.display import LIVE, Display
from voting.rules.errors import StageRefused
from voting.rules.periods import LocalTime
from voting.rules.quota import Quota

#: when a voter known by the device alone must prove some effort: with every ballot, only when many come from one
#: network address, or never
CHALLENGES = ("always", "on_challenge", "off")

Stage = Literal["draft", "open", "closed", "provisional", "published"]

#: act -> (stages it is possible at, stage it leads to; None = stays)
TRANSITIONS: Mapping[str, tuple[tuple[Stage, ...], Stage | None]] = {
    "import": (("draft",), None),
    "number": (("draft",), None),
    "withdraw": (("draft",), None),
    "nominate": (("draft",), None),
    "review": (("draft",), None),
    "open": (("draft",), "open"),
    "pause": (("open",), None),
    "resume": (("open",), None),
    "change": (("open",), None),
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


def phase_of(stage: Stage, paused: bool, rules: RuleSet, now_ms: int) -> str:
    """draft, upcoming, open, paused, closed, provisional or published, as a page says it at that time."""
    if stage != "open":
        return stage
    if now_ms >= rules.closes_ms:
        return "closed"
    if now_ms < rules.opens_ms:
        return "upcoming"
    return "paused" if paused else "open"
