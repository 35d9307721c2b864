"""A small real world for tests above the storage floor: the whole application on a real database and a real Valkey.

Fixtures: ``app`` (an application on ``database_url``: SQLite and PostgreSQL) and ``world`` (an open campaign on it);
``lite_app`` and ``lite_world`` are the same on SQLite only, for what does not depend on the database. Processes of
their own are in ``servers.py``; what voters send is in ``crowd.py``.
"""

from __future__ import annotations

import io
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from csv import writer
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from ulid import ULID
from werkzeug.test import TestResponse

from tests.builders import ballot_id_at
from tests.storage.rows import AREAS, COMMUNITY, VILLAGE
from voting.app import create_app
from voting.assets import compile_translations
from voting.services import auditing, campaigns, importing, recording
from voting.services.boxes import boxes
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.storage.database import db
from voting.web.templating import Assets

SECRETS = {"SECRET_KEY": "tests: signs cookies", "VOTER_SECRET": "tests: makes pseudonyms"}
ASSETS = (
    *("citizen.css", "citizen.js", "effort-worker.js", "screen.css", "desk.css", "screen.js", "wizard.js", "watch.js"),
    *("img/favicon.svg", "img/placeholder-centre.svg", "img/placeholder-household.svg"),
)
CENTRES, HOUSEHOLDS = 5, 7
HOUR_S = 3600
DAY_S = 24 * HOUR_S
#: Slugs are never used twice: what a process keeps by slug must not wander from one test to another.
_slugs = (f"best-{number}" for number in itertools.count(1))
T = TypeVar("T")


