"""Runs the numbered steps of ``versions/``: all of them in one transaction, one process at a time."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

# The table modules register themselves with the metadata that autogenerate compares.
from voting.storage import areas, ballots, campaigns, candidates, nominations, requests, results, rule_versions  # noqa: F401
from voting.storage.database import Base, db

#: Any number will do, as long as it stays: it names the lock that keeps two nodes from migrating at once.
MIGRATION_LOCK = 4417


def foreign_keys(connection: Connection, on: bool) -> None:
    """Switch SQLite's foreign keys, which only works outside of a transaction."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.run_migrations()
        if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
            raise RuntimeError("the migration would leave rows behind that point to nothing; it was undone")


def main() -> None:
    if context.is_offline_mode():
        url = current_app.config["SQLALCHEMY_DATABASE_URI"]
        context.configure(url=url, target_metadata=Base.metadata, literal_binds=True, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    with db.engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            migrate(connection)
            return
        # Batch operations copy a table and drop the old one; with foreign keys on, that would refuse or cascade.
        foreign_keys(connection, False)
        try:
            migrate(connection.execution_options(voting_writing=True))
        finally:
            connection.rollback()
            foreign_keys(connection, True)


main()
