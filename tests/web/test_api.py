"""The JSON API as a client meets it: a ballot from its paper to its receipt, reads, and errors in the right form."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask import Flask
from ulid import ULID

from tests.web.attempts import CHINESE, check_problem
from tests.world import CENTRES, HOUSEHOLDS, World, application, new_world, rules_text
from voting.services import counting

JSON = "application/json"


def test_a_ballot_from_paper_to_receipt(world: World) -> None:
    """On both databases: 201, the same bytes on every retry, accepted, recorded, on the leaderboard."""
    voter, before = world.voter(), int(time.time() * 1000)
    paper = voter.paper()
    first = voter.cast("h2", "c1", "c3", ballot_id=paper["ballot_id"])
    assert (first.status_code, first.mimetype) == (201, JSON)
    body = first.json
    assert body.keys() == {"ballot_id", "receipt", "campaign", "accepted_at", "choices", "state"}
    assert (body["ballot_id"], body["campaign"], body["state"]) == (paper["ballot_id"], world.slug, "accepted")
    assert body["choices"] == sorted(world.ids("h2", "c1", "c3"))
    assert before <= body["accepted_at"] <= time.time() * 1000
    for codes in (("h2", "c1", "c3"), ("c3", "h2", "c1")):
        again = voter.cast(*codes, ballot_id=paper["ballot_id"])
        assert (again.status_code, again.data) == (200, first.data)
    lower = voter.cast("h2", "c1", "c3", ballot_id=paper["ballot_id"].lower())
    assert (lower.status_code, lower.data) == (200, first.data), "one ballot id, however it is spelled"

    url = f"/api/v1/receipts/{body['receipt']}"
    assert voter.client.get(url).json == body
    assert world.record() == 1
    assert voter.client.get(url).json == body | {"state": "recorded"}
    assert voter.cast("h2", "c1", "c3", ballot_id=paper["ballot_id"]).data == first.data
    board = world.get(f"{world.api}/leaderboard").json
    assert (board["ballots"], board["votes"], board["final"]) == (1, 3, False)
    assert [row["votes"] for row in board["awards"]["centres"]] == [1, 1, 0, 0, 0]
    world.do(counting.close_campaign, world.slug)
    world.do(counting.publish_campaign, world.slug)
    assert voter.client.get(url).json == body | {"state": "published"}


def test_a_form_and_the_api_are_one_door(world: World) -> None:
    """The same ballot sent both ways is one ballot; the form leads to the receipt's page."""
    voter = world.voter()
    ballot_id = voter.paper()["ballot_id"]
    sent = voter.cast_form("c1", "h1", ballot_id=ballot_id)
    assert sent.status_code == 303
    page = voter.client.get(sent.location)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "候选h1" in page.text
    again = voter.cast("c1", "h1", ballot_id=ballot_id)
    assert again.status_code == 200
    assert sent.location == f"/receipts/{again.json['receipt']}"
    assert voter.cast_form("c1", "h1", ballot_id=ballot_id).location == sent.location
    assert world.record() == 1
    assert world.sql("SELECT sum(times) FROM choices") == [(2,)]


def test_foreign_and_unknown_receipts_are_one_answer(world: World) -> None:
    """Nobody can show a buyer what a code stands for: to others every code is unknown, before and after recording."""
    voter, other = world.voter(), world.voter()
    other.paper()
    code = voter.cast("c1").json["receipt"]
    unknown = code[:-1] + ("0" if code[-1] != "0" else "1")
    for _ in range(2):
        answers = [
            other.client.get(f"/api/v1/receipts/{code}"),
            other.client.get(f"/api/v1/receipts/{unknown}"),
            voter.client.get(f"/api/v1/receipts/{unknown}"),
            world.get(f"/api/v1/receipts/{code}"),
            world.get("/api/v1/receipts/not-a-code"),
        ]
        for answer in answers:
            check_problem(answer, 404, "receipt_not_found")
        assert len({answer.data for answer in answers}) == 1
        pages = [other.client.get(f"/receipts/{each}") for each in (code, unknown)]
        assert {page.status_code for page in pages} == {404}
        assert pages[0].text.replace(code, "") == pages[1].text.replace(unknown, "")
        world.record()


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: f"{code[:4]}-{code[4:8]} {code[8:]}", lambda code: code.replace("0", "O")]
)
def test_receipt_codes_as_people_type_them(lite_world: World, typed: object) -> None:
    voter = lite_world.voter()
    code = voter.cast("c1").json["receipt"]
    assert callable(typed)
    assert voter.client.get(f"/api/v1/receipts/{typed(code)}").json["receipt"] == code


def test_reading_a_campaign(lite_world: World) -> None:
    world = lite_world
    (listed,) = world.get("/api/v1/campaigns").json["campaigns"]
    shown = world.get(world.api).json
    assert listed == shown
    assert (shown["slug"], shown["phase"], shown["paused_reason"]) == (world.slug, "open", None)
    assert [award["candidates"] for award in shown["awards"]] == [CENTRES, HOUSEHOLDS + 1]
    assert shown["rules"]["ballot"] == {"min": 1, "max": 6, "repeat": False}
    assert len(shown["rules_hash"]) == 64
    found = world.get(f"{world.api}/candidates?award=households&q=h3").json
    assert (found["total"], found["candidates"][0]["name"]) == (1, "候选h3")
    assert found["candidates"][0]["area"] == ["江城区", "岗列街道", "对岸村委会"]
    everyone = world.get(f"{world.api}/candidates").json
    assert everyone["total"] == CENTRES + HOUSEHOLDS + 1
    assert {each["name"] for each in everyone["candidates"] if each["standing"] == "withdrawn"} == {"候选w1"}