def calm_zone() -> str:
    """A time zone in which it is about noon: no test meets midnight by accident."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


def rules_text(opens_s: float = -HOUR_S, closes_s: float = DAY_S, **changed: Any) -> str:
    """A rule set as an organizer writes it; the window is given in seconds from now."""
    now = datetime.now(UTC)
    document: dict[str, Any] = {
        "time_zone": calm_zone(),
        "opens_at": (now + timedelta(seconds=opens_s)).isoformat(),
        "closes_at": (now + timedelta(seconds=closes_s)).isoformat(),
        "ballot": {"min": 1, "max": 6},
        "challenge": "off",
        "awards": [
            {"key": "centres", "name": "十佳中心", "seats": 2, "max": 3},
            {"key": "households", "name": "百佳中心户", "seats": 3, "max": 5},
        ],
        "quotas": [
            {"unit": "choices", "per": "candidate", "period": "day", "limit": 1},
            {"unit": "choices", "per": "award", "period": "day", "limit": 4},
            {"unit": "ballots", "per": "voter", "period": "rolling", "limit": 3},
        ],
    }
    return json.dumps(document | changed)


def quota(unit: str, per: str, period: str, limit: int) -> dict[str, Any]:
    return {"unit": unit, "per": per, "period": period, "limit": limit}


def _csv(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> bytes:
    out = io.StringIO()
    writer(out).writerows([header, *rows])
    return out.getvalue().encode()


def put_campaign(slug: str, rules: str, withdrawn: tuple[str, ...] = ("w1",)) -> None:
    """A draft with 5 centres (c1 …), 7 households (h1 …) and a household that withdrew (w1)."""
    areas = [tuple(part or "" for part in area) for area in AREAS]
    assert importing.import_areas(_csv(("code", "name", "level", "parent_code"), areas)).ok
    campaigns.create_campaign(slug, f"十佳评选 {slug}", rules, summary="测试", organizer_name="组委会")
    names = {
        "centres": [f"c{n}" for n in range(1, CENTRES + 1)],
        "households": [f"h{n}" for n in range(1, HOUSEHOLDS + 1)],
    }
    names["households"] += withdrawn
    for award, codes in names.items():
        rows = [(code, f"候选{code}", (VILLAGE, COMMUNITY)[at % 2], "简介", "事迹") for at, code in enumerate(codes)]
        report = importing.import_candidates(slug, award, _csv(("code", "name", "area_code", "summary", "story"), rows))
        assert report.ok, report
    for code in withdrawn:
        db.session.execute(text("UPDATE candidates SET standing = 'withdrawn' WHERE code = :code"), {"code": code})
    db.session.commit()
    forget()


@dataclass
class Voter:
    """One phone: a browser with its own cookie, and the token of the campaign it looks at."""

    world: World
    client: FlaskClient
    token: str = ""

    def paper(self) -> dict[str, str]:
        """A fresh ballot paper from the API; the cookie comes with the first."""
        answer = self.client.get(f"{self.world.api}/ballot")
        assert answer.status_code == 200, answer.text
        paper: dict[str, str] = answer.json
        self.token = paper["csrf_token"]
        return paper

    def cast(self, *codes: str, ballot_id: str | None = None, headers: dict[str, str] | None = None) -> TestResponse:
        """A ballot through the API; candidates are named by their codes."""
        if not self.token:
            self.paper()
        body = {"ballot_id": ballot_id or str(ULID()), "choices": self.world.ids(*codes)}
        sent = {"X-CSRF-Token": self.token} | (headers or {})
        return self.client.post(f"{self.world.api}/ballots", json=body, headers=sent)

    def cast_form(self, *codes: str, ballot_id: str | None = None) -> TestResponse:
        """The same as a plain form, as a browser without script sends it."""
        if not self.token:
            self.paper()
        form = {"ballot_id": ballot_id or str(ULID()), "csrf_token": self.token, "choice": self.world.ids(*codes)}
        return self.client.post(f"/c/{self.world.slug}/ballots", data=form)

    @property
    def cookie(self) -> str:
        found = self.client.get_cookie("device")
        assert found is not None
        return found.value


@dataclass
class World:
    """An application and one campaign; acts run inside an application context of their own, as requests do."""

    app: Flask
    slug: str
    _ids: dict[str, int] = field(default_factory=dict)

    @property
    def api(self) -> str:
        return f"/api/v1/campaigns/{self.slug}"

    def do(self, act: Callable[..., T], *arguments: Any, **named: Any) -> T:
        with self.app.app_context():
            return act(*arguments, **named)

    def campaign(self) -> CampaignView:
        def fresh() -> CampaignView:
            forget()
            return get_campaign(self.slug)

        return self.do(fresh)

    def put(self, rules: str, opened: bool = True) -> World:
        """Make the campaign, and open it."""
        self.do(put_campaign, self.slug, rules)
        if opened:
            self.do(campaigns.open_campaign, self.slug)
        return self

    def ids(self, *codes: str) -> list[int]:
        """Candidate ids by import codes."""
        if not self._ids:
            self._ids = {candidate.code: candidate.id for candidate in self.campaign().candidates}
        return [self._ids[code] for code in codes]

    def voter(self) -> Voter:
        return Voter(self, self.app.test_client())

    def get(self, url: str, **named: Any) -> TestResponse:
        """A visitor without cookies."""
        return self.app.test_client().get(url, **named)

    @property
    def valkey(self) -> Any:
        """The application's own client. Any: redis-py's types speak of sync and async answers at once."""
        return self.do(lambda: boxes().client)

    def key(self, name: str) -> str:
        return f"{{v{self.campaign().id}}}:{name}"

    def dump(self, *without: str) -> dict[bytes, object]:
        """Every key of the campaign with all it holds; ``without`` names keys that may change."""
        valkey, prefix = self.valkey, self.key("").encode()
        left_out = tuple(prefix + name.encode() for name in without)
        names = [name for name in valkey.keys(prefix + b"*") if not (left_out and name.startswith(left_out))]
        # Hashes by their fields: what DUMP writes of a large one depends on its order in memory.
        return {name: valkey.hgetall(name) if valkey.type(name) == b"hash" else valkey.dump(name) for name in names}

    def record(self, **named: Any) -> int:
        """Record all that is waiting, as one recorder would; how many entries that were."""
        recorder, total = recording.Recorder(**named), 0
        while done := self.do(recorder.step, 0):
            total += done
        return total

    def failing(self) -> set[str]:
        """The names ("I1" …) of the invariants that do not hold."""
        return {check.name[:2] for check in self.do(auditing.audit, self.slug) if not check.holds}

    def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query, or nothing of a change that is committed: for looking, and for deliberate damage."""

        def run() -> list[tuple[Any, ...]]:
            answer = db.session.execute(text(statement), values)
            rows = [tuple(row) for row in answer] if answer.returns_rows else []
            db.session.commit()
            return rows

        return self.do(run)

    def unlock_ledger(self) -> None:
        """Take the triggers away that protect the ledger, so that a test can damage it."""
        on_postgres = self.do(lambda: db.engine.dialect.name) == "postgresql"
        for table in ("ballots", "choices", "voids"):
            if on_postgres:
                self.sql(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
            else:
                for act in ("update", "delete"):
                    self.sql(f"DROP TRIGGER {table}_refuse_{act}")


@pytest.fixture(scope="session")
def translations() -> None:
    compile_translations()


@contextmanager
def application(database_url: str, redis_url: str, folder: Path, **config: Any) -> Iterator[Flask]:
    """An application that reads nothing of this machine's environment; its connections are closed at the end."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("VOTING_ENV", "testing")
        environment.setenv("VOTING_INSTANCE", str(folder))
        given = {"REDIS_URL": redis_url, "DATABASE_URL": database_url, "SQLALCHEMY_DATABASE_URI": database_url}
        app = create_app(SECRETS | given | config)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({name: name for name in ASSETS}))
    app.extensions["voting-assets"] = Assets(manifest)
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
            boxes().client.close()


def new_world(app: Flask) -> World:
    """A world whose campaign is still to be made, with ``put``."""
    return World(app, next(_slugs))


@pytest.fixture
def app(database_url: str, valkey_url: str, tmp_path: Path, translations: None) -> Iterator[Flask]:
    with application(database_url, valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
def world(app: Flask) -> World:
    return new_world(app).put(rules_text())


@pytest.fixture
def lite_app(sqlite_url: str, valkey_url: str, tmp_path: Path, translations: None) -> Iterator[Flask]:
    with application(sqlite_url, valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
def lite_world(lite_app: Flask) -> World:
    return new_world(lite_app).put(rules_text())


def aged_id(seconds: float) -> str:
    """A ballot id that was made so many seconds ago."""
    return ballot_id_at(int((time.time() - seconds) * 1000), int.from_bytes(ULID().bytes[6:], "big"))
