"""One candidate at the desk: edit, take off the list, put back. Whoever saves second is told, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from voting.rules.campaign import Award, check_transition
from voting.rules.candidate_errors import (
    CandidateRefused,
    ChangedMeanwhile,
    FieldProblem,
    FieldsFrozen,
    ReasonNeeded,
    StandsAlready,
)
from voting.rules.errors import CandidateNotFound
from voting.rules.rule_text import parse_rules
from voting.services.candidate_rows import LONGEST, is_number
from voting.services.sheets import unprintable
from voting.services.trail import changed, write_entry
from voting.services.transactions import reading, writing
from voting.storage.areas import find_area_code
from voting.storage.campaigns import Campaign, bump_version, get_by_slug, lock_by_slug
from voting.storage.candidates import Candidate, find_number, get_candidate, update_candidates

#: what a form may change in a draft; the code is the key of imports, the award says where it belongs
EDITABLE = ("name", "number", "area_code", "group_key", "summary", "story")
#: what may change later: the box keeps award, group, number and standing, and a name is what people voted for
TEXTS = ("summary", "story")
LONGEST_REASON = 280


@dataclass(frozen=True, slots=True)
class CandidateSheet:
    """A candidate as it is edited; ``seen`` is a digest of it, which the form brings back."""

    id: int
    award: str
    code: str
    standing: str
    standing_reason: str
    disqualified: bool
    photo: str | None
    values: dict[str, str]
    seen: str


def read_candidate(slug: str, candidate_id: int) -> CandidateSheet:
    """Raises CampaignNotFound, or CandidateNotFound when it is none of this campaign's."""
    with reading() as session:
        return _sheet(_own(session, get_by_slug(session, slug), candidate_id))


def edit_candidate(slug: str, candidate_id: int, seen: str, values: Mapping[str, str]) -> bool:
    """Save what a form brought; whether anything changed. ``values`` has every field of EDITABLE, or only TEXTS.

    Raises CandidateRefused, FieldsFrozen once voting was opened, ChangedMeanwhile, CandidateNotFound.
    """
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        candidate = _own(session, campaign, candidate_id)
        before = _values(candidate)
        after = before | {name: text.strip() for name, text in values.items() if name in EDITABLE}
        after |= {name: after[name].replace("\r\n", "\n") for name in TEXTS}
        was, now = changed(before, after)
        if seen != _digest(candidate):
            raise ChangedMeanwhile
        if not now:
            return False
        frozen = tuple(name for name in now if name not in TEXTS)
        if frozen and campaign.stage != "draft":
            raise FieldsFrozen(frozen)
        problems = _problems(session, campaign, candidate, after)
        if problems:
            raise CandidateRefused(tuple(problems))
        row = {**after, "number": int(after["number"])}
        row |= {name: after[name] or None for name in ("area_code", "group_key")}
        update_candidates(session, [row | {"id": candidate.id}])
        write_entry(session, "candidate.edit", before["number"], slug, before=was, after=now)
        bump_version(session, campaign.id)
    return True


def take_off(slug: str, candidate_id: int, reason: str, disqualified: bool) -> None:
    """Withdraw a candidate, or disqualify them, in a draft.

    Raises StageRefused, ReasonNeeded, StandsAlready, CandidateRefused for a reason that is too long.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise ReasonNeeded
    if len(reason) > LONGEST_REASON:
        raise CandidateRefused((FieldProblem("reason", "long", str(LONGEST_REASON)),))
    _set_standing(slug, candidate_id, "withdrawn", reason, disqualified)


def put_back(slug: str, candidate_id: int) -> None:
    """Let a candidate stand again, in a draft. Raises StageRefused or StandsAlready."""
    _set_standing(slug, candidate_id, "standing", "", False)


def _set_standing(slug: str, candidate_id: int, standing: str, reason: str, disqualified: bool) -> None:
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_transition("withdraw", campaign.stage)
        candidate = _own(session, campaign, candidate_id)
        if candidate.standing == standing:
            raise StandsAlready
        before = {"standing": candidate.standing, "reason": candidate.standing_reason}
        act = "candidate.return" if standing == "standing" else "candidate.withdraw"
        act = "candidate.disqualify" if disqualified else act
        candidate.standing, candidate.standing_reason = standing, reason
        candidate.disqualified = disqualified
        after = {"standing": standing, "reason": reason}
        write_entry(session, act, str(candidate.number), slug, before=before, after=after, reason=reason)
        bump_version(session, campaign.id)


def _own(session: Session, campaign: Campaign, candidate_id: int) -> Candidate:
    candidate = get_candidate(session, candidate_id)
    if candidate.campaign_id != campaign.id:
        raise CandidateNotFound(candidate_id)
    return candidate


def _values(candidate: Candidate) -> dict[str, str]:
    found = {name: getattr(candidate, name) for name in EDITABLE}
    return {name: "" if value is None else str(value) for name, value in found.items()}


def _digest(candidate: Candidate) -> str:
    text = json.dumps([_values(candidate), candidate.standing], ensure_ascii=False, sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


def _sheet(candidate: Candidate) -> CandidateSheet:
    return CandidateSheet(
        candidate.id,
        candidate.award,
        candidate.code,
        candidate.standing,
        candidate.standing_reason,
        candidate.disqualified,
        candidate.photo,
        _values(candidate),
        _digest(candidate),
    )


def _problems(session: Session, campaign: Campaign, candidate: Candidate, after: dict[str, str]) -> list[FieldProblem]:
    found = []
    for name in ("name", *TEXTS):
        hidden = unprintable(after[name], breaks=name == "story")
        if len(after[name]) > LONGEST[name]:
            found.append(FieldProblem(name, "long", str(LONGEST[name])))
        elif hidden:
            found.append(FieldProblem(name, "hidden", hidden))
    if not after["name"]:
        found.append(FieldProblem("name", "empty"))
    found += _number_problems(session, campaign.id, candidate.id, after["number"])
    if after["area_code"] and find_area_code(session, after["area_code"]) is None:
        found.append(FieldProblem("area_code", "area", after["area_code"][:20]))
    if after["group_key"] not in {"", *_groups(campaign, candidate.award)}:
        found.append(FieldProblem("group_key", "group"))
    return found


def _number_problems(session: Session, campaign_id: int, candidate_id: int, number: str) -> list[FieldProblem]:
    if not is_number(number):
        return [FieldProblem("number", "number")]
    holder: Any = find_number(session, campaign_id, int(number))
    return [FieldProblem("number", "taken", holder.name)] if holder and holder.id != candidate_id else []


def _groups(campaign: Campaign, key: str) -> list[str]:
    awards: dict[str, Award] = {award.key: award for award in parse_rules(campaign.rules).awards}
    return [group.key for group in awards[key].groups] if key in awards else []
