"""The ledger is away, for real (its file cannot be opened): ballots go on, every page says what it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.web.pages import text_of
from tests.world import Voter, World
from voting.services import counting
from voting.services.catalogue import forget
from voting.storage.database import db


@contextmanager
def ledger_away(world: World) -> Iterator[None]:
    file = Path(make_url(world.app.config["DATABASE_URL"]).database or "")
    world.do(lambda: db.session.remove())
    world.do(lambda: db.engine.dispose())
    # SQLite would otherwise make a new file, or go on with what stands beside it.
    kept = file.parent / "away"
    kept.mkdir()
    for part in file.parent.glob(f"{file.name}*"):
        part.rename(kept / part.name)
    file.mkdir()
    try:
        yield
    finally:
        world.do(lambda: db.engine.dispose())
        file.rmdir()
        for part in kept.iterdir():
            part.rename(file.parent / part.name)


@pytest.fixture
def voter(lite_world: World) -> Voter:
    """Has a ballot in the ledger, and one that stands only in the stream."""
    voter = lite_world.voter()
    assert voter.cast("c1").status_code == 201
    lite_world.record()
    assert voter.cast("c2").status_code == 201
    lite_world.app.config["PROPAGATE_EXCEPTIONS"] = False
    return voter


def test_ballots_are_accepted_and_my_votes_say_what_is_missing(lite_world: World, voter: Voter) -> None:
    base = f"/c/{lite_world.slug}"
    with ledger_away(lite_world):
        receipt = voter.cast("h1").json["receipt"]
        page = voter.client.get(f"{base}/mine")
        assert page.status_code == 200
        words = text_of(page)
        assert "候选c2" in words
        assert "候选h1" in words
        assert "可能要过几分钟才出现" in words
        mine = voter.client.get(f"{lite_world.api}/mine").json
        assert (len(mine["ballots"]), mine["complete"]) == (2, False)
        assert "候选h1" in text_of(voter.client.get(f"/receipts/{receipt}")), "what the stream knows is told"
        for path in ("", "/candidates/1", "/leaderboard", f"/review?choice={lite_world.ids('h2')[0]}"):
            assert voter.client.get(f"{base}{path}").status_code == 200, path
    assert len(voter.client.get(f"{lite_world.api}/mine").json["ballots"]) == 3


def test_a_receipt_that_only_the_ledger_knows(lite_world: World, voter: Voter) -> None:
    """Not "there is no such receipt": nobody knows that now."""
    for one in voter.client.get(f"{lite_world.api}/mine").json["ballots"]:
        if one["state"] == "recorded":
            receipt = one["receipt"]
    for key in lite_world.valkey.keys(lite_world.key("ids:*")):
        lite_world.valkey.delete(key)  # two days later
    with ledger_away(lite_world):
        for address in (f"/receipts/{receipt}", f"/api/v1/receipts/{receipt}"):
            assert voter.client.get(address).status_code == 503
    assert voter.client.get(f"/receipts/{receipt}").status_code == 200


def test_a_result_that_nobody_has_read_yet(lite_world: World, voter: Voter) -> None:
    lite_world.do(counting.close_campaign, lite_world.slug)
    lite_world.campaign()
    assert lite_world.get("/").status_code == 200
    with ledger_away(lite_world):
        page = lite_world.get(f"/c/{lite_world.slug}/result")
        assert page.status_code == 503
        assert "系统正忙" in text_of(page)
        problem = lite_world.get(f"{lite_world.api}/result")
        assert (problem.status_code, problem.json["code"]) == (503, "service_unavailable")
    assert lite_world.get(f"/c/{lite_world.slug}/result").status_code == 200


def test_a_process_that_starts_without_it(lite_world: World, voter: Voter) -> None:
    with ledger_away(lite_world):
        lite_world.do(forget)
        page = lite_world.get("/")
        assert page.status_code == 503
        assert "系统正忙" in text_of(page)
