"""The versions of a campaign's rules: written when it opens and when two people change them, read for every page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from voting.rules.campaign import RuleSet, rules_hash
from voting.rules.rule_text import parse_rules, write_rules
from voting.storage.campaigns import Campaign
from voting.storage.rule_versions import RuleVersion, find_latest_version, list_versions


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of the rules. ``in_force_ms``: from when on ballots were judged by it; None = the box waits for it.

    ``asked_by`` and ``confirmed_by`` are accounts of the desk and stay there.
    """

    number: int
    rules: RuleSet
    rules_hash: str
    reason: str
    asked_by: str
    confirmed_by: str
    decided_ms: int
    in_force_ms: int | None

    @property
    def since_ms(self) -> int:
        """From when on it holds, as people are told."""
        return self.decided_ms if self.in_force_ms is None else self.in_force_ms


def read_history(session: Session, campaign_id: int) -> tuple[Edition, ...]:
    """Every version of a campaign's rules, oldest first."""
    return tuple(
        Edition(
            row.version,
            parse_rules(row.rules),
            row.rules_hash,
            row.reason,
            row.asked_by,
            row.confirmed_by,
            row.decided_at,
            row.in_force_ms,
        )
        for row in list_versions(session, campaign_id)
    )


def freeze_first(session: Session, campaign: Campaign, at_ms: int) -> None:
    """Put on record what a campaign opens with; its hash and epoch are set already."""
    assert campaign.rules_hash is not None
    assert campaign.epoch is not None
    first = RuleVersion(campaign_id=campaign.id, version=1, rules=campaign.rules, rules_hash=campaign.rules_hash)
    first.decided_at = first.in_force_ms = at_ms
    first.epoch = campaign.epoch
    session.add(first)


def write_version(
    session: Session, campaign: Campaign, rules: RuleSet, reason: str, people: tuple[str, str], at_ms: int, epoch: str
) -> RuleVersion:
    """Freeze and hash other rules as the campaign's next version; ``people``: who asked and who confirmed."""
    latest = find_latest_version(session, campaign.id)
    text = write_rules(rules)
    version = RuleVersion(
        campaign_id=campaign.id,
        version=1 if latest is None else latest.version + 1,
        rules=text,
        rules_hash=rules_hash(text),
        reason=reason,
        asked_by=people[0],
        confirmed_by=people[1],
        decided_at=at_ms,
        epoch=epoch,
        replaces=campaign.epoch,
    )
    session.add(version)
    campaign.rules, campaign.rules_hash, campaign.epoch = text, version.rules_hash, epoch
    return version


def find_waiting(session: Session, campaign_id: int) -> RuleVersion | None:
    """The version that was decided and that the box has not been told of."""
    latest = find_latest_version(session, campaign_id)
    return latest if latest is not None and latest.in_force_ms is None else None
