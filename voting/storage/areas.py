"""The areas table: county, town and village under a city, by their national statistical codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.rules.areas import Area, AreaTree
from voting.storage.database import Base, insert_for

#: From the top of the tree to its leaves.
LEVELS = ("city", "county", "town", "village")


class AreaRow(Base):
    __tablename__ = "areas"
    __table_args__ = (CheckConstraint("level IN ('city', 'county', 'town', 'village')", name="level"),)

    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    level: Mapped[str] = mapped_column(String(8))
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))


def load_areas(session: Session) -> AreaTree:
    """All areas as a tree, in the order of their codes."""
    rows = session.execute(
        select(AreaRow.code, AreaRow.name, AreaRow.level, AreaRow.parent_code).order_by(AreaRow.code)
    )
    return AreaTree(Area(code, name, level, parent) for code, name, level, parent in rows)


def count_areas(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AreaRow)) or 0


def save_areas(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert areas, or rename and move those that are there. A parent must come before its children."""
    if not rows:
        return
    insert = insert_for(session, AreaRow)
    changed = {name: insert.excluded[name] for name in ("name", "level", "parent_code")}
    session.execute(insert.on_conflict_do_update(index_elements=["code"], set_=changed), rows)


def find_area_code(session: Session, code: str) -> str | None:
    """The code, when there is such an area."""
    return session.scalar(select(AreaRow.code).where(AreaRow.code == code))


def find_children(session: Session, parent: str | None) -> list[Area]:
    """The areas right below one, or the top of the tree, in the order of their codes."""
    query = select(AreaRow.code, AreaRow.name, AreaRow.level, AreaRow.parent_code).order_by(AreaRow.code)
    # Compared with None it is IS NULL.
    rows = session.execute(query.where(AreaRow.parent_code == parent))
    return [Area(code, name, level, above) for code, name, level, above in rows]


def find_lineage(session: Session, code: str) -> list[Area]:
    """From the top of the tree down to the area; empty when there is none of that code."""
    found: list[Area] = []
    at: str | None = code
    while at is not None and (row := session.get(AreaRow, at)) is not None:
        found.append(Area(row.code, row.name, row.level, row.parent_code))
        at = row.parent_code
    return found[::-1]


def list_below(session: Session, code: str) -> list[Area]:
    """An area and everything in it, by their codes, which nest."""
    query = select(AreaRow.code, AreaRow.name, AreaRow.level, AreaRow.parent_code).order_by(AreaRow.code)
    rows = session.execute(query.where(AreaRow.code.startswith(code, autoescape=True)))
    return [Area(code, name, level, above) for code, name, level, above in rows]
