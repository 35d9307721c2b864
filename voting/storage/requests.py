"""Requests of one person that another one has to confirm: who asked for what, and how it ended. Kept for ever."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.storage.database import Base


class Request(Base):
    """``subject`` is what exactly is asked: the version of the result, say. ``outcome`` is null while it is open."""

    __tablename__ = "requests"
    __table_args__ = (
        Index(None, "campaign_id", "act"),
        CheckConstraint("outcome IN ('confirmed', 'withdrawn', 'lapsed')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (settled_at IS NULL)", name="settled"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    act: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[int] = mapped_column(BigInteger)
    settled_by: Mapped[str | None] = mapped_column(String(64))
    settled_at: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(String(16))


def find_open_request(session: Session, campaign_id: int, act: str) -> Request | None:
    """The newest request of that kind that nobody has settled. Whoever decides on it holds the campaign's row."""
    query = select(Request).where(Request.campaign_id == campaign_id, Request.act == act, Request.outcome.is_(None))
    return session.scalar(query.order_by(Request.id.desc()).limit(1).execution_options(populate_existing=True))
