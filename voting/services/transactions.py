"""The writing transaction of a service: begun first, committed at the end, rolled back when anything went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session

from voting.storage.database import begin_snapshot, begin_write, db

#: the database does not answer: asking again later may help, and nothing is wrong with what was asked
LEDGER_AWAY = (OperationalError, InterfaceError, TimeoutError)


@contextmanager
def writing() -> Iterator[Session]:
    """A session that may write; whatever was read before in this context is let go."""
    session = db.session()
    session.rollback()
    begin_write(session)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def reading() -> Iterator[Session]:
    """A session that sees one instant of the database and holds nothing afterwards."""
    session = db.session()
    session.rollback()
    begin_snapshot(session)
    try:
        yield session
    finally:
        session.rollback()
