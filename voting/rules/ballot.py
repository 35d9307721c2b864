"""Whether a ballot is accepted: the one decision of the election, written without Redis.

The ballot box repeats this decision in Lua, atomically; tests hold the two together. The order of the checks is part
of the contract, so that both give the same refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voting.rules.ballot_id import check_age
from voting.rules.campaign import Limits, RuleSet
from voting.rules.errors import (
    BallotIdConflict,
    CandidateWithdrawn,
    NotOpenYet,
    OutsideDailyHours,
    QuotaSpent,
    RepeatedCandidate,
    TooFewChoices,
    TooManyChoices,
    TooSoon,
    UnknownCandidate,
    VotingClosed,
    VotingPaused,
)
from voting.rules.periods import LocalTime
from voting.rules.quota import Cast, Place, asked_by, casts_in_period, resets_at, used_of


@dataclass(frozen=True, slots=True)
class Ballot:
    """One submission by one voter. ``choices``: candidate ids in ascending order, repeats listed."""

    ballot_id: str
    voter_key: bytes
    choices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BoxState:
    """What an organizer can switch while voting runs. ``paused`` carries the public reason."""

    paused: str | None = None
    sealed_ms: int | None = None


def check_open(rules: RuleSet, box: BoxState, local: LocalTime, now_ms: int) -> None:
    """Refuse outside the window, while paused, outside the daily hours, and after the seal."""
    if box.sealed_ms is not None:
        raise VotingClosed(min(box.sealed_ms, rules.closes_ms))
    if now_ms < rules.opens_ms:
        raise NotOpenYet(rules.opens_ms)
    if now_ms >= rules.closes_ms:
        raise VotingClosed(rules.closes_ms)
    if box.paused is not None:
        raise VotingPaused(box.paused)
    if rules.daily_hours:
        start, end = rules.daily_hours
        if not start <= local.minute_of_day(now_ms) < end:
            raise OutsideDailyHours(start, end)


def _check_limits(scope: str, key: str, limits: Limits, chosen: int) -> None:
    if limits.too_few(chosen):
        raise TooFewChoices(scope, key, chosen, limits.min)
    if limits.max is not None and chosen > limits.max:
        raise TooManyChoices(scope, key, chosen, limits.max)


def check_choices(rules: RuleSet, places: Mapping[int, Place], choices: Sequence[int]) -> list[Place]:
    """The places of a ballot's choices; refuses unknown, withdrawn or repeated candidates and broken limits."""
    chosen: list[Place] = []
    for candidate in choices:
        place = places.get(candidate)
        if place is None:
            raise UnknownCandidate(candidate)
        if not place.standing:
            raise CandidateWithdrawn(candidate)
        chosen.append(place)
    if not rules.repeat:
        for before, candidate in pairwise(choices):
            if before == candidate:
                raise RepeatedCandidate(candidate)
    _check_limits("ballot", "", rules.ballot, len(chosen))
    for award in rules.awards:
        _check_limits("award", award.key, award.limits, sum(p.award == award.key for p in chosen))
    for group in rules.groups():
        _check_limits("group", group.key, group.limits, sum(p.group == group.key for p in chosen))
    return chosen


def check_quotas(
    rules: RuleSet, history: Sequence[Cast], chosen: Sequence[Place], local: LocalTime, now_ms: int
) -> None:
    """Refuse a ballot that comes too soon or asks for more than is left; ``history`` is the voter's, oldest first."""
    if rules.interval_s and history:
        retry_ms = history[-1].at_ms + rules.interval_s * 1000
        if now_ms < retry_ms:
            raise TooSoon(retry_ms)
    for quota in rules.quotas:
        used = used_of(quota, history, local, now_ms)
        for key, asked in asked_by(quota, chosen).items():
            if used.get(key, 0) + asked > quota.limit:
                counted = casts_in_period(quota, history, local, now_ms)
                oldest = counted[0].at_ms if counted else None
                raise QuotaSpent(quota, key, used.get(key, 0), asked, resets_at(quota, local, now_ms, oldest))


def decide(
    rules: RuleSet,
    box: BoxState,
    places: Mapping[int, Place],
    seen: Mapping[str, tuple[bytes, tuple[int, ...]]],
    history: Sequence[Cast],
    ballot: Ballot,
    now_ms: int,
    local: LocalTime,
) -> bool:
    """True: accept and count. False: a repeat of an accepted ballot, give the same receipt. Raises a Refusal.

    ``seen`` maps accepted ballot ids to their voter key and choices; ``history`` is this voter's, oldest first.
    """
    if (content := seen.get(ballot.ballot_id)) is not None:
        if content != (ballot.voter_key, ballot.choices):
            raise BallotIdConflict
        return False
    check_age(ballot.ballot_id, now_ms)
    check_open(rules, box, local, now_ms)
    chosen = check_choices(rules, places, ballot.choices)
    check_quotas(rules, history, chosen, local, now_ms)
    return True
