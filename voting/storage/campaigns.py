"""The campaigns table: one row for each selection, from its draft to its published result.

Which change is possible at which stage is decided in ``voting/rules/campaign.py``, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.rules.campaign import Stage
from voting.rules.errors import CampaignNotFound
from voting.storage.database import Base


class Campaign(Base):
    """``rules`` is the canonical JSON of the rule set; ``paused_reason`` is not null while voting is paused.

    ``epoch`` names the life of the ballot box; ``sealed_ms`` and ``sealed_seq`` are the stream id of its seal.
    ``version`` rises with every change to the campaign or its candidates: caches watch it.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("stage IN ('draft', 'open', 'closed', 'provisional', 'published')", name="stage"),
        CheckConstraint("(sealed_ms IS NULL) = (sealed_seq IS NULL)", name="sealed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    organizer_name: Mapped[str] = mapped_column(String(200), default="")
    contact: Mapped[str] = mapped_column(String(200), default="")
    enquiry_phone: Mapped[str] = mapped_column(String(64), default="", server_default="")
    supervision_phone: Mapped[str] = mapped_column(String(64), default="", server_default="")
    banner: Mapped[str | None] = mapped_column(String(32))
    banner_alt: Mapped[str] = mapped_column(String(200), default="", server_default="")
    demonstration: Mapped[bool] = mapped_column(default=False)
    stage: Mapped[Stage] = mapped_column(String(16), default="draft")
    paused_reason: Mapped[str | None] = mapped_column(Text)
    rules: Mapped[str] = mapped_column(Text)
    rules_hash: Mapped[str | None] = mapped_column(String(64))
    epoch: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[int | None] = mapped_column(BigInteger)
    sealed_at: Mapped[int | None] = mapped_column(BigInteger)
    sealed_ms: Mapped[int | None] = mapped_column(BigInteger)
    sealed_seq: Mapped[int | None] = mapped_column(BigInteger)
    published_at: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)


def list_campaigns(session: Session) -> Sequence[Campaign]:
    """All campaigns, drafts too, newest first."""
    return session.scalars(select(Campaign).order_by(Campaign.created_at.desc(), Campaign.id.desc())).all()


def any_campaign(session: Session) -> bool:
    return session.scalar(select(Campaign.id).limit(1)) is not None


def find_by_slug(session: Session, slug: str) -> Campaign | None:
    return session.scalar(select(Campaign).where(Campaign.slug == slug))


def get_by_slug(session: Session, slug: str) -> Campaign:
    """The campaign of that slug; raises CampaignNotFound."""
    campaign = find_by_slug(session, slug)
    if campaign is None:
        raise CampaignNotFound(slug)
    return campaign


def get_by_id(session: Session, campaign_id: int) -> Campaign:
    """Raises CampaignNotFound."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise CampaignNotFound(str(campaign_id))
    return campaign


def lock_by_slug(session: Session, slug: str) -> Campaign:
    """As ``get_by_slug``, and nobody else changes the campaign until this transaction ends."""
    # SQLite leaves FOR UPDATE out: there, begin_write() has locked the whole database already.
    query = select(Campaign).where(Campaign.slug == slug).with_for_update().execution_options(populate_existing=True)
    campaign = session.scalar(query)
    if campaign is None:
        raise CampaignNotFound(slug)
    return campaign


def add_campaign(session: Session, **values: Any) -> Campaign:
    """Insert a campaign and return it with its id."""
    campaign = Campaign(**values)
    session.add(campaign)
    session.flush()
    return campaign


def bump_version(session: Session, campaign_id: int) -> None:
    """Tell every cache that the campaign or its candidates changed."""
    session.execute(update(Campaign).where(Campaign.id == campaign_id).values(version=Campaign.version + 1))


def bump_all_versions(session: Session) -> None:
    """Tell every cache that something all campaigns show changed, such as the name of an area."""
    session.execute(update(Campaign).values(version=Campaign.version + 1))
