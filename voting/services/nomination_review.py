"""Reviewing nominations by area: the list, one of them, and the decision: return, decline, or accept as a candidate.

Every decision says which version of the nomination it is about, so that the second of two reviewers is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from voting.rules.campaign import Award, check_transition
from voting.rules.candidate_errors import CandidateRefused, FieldProblem, ReasonNeeded
from voting.rules.nomination import WITH_REASON, State, acts_in, check_reviewing, next_state
from voting.rules.nomination_errors import NominationDecided, NominationNotFound, NominationRefused, OwnNomination
from voting.rules.roles import Holder
from voting.rules.rule_text import parse_rules
from voting.services.candidates import LONGEST_REASON
from voting.services.nominating import NominationView, about_of, view_nomination
from voting.services.nomination_calls import call_of
from voting.services.trail import Entry, list_entries, write_entry
from voting.services.transactions import reading, writing
from voting.storage.areas import find_area_code, load_areas
from voting.storage.campaigns import Campaign, bump_version, get_by_slug, lock_by_slug
from voting.storage.candidates import (
    find_by_code,
    find_namesakes,
    get_candidate,
    highest_number,
    insert_candidates,
    set_photo,
)
from voting.storage.nominations import (
    Nomination,
    count_alike,
    count_nominations,
    find_call,
    find_nomination,
    list_nominations,
)

PAGE = 50
#: codes of candidates who were nominated begin with it, which no statistical code does
CODE_PREFIX = "tj"


@dataclass(frozen=True, slots=True)
class Line:
    """A nomination in the list, without who sent it."""

    id: int
    award: str
    name: str
    area_path: tuple[str, ...]
    photo: str | None
    by_account: str | None
    state: State
    sent_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list; ``counts`` are of all states in the area that was asked for."""

    lines: tuple[Line, ...]
    counts: Mapping[str, int]
    page: int
    pages: int
    total: int
    #: (code, name, level) of counties and towns this account may ask for
    areas: tuple[tuple[str, str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Dossier:
    """A nomination as whoever decides on it reads it: with its nominator, in full.

    ``namesakes`` are id and number of candidates like it, ``alike`` other nominations of the same; ``acts`` what this
    account may do now, ``candidate`` id and number of what it became.
    """

    view: NominationView
    nominator: str
    telephone: str
    acts: tuple[str, ...]
    own: bool
    namesakes: tuple[tuple[int, int], ...]
    alike: int
    candidate: tuple[int, int] | None


def list_for(holder: Holder, slug: str, state: str, area: str, page: int) -> Listed:
    """The nominations that are this account's business, newest first. Raises CampaignNotFound."""
    with reading() as session:
        campaign = get_by_slug(session, slug)
        # Without an area everything is meant; everything is not a reviewer's business.
        if not holder.reviews(area or None):
            area = holder.area or "-"
        counts = count_nominations(session, campaign.id, area)
        total = counts.get(state, 0) if state else sum(counts.values())
        pages = max(1, -(-total // PAGE))
        page = min(max(page, 1), pages)
        tree = load_areas(session)
        rows = list_nominations(session, campaign.id, state, area, (page - 1) * PAGE, PAGE)
        lines = tuple(
            Line(
                row.id,
                row.award,
                row.name,
                tree.path(row.area_code) if row.area_code else (),
                row.photo,
                row.sent_by,
                row.state,
                row.sent_at,
                row.changed_at,
            )
            for row in rows
        )
        areas = tuple(
            (one.code, one.name, one.level)
            for one in tree.all()
            if one.level in ("county", "town") and holder.reviews(one.code)
        )
        return Listed(lines, counts, page, pages, total, areas)


def waiting_for(holder: Holder, slug: str) -> int:
    """How many nominations wait for somebody like this account to decide."""
    area = "" if holder.may("organizer") else holder.area or "-"
    with reading() as session:
        return count_nominations(session, get_by_slug(session, slug).id, area).get("sent", 0)


def read_for(holder: Holder, slug: str, nomination_id: int) -> Dossier:
    """Raises CampaignNotFound, or NominationNotFound when it is none of this campaign's or this account's."""
    with reading() as session:
        campaign = get_by_slug(session, slug)
        row = _own(session, campaign, holder, nomination_id)
        candidate = get_candidate(session, row.candidate_id) if row.candidate_id else None
        alike = find_namesakes(session, campaign.id, row.award, row.name, row.area_code)
        mine = row.sent_by == holder.name
        possible = acts_in(row.state) if campaign.stage == "draft" else ()
        return Dossier(
            view_nomination(session, campaign, row),
            row.nominator,
            row.telephone,
            tuple(act for act in possible if (act == "amend") == mine),
            mine,
            tuple((one.id, one.number) for one in alike if one.id != row.candidate_id),
            count_alike(session, row),
            (candidate.id, candidate.number) if candidate else None,
        )


def history_of(slug: str, nomination_id: int) -> list[Entry]:
    """What happened to it, newest first."""
    return list_entries(campaign=slug, act="nomination.", subject=str(nomination_id))


def _own(session: Session, campaign: Campaign, holder: Holder, nomination_id: int) -> Nomination:
    row = find_nomination(session, campaign.id, nomination_id)
    if row is None or not holder.reviews(row.area_code):
        raise NominationNotFound
    return row


def decide(holder: Holder, slug: str, nomination_id: int, act: str, seen: int, reason: str = "") -> int | None:
    """Return, decline or accept; the id of the candidate it became, if it did.

    ``seen`` is the version on the page with the button. Raises NominationNotFound, NominationDecided, OwnNomination,
    NominationsOver, ReasonNeeded, CandidateRefused for a reason that is too long, or NominationRefused when the award
    or area it names is gone.
    """
    reason = " ".join(reason.split())
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        row = _own(session, campaign, holder, nomination_id)
        check_reviewing(campaign.stage, call_of(find_call(session, campaign.id)))
        check_transition("review", campaign.stage)
        state = next_state(act, row.state)
        if seen != row.version:
            raise NominationDecided
        if row.sent_by == holder.name:
            raise OwnNomination
        if act in WITH_REASON and not reason:
            raise ReasonNeeded
        if len(reason) > LONGEST_REASON:
            raise CandidateRefused((FieldProblem("reason", "long", str(LONGEST_REASON)),))
        before = {"state": row.state, "reason": row.reason}
        after: dict[str, str | int | None] = {"state": state, "reason": reason}
        candidate_id = _become_candidate(session, campaign, row) if act == "accept" else None
        # All at once: accepted without a candidate, or the other way round, is refused by the database.
        row.state, row.reason, row.candidate_id, row.version = state, reason, candidate_id, row.version + 1
        if candidate_id is not None:
            made = get_candidate(session, candidate_id)
            after |= {name: getattr(made, name) for name in ("number", "code", "name", "award", "area_code", "photo")}
            bump_version(session, campaign.id)
        write_entry(session, f"nomination.{act}", str(row.id), slug, before, after, reason)
        return candidate_id


def _become_candidate(session: Session, campaign: Campaign, row: Nomination) -> int:
    """The candidate with the next number, by the rules of the import: award, group and area must be there."""
    award = next((each for each in parse_rules(campaign.rules).awards if each.key == row.award), None)
    problems = []
    if award is None or not _fits(award, row.group_key):
        problems.append(FieldProblem("award", "choose"))
    if row.area_code and find_area_code(session, row.area_code) is None:
        problems.append(FieldProblem("area_code", "choose"))
    if problems:
        raise NominationRefused(tuple(problems))
    code = f"{CODE_PREFIX}{row.id:05}"
    while find_by_code(session, campaign.id, row.award, code) is not None:
        code += "x"
    values = {name: text or None for name, text in about_of(row).items() if name in ("group_key", "area_code")}
    values |= {"award": row.award, "name": row.name, "summary": row.summary, "story": row.story}
    number = highest_number(session, campaign.id) + 1
    insert_candidates(
        session, [values | {"campaign_id": campaign.id, "number": number, "code": code, "standing": "standing"}]
    )
    candidate_id = find_by_code(session, campaign.id, row.award, code)
    assert candidate_id is not None
    set_photo(session, candidate_id, row.photo)
    return candidate_id


def _fits(award: Award, group: str | None) -> bool:
    return group is None or group in {each.key for each in award.groups}
