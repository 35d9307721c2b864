"""Flask-Limiter on reads that cost something: 429 with the time to wait, one count a line, open when Redis is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from limits import parse

from tests.web.attempts import check_page, check_problem
from tests.world import World, application
from voting.web import limits
from voting.web.limits import limiter

#: what is limited -> the limit and an address that it holds for
LIMITED = {
    "search": (limits.SEARCHES, "/c/{slug}?q=c1"),
    "search of the API": (limits.SEARCHES, "/api/v1/campaigns/{slug}/candidates"),
    "paper": (limits.PAPERS, "/api/v1/campaigns/{slug}/ballot"),
    "review": (limits.PAPERS, "/c/{slug}/review"),
    "receipt": (limits.LOOK_UPS, "/receipts/0000000000000000"),
    "receipt of the API": (limits.LOOK_UPS, "/api/v1/receipts/0000000000000000"),
}


def use_up(world: World, url: str, address: str = "192.0.2.1") -> None:
    """Bring the counter of an address up to its limit, as that many requests would; the last one was still answered."""
    first = world.get(url, environ_overrides={"REMOTE_ADDR": address})
    assert first.status_code in (200, 404)
    (key,) = world.valkey.keys("*limits*")
    limit = next(limit for limit, path in LIMITED.values() if path.format(slug=world.slug) == url)
    world.valkey.set(key, parse(limit).amount - 1, keepttl=True)
    assert world.get(url, environ_overrides={"REMOTE_ADDR": address}).status_code == first.status_code


@pytest.mark.parametrize("what", LIMITED)
def test_too_much_of_it_is_refused_for_a_while(lite_world: World, what: str) -> None:
    url = LIMITED[what][1].format(slug=lite_world.slug)
    use_up(lite_world, url)
    peer = {"REMOTE_ADDR": "192.0.2.1"}
    answer = lite_world.get(url, environ_overrides=peer)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    if url.startswith("/api/"):
        assert check_problem(answer, 429, "too_many_requests")["retry_after"] <= 60
    else:
        check_page(answer, 429, "访问太频繁了。")
    # Others, and everything that is not limited, go on; above all the vote.
    assert lite_world.get(url, environ_overrides={"REMOTE_ADDR": "192.0.2.2"}).status_code != 429
    for free in (f"/c/{lite_world.slug}", f"{lite_world.api}/leaderboard", f"{lite_world.api}"):
        assert lite_world.get(free, environ_overrides=peer).status_code == 200


def test_the_vote_itself_is_not_limited_here(lite_world: World) -> None:
    """Its own windows ride in the box; a full counter of this kind never costs anybody a vote."""
    voter = lite_world.voter()
    voter.paper()
    use_up(lite_world, f"{lite_world.api}/ballot", "127.0.0.1")
    assert lite_world.get(f"{lite_world.api}/ballot").status_code == 429
    assert voter.cast("c1").status_code == 201
    assert voter.cast_form("c2").status_code == 303


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_lines_are_told_apart_as_the_box_does(lite_world: World, one: str, other: str, shared: bool) -> None:
    url = f"{lite_world.api}/ballot"
    use_up(lite_world, url, one)
    answer = lite_world.get(url, environ_overrides={"REMOTE_ADDR": other})
    assert (answer.status_code == 429) is shared


@pytest.mark.parametrize("address", ["", "unix:", "1.2.3.4:80", "nonsense", "::1%lo"])
def test_an_address_that_is_none_is_no_error(lite_world: World, address: str) -> None:
    assert lite_world.get(f"{lite_world.api}/ballot", environ_overrides={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.parametrize("what", LIMITED)
def test_without_redis_reading_goes_on(sqlite_url: str, lite_world: World, tmp_path: Path, what: str) -> None:
    """It fails open: traffic may wait, people may not. Receipts need the stream and say 503, not 429 or 500."""
    with application(sqlite_url, f"unix://{tmp_path / 'nobody.sock'}", tmp_path) as app:
        url = LIMITED[what][1].format(slug=lite_world.slug)
        answer = app.test_client().get(url)
        assert answer.status_code == (404 if "receipt" in what else 200)


def test_counters_of_both_kinds_do_not_meet(lite_app: Flask, lite_world: World) -> None:
    """Windows of different strategies must not share a Redis key; there is one strategy and one prefix."""
    assert limiter._strategy == "fixed-window"
    lite_world.get(f"{lite_world.api}/candidates")
    lite_world.voter().cast("c1")
    keys = lite_world.valkey.keys("*limits*")
    assert len(keys) == 2
    assert not any(b"{v" in key for key in keys)
