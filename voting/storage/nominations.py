"""Two tables: a campaign's call for nominations, and the nominations people sent to it.

Name and telephone of the nominator stand in no other table and in no export; the private code of a nomination is not
kept, only its digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.rules.nomination import State
from voting.storage.database import AnyRow, Base


class NominationCall(Base):
    """When, by whom and for which awards (a JSON list) nominations may be sent."""

    __tablename__ = "nomination_calls"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True, autoincrement=False)
    opens_ms: Mapped[int] = mapped_column(BigInteger)
    closes_ms: Mapped[int] = mapped_column(BigInteger)
    public: Mapped[bool]
    desk: Mapped[bool]
    awards: Mapped[str] = mapped_column(Text)
    conditions: Mapped[str] = mapped_column(Text)


class Nomination(Base):
    """``sent_by`` is the account of a reviewer who sent it, null for a citizen, who has the code instead.

    ``version`` rises with every change: whoever decides says which one they saw. ``content`` is a digest of what came
    with the code first, so that a form that is sent twice is one nomination.
    """

    __tablename__ = "nominations"
    __table_args__ = (
        Index(None, "campaign_id", "state"),
        CheckConstraint("state IN ('sent', 'returned', 'accepted', 'declined')", name="state"),
        CheckConstraint("(candidate_id IS NULL) = (state != 'accepted')", name="accepted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    code_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    content: Mapped[bytes] = mapped_column(LargeBinary(32))
    award: Mapped[str] = mapped_column(String(32))
    group_key: Mapped[str | None] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(64))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    summary: Mapped[str] = mapped_column(String(280))
    story: Mapped[str] = mapped_column(Text)
    photo: Mapped[str | None] = mapped_column(String(32))
    nominator: Mapped[str] = mapped_column(String(64))
    telephone: Mapped[str] = mapped_column(String(20))
    sent_by: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[State] = mapped_column(String(16), default="sent")
    reason: Mapped[str] = mapped_column(String(280), default="")
    candidate_id: Mapped[int | None] = mapped_column(ForeignKey("candidates.id"))
    sent_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)


def find_call(session: Session, campaign_id: int) -> NominationCall | None:
    return session.get(NominationCall, campaign_id, populate_existing=True)


def find_by_digest(session: Session, digest: bytes) -> Nomination | None:
    """The nomination whose code has that digest, in whichever campaign."""
    query = select(Nomination).where(Nomination.code_digest == digest)
    return session.scalar(query.execution_options(populate_existing=True))


def find_nomination(session: Session, campaign_id: int, nomination_id: int) -> Nomination | None:
    """The nomination of an id, in that campaign only."""
    query = select(Nomination).where(Nomination.campaign_id == campaign_id, Nomination.id == nomination_id)
    return session.scalar(query.execution_options(populate_existing=True))


def _matching(campaign_id: int, state: str, area: str) -> list[Any]:
    conditions: list[Any] = [Nomination.campaign_id == campaign_id]
    if state:
        conditions.append(Nomination.state == state)
    if area:
        conditions.append(Nomination.area_code.startswith(area, autoescape=True))
    return conditions


def list_nominations(
    session: Session, campaign_id: int, state: str, area: str, skip: int, limit: int
) -> Sequence[AnyRow]:
    """Nominations, newest first, without texts and without who sent them; "" is every state, every area."""
    query = select(
        Nomination.id,
        Nomination.award,
        Nomination.group_key,
        Nomination.name,
        Nomination.area_code,
        Nomination.photo,
        Nomination.sent_by,
        Nomination.state,
        Nomination.sent_at,
        Nomination.changed_at,
    )
    query = query.where(*_matching(campaign_id, state, area)).order_by(Nomination.id.desc())
    return session.execute(query.offset(skip).limit(limit)).all()


def count_nominations(session: Session, campaign_id: int, area: str = "") -> dict[str, int]:
    """How many there are, by state."""
    query = select(Nomination.state, func.count().label("n")).where(*_matching(campaign_id, "", area))
    return {row.state: row.n for row in session.execute(query.group_by(Nomination.state))}


def count_alike(session: Session, nomination: Nomination) -> int:
    """How many others of the same name, award and area wait or were accepted."""
    query = select(func.count()).where(
        Nomination.campaign_id == nomination.campaign_id,
        Nomination.id != nomination.id,
        Nomination.award == nomination.award,
        Nomination.name == nomination.name,
        Nomination.area_code == nomination.area_code,
        Nomination.state != "declined",
    )
    return session.scalar(query) or 0