def test_the_leaderboard_is_fresh_within_a_second_and_says_when_nothing_changed(lite_world: World) -> None:
    world = lite_world
    url = f"{world.api}/leaderboard"
    empty = world.get(url)
    same = world.get(url, headers={"If-None-Match": empty.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert world.voter().cast("c1", "h1").status_code == 201
    time.sleep(1.05)
    moved = world.get(url, headers={"If-None-Match": empty.headers["ETag"]})
    assert moved.status_code == 200
    assert moved.json["votes"] == 2
    only = world.get(f"{url}?award=centres&top=2").json["awards"]
    assert {key: len(rows) for key, rows in only.items()} == {"centres": 2}


@pytest.mark.parametrize(
    ("display", "announced"), [({"mode": "hidden", "until": "close"}, True), ("hidden", False)], ids=str
)
def test_hidden_counts_are_shown_nowhere_until_they_are_counted(
    lite_app: Flask, display: object, announced: bool
) -> None:
    """Counted, they stand in the announcement; a campaign that hides them until it is published keeps them longer."""
    world = new_world(lite_app).put(rules_text(display=display, ties=["extend_seats"]))
    assert world.voter().cast("c1", "h1").status_code == 201
    board = world.get(f"{world.api}/leaderboard").json
    assert (board["hidden"], board["ballots"], board["votes"]) == (True, 0, 0)
    assert not any(board["awards"].values())
    world.do(counting.close_campaign, world.slug)
    board = world.get(f"{world.api}/leaderboard").json
    assert (board["hidden"], board["votes"]) == ((False, 2) if announced else (True, 0))
    world.do(counting.publish_campaign, world.slug)
    board = world.get(f"{world.api}/leaderboard").json
    assert (board["hidden"], board["votes"]) == (False, 2)


@pytest.mark.parametrize(
    ("url", "method", "status"),
    [
        ("/api/v1/nothing", "GET", 404),
        ("/api/", "GET", 404),
        ("/api/v1/campaigns", "POST", 405),
        ("/api/v1/campaigns/nobody", "GET", 404),
        ("/nothing", "GET", 404),
        ("/c/nobody", "GET", 404),
        ("/c/nobody/ballots", "GET", 405),
        ("/c/nobody/candidates/999999999999", "GET", 404),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_programs_get_problem_details_and_people_get_pages(
    lite_world: World, url: str, method: str, status: int, accept: str
) -> None:
    """By address, not by what a client claims to like: curl and browsers see the same."""
    answer = lite_world.app.test_client().open(url, method=method, headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.mimetype == ("application/problem+json" if url.startswith("/api/") else "text/html")
    assert CHINESE.search(answer.json["title"] if url.startswith("/api/") else answer.text)
    if status == 405:
        assert answer.headers["Allow"]


def test_every_answer_carries_the_security_headers(lite_world: World) -> None:
    voter = lite_world.voter()
    code = voter.cast("c1").json["receipt"]
    for url in (
        "/",
        f"{lite_world.api}",
        f"/c/{lite_world.slug}",
        "/nothing",
        "/api/v1/nothing",
        f"/receipts/{code}",
        "/healthz",
    ):
        headers = voter.client.get(url).headers
        assert headers.getlist("X-Content-Type-Options") == ["nosniff"], url
        assert "default-src 'self'" in headers["Content-Security-Policy"], url


def test_the_cookie_is_given_once_and_kept_from_scripts(lite_world: World) -> None:
    voter = lite_world.voter()
    first = voter.client.get(f"{lite_world.api}/ballot")
    cookie = first.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/"))
    second = voter.client.get(f"{lite_world.api}/ballot")
    assert "Set-Cookie" not in second.headers
    assert second.json["ballot_id"] != first.json["ballot_id"]
    assert second.json["csrf_token"] == first.json["csrf_token"]
    voter.client.set_cookie("device", "forged")
    assert "Set-Cookie" in voter.client.get(f"{lite_world.api}/ballot").headers, "a broken cookie is replaced"


def test_production_cookies_carry_the_host_prefix(
    sqlite_url: str, valkey_url: str, lite_world: World, tmp_path: Path
) -> None:
    with application(sqlite_url, valkey_url, tmp_path, SESSION_COOKIE_SECURE=True) as app:
        cookie = app.test_client().get(f"{lite_world.api}/ballot", base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-device=")
    assert "Secure" in cookie


def test_two_voters_may_not_share_a_ballot_id_by_chance(lite_world: World) -> None:
    ballot_id = str(ULID())
    assert lite_world.voter().cast("c1", ballot_id=ballot_id).status_code == 201
    check_problem(lite_world.voter().cast("c1", ballot_id=ballot_id), 409, "ballot_id_conflict")
