"""Requests that are no ballot at all: not JSON, not the right types, too long, too many, not even text."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from ulid import ULID
from werkzeug.test import TestResponse

from tests.web.attempts import CHINESE, ballots_known, check_page, check_problem
from tests.world import Voter, World

ID = str(ULID())
LIMIT = 64 * 1024


def post_json(voter: Voter, body: bytes, content_type: str = "application/json", **headers: str) -> TestResponse:
    sent = {"X-CSRF-Token": voter.token} | headers
    return voter.client.post(f"{voter.world.api}/ballots", data=body, content_type=content_type, headers=sent)


def post_form(
    voter: Voter, body: bytes, content_type: str = "application/x-www-form-urlencoded", **headers: str
) -> TestResponse:
    return voter.client.post(f"/c/{voter.world.slug}/ballots", data=body, content_type=content_type, headers=headers)


def paper(**changed: Any) -> bytes:
    return json.dumps({"ballot_id": ID, "choices": [1]} | changed).encode()


JSON_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "cut off": paper()[:-5],
    "two documents": paper() * 2,
    "a list": b"[]",
    "null": b"null",
    "a text": b'"ballot"',
    "not a number": b'{"ballot_id": "%s", "choices": [NaN]}' % ID.encode(),
    "not UTF-8": b'{"ballot_id": "' + b"\xff\xfe" * 13 + b'", "choices": [1]}',
    "GBK": '{"ballot_id": "选票选票选票选票选票选票选", "choices": [1]}'.encode("gbk"),
    "UTF-16": paper().decode().encode("utf-16"),
    "half a surrogate": b'{"ballot_id": "' + rb"\ud800" + b'", "choices": [1]}',
    "a NUL": b'{"ballot_id": "' + rb"\u0000" * 26 + b'", "choices": [1]}',
    "very deep": b"[" * 20_000,
    "no id": b'{"choices": [1]}',
    "no choices": json.dumps({"ballot_id": ID}).encode(),
    "an unknown field": paper(votes=100),
    "an id that is a number": paper(ballot_id=12345678901234567890123456),
    "an id that is null": paper(ballot_id=None),
    "an id that is a list": paper(ballot_id=[ID]),
    "a short id": paper(ballot_id=ID[:25]),
    "a long id": paper(ballot_id=ID + "0"),
    "a very long id": paper(ballot_id="0" * 30_000),
    "an id with a foreign letter": paper(ballot_id=ID[:25] + "U"),
    "an id with a letter that grows": paper(ballot_id=ID[:25] + "ß"),
    "an id beyond 128 bits": paper(ballot_id="8" + ID[1:]),
    "an id with full-width digits": paper(ballot_id="０" * 26),
    "choices that are a number": paper(choices=1),
    "choices that are a text": paper(choices="1"),
    "choices that are an object": paper(choices={"1": 1}),
    "no choice": paper(choices=[]),
    "a choice that is a text": paper(choices=["1"]),
    "a choice that is true": paper(choices=[True]),
    "a choice that is a fraction": paper(choices=[1.5]),
    "a choice that is null": paper(choices=[None]),
    "a choice that is a list": paper(choices=[[1]]),
    "a choice below zero": paper(choices=[-1]),
    "a choice of zero": paper(choices=[0]),
    "a choice beyond what numbers can hold": paper(choices=[2**53 + 1]),
    "a choice of a thousand digits": paper(choices=[10**1000]),
    "501 choices": paper(choices=list(range(1, 502))),
    "10,000 choices": paper(choices=[1] * 10_000),
}


def form(token: str, **changed: Any) -> bytes:
    fields = {"ballot_id": ID, "csrf_token": token, "choice": ["1"]} | changed
    return urlencode(fields, doseq=True).encode()


FORM_FIELDS: dict[str, dict[str, Any]] = {
    "no id": {"ballot_id": []},
    "two ids": {"ballot_id": [ID, str(ULID())]},
    "an empty id": {"ballot_id": ""},
    "a long id": {"ballot_id": "0" * 30_000},
    "an id that is not UTF-8": {"ballot_id": b"\xff" * 26},
    "an id with a letter that grows": {"ballot_id": ID[:25] + "ß"},
    "an id in GBK": {"ballot_id": "选票选票选票选票选票选票选".encode("gbk")},
    "no choice": {"choice": []},
    "an empty choice": {"choice": ""},
    "a word": {"choice": "abc"},
    "a list": {"choice": "1,2"},
    "a sign": {"choice": "-1"},
    "a fraction": {"choice": "1.0"},
    "a full-width digit": {"choice": "１"},
    "a digit of another script": {"choice": "١"},
    "a choice that is not UTF-8": {"choice": b"\xff\xfe"},
    "a NUL": {"choice": "1\x00"},
    "eleven digits": {"choice": "10000000001"},
    "501 choices": {"choice": list(range(1, 502))},
    "1,001 choices": {"choice": list(range(1, 1002))},
}


@pytest.fixture
def voter(lite_world: World) -> Voter:
    found = lite_world.voter()
    found.paper()
    return found


@pytest.fixture(autouse=True)
def nothing_is_counted(voter: Voter) -> Any:
    before = voter.world.dump(), ballots_known(voter.world)
    yield
    assert (voter.world.dump(), ballots_known(voter.world)) == before


@pytest.mark.parametrize("wrong", JSON_BODIES)
def test_a_body_that_is_no_ballot(voter: Voter, wrong: str) -> None:
    problem = check_problem(post_json(voter, JSON_BODIES[wrong]), 400, "malformed_ballot")
    # The field that is wrong is named for the programmer; what was sent is not repeated.
    assert len(problem["facts"]["problem"]) < 300
    english = post_json(voter, JSON_BODIES[wrong], **{"Accept-Language": "en"}).json
    assert not CHINESE.search(english["title"] + english["detail"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_type(voter: Voter, content_type: str) -> None:
    """A form of another site can send these without being asked; JSON it cannot."""
    check_problem(post_json(voter, paper(), content_type), 400, "malformed_ballot")


@pytest.mark.parametrize("wrong", FORM_FIELDS)
def test_a_form_that_is_no_ballot(voter: Voter, wrong: str) -> None:
    title = check_problem(post_json(voter, b""), 400, "malformed_ballot")["title"]
    check_page(post_form(voter, form(voter.token, **FORM_FIELDS[wrong])), 400, title)
    english = post_form(voter, form(voter.token, **FORM_FIELDS[wrong]), **{"Accept-Language": "en"})
    assert english.status_code == 400
    assert title not in english.text


def test_ten_thousand_choices_in_a_form_are_too_large(voter: Voter) -> None:
    body = form(voter.token, choice=[1] * 10_000)
    assert len(body) > LIMIT
    _check_too_large(voter, post_form(voter, body))


def test_too_large_a_body(voter: Voter) -> None:
    problem = check_problem(post_json(voter, b" " * (LIMIT + 1)), 413, "request_entity_too_large")
    assert CHINESE.search(problem["title"])
    _check_too_large(voter, post_form(voter, form(voter.token) + b"&x=" + b"x" * LIMIT))


def test_too_many_parts(voter: Voter) -> None:
    part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
    body = (part * 2001 + "--b--\r\n").encode()
    assert post_form(voter, body, "multipart/form-data; boundary=b").status_code == 413


def _check_too_large(voter: Voter, answer: TestResponse) -> None:
    title = check_problem(post_json(voter, b" " * (LIMIT + 1)), 413, "request_entity_too_large")["title"]
    check_page(answer, 413, title)


@pytest.mark.parametrize("token", ["é" * 16, "\udcff", "0" * 60_000, "选票"])
def test_a_token_that_is_none(voter: Voter, token: str) -> None:
    answer = post_form(voter, form("", csrf_token=token.encode("utf-8", "surrogateescape")))
    assert answer.status_code == 403
    assert "wrong_token" in answer.text


@pytest.mark.parametrize("cookie", ["é", "a.b", ".", "=" * 40, "选票", "A" * 28 + "." + "A" * 43])
def test_a_cookie_that_is_none(voter: Voter, cookie: str) -> None:
    headers = {"Cookie": f"device={cookie}".encode().decode("latin-1"), "X-CSRF-Token": voter.token}
    answer = voter.world.app.test_client(use_cookies=False).post(
        f"{voter.world.api}/ballots", data=paper(), content_type="application/json", headers=headers
    )
    check_problem(answer, 403, "identity_forged")


@pytest.mark.parametrize("slug", ["%00", "%ff%fe", "..%2f..", "a" * 3000, "选票", "%F0%9F%97%B3"])
def test_slugs_that_cannot_be(voter: Voter, slug: str) -> None:
    for url in (
        f"/api/v1/campaigns/{slug}",
        f"/api/v1/campaigns/{slug}/ballot",
        f"/c/{slug}",
        f"/c/{slug}/leaderboard",
    ):
        assert voter.client.get(url).status_code == 404, url
    assert voter.client.post(f"/api/v1/campaigns/{slug}/ballots", data=paper()).status_code == 404
