"""What every page needs to know about campaigns and candidates, kept in memory and looked after once a second.

One look at SQL per second and process at most, by one thread; the others go on with the last copy, also while SQL is
away. A campaign's candidates are read again only when its version rose. Votes and counts do not live here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from voting.rules.areas import AreaTree
from voting.rules.campaign import RuleSet, Stage, phase_of
from voting.rules.errors import CampaignNotFound
from voting.rules.rule_text import parse_rules
from voting.services.finding import BY_NUMBER, AreaLine, Finder, Listing
from voting.services.rule_history import Edition, read_history
from voting.storage.areas import load_areas
from voting.storage.campaigns import Campaign, list_campaigns
from voting.storage.candidates import iter_candidates
from voting.storage.database import db

FRESH_S = 1.0
_EXTENSION = "voting_catalogue"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate; ``area_path`` is county, town, village by name, and empty without an area."""

    id: int
    number: int
    award: str
    group_key: str | None
    code: str
    name: str
    area_code: str | None
    area_path: tuple[str, ...]
    summary: str
    story: str
    standing: str
    photo: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search; ``page`` counts from 1 and is moved into the range there is."""

    items: Sequence[CandidateView]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign with its candidates, standing and withdrawn, by award (in the rule set's order) and number."""

    id: int
    slug: str
    title: str
    summary: str
    organizer_name: str
    contact: str
    enquiry_phone: str
    supervision_phone: str
    banner: str | None
    banner_alt: str
    demonstration: bool
    stage: Stage
    paused_reason: str | None
    rules: RuleSet
    rules_hash: str | None
    epoch: str | None
    created_at: int
    opened_at: int | None
    sealed_at: int | None
    sealed_id: tuple[int, int] | None
    published_at: int | None
    version: int
    #: every version of the rules since opening, the first one first
    history: tuple[Edition, ...] = field(repr=False)
    candidates: tuple[CandidateView, ...] = field(repr=False)
    by_id: dict[int, CandidateView] = field(repr=False)
    by_number: dict[int, CandidateView] = field(repr=False)
    #: all candidate ids ascending: the box numbers its candidates like this
    ids: tuple[int, ...] = field(repr=False)
    _finder: Finder = field(repr=False)

    def phase(self, now_ms: int) -> str:
        """draft, upcoming, open, paused, closed, provisional or published, as a page says it at that time."""
        return phase_of(self.stage, self.paused_reason is not None, self.rules, now_ms)

    @property
    def changed_ms(self) -> int | None:
        """When the rules were last changed; None while they are those it opened with."""
        return self.history[-1].since_ms if len(self.history) > 1 else None

    def areas_of(self, award: str | None = None) -> list[AreaLine]:
        """Counties and towns that have candidates, each county followed by its towns."""
        return self._finder.areas.get(award, [])

    def search(
        self,
        award: str | None = None,
        q: str = "",
        area: str = "",
        page: int = 1,
        size: int = 40,
        listing: Listing = BY_NUMBER,
    ) -> Page:
        """Candidates of an award and area, every word of ``q`` in their name, its pinyin or initials, or area names.

        A number may be written 3, 03, 3号 or 第3号; its candidate then comes first. What was found is kept in memory as
        an index, and an order at random is worked out by position: a page costs a page, whichever it is.
        """
        found = self._finder.listed(award, q, area, listing)
        pages = max(1, -(-len(found) // size))
        page = min(max(page, 1), pages)
        return Page(found[(page - 1) * size : page * size], page, pages, len(found))

    def search_after(
        self, award: str | None, q: str, area: str, after: int, size: int = 40
    ) -> tuple[list[CandidateView], int | None]:
        """As ``search``, from a cursor on: the number of the last candidate seen, 0 at the start; and the next cursor,
        None at the end. Candidates that come or go in between shift nothing."""
        found = self._finder.following(award, q, area, after, size + 1)
        items = found[:size]
        return items, items[-1].number if len(found) > size else None


def _read_candidates(session: Session, campaign_id: int, rules: RuleSet, tree: AreaTree) -> tuple[CandidateView, ...]:
    paths: dict[str | None, tuple[str | None, tuple[str, ...]]] = {None: (None, ())}
    order = {award.key: place for place, award in enumerate(rules.awards)}
    # Thousands of rows repeat the same few words; one copy of each is enough.
    words: dict[str, str] = {}
    views = []
    # Unpacked and passed by position: with the names spelled out, tens of thousands of rows take twice as long.
    for row in iter_candidates(session, campaign_id):
        id_, number, award, group, code, name, area, summary, story, standing, photo = row
        if area not in paths:
            paths[area] = (area, tree.path(area))
        award = words.setdefault(award, award)
        group = group and words.setdefault(group, group)
        standing = words.setdefault(standing, standing)
        views.append(
            CandidateView(id_, number, award, group, code, name, *paths[area], summary, story, standing, photo)
        )
    views.sort(key=lambda view: (order.get(view.award, len(order)), view.number))
    return tuple(views)


def _view(session: Session, row: Campaign, tree: AreaTree, before: CampaignView | None) -> CampaignView:
    rules = parse_rules(row.rules)
    candidates = _read_candidates(session, row.id, rules, tree)
    return CampaignView(
        id=row.id,
        slug=row.slug,
        title=row.title,
        summary=row.summary,
        organizer_name=row.organizer_name,
        contact=row.contact,
        enquiry_phone=row.enquiry_phone,
        supervision_phone=row.supervision_phone,
        banner=row.banner,
        banner_alt=row.banner_alt,
        demonstration=row.demonstration,
        stage=row.stage,
        paused_reason=row.paused_reason,
        rules=rules,
        rules_hash=row.rules_hash,
        epoch=row.epoch,
        created_at=row.created_at,
        opened_at=row.opened_at,
        sealed_at=row.sealed_at,
        sealed_id=None if row.sealed_ms is None or row.sealed_seq is None else (row.sealed_ms, row.sealed_seq),
        published_at=row.published_at,
        version=row.version,
        history=read_history(session, row.id) if row.rules_hash else (),
        candidates=candidates,
        by_id={candidate.id: candidate for candidate in candidates},
        by_number={candidate.number: candidate for candidate in candidates},
        ids=tuple(sorted(candidate.id for candidate in candidates)),
        _finder=Finder(candidates, tree, before._finder if before else None),
    )


class _Catalogue:
    """The last good copy, newest campaign first, and the one thread that may look whether it is still true."""

    def __init__(self) -> None:
        self._copy: dict[str, CampaignView] | None = None
        self._looked = float("-inf")
        self._looking = threading.Lock()

    def campaigns(self) -> dict[str, CampaignView]:
        copy = self._copy
        if copy is not None and time.monotonic() - self._looked < FRESH_S:
            return copy
        # With a copy in hand nobody waits; without one, all wait for the first look.
        if not self._looking.acquire(blocking=copy is None):
            assert copy is not None
            return copy
        try:
            if self._copy is None or time.monotonic() - self._looked >= FRESH_S:
                self._look()
            assert self._copy is not None
            return self._copy
        finally:
            self._looking.release()

    def _look(self) -> None:
        before = self._copy or {}
        try:
            # A session of its own: the request's one stays free to begin a writing transaction.
            with Session(db.engine) as session:
                rows = list_campaigns(session)
                current = {(row.id, row.version) for row in rows}
                same = {view.slug: view for view in before.values() if (view.id, view.version) in current}
                tree = load_areas(session) if len(same) < len(rows) else AreaTree(())
                self._copy = {
                    row.slug: same.get(row.slug) or _view(session, row, tree, before.get(row.slug)) for row in rows
                }
        except SQLAlchemyError as error:
            if self._copy is None:
                raise
            log.warning("the catalogue could not be read (%s); its last copy is served", type(error).__name__)
        self._looked = time.monotonic()


def _catalogue() -> _Catalogue:
    catalogue: _Catalogue = current_app.extensions.setdefault(_EXTENSION, _Catalogue())
    return catalogue


def all_campaigns() -> list[CampaignView]:
    """Every campaign but drafts, newest first."""
    return [campaign for campaign in _catalogue().campaigns().values() if campaign.stage != "draft"]


def every_campaign() -> list[CampaignView]:
    """Every campaign, drafts too, newest first: for operators."""
    return list(_catalogue().campaigns().values())


def get_campaign(slug: str) -> CampaignView:
    """The campaign of that slug, drafts too; raises CampaignNotFound."""
    campaign = _catalogue().campaigns().get(slug)
    if campaign is None:
        raise CampaignNotFound(slug)
    return campaign


def forget() -> None:
    """Make the next call look at SQL again: for commands that change a campaign and then read it."""
    current_app.extensions.pop(_EXTENSION, None)
