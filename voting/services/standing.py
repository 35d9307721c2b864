"""What a voter has used of the quotas so far, for pages that say it before anybody taps. Only the box decides."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from voting.identity.base import Identity
from voting.rules.quota import Period, Quota
from voting.services.boxes import box_of
from voting.services.casting import voter_key_of
from voting.services.catalogue import CampaignView


@dataclass(frozen=True, slots=True)
class LeftLine:
    """What is used of a quota line; ``award`` or ``group`` names the scope of a line that is kept per one of them."""

    quota: Quota
    award: str | None
    used: int
    limit: int
    group: str | None = None

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class VotedFor:
    """A candidate this voter has voted for: how often within ``period``, and how often it may still be chosen."""

    times: int
    left: int
    period: Period


@dataclass(frozen=True, slots=True)
class Standing:
    """``lines``: the quotas per voter, award and group; ``voted``: candidate id -> what is used of those per
    candidate."""

    lines: tuple[LeftLine, ...] = ()
    voted: Mapping[int, VotedFor] = field(default_factory=dict)

    def spent(self, candidate: int) -> bool:
        """Whether this candidate cannot be chosen any more for now."""
        voted = self.voted.get(candidate)
        return voted is not None and voted.left == 0


NOTHING_USED = Standing()


def newcomer_standing(campaign: CampaignView) -> Standing:
    """Of somebody who is nobody yet: everything is left, in the lines that ``voter_standing`` would list."""
    rules = campaign.rules
    lines: list[LeftLine] = []
    for quota in rules.quotas:
        if quota.per == "award":
            lines += [LeftLine(quota, award.key, 0, quota.limit) for award in rules.awards]
        elif quota.per == "group":
            lines += [LeftLine(quota, None, 0, quota.limit, group.key) for group in rules.groups()]
        elif quota.per == "voter":
            lines.append(LeftLine(quota, None, 0, quota.limit))
    return Standing(tuple(lines))


def voter_standing(campaign: CampaignView, identity: Identity) -> Standing:
    """What a voter has used of every quota line; one round trip to the box. Raises BoxUnavailable."""
    now_ms = time.time_ns() // 1_000_000
    used = box_of(campaign.id, campaign.rules).usage(voter_key_of(campaign, identity), now_ms)
    lines: list[LeftLine] = []
    voted: dict[int, VotedFor] = {}
    for quota, by_scope in zip(campaign.rules.quotas, used, strict=True):
        for scope, units in by_scope.items():
            if quota.per == "candidate":
                # The tightest line counts: of "1 a day" and "5 in all", the one that leaves less.
                one = VotedFor(units, max(0, quota.limit - units), quota.period)
                id_ = campaign.ids[int(scope)]
                voted[id_] = min(voted.get(id_, one), one, key=lambda each: each.left)
            else:
                award = scope if quota.per == "award" else None
                group = scope if quota.per == "group" else None
                lines.append(LeftLine(quota, award, units, quota.limit, group))
    return Standing(tuple(lines), voted)
