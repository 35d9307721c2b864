"""A stand: one demonstration campaign on a Valkey and a database of its own, in a folder that is removed afterwards.

Lives here: what stands still while something is measured. Servers are in servers.py, load in load.py.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask

from voting.app import create_app
from voting.services import demonstration
from voting.services.boxes import boxes
from voting.services.campaigns import campaign_state
from voting.storage.database import db
from voting.tally import embedded

ROOT = Path(__file__).resolve().parent.parent
SLUG = demonstration.SLUG
SECRET_KEY = "benchmark: signs cookies"
VOTER_SECRET = "benchmark: makes pseudonyms"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of our own with a short path (sockets), gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="votingbench"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Stand:
    """A migrated database with the demonstration campaign open, and its Valkey."""

    name: str
    folder: Path
    valkey: embedded.EmbeddedValkey
    database_url: str
    app: Flask

    def environment(self) -> dict[str, str]:
        """What a server of this stand reads: production settings, one proxy in front, metrics shared by files."""
        metrics = self.folder / "metrics"
        metrics.mkdir(exist_ok=True)
        return {
            "VOTING_ENV": "production",
            "SECRET_KEY": SECRET_KEY,
            "VOTER_SECRET": VOTER_SECRET,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.valkey.url,
            "TRUSTED_PROXIES": "1",
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        }

    def accepted(self) -> int:
        """Ballots the box has accepted so far."""
        with self.app.app_context():
            box = campaign_state(SLUG).box
        assert box is not None
        return box.accepted

    def candidates(self) -> dict[str, list[int]]:
        """Candidate ids by award."""
        with self.app.app_context():
            ids: dict[str, list[int]] = {}
            for candidate in campaign_state(SLUG).campaign.candidates:
                ids.setdefault(candidate.award, []).append(candidate.id)
            return ids


def settings(valkey_url: str, database_url: str) -> dict[str, Any]:
    """Overrides for an application inside the benchmark program itself."""
    return {
        "SECRET_KEY": SECRET_KEY,
        "VOTER_SECRET": VOTER_SECRET,
        "SQLALCHEMY_DATABASE_URI": database_url,
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "TRUSTED_PROXIES": 1,
        "SESSION_COOKIE_SECURE": True,
    }


@contextmanager
def stand(
    folder: Path,
    name: str,
    appendfsync: str = "always",
    environment: dict[str, str] | None = None,
    database_url: str | None = None,
    seed: bool = True,
) -> Iterator[Stand]:
    """Set one up under ``folder``; SQLite unless a database is given. Everything it started is stopped at the end."""
    here = folder / name
    here.mkdir()
    url = database_url or f"sqlite:///{here / 'voting.sqlite3'}"
    valkey = embedded.start(here / "valkey", appendfsync=appendfsync, environment=environment)
    try:
        app = create_app(settings(valkey.url, url))
        with app.app_context():
            flask_migrate.upgrade()
            if seed:
                demonstration.seed_if_empty()
        try:
            yield Stand(name, here, valkey, url, app)
        finally:
            with app.app_context():
                boxes().client.close()
                db.session.remove()
                db.engine.dispose()
    finally:
        valkey.stop()
