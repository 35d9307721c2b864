"""Results: every version of a campaign's result with its inputs, and where each candidate stands in it.

Ranking and ties are decided in ``voting/rules/ranking.py``. An older version is kept; a newer one stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.storage.database import AnyRow, Base, table_of


class Result(Base):
    """``inputs`` and ``difference`` are JSON: what was counted, and where the tally disagreed with the ledger."""

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint("campaign_id", "version"),
        CheckConstraint("state IN ('provisional', 'published')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int] = mapped_column(BigInteger)
    inputs: Mapped[str] = mapped_column(Text)
    difference: Mapped[str] = mapped_column(Text)


class Standing(Base):
    __tablename__ = "standings"
    __table_args__ = (CheckConstraint("outcome IN ('selected', 'tie_at_last_seat', 'not_selected')", name="outcome"),)

    result_id: Mapped[int] = mapped_column(ForeignKey("results.id"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id"), primary_key=True)
    award: Mapped[str] = mapped_column(String(32))
    rank: Mapped[int]
    votes: Mapped[int]
    tied: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(32))


def find_latest_result(session: Session, campaign_id: int) -> Result | None:
    query = select(Result).where(Result.campaign_id == campaign_id).order_by(Result.version.desc()).limit(1)
    return session.scalar(query)


def list_results(session: Session, campaign_id: int) -> Sequence[Result]:
    """Every version of a campaign's result, newest first."""
    query = select(Result).where(Result.campaign_id == campaign_id).order_by(Result.version.desc())
    return session.scalars(query).all()


def insert_result(
    session: Session,
    campaign_id: int,
    state: str,
    created_at: int,
    inputs: str,
    difference: str,
    standings: Sequence[dict[str, Any]],
) -> Result:
    """Insert the next version of the result with its standings (rows carry every column but ``result_id``)."""
    latest = find_latest_result(session, campaign_id)
    result = Result(
        campaign_id=campaign_id,
        version=1 if latest is None else latest.version + 1,
        state=state,
        created_at=created_at,
        inputs=inputs,
        difference=difference,
    )
    session.add(result)
    session.flush()
    if standings:
        session.execute(insert(table_of(Standing)), [row | {"result_id": result.id} for row in standings])
    return result


def list_standings(session: Session, result_id: int) -> Sequence[AnyRow]:
    """Standings of a result by award and rank, as light rows; the same rank is ordered by candidate id."""
    query = select(table_of(Standing)).where(Standing.result_id == result_id)
    return session.execute(query.order_by(Standing.award, Standing.rank, Standing.candidate_id)).all()
