"""The big screen's page: its first state without any script, what it hides, its policy, and the curve's data."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.pages import text_of
from tests.world import World, new_world, rules_text
from voting.rules.periods import HOUR_MS
from voting.services.activity import votes_per_hour
from voting.services.leaderboard import get_board
from voting.services.screens import picture


def data_of(page: TestResponse, name: str) -> Any:
    found = re.search(rf"data-{name}='([^']*)'", page.text)
    assert found, name
    return json.loads(unescape(found[1]))


def votes_shown(page: TestResponse) -> list[tuple[str, str]]:
    """Names and votes of the rows the server drew, without the blank one for the script."""
    drawn = page.text.split("<template")[0]
    names = re.findall(r'class="entry-name">([^<]+)<', drawn)
    return list(zip(names, re.findall(r'class="entry-votes"><b>([\d,]+)<', drawn), strict=True))


def test_the_first_state_needs_no_script(lite_world: World) -> None:
    for codes in (("c2", "h7"), ("c2", "c3"), ("c2",)):
        assert lite_world.voter().cast(*codes).status_code == 201
    page = lite_world.get(f"/screen/{lite_world.slug}")
    assert page.status_code == 200
    words = text_of(page)
    assert "十佳评选" in words
    assert "数据截至" in words
    assert votes_shown(page)[:2] == [("候选c2", "3"), ("候选c3", "1")]
    assert re.search(r'data-total="votes">5<', page.text)
    assert re.search(r'data-total="ballots">3<', page.text)
    assert '<svg class="qr"' in page.text or 'class="qr"' in page.text
    assert '<meta http-equiv="refresh"' in page.text.split("<noscript>")[1]


def test_one_award_or_a_hundred_rows(lite_world: World) -> None:
    page = lite_world.get(f"/screen/{lite_world.slug}?award=households&rows=100")
    assert data_of(page, "awards") == ["households"]
    assert 'data-rows="100"' in page.text
    assert len(votes_shown(page)) == 7
    odd = lite_world.get(f"/screen/{lite_world.slug}?award=nothing&rows=-5&lang=en")
    assert data_of(odd, "awards") == ["centres", "households"]
    assert 'data-rows="10"' in odd.text
    assert "Votes per hour" in odd.text


def test_the_script_gets_the_same_figures(lite_world: World) -> None:
    lite_world.voter().cast("c1", "h1", "h2")
    shown = data_of(lite_world.get(f"/screen/{lite_world.slug}"), "picture")
    assert shown["phase"] == "open"
    assert (shown["board"]["ballots"], shown["board"]["votes"]) == (1, 3)
    rows = shown["board"]["awards"][1]["rows"]
    assert len(rows) == 7
    assert [row[4:7] for row in rows[:3]] == [[1, 1, 1], [1, 1, 1], [3, 0, 1]]


@pytest.mark.parametrize("rows", ["", "?rows=100"])
def test_a_hidden_campaign_shows_no_count(lite_app: Flask, rows: str) -> None:
    hidden = new_world(lite_app).put(rules_text(display="hidden"))
    empty = hidden.get(f"/screen/{hidden.slug}{rows}")
    for _ in range(7):
        assert hidden.voter().cast("c1", "c2", "h3").status_code == 201
    hidden.record()
    page = hidden.get(f"/screen/{hidden.slug}{rows}")
    assert "投票期间不公布票数" in text_of(page)
    assert votes_shown(page) == []
    board = data_of(page, "picture")["board"]
    assert board.keys() == {"hidden", "final", "etag", "awards", "next"}
    assert board["awards"] == []
    assert "候选c1" not in page.text, "not even an order"
    assert timeless(page) == timeless(empty), "with ballots and without, every byte is the same"


def timeless(page: TestResponse) -> str:
    return re.sub(r'"now": ?\d+', "", page.text)


def test_nothing_stands_in_the_page_that_its_policy_forbids(lite_world: World) -> None:
    page = lite_world.get(f"/screen/{lite_world.slug}")
    assert not re.search(r"<script(?![^>]* src=)", page.text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page.text)
    policy = page.headers.getlist("Content-Security-Policy")
    assert len(policy) == 1
    assert "unsafe" not in policy[0]
    assert "connect-src" not in policy[0], "events come from the page's own address"
    assert f'data-events="/screen/{lite_world.slug}/events"' in page.text


def test_events_from_another_port_are_allowed_on_this_page_alone(lite_world: World) -> None:
    lite_world.app.config["SCREENS_URL"] = "http://127.0.0.1:8001"
    page = lite_world.get(f"/screen/{lite_world.slug}")
    assert f'data-events="http://127.0.0.1:8001/screen/{lite_world.slug}/events"' in page.text
    policy = page.headers.getlist("Content-Security-Policy")
    assert len(policy) == 1
    assert policy[0].endswith("connect-src 'self' http://127.0.0.1:8001")
    for part in ("default-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert part in policy[0]
    (other,) = lite_world.get(f"/c/{lite_world.slug}").headers.getlist("Content-Security-Policy")
    assert "8001" not in other


def test_drafts_and_unknown_campaigns_have_no_screen(lite_app: Flask) -> None:
    draft = new_world(lite_app).put(rules_text(), opened=False)
    assert draft.get(f"/screen/{draft.slug}").status_code == 404
    assert draft.get("/screen/nothing").status_code == 404


def test_the_page_stands_without_redis(web_app: Flask, open_slug: str, client: FlaskClient) -> None:
    assert client.get(f"/screen/{open_slug}").status_code == 200
    with web_app.app_context():
        web_app.extensions["voting_boards"] = {}
        web_app.extensions["voting_boxes"]._boxes.clear()
        before = web_app.extensions["voting_boxes"].client
        web_app.extensions["voting_boxes"].client = type(before).from_url("redis://127.0.0.1:1", retry=None)
    try:
        page = client.get(f"/screen/{open_slug}")
    finally:
        web_app.extensions["voting_boxes"].client.close()
        web_app.extensions["voting_boxes"].client = before
    assert page.status_code == 200
    assert data_of(page, "picture")["board"] is None
    assert "正在等待数据" in text_of(page)


def test_votes_per_hour_are_those_of_the_ledger_and_no_later_than_the_board(world: World) -> None:
    for codes in (("c1", "h1"), ("c1",), ("c2", "c3", "h2")):
        world.voter().cast(*codes)
    world.record()
    campaign = world.campaign()
    board = world.do(get_board, campaign)
    activity = world.do(votes_per_hour, campaign, board)
    assert sum(activity.votes) == board.votes == 6
    assert activity.from_ms % HOUR_MS == 0, "the test's zone is whole hours from UTC"
    assert activity.from_ms <= campaign.rules.opens_ms < activity.from_ms + HOUR_MS
    assert len(activity.votes) in (2, 3)
    assert sum(activity.votes[-2:]) == 6
    # The picture carries the same.
    hours = world.do(picture, campaign)["board"]["hours"]
    assert (hours["from"], sum(hours["votes"])) == (activity.from_ms, 6)


def test_votes_per_hour_ask_sql_at_most_every_ten_seconds(lite_world: World) -> None:
    campaign = lite_world.campaign()
    lite_world.voter().cast("c1")
    lite_world.record()
    assert sum(lite_world.do(votes_per_hour, campaign, lite_world.do(get_board, campaign)).votes) == 1
    lite_world.voter().cast("c1")
    lite_world.record()
    assert sum(lite_world.do(votes_per_hour, campaign, lite_world.do(get_board, campaign)).votes) == 1
