"""The candidates table: who can be chosen, under which award, and where they live.

``code`` is the key of imports and unique in an award; ``number`` is what people see and unique in the campaign;
``photo`` names a picture by its content (``services/photos.py``), null while there is none; ``standing_reason`` says
why somebody was taken off the list, ``disqualified`` that it was not their own wish.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.rules.errors import CandidateNotFound
from voting.storage.database import AnyRow, Base, table_of

AT_ONCE = 1000
_EDITABLE = ("group_key", "number", "name", "area_code", "summary", "story")


class Candidate(Base):
    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("campaign_id", "number"),
        UniqueConstraint("campaign_id", "award", "code"),
        Index(None, "campaign_id", "award"),
        CheckConstraint("standing IN ('standing', 'withdrawn')", name="standing"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    award: Mapped[str] = mapped_column(String(32))
    group_key: Mapped[str | None] = mapped_column(String(32))
    number: Mapped[int]
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    summary: Mapped[str] = mapped_column(String(280), default="")
    story: Mapped[str] = mapped_column(Text, default="")
    standing: Mapped[str] = mapped_column(String(16), default="standing")
    photo: Mapped[str | None] = mapped_column(String(32))
    standing_reason: Mapped[str] = mapped_column(String(280), default="", server_default="")
    disqualified: Mapped[bool] = mapped_column(default=False, server_default=false())


def insert_candidates(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert many candidates; rows carry every column but id and photo. The ids follow the order of the rows."""
    if rows:
        session.execute(insert(table_of(Candidate)), rows)


def release_numbers(session: Session, ids: Sequence[int]) -> None:
    """Let candidates step aside to numbers nobody has, their ids below zero, before they exchange numbers."""
    if ids:
        table = table_of(Candidate)
        step_aside = update(table).where(table.c.id == bindparam("which")).values(number=-table.c.id)
        session.execute(step_aside, [{"which": each} for each in ids])


def update_candidates(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Change group, number, name, area, summary and story; rows carry these and ``id``.

    Where numbers move between candidates, ``release_numbers`` comes first, for all of them.
    """
    if not rows:
        return
    table = table_of(Candidate)
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _EDITABLE}
    changed = [{"which": row["id"]} | {f"new_{name}": row[name] for name in _EDITABLE} for row in rows]
    session.execute(update(table).where(table.c.id == bindparam("which")).values(values), changed)


def list_candidates(session: Session, campaign_id: int) -> Sequence[AnyRow]:
    """All candidates of a campaign by number, as light rows: every column but the campaign's id, no ORM objects."""
    return session.execute(_light(campaign_id)).all()


def iter_candidates(session: Session, campaign_id: int) -> Iterator[AnyRow]:
    """As ``list_candidates``, some in memory at a time: for whoever keeps little of tens of thousands."""
    yield from session.execute(_light(campaign_id), execution_options={"yield_per": AT_ONCE})


def _light(campaign_id: int) -> Select[*tuple[Any, ...]]:
    query = select(
        Candidate.id,
        Candidate.number,
        Candidate.award,
        Candidate.group_key,
        Candidate.code,
        Candidate.name,
        Candidate.area_code,
        Candidate.summary,
        Candidate.story,
        Candidate.standing,
        Candidate.photo,
    )
    return query.where(Candidate.campaign_id == campaign_id).order_by(Candidate.number)


def get_candidate(session: Session, candidate_id: int) -> Candidate:
    """The candidate of that id; raises CandidateNotFound."""
    candidate = session.get(Candidate, candidate_id)
    if candidate is None:
        raise CandidateNotFound(candidate_id)
    return candidate


def set_photo(session: Session, candidate_id: int, photo: str | None) -> None:
    """Give a candidate a picture, or take it away."""
    table = table_of(Candidate)
    session.execute(update(table).where(table.c.id == candidate_id).values(photo=photo))


def count_standing(session: Session, campaign_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """How many candidates stand, by award key and by group key."""
    query = select(Candidate.award, Candidate.group_key, func.count()).where(
        Candidate.campaign_id == campaign_id, Candidate.standing == "standing"
    )
    awards: dict[str, int] = {}
    groups: dict[str, int] = {}
    for award, group, count in session.execute(query.group_by(Candidate.award, Candidate.group_key)):
        awards[award] = awards.get(award, 0) + count
        if group is not None:
            groups[group] = groups.get(group, 0) + count
    return awards, groups


def count_places(session: Session, campaign_id: int) -> dict[tuple[str, str | None], int]:
    """How many candidates there are, withdrawn ones too, by award key and group key."""
    query = select(Candidate.award, Candidate.group_key, func.count()).where(Candidate.campaign_id == campaign_id)
    found = session.execute(query.group_by(Candidate.award, Candidate.group_key))
    return {(award, group): count for award, group, count in found}


def find_number(session: Session, campaign_id: int, number: int) -> AnyRow | None:
    """Id and name of whoever has a number."""
    mine = (Candidate.campaign_id == campaign_id) & (Candidate.number == number)
    return session.execute(select(Candidate.id, Candidate.name).where(mine)).one_or_none()


def set_numbers(session: Session, numbers: Sequence[tuple[int, int]]) -> None:
    """Give candidates, by id, their numbers; ``release_numbers`` comes first."""
    if numbers:
        table = table_of(Candidate)
        give = update(table).where(table.c.id == bindparam("which")).values(number=bindparam("given"))
        session.execute(give, [{"which": which, "given": number} for which, number in numbers])


def highest_number(session: Session, campaign_id: int) -> int:
    """The highest number anybody has, 0 without candidates."""
    return session.scalar(select(func.max(Candidate.number)).where(Candidate.campaign_id == campaign_id)) or 0


def find_by_code(session: Session, campaign_id: int, award: str, code: str) -> int | None:
    """The id of whoever has a code in an award."""
    mine = (Candidate.campaign_id == campaign_id) & (Candidate.award == award) & (Candidate.code == code)
    return session.scalar(select(Candidate.id).where(mine))


def find_namesakes(session: Session, campaign_id: int, award: str, name: str, area: str | None) -> Sequence[AnyRow]:
    """Id and number of candidates of the same name, award and area."""
    query = select(Candidate.id, Candidate.number).where(
        Candidate.campaign_id == campaign_id,
        Candidate.award == award,
        Candidate.name == name,
        Candidate.area_code == area,
    )
    return session.execute(query.order_by(Candidate.number)).all()
