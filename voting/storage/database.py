"""The database itself: the declarative base, the connection settings of SQLite, and how a writing transaction begins.

Tables and queries live in the files beside this one. ``find_`` may return None, ``get_`` raises, nothing commits.
"""

from __future__ import annotations

import sqlite3
from typing import Any, TypeAlias, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, Row, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

#: Every constraint has a predictable name, so that a migration can find it on both databases.
NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

#: A row of a query for columns; its values are reached by their names.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]

BUSY_TIMEOUT_MS = 10_000
_WRITING = "voting_writing"


class Base(DeclarativeBase):
    """What every table inherits from. Not ``db.Model``: that one brings the legacy ``Model.query`` along."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    # The driver would begin transactions by itself, and only before a write; _begin says when and how instead.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Without this, INSERT OR REPLACE would delete a ledger row and fire no trigger.
    connection.execute("PRAGMA recursive_triggers=ON")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # A transaction that reads first and writes later is refused at once when another writer came between;
        # one that is IMMEDIATE from its start waits its turn.
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def begin_write(session: Session) -> None:
    """Begin a writing transaction; the first statement of a service that writes.

    Raises RuntimeError when the session is already inside a reading one: end that with commit() or rollback() first.
    """
    if session.in_transaction():
        if session.connection().get_execution_options().get(_WRITING):
            return
        raise RuntimeError("begin_write() must come first: this session is already in a reading transaction")
    session.connection(execution_options={_WRITING: True})


def begin_snapshot(session: Session) -> None:
    """Begin a reading transaction in which every statement sees the database of one and the same instant."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def table_of(model: type[Base]) -> Table:
    """The Core table of a model: statements on it skip the ORM, which bulk inserts need not pay for."""
    return cast(Table, model.__table__)


def insert_for(session: Session, model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """A Core INSERT that knows ON CONFLICT, which standard SQL lacks and each database has its own class for."""
    postgres = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table_of(model)) if postgres else sqlite.insert(table_of(model))
