"""The whole application on a real Valkey and a SQLite file, with one small open campaign, for tests over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.builders import rule_set
from tests.storage.rows import COMMUNITY, VILLAGE, candidate_row, put_areas, put_campaign
from tests.web.phones import Made
from tests.world import ASSETS, World, application, new_world, rules_text
from voting.app import create_app
from voting.rules.display import Display
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.rules.quota import Quota
from voting.rules.rule_text import write_rules
from voting.services.campaigns import open_campaign
from voting.storage.candidates import insert_candidates
from voting.storage.database import db
from voting.web.templating import Assets

SLUG = "best"


@pytest.fixture
def web_app(
    sqlite_url: str, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, translations: None
) -> Iterator[Flask]:
    """The application, its context not pushed; the style sheets need not be built."""
    monkeypatch.setenv("VOTING_ENV", "testing")
    monkeypatch.setenv("VOTING_INSTANCE", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("REDIS_URL", valkey_url)
    app = create_app()
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({name: name for name in ASSETS}))
    app.extensions["voting-assets"] = Assets(manifest)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def open_slug(web_app: Flask) -> str:
    """An open campaign: centres 1 to 45, households 101 to 104, 104 withdrawn; 3 votes per award and day."""
    now_ms = time.time_ns() // 1_000_000
    rules = rule_set(
        opens_ms=now_ms - HOUR_MS,
        closes_ms=now_ms + 10 * DAY_MS,
        quotas=(Quota("choices", "award", "day", 3), Quota("choices", "candidate", "day", 1)),
        display=Display(order="number"),
    )
    with web_app.app_context():
        with Session(db.engine) as session:
            put_areas(session)
            campaign = put_campaign(
                session, SLUG, title="十佳评选", rules=write_rules(rules), demonstration=True, organizer_name="组委会"
            )
            lines = [
                candidate_row(campaign.id, number, group_key=("south", "north")[number % 2]) for number in range(1, 46)
            ]
            lines[2] |= {"name": "岗列社区服务中心", "area_code": COMMUNITY, "story": "**好**<script>x</script>"}
            lines += [
                candidate_row(campaign.id, number, award="households", area_code=VILLAGE) for number in range(101, 105)
            ]
            lines[-1]["standing"] = "withdrawn"
            insert_candidates(session, lines)
            session.commit()
        open_campaign(SLUG)
    return SLUG


@pytest.fixture
def client(web_app: Flask) -> FlaskClient:
    """A browser with cookies and without script."""
    return web_app.test_client()


@pytest.fixture
def make(sqlite_url: str, valkey_url: str, tmp_path: Path, translations: None) -> Iterator[Made]:
    """Makes a world whose campaign knows its voters by the named providers."""
    with ExitStack() as stack:

        def made(*identity: str, **config: Any) -> World:
            app = stack.enter_context(application(sqlite_url, valkey_url, tmp_path, **config))
            return new_world(app).put(rules_text(identity=list(identity)))

        yield made
