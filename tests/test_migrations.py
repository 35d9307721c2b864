"""The database's history: one line of numbered steps, up and down on both databases, and no drift from the models."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from tests.databases import MIGRATIONS, app_on, migrate_to
from voting.storage import areas, ballots, campaigns, candidates, nominations, requests, results, rule_versions  # noqa: F401
from voting.storage.database import Base, db

TABLES = {"areas", "campaigns", "candidates", "ballots", "choices", "voids", "results", "standings", "requests"}
TABLES |= {"rule_versions", "rule_proposals"}
TABLES |= {"accounts", "recovery_codes", "invitations", "desk_sessions", "trail", "trail_head"}
TABLES |= {"nominations", "nomination_calls"}
APPEND_ONLY = ("ballots", "choices", "voids")

ONE_BALLOT = (
    "INSERT INTO campaigns (id, slug, title, summary, organizer_name, contact, demonstration, stage, rules, created_at,"
    " version) VALUES (1, 's', 't', '', '', '', FALSE, 'open', '{}', 0, 1)",
    "INSERT INTO candidates (id, campaign_id, award, number, code, name, summary, story, standing)"
    " VALUES (1, 1, 'a', 1, 'c', 'n', '', '', 'standing')",
    "INSERT INTO ballots (ballot_id, campaign_id, stream_ms, stream_seq, voter_key, receipt, network, address_hash)"
    " VALUES ('B', 1, 1, 0, 'k', 'r', 'n', 'h')",
    "INSERT INTO choices (ballot_id, candidate_id, times) VALUES ('B', 1, 1)",
    "INSERT INTO voids (ballot_id, reason, actor, evidence, created_at) VALUES ('B', 'r', 'a', 'e', 0)",
)


def _triggers(engine: Engine) -> set[str]:
    if engine.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    with engine.connect() as connection:
        return set(connection.scalars(text(query)))


def test_one_head_and_numbered_names() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert len(script.get_heads()) == 1
    names = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    assert names, "no migrations were found"
    for place, name in enumerate(names, 1):
        assert re.fullmatch(rf"{place:04}_[a-z0-9_]+\.py", name), f"{name} should begin with {place:04}_"
    line = [step.revision for step in script.walk_revisions()][::-1]
    assert line == [name[:4] for name in names]


def test_up_and_down_and_up_again(empty_database_url: str) -> None:
    with app_on(empty_database_url):
        for _ in range(2):
            flask_migrate.upgrade()
            assert set(inspect(db.engine).get_table_names()) == TABLES | {"alembic_version"}
            assert _triggers(db.engine)
            flask_migrate.downgrade(revision="base")
            assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
            assert not _triggers(db.engine)


def test_the_models_and_the_history_agree(empty_database_url: str) -> None:
    migrate_to(empty_database_url)
    with app_on(empty_database_url):
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []
        constraints = [one for table in Base.metadata.tables.values() for one in table.constraints]
        assert _checks(db.engine) == {one.name for one in constraints if isinstance(one, CheckConstraint)}


def _checks(engine: Engine) -> set[object]:
    """The names of all CHECK constraints; autogenerate does not compare these."""
    look = inspect(engine)
    return {check["name"] for table in TABLES for check in look.get_check_constraints(table)}


def test_a_ledger_with_ballots_is_not_dropped(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with app_on(database_url):
        with db.engine.begin() as connection:
            for statement in ONE_BALLOT:
                connection.execute(text(statement))
        with pytest.raises(SystemExit):  # what Flask-Migrate makes of an error, after one line in the log
            flask_migrate.downgrade(revision="base")
        assert "the ledger holds ballots: dropping it is refused" in caplog.text
        assert set(inspect(db.engine).get_table_names()) == TABLES | {"alembic_version"}


def test_a_step_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    """Half of step 0001 cannot be applied because a table is in its way; the other half is not applied either."""
    with app_on(empty_database_url):
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE standings (id INTEGER)"))
        with pytest.raises(DBAPIError):
            flask_migrate.upgrade()
        assert set(inspect(db.engine).get_table_names()) == {"standings"}


BROKEN_STEP = """
from alembic import op
revision, down_revision = "{after}", "{before}"
def upgrade():
    op.execute("CREATE TABLE half (id INTEGER)")
    raise RuntimeError("the second half fails")
"""


def test_all_steps_or_none(empty_database_url: str, tmp_path: Path) -> None:
    """A step that fails undoes those that were made before it in the same run."""
    folder = Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__")))
    (head,) = ScriptDirectory(str(folder)).get_heads()
    (folder / "versions" / "9999_broken.py").write_text(BROKEN_STEP.format(after="9999", before=head))
    with app_on(empty_database_url):
        with pytest.raises(SystemExit):  # what Flask-Migrate makes of it
            flask_migrate.upgrade(directory=str(folder))
        assert inspect(db.engine).get_table_names() == []


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET ballot_id = ballot_id",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    ],
)
def test_the_ledger_is_append_only(database_url: str, table: str, statement: str) -> None:
    postgres = database_url.startswith("postgresql")
    if ("TRUNCATE" in statement and not postgres) or ("REPLACE" in statement and postgres):
        return  # a statement the other database does not have
    with app_on(database_url):
        with db.engine.begin() as connection:
            for line in ONE_BALLOT:
                connection.execute(text(line))
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), db.engine.begin() as connection:
            connection.execute(text(statement.format(table=table)))
        with db.engine.connect() as connection:
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1


def test_foreign_keys_are_on_again_after_a_migration(sqlite_url: str) -> None:
    with app_on(sqlite_url):
        flask_migrate.upgrade()
        with db.engine.connect() as connection:
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
