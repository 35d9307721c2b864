"""What voters used up according to the ledger: the audit's question whether anybody voted more than the rules allow."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session

from voting.rules.periods import DAY_MS, LocalTime
from voting.rules.quota import Quota
from voting.storage.ballots import Ballot, Choice
from voting.storage.candidates import Candidate

#: from which ms on, and before which; None = no bound
Span = tuple[int | None, int | None]


def _local_day(local: LocalTime) -> ColumnElement[Any]:
    """The local day number of a ballot, as SQL."""
    first, *later = local.offsets
    offset: ColumnElement[Any] = literal(first[1])
    if later:
        steps = [(Ballot.stream_ms >= from_ms, literal(ms)) for from_ms, ms in reversed(later)]
        offset = case(*steps, else_=literal(first[1]))
    return (Ballot.stream_ms + offset) // DAY_MS


def _scopes(quota: Quota) -> list[Any]:
    by: dict[str, list[Any]] = {
        "voter": [],
        "award": [Candidate.award],
        "group": [Candidate.group_key],
        "candidate": [Choice.candidate_id],
    }
    return [Ballot.voter_key, *by[quota.per]]


def _joined(query: Select[*tuple[Any, ...]], quota: Quota, campaign_id: int, span: Span) -> Select[*tuple[Any, ...]]:
    query = query.select_from(Ballot).where(Ballot.campaign_id == campaign_id)
    if span[1] is not None:
        query = query.where(Ballot.stream_ms < span[1])
    if quota.unit == "choices":
        query = query.join(Choice, Choice.ballot_id == Ballot.ballot_id)
        if quota.per in ("award", "group"):
            query = query.join(Candidate, Candidate.id == Choice.candidate_id)
        if quota.per == "group":
            query = query.where(Candidate.group_key.is_not(None))
    return query


def _over_in_periods(session: Session, campaign_id: int, quota: Quota, periods: list[Any], span: Span) -> list[Any]:
    units = func.count() if quota.unit == "ballots" else func.sum(Choice.times)
    columns = [*_scopes(quota), *periods]
    query = _joined(select(*columns, units), quota, campaign_id, span).group_by(*columns).having(units > quota.limit)
    if span[0] is not None:
        # Who had used more before the limit was lowered and sent nothing since has done nothing wrong.
        query = query.having(func.max(Ballot.stream_ms) >= span[0])
    return list(session.execute(query).all())


def _over_rolling(session: Session, campaign_id: int, quota: Quota, span: Span) -> Iterator[Any]:
    """Scopes over the limit in some 24 hours; only those over it in the whole campaign are looked at closely."""
    scopes = _scopes(quota)
    suspects = {tuple(row[:-1]) for row in _over_in_periods(session, campaign_id, quota, [], span)}
    if not suspects:
        return
    times = literal(1) if quota.unit == "ballots" else Choice.times
    query = _joined(select(*scopes, Ballot.stream_ms, times), quota, campaign_id, span)
    query = query.where(Ballot.voter_key.in_({suspect[0] for suspect in suspects}))
    rows = session.execute(query.order_by(*scopes, Ballot.stream_ms)).all()
    for scope, group in groupby(rows, key=lambda row: tuple(row[:-2])):
        recent: list[tuple[int, int]] = []
        for row in group:
            recent = [(at, n) for at, n in recent if at > row[-2] - DAY_MS] + [(row[-2], row[-1])]
            if row[-2] >= (span[0] or 0) and sum(n for _, n in recent) > quota.limit:
                yield scope
                break


def voters_over(session: Session, campaign_id: int, quota: Quota, local: LocalTime, span: Span = (None, None)) -> int:
    """How many voters, scopes and periods of the ledger hold more than a quota line allows; 0 when all is well.

    ``span``: the time in which ballots were judged by this line. What was used before counts, what came later does not.
    """
    if quota.period == "rolling":
        return sum(1 for _ in _over_rolling(session, campaign_id, quota, span))
    periods = [_local_day(local)] if quota.period == "day" else []
    return len(_over_in_periods(session, campaign_id, quota, periods, span))
