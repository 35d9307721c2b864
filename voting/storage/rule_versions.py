"""The rules a campaign has had since it opened, and those somebody proposes. A version is never edited or removed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.storage.database import Base


class RuleVersion(Base):
    """Version 1 is what the campaign opened with: nobody asked for it, and one person was enough.

    ``epoch`` is the life of the box that the version began with and ``replaces`` the one before it; ``in_force_ms`` is
    when the box took the rules over, by its own clock: ballots from then on were judged by them. It is null while the
    box has not been told, and the one column that is ever filled in later.
    """

    __tablename__ = "rule_versions"
    __table_args__ = (UniqueConstraint("campaign_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    version: Mapped[int]
    rules: Mapped[str] = mapped_column(Text)
    rules_hash: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text, default="")
    asked_by: Mapped[str] = mapped_column(String(64), default="")
    confirmed_by: Mapped[str] = mapped_column(String(64), default="")
    decided_at: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[str] = mapped_column(String(32))
    replaces: Mapped[str | None] = mapped_column(String(32))
    in_force_ms: Mapped[int | None] = mapped_column(BigInteger)


class RuleProposal(Base):
    """What a request asks for in full. ``rules`` is empty where closing at once is asked: the seal will say when."""

    __tablename__ = "rule_proposals"

    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    replaced_hash: Mapped[str] = mapped_column(String(64))
    rules: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


def list_versions(session: Session, campaign_id: int) -> Sequence[RuleVersion]:
    """Every version, oldest first."""
    query = select(RuleVersion).where(RuleVersion.campaign_id == campaign_id).order_by(RuleVersion.version)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def find_latest_version(session: Session, campaign_id: int) -> RuleVersion | None:
    query = select(RuleVersion).where(RuleVersion.campaign_id == campaign_id).order_by(RuleVersion.version.desc())
    return session.scalar(query.limit(1).execution_options(populate_existing=True))


def find_proposal(session: Session, request_id: int) -> RuleProposal | None:
    return session.get(RuleProposal, request_id)
