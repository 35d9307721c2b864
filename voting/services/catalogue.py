"""What every page needs to know about campaigns and candidates, kept in memory and looked after once a second.

One look at SQL per second and process at most, by one thread; the others go on with the last copy, also while SQL is
away. A campaign's candidates are read again only when its version rose. Votes and counts do not live here.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from voting.rules.areas import AreaTree
from voting.rules.campaign import RuleSet, Stage
from voting.rules.errors import CampaignNotFound
from voting.rules.rule_text import parse_rules
from voting.storage.areas import load_areas
from voting.storage.campaigns import Campaign, list_campaigns
from voting.storage.candidates import list_candidates
from voting.storage.database import db

FRESH_S = 1.0
_EXTENSION = "voting_catalogue"
_NUMBER = re.compile(r"(?:第|#|no\.?)?\s*0*([0-9]{1,9})\s*号?")

log = logging.getLogger(__name__)

#: (code, name, level) of an area
AreaLine = tuple[str, str, str]


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
    candidates: tuple[CandidateView, ...] = field(repr=False)
    by_id: dict[int, CandidateView] = field(repr=False)
    by_number: dict[int, CandidateView] = field(repr=False)
    _finder: _Finder = field(repr=False)

    def phase(self, now_ms: int) -> str:
        """draft, upcoming, open, paused, closed, provisional or published, as a page says it at that time."""
        if self.stage != "open":
            return self.stage
        if now_ms >= self.rules.closes_ms:
            return "closed"
        if now_ms < self.rules.opens_ms:
            return "upcoming"
        return "open" if self.paused_reason is None else "paused"

    def areas_of(self, award: str | None = None) -> list[AreaLine]:
        """Counties and towns that have candidates, each county followed by its towns."""
        return self._finder.areas.get(award, [])

    def search(self, award: str | None = None, q: str = "", area: str = "", page: int = 1, size: int = 40) -> Page:
        """Candidates of an award and an area, every word of ``q`` in their name, area names, or number.

        A number may be written 3, 03, 3号 or 第3号; its candidate then comes first.
        """
        found = self._finder.find(self, award, q, area)
        pages = max(1, -(-len(found) // size))
        page = min(max(page, 1), pages)
        return Page(found[(page - 1) * size : page * size], page, pages, len(found))


class _Finder:
    """What searching one campaign needs, computed once: where awards begin, and areas with their folded names."""

    __slots__ = ("areas", "names", "paths", "slices", "within")

    def __init__(self, candidates: Sequence[CandidateView], tree: AreaTree) -> None:
        self.names = [_fold(candidate.name) for candidate in candidates]
        self.slices: dict[str | None, slice] = {None: slice(0, len(candidates))}
        codes: dict[str | None, set[str]] = {None: set()}
        for place, candidate in enumerate(candidates):
            start = self.slices.setdefault(candidate.award, slice(place, place)).start
            self.slices[candidate.award] = slice(start, place + 1)
            if candidate.area_code is not None:
                codes.setdefault(candidate.award, set()).add(candidate.area_code)
        codes[None] = {code for some in codes.values() for code in some}
        lineages = {code: tree.lineage(code) for code in codes[None]}
        self.paths = {code: _fold(" ".join(tree.path(code))) for code in lineages}
        self.within = {code: frozenset(area.code for area in line) for code, line in lineages.items()}
        self.areas = {award: _area_lines(tree, some) for award, some in codes.items()}

    def find(self, campaign: CampaignView, award: str | None, q: str, area: str) -> Sequence[CandidateView]:
        part = self.slices.get(award, slice(0, 0))
        found: Sequence[CandidateView] = campaign.candidates[part]
        if area:
            inside: set[str | None] = {code for code, line in self.within.items() if area in line}
        words = _fold(q).split()
        if words:
            names = self.names[part]
            places: Iterable[int] = range(len(found))
            for word in words:
                here = {code for code, path in self.paths.items() if word in path}
                places = [at for at in places if word in names[at] or found[at].area_code in here]
            found = [found[at] for at in places]
        if area:
            found = [candidate for candidate in found if candidate.area_code in inside]
        number = _NUMBER.fullmatch(_fold(q).strip())
        first = campaign.by_number.get(int(number[1])) if number else None
        if first is None or award not in (None, first.award) or (area and first.area_code not in inside):
            return found
        return [first, *(candidate for candidate in found if candidate is not first)]


def _fold(text: str) -> str:
    """Full-width and upper-case letters made plain; the text itself when nothing changes, to keep one copy."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return text if folded == text else folded


def _area_lines(tree: AreaTree, codes: Iterable[str]) -> list[AreaLine]:
    lines = {area.code: area for code in codes for area in tree.lineage(code) if area.level in ("county", "town")}
    in_order = sorted(lines.values(), key=lambda area: [above.code for above in tree.lineage(area.code)])
    return [(area.code, area.name, area.level) for area in in_order]


def _read_candidates(session: Session, campaign_id: int, rules: RuleSet, tree: AreaTree) -> tuple[CandidateView, ...]:
    paths: dict[str | None, tuple[str | None, tuple[str, ...]]] = {None: (None, ())}
    order = {award.key: place for place, award in enumerate(rules.awards)}
    # Thousands of rows repeat the same few words; one copy of each is enough.
    words: dict[str, str] = {}
    views = []
    # Unpacked and passed by position: with the names spelled out, tens of thousands of rows take twice as long.
    for id_, number, award, group, code, name, area, summary, story, standing in list_candidates(session, campaign_id):
        if area not in paths:
            paths[area] = (area, tree.path(area))
        award = words.setdefault(award, award)
        group = group and words.setdefault(group, group)
        standing = words.setdefault(standing, standing)
        views.append(CandidateView(id_, number, award, group, code, name, *paths[area], summary, story, standing))
    views.sort(key=lambda view: (order.get(view.award, len(order)), view.number))
    return tuple(views)


def _view(session: Session, row: Campaign, tree: AreaTree) -> CampaignView:
    rules = parse_rules(row.rules)
    candidates = _read_candidates(session, row.id, rules, tree)
    return CampaignView(
        id=row.id,
        slug=row.slug,
        title=row.title,
        summary=row.summary,
        organizer_name=row.organizer_name,
        contact=row.contact,
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
        candidates=candidates,
        by_id={candidate.id: candidate for candidate in candidates},
        by_number={candidate.number: candidate for candidate in candidates},
        _finder=_Finder(candidates, tree),
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
                self._copy = {row.slug: same.get(row.slug) or _view(session, row, tree) for row in rows}
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
