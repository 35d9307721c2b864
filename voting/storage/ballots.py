"""The ledger: ballots, their choices, and voids. Append-only: the database itself refuses UPDATE and DELETE.

A ballot's place in the stream, ``(stream_ms, stream_seq)``, is its order; ``stream_ms`` is when it was accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.rules.periods import HOUR_MS, MINUTE_MS
from voting.storage.database import AnyRow, Base, insert_for, table_of

StreamId = tuple[int, int]
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])

#: SQLite allows 32,766 values in a statement; a list of ids is asked for in pieces of this size.
_IDS_AT_ONCE = 5_000


class Ballot(Base):
    __tablename__ = "ballots"
    __table_args__ = (
        UniqueConstraint("campaign_id", "stream_ms", "stream_seq"),
        Index(None, "campaign_id", "voter_key"),
    )

    ballot_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    stream_ms: Mapped[int] = mapped_column(BigInteger)
    stream_seq: Mapped[int] = mapped_column(BigInteger)
    voter_key: Mapped[bytes] = mapped_column(LargeBinary(16))
    receipt: Mapped[str] = mapped_column(String(16), unique=True)
    network: Mapped[str] = mapped_column(String(43))
    address_hash: Mapped[bytes] = mapped_column(LargeBinary(8))
    marks: Mapped[str] = mapped_column(String(64), default="", server_default="")


class Choice(Base):
    __tablename__ = "choices"
    __table_args__ = (CheckConstraint("times > 0", name="times"),)

    ballot_id: Mapped[str] = mapped_column(ForeignKey("ballots.ballot_id"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id"), primary_key=True, index=True)
    times: Mapped[int] = mapped_column(SmallInteger)


class Void(Base):
    """A mark that a ballot no longer counts; the ballot itself stays."""

    __tablename__ = "voids"

    ballot_id: Mapped[str] = mapped_column(ForeignKey("ballots.ballot_id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(64))
    evidence: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)


def insert_ballots(session: Session, rows: Sequence[dict[str, Any]], choices: Sequence[dict[str, Any]]) -> int:
    """Insert ballots and then their choices, skipping what is already there; returns how many ballots were new.

    Every row carries all columns; ``marks`` too. Rows come in stream order: then two recorders with the same ballots
    wait for each other and cannot deadlock. A ballot that meets *another* ballot's receipt or place in the
    stream is skipped, and its choices then raise IntegrityError: nothing is lost silently. Whether a ballot that was
    already there has the same content is for the caller to compare, with ``ballots_by_id`` and ``choices_of``.
    """
    if not rows:
        return 0
    inserted = _insert_new(session, Ballot, rows)
    if choices:
        _insert_new(session, Choice, choices)
    return inserted


def _insert_new(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows that meet no other on any unique key; returns how many."""
    # No conflict target: with one, two recorders racing over the same ballot could collide on another unique key.
    insert = insert_for(session, model).on_conflict_do_nothing()
    dialect = session.get_bind().dialect
    done: Any
    if dialect.name == "sqlite":
        # The driver's own way of many rows: handed over one by one as dictionaries, half the time went into that.
        statement = insert.compile(dialect=dialect)
        values = list(map(itemgetter(*(statement.positiontup or ())), rows))
        done = session.connection().exec_driver_sql(str(statement), values, {"preserve_rowcount": True})
    else:
        # One array for each column instead of one message for each row: a third of the client's CPU time.
        columns = table_of(model).columns
        arrays = [func.unnest(bindparam(None, [row[c.name] for row in rows], type_=ARRAY(c.type))) for c in columns]
        insert = insert.from_select([c.name for c in columns], select(*arrays))
        done = session.execute(insert, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def ballots_by_id(session: Session, ids: Sequence[str]) -> dict[str, AnyRow]:
    """Those of the ballots that are recorded, by id, as rows of every column."""
    found: dict[str, AnyRow] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = select(table_of(Ballot)).where(Ballot.ballot_id.in_(ids[start : start + _IDS_AT_ONCE]))
        found.update((row.ballot_id, row) for row in session.execute(query))
    return found


def choices_of(session: Session, ids: Sequence[str]) -> dict[str, dict[int, int]]:
    """The choices of recorded ballots: ballot id -> {candidate id: times}, candidates ascending."""
    found: dict[str, dict[int, int]] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = (
            select(Choice.ballot_id, Choice.candidate_id, Choice.times)
            .where(Choice.ballot_id.in_(ids[start : start + _IDS_AT_ONCE]))
            .order_by(Choice.ballot_id, Choice.candidate_id)
        )
        for ballot_id, candidate_id, times in session.execute(query):
            found.setdefault(ballot_id, {})[candidate_id] = times
    return found


def find_ballot_by_receipt(session: Session, code: str) -> AnyRow | None:
    """The ballot of a receipt code, as a row of every column."""
    return session.execute(select(table_of(Ballot)).where(Ballot.receipt == code)).one_or_none()


def ballots_of_voters(session: Session, campaign_id: int, voters: Sequence[bytes], limit: int) -> Sequence[AnyRow]:
    """The newest ballots of some voters of a campaign, as rows of every column."""
    query = select(table_of(Ballot)).where(Ballot.campaign_id == campaign_id, Ballot.voter_key.in_(voters))
    return session.execute(query.order_by(Ballot.stream_ms.desc(), Ballot.stream_seq.desc()).limit(limit)).all()


def last_stream_id(session: Session, campaign_id: int) -> StreamId | None:
    """The highest place in the stream that is recorded. Several recorders: lower ones may still be on their way."""
    query = select(Ballot.stream_ms, Ballot.stream_seq).where(Ballot.campaign_id == campaign_id)
    row = session.execute(query.order_by(Ballot.stream_ms.desc(), Ballot.stream_seq.desc()).limit(1)).one_or_none()
    return None if row is None else (row.stream_ms, row.stream_seq)


def _between(query: Query, after: StreamId | None, upto: StreamId | None) -> Query:
    """Only the ballots behind one place in the stream, and at or before another."""
    place = tuple_(Ballot.stream_ms, Ballot.stream_seq)
    if after is not None:
        query = query.where(place > tuple_(*after))
    return query if upto is None else query.where(place <= tuple_(*upto))


def count_ballots(
    session: Session,
    campaign_id: int,
    upto: StreamId | None = None,
    without_voided: bool = False,
    after: StreamId | None = None,
) -> int:
    """How many ballots are recorded, up to and with a place in the stream, and behind another."""
    query = _between(select(func.count()).select_from(Ballot).where(Ballot.campaign_id == campaign_id), after, upto)
    if without_voided:
        query = query.where(Ballot.ballot_id.not_in(select(Void.ballot_id)))
    return session.scalar(query) or 0


def counts_by_candidate(
    session: Session,
    campaign_id: int,
    upto: StreamId | None = None,
    without_voided: bool = False,
    after: StreamId | None = None,
) -> dict[int, int]:
    """Recorded votes by candidate id, up to and with a place in the stream, and behind another.

    Candidates without votes are left out.
    """
    query = select(Choice.candidate_id, func.sum(Choice.times)).join(Ballot, Ballot.ballot_id == Choice.ballot_id)
    query = _between(query.where(Ballot.campaign_id == campaign_id), after, upto)
    if without_voided:
        query = query.where(Ballot.ballot_id.not_in(select(Void.ballot_id)))
    return {candidate: int(votes) for candidate, votes in session.execute(query.group_by(Choice.candidate_id))}


def votes_by_hour(
    session: Session,
    campaign_id: int,
    window: tuple[int, int],
    shift_ms: int = 0,
    without_voided: bool = False,
) -> dict[int, int]:
    """Recorded votes of ballots accepted in ``window`` (from <= t < until), by hour number; empty hours are left out.

    The number is whole hours since 1970 on a clock that runs ``shift_ms`` ahead of UTC.
    """
    hour = ((Ballot.stream_ms + shift_ms) // HOUR_MS).label("hour")
    query = select(hour, func.sum(Choice.times)).join(Ballot, Ballot.ballot_id == Choice.ballot_id)
    query = query.where(Ballot.campaign_id == campaign_id, Ballot.stream_ms >= window[0], Ballot.stream_ms < window[1])
    if without_voided:
        query = query.where(Ballot.ballot_id.not_in(select(Void.ballot_id)))
    # By the name of the column: PostgreSQL would take two bound values for two different expressions.
    return {int(number): int(votes) for number, votes in session.execute(query.group_by("hour"))}


def iter_anonymous(
    session: Session, campaign_id: int, window: tuple[int, int], batch: int = 2000
) -> Iterator[tuple[dict[int, int], str | None]]:
    """Recorded ballots accepted in ``window``: each one's choices, and why it is void. Nothing else of them is read.

    In the order of their receipt codes, which is chance: neither who voted nor in which order can be told from it.
    """
    query = select(Ballot.receipt, Ballot.ballot_id, Void.reason).outerjoin(Void, Void.ballot_id == Ballot.ballot_id)
    query = query.where(Ballot.campaign_id == campaign_id, Ballot.stream_ms >= window[0], Ballot.stream_ms < window[1])
    query = query.order_by(Ballot.receipt)
    for part in session.execute(query, execution_options={"yield_per": batch}).partitions(batch):
        choices = choices_of(session, [ballot_id for _, ballot_id, _ in part])
        for _, ballot_id, reason in part:
            yield choices.get(ballot_id, {}), reason


def ballots_by_minute(session: Session, campaign_id: int, window: tuple[int, int]) -> list[tuple[int, str, int]]:
    """Recorded ballots accepted in ``window`` (from <= t < until): minutes since 1970, marks, and how many."""
    minute = (Ballot.stream_ms // MINUTE_MS).label("minute")
    query = select(minute, Ballot.marks, func.count().label("ballots"))
    query = query.where(Ballot.campaign_id == campaign_id, Ballot.stream_ms >= window[0], Ballot.stream_ms < window[1])
    rows = session.execute(query.group_by("minute", Ballot.marks))
    return [(int(number), marks, ballots) for number, marks, ballots in rows]


def iter_ballots(
    session: Session, campaign_id: int, after: StreamId | None = None, batch: int = 2000
) -> Iterator[tuple[AnyRow, dict[int, int]]]:
    """Recorded ballots in stream order, each with its choices; reads ``batch`` at a time, so memory stays small.

    ``after`` is left out of the answer: pass the last place already seen to go on from there.
    """
    query = select(table_of(Ballot)).where(Ballot.campaign_id == campaign_id)
    query = query.order_by(Ballot.stream_ms, Ballot.stream_seq).limit(batch)
    while True:
        here = query if after is None else query.where(tuple_(Ballot.stream_ms, Ballot.stream_seq) > tuple_(*after))
        rows = session.execute(here).all()
        choices = choices_of(session, [row.ballot_id for row in rows])
        for row in rows:
            yield row, choices.get(row.ballot_id, {})
        if len(rows) < batch:
            return
        after = (rows[-1].stream_ms, rows[-1].stream_seq)


def insert_void(session: Session, ballot_id: str, reason: str, actor: str, evidence: str, created_at: int) -> None:
    """Mark a ballot as void. A ballot is voided once: a second time raises IntegrityError."""
    values = {"ballot_id": ballot_id, "reason": reason, "actor": actor, "evidence": evidence, "created_at": created_at}
    session.execute(insert_for(session, Void), values)


def voids_by_reason(session: Session, campaign_id: int) -> dict[str, int]:
    """How many ballots of a campaign are void, by reason."""
    query = select(Void.reason, func.count().label("ballots")).join(Ballot, Ballot.ballot_id == Void.ballot_id)
    query = query.where(Ballot.campaign_id == campaign_id).group_by(Void.reason).order_by(Void.reason)
    return {row.reason: row.ballots for row in session.execute(query)}
