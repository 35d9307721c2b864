"""Answers that are sent again as they left: the same to the letter, and nobody gets what was made for somebody else."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.pages import BEST, ids, vote
from voting.web import boards, finished

BOARDS = [f"{BEST}/leaderboard", "/api/v1/campaigns/best/leaderboard"]
PACKED = {"Accept-Encoding": "gzip, br"}

pytestmark = pytest.mark.usefixtures("open_slug")


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """One board for the whole test, however slow the machine is."""
    monkeypatch.setattr("voting.services.leaderboard.FRESH_S", 60)


def shown(answer: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    return answer.status_code, answer.data, dict(answer.headers)


@pytest.mark.parametrize("path", BOARDS)
@pytest.mark.parametrize("headers", [{}, PACKED], ids=["plain", "packed"])
def test_the_second_answer_is_the_first_one(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    first, second = client.get(path, headers=headers), client.get(path, headers=headers)
    assert shown(first) == shown(second)
    assert isinstance(first, TestResponse)
    assert "Content-Security-Policy" in second.headers
    assert "Accept-Encoding" in second.headers["Vary"]
    assert ("Content-Encoding" in second.headers) == bool(headers)


@pytest.mark.parametrize("path", BOARDS)
def test_it_was_not_made_again(client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get(path)
    made: list[object] = []
    monkeypatch.setattr(finished.Answers, "keep", lambda *_: made.append(1))
    client.get(path)
    assert made == []
    client.get(path, headers=PACKED)
    assert made == [1], "packed and plain are two answers"


def test_every_reader_gets_their_own_language_and_size(web_app: Flask) -> None:
    path = f"{BEST}/leaderboard"
    readers: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({"Accept-Language": "en"}, {}),
        ({}, {"lang": "en"}),
        ({}, {"large": "2"}),
        (PACKED, {}),
    ]
    for _ in range(2):
        pages = []
        for headers, cookies in readers:
            client = web_app.test_client()
            for name, value in cookies.items():
                client.set_cookie(name, value)
            answer = client.get(path, headers=headers)
            pages.append(gzip.decompress(answer.data).decode() if "Content-Encoding" in answer.headers else answer.text)
        assert ['<html lang="en"' in page for page in pages] == [False, True, True, False, False]
        assert ['data-large="2"' in page for page in pages] == [False, False, False, True, False]


def test_a_choice_of_language_is_remembered_each_time(client: FlaskClient) -> None:
    for _ in range(3):
        answer = client.get(f"{BEST}/leaderboard?lang=en")
        assert "lang=en" in answer.headers.get("Set-Cookie", "")
    assert "Set-Cookie" not in client.get(f"{BEST}/leaderboard").headers


@pytest.mark.parametrize("path", BOARDS)
def test_not_modified_says_as_much_as_the_answer(client: FlaskClient, path: str) -> None:
    for _ in range(3):
        tag = client.get(path).headers["ETag"]
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag


@pytest.mark.parametrize("path", BOARDS)
def test_another_board_is_another_answer(
    client: FlaskClient, path: str, web_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.get(path)
    vote(client, *ids(web_app, 1))
    assert client.get(path).data == before.data
    monkeypatch.setattr("voting.services.leaderboard.FRESH_S", 0)
    assert client.get(path).data != before.data


def test_memory_is_not_filled_with_odd_addresses(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = finished.Answers()
    monkeypatch.setattr("voting.web.citizen._answers", kept)
    for number in range(finished.MOST_KEPT + 5):
        client.get(f"{BEST}/leaderboard?x={number}&part=rows")
    assert 0 < len(kept._kept) <= finished.MOST_KEPT
    client.get(f"{BEST}/leaderboard?x=" + "y" * 200)
    assert all(len(asked[1]) <= finished.LONGEST_QUERY for asked in kept._kept)  # type: ignore[arg-type]


def test_a_page_that_nobody_can_see_is_not_rendered(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up page numbers are the last page, and that is rendered once."""
    rendered: list[str] = []
    monkeypatch.setattr("voting.web.citizen.render_template", lambda name, **_: rendered.append(name) or name)
    monkeypatch.setattr("voting.web.citizen._bodies", boards.Bodies())
    for number in range(2, 30):
        assert client.get(f"{BEST}/leaderboard?page={number}").status_code == 200
    assert rendered == ["citizen/board_page.html"]
