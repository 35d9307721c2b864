"""A campaign's call for nominations: what it says now, changing it, and the areas somebody may name.

Off by default, and only while the campaign is a draft. Sending and reviewing are in rooms of their own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from voting.rules.areas import Area, is_area_code
from voting.rules.campaign import Award, RuleSet, Stage, check_transition
from voting.rules.candidate_errors import ChangedMeanwhile
from voting.rules.nomination import Call, call_problems
from voting.rules.nomination_errors import CallRefused
from voting.rules.rule_text import parse_rules
from voting.services.trail import changed, write_entry
from voting.services.transactions import reading, writing
from voting.storage.areas import find_children, find_lineage, list_below
from voting.storage.campaigns import Campaign, get_by_slug, lock_by_slug
from voting.storage.nominations import NominationCall, find_call


@dataclass(frozen=True, slots=True)
class CallView:
    """A call with the little of its campaign that nominators are told; ``seen`` is a mark of the call alone.

    ``awards`` are those it is open for.
    """

    slug: str
    title: str
    organizer_name: str
    enquiry_phone: str
    stage: Stage
    rules: RuleSet
    call: Call | None
    seen: str

    @property
    def awards(self) -> tuple[Award, ...]:
        keys = self.call.awards if self.call else ()
        return tuple(award for award in self.rules.awards if award.key in keys)


@dataclass(frozen=True, slots=True)
class AreaStep:
    """Where somebody is on the way down to their village: the areas from the top, and what lies right below."""

    path: tuple[Area, ...]
    below: tuple[Area, ...]


def read_call(slug: str) -> CallView:
    """Raises CampaignNotFound."""
    with reading() as session:
        return view_call(session, get_by_slug(session, slug))


def view_call(session: Session, campaign: Campaign) -> CallView:
    """The call of a campaign that was read already."""
    call = call_of(find_call(session, campaign.id))
    return CallView(
        campaign.slug,
        campaign.title,
        campaign.organizer_name,
        campaign.enquiry_phone,
        campaign.stage,
        parse_rules(campaign.rules),
        call,
        _mark(call),
    )


def call_of(row: NominationCall | None) -> Call | None:
    if row is None:
        return None
    return Call(row.opens_ms, row.closes_ms, row.public, row.desk, tuple(json.loads(row.awards)), row.conditions)


def _mark(call: Call | None) -> str:
    return sha256(json.dumps(_told(call), sort_keys=True).encode()).hexdigest()[:16]


def _told(call: Call | None) -> dict[str, Any]:
    return asdict(call) if call else {}


def save_call(slug: str, call: Call, seen: str) -> bool:
    """Change a draft's call; whether anything was different. Raises StageRefused, ChangedMeanwhile or CallRefused."""
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_transition("nominate", campaign.stage)
        row = find_call(session, campaign.id)
        before = call_of(row)
        if _mark(before) != seen:
            raise ChangedMeanwhile
        problems = call_problems(call, [award.key for award in parse_rules(campaign.rules).awards])
        if problems:
            raise CallRefused(problems)
        was, now = changed(_told(before), _told(call))
        if not now:
            return False
        values = _told(call) | {"awards": json.dumps(call.awards)}
        if row is None:
            session.add(NominationCall(campaign_id=campaign.id, **values))
        else:
            for name, value in values.items():
                setattr(row, name, value)
        write_entry(session, "nominations.call", slug, slug, was, now)
        return True


def area_step(code: str) -> AreaStep:
    """What can be chosen below an area; from the top without one, or with one that does not exist.

    A city that stands alone at the top is passed by: there is nothing to choose.
    """
    with reading() as session:
        path = find_lineage(session, code) if is_area_code(code) else []
        below = find_children(session, path[-1].code if path else None)
        if not path and len(below) == 1 and below[0].level == "city":
            path, below = below, find_children(session, below[0].code)
        return AreaStep(tuple(path), tuple(below))


def areas_below(code: str) -> list[tuple[Area, str]]:
    """An area and everything in it, each with its path of names: what a reviewer may name."""
    with reading() as session:
        above = [area.name for area in find_lineage(session, code)[:-1] if area.level != "city"]
        names: dict[str, list[str]] = {}
        found = []
        for area in list_below(session, code):
            names[area.code] = [*names.get(area.parent or "", above), area.name]
            found.append((area, " · ".join(names[area.code])))
        return found
