"""The audit trail: what people did, in order, each entry chained to the one before. Append-only in the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import BigInteger, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.storage.database import Base

AT_ONCE = 1000


class TrailEntry(Base):
    """``before`` and ``after`` are JSON; ``hash`` covers every other column and the hash of the entry before."""

    __tablename__ = "trail"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str] = mapped_column(String(64), index=True)
    act: Mapped[str] = mapped_column(String(64), index=True)
    campaign: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))


class TrailHead(Base):
    """The newest entry's number and hash, in one row that a writer holds: entries come one after the other."""

    __tablename__ = "trail_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


def lock_head(session: Session) -> TrailHead:
    """The head, for this transaction alone."""
    return session.scalars(
        select(TrailHead).where(TrailHead.id == 1).with_for_update().execution_options(populate_existing=True)
    ).one()


def get_head(session: Session) -> tuple[int, str]:
    head = session.execute(select(TrailHead.number, TrailHead.hash)).one()
    return head.number, head.hash


def iter_entries(session: Session) -> Iterator[TrailEntry]:
    """All entries by number, a batch in memory at a time."""
    after = -1
    while True:
        query = select(TrailEntry).where(TrailEntry.number > after).order_by(TrailEntry.number).limit(AT_ONCE)
        entries = session.scalars(query).all()
        yield from entries
        if len(entries) < AT_ONCE:
            return
        after = entries[-1].number
        session.expunge_all()


def find_entries(
    session: Session,
    campaign: str = "",
    actor: str = "",
    act: str = "",
    before: int | None = None,
    limit: int = 100,
    subject: str = "",
) -> Sequence[TrailEntry]:
    """Newest first; ``before`` is a number to go on from, ``act`` also the beginning of one ("campaign.")."""
    query = select(TrailEntry).order_by(TrailEntry.number.desc()).limit(limit)
    if campaign:
        query = query.where(TrailEntry.campaign == campaign)
    if actor:
        query = query.where(TrailEntry.actor == actor)
    if act:
        query = query.where(func.substr(TrailEntry.act, 1, len(act)) == act)
    if subject:
        query = query.where(TrailEntry.subject == subject)
    if before is not None:
        query = query.where(TrailEntry.number < before)
    return session.scalars(query).all()
