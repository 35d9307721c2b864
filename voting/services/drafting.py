"""Drafts of campaigns: read one with all that the desk shows of it, change a part of it, throw an empty one away.

A change names the fields it is about and carries the mark of what they were when its author read them: whoever saves
second is told and sees both. The mark stands on the fields themselves, not on ``campaign.version``, which also rises
with every candidate and photo. Whatever is saved goes through ``rule_text``: no other form of the rules exists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from voting.rules.campaign import RuleSet, Stage, phase_of
from voting.rules.checklist import checklist
from voting.rules.draft_errors import CampaignFrozen, DraftChanged, DraftNotEmpty, PlaceInUse
from voting.rules.findings import Finding
from voting.rules.nomination import waiting_findings
from voting.rules.nomination_errors import NominationsWaiting
from voting.rules.rule_text import parse_rules, write_rules
from voting.services.campaigns import now_ms
from voting.services.catalogue import forget
from voting.services.identifying import configured_providers
from voting.services.trail import changed, write_entry
from voting.services.transactions import reading, writing
from voting.storage.campaigns import Campaign, bump_version, get_by_slug, lock_by_slug
from voting.storage.candidates import count_places, count_standing
from voting.storage.nominations import count_nominations, find_call
from voting.storage.trail import find_entries

TEXTS = ("title", "summary", "organizer_name", "contact", "enquiry_phone", "supervision_phone")
EDIT = "campaign.edit"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A campaign as its organizer works on it, read from SQL and of one instant.

    ``content`` holds the texts and the fields of the canonical rule set under their own names; ``candidates`` counts
    all of them, ``standing`` and ``grouped`` those that stand, by award and group.
    """

    slug: str
    stage: Stage
    phase: str
    rules: RuleSet
    content: dict[str, Any]
    candidates: int
    standing: dict[str, int]
    grouped: dict[str, int]
    rules_hash: str | None
    #: nominations by state
    nominated: Mapping[str, int]
    banner: str | None
    banner_alt: str

    @property
    def texts(self) -> dict[str, str]:
        return {name: self.content[name] for name in TEXTS}

    def mark(self, names: Iterable[str]) -> str:
        """The mark of these fields, for a form that is going to change them."""
        return mark_of(self.content, names)

    def findings(self) -> list[Finding]:
        """What is missing or contradictory before this campaign may open."""
        found = checklist(self.rules, self.texts, self.standing, self.grouped, now_ms(), configured_providers())
        return [*found, *waiting_findings(self.nominated)]


def get_dossier(slug: str) -> Dossier:
    """Raises CampaignNotFound."""
    with reading() as session:
        campaign = get_by_slug(session, slug)
        rules = parse_rules(campaign.rules)
        standing, grouped = count_standing(session, campaign.id)
        return Dossier(
            slug=campaign.slug,
            stage=campaign.stage,
            phase=phase_of(campaign.stage, campaign.paused_reason is not None, rules, now_ms()),
            rules=rules,
            content=_content(campaign),
            candidates=sum(count_places(session, campaign.id).values()),
            standing=standing,
            grouped=grouped,
            rules_hash=campaign.rules_hash,
            nominated=count_nominations(session, campaign.id),
            banner=campaign.banner,
            banner_alt=campaign.banner_alt,
        )


def _content(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in TEXTS} | json.loads(campaign.rules)


def mark_of(content: Mapping[str, Any], names: Iterable[str]) -> str:
    """A short fingerprint of some fields of a campaign."""
    fields = {name: content.get(name) for name in sorted(names)}
    return sha256(json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:24]


def with_changes(content: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[dict[str, str], RuleSet]:
    """Texts and rules as they would be after a change; raises RuleTextError. Nothing is saved."""
    after = {**content, **changes}
    texts = {name: after.pop(name) for name in TEXTS}
    return texts, parse_rules(json.dumps(after))


def save_draft(slug: str, changes: Mapping[str, Any], seen: str) -> bool:
    """Change these fields of a draft; whether anything was different from what stood there.

    ``changes`` holds texts and fields of the rule set by their names, each as a whole; ``seen`` is their mark when the
    author read them. Raises CampaignFrozen, DraftChanged, PlaceInUse or RuleTextError; nothing is changed then.
    """
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        if campaign.stage != "draft":
            raise CampaignFrozen(campaign.stage)
        before = _content(campaign)
        if mark_of(before, changes) != seen:
            raise DraftChanged(_last_editor(session, slug))
        texts, rules = with_changes(before, changes)
        _check_places(session, campaign, rules)
        for name, text in texts.items():
            setattr(campaign, name, text)
        campaign.rules = write_rules(rules)
        old, new = changed(before, _content(campaign))
        if not old and not new:
            return False
        write_entry(session, EDIT, slug, slug, old, new)
        session.flush()
        bump_version(session, campaign.id)
    forget()
    return True


def _last_editor(session: Session, slug: str) -> str:
    found = find_entries(session, slug, "", EDIT, None, 1)
    return found[0].actor if found else ""


def _check_places(session: Session, campaign: Campaign, rules: RuleSet) -> None:
    """Candidates refer to awards and groups by their keys: those must not go away under them."""
    before = parse_rules(campaign.rules)
    kept = {(award.key, group) for award in rules.awards for group in (None, *(g.key for g in award.groups))}
    lost = {place: n for place, n in count_places(session, campaign.id).items() if place not in kept}
    if lost:
        (award, group), _ = min(lost.items(), key=lambda line: (line[0][0], line[0][1] or ""))
        awards = {a.key for a in rules.awards}
        # Without its award a group is gone too: the award is what has to be named.
        names = {g.key: g.name for g in before.groups()} if award in awards else {a.key: a.name for a in before.awards}
        key = (group or "") if award in awards else award
        count = sum(n for (a, g), n in lost.items() if (g if award in awards else a) == key)
        raise PlaceInUse(names.get(key, key), count)


def discard_draft(slug: str) -> None:
    """Throw a draft without candidates away. Raises CampaignFrozen, DraftNotEmpty or NominationsWaiting."""
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        if campaign.stage != "draft":
            raise CampaignFrozen(campaign.stage)
        candidates = sum(count_places(session, campaign.id).values())
        if candidates:
            raise DraftNotEmpty(candidates)
        nominated = sum(count_nominations(session, campaign.id).values())
        if nominated:
            raise NominationsWaiting(nominated)
        call = find_call(session, campaign.id)
        if call is not None:
            session.delete(call)
            session.flush()
        write_entry(session, "campaign.discard", slug, slug, before=_content(campaign))
        session.delete(campaign)
    forget()
