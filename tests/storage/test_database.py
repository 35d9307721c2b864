"""Connections and transactions: SQLite's settings, and writers that wait for each other instead of failing."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.databases import app_on
from tests.storage.rows import put_campaign
from voting.storage.campaigns import Campaign, find_by_slug, get_by_slug, lock_by_slug
from voting.storage.database import Base, begin_write, db


def test_tables_do_not_bring_the_legacy_query() -> None:
    assert not hasattr(Campaign, "query")
    assert db.metadatas[None] is Base.metadata


def test_sqlite_settings_hold_on_every_connection(sqlite_url: str) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "busy_timeout": 10_000,
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }
    with app_on(sqlite_url), db.engine.connect() as one, db.engine.connect() as two:
        for connection in (one, two):
            for name, value in wanted.items():
                assert connection.scalar(text(f"PRAGMA {name}")) == value, name


def test_a_writing_sqlite_transaction_locks_from_its_start(sqlite_url: str) -> None:
    with app_on(sqlite_url), Session(db.engine) as writer, Session(db.engine) as other:
        begin_write(writer)
        other.execute(text("PRAGMA busy_timeout=1"))
        other.rollback()
        with pytest.raises(OperationalError, match="locked"):
            begin_write(other)
        assert find_by_slug(other, "best") is None, "readers go on"
        other.rollback()
        writer.rollback()
        begin_write(other)
        other.rollback()


def test_the_next_transaction_of_a_writer_reads_again(sqlite_url: str) -> None:
    with app_on(sqlite_url), Session(db.engine) as one, Session(db.engine) as two:
        begin_write(one)
        one.commit()
        one.execute(text("SELECT 1 FROM campaigns"))
        begin_write(two)  # would wait ten seconds and fail if the first still held the lock
        two.rollback()


def test_begin_write_must_come_first(ledger: Session) -> None:
    begin_write(ledger)
    begin_write(ledger)  # inside a writing transaction it has nothing to do
    ledger.rollback()
    ledger.execute(text("SELECT 1"))
    with pytest.raises(RuntimeError, match="must come first"):
        begin_write(ledger)


def test_two_writers_that_read_first_lose_nothing(ledger_app: Flask) -> None:
    """Read, add one, write back, from four threads at once: what a transaction that locks too late gets wrong."""
    with Session(db.engine) as session:
        put_campaign(session)
        session.commit()

    errors: list[Exception] = []

    def raise_version() -> None:
        try:
            with ledger_app.app_context(), Session(db.engine) as session:
                for _ in range(25):
                    begin_write(session)
                    campaign = lock_by_slug(session, "best")
                    campaign.version = campaign.version + 1
                    session.commit()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=raise_version) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Session(db.engine) as session:
        assert get_by_slug(session, "best").version == 101
