"""The leaderboard in every display mode, on the real clock: short windows instead of a clock that is set."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from tests.storage.rows import ballot_row, choice_rows
from tests.world import World, application, calm_zone, new_world, rules_text
from voting.services import campaigns, counting
from voting.services.leaderboard import FRESH_S, Board, get_board
from voting.storage.ballots import insert_ballots
from voting.storage.database import db


def board_of(world: World) -> Board:
    """What may be shown now: not the snapshot of a second ago."""
    time.sleep(FRESH_S + 0.02)
    return world.do(get_board, world.campaign())


def figures(board: Board) -> tuple[int, int, dict[str, int]]:
    rows = {row.candidate.code: row.votes for rows in board.awards.values() for row in rows if row.votes}
    return board.ballots, board.votes, rows


def shows(app: Flask, display: Any, **window: float) -> World:
    return new_world(app).put(rules_text(display=display, **window))


def cast(world: World, *codes: str) -> int:
    answer = world.voter().cast(*codes)
    assert answer.status_code == 201, answer.text
    accepted: int = answer.json["accepted_at"]
    return accepted


def test_live_moves_with_every_vote(lite_app: Flask) -> None:
    world = shows(lite_app, "live")
    cast(world, "c1", "h1")
    board = board_of(world)
    assert figures(board) == (1, 2, {"c1": 1, "h1": 1})
    assert (board.live, board.hidden, board.frozen, board.next_ms) == (True, False, False, None)


def test_cached_shows_what_was_accepted_before_the_last_update_and_nothing_later(lite_app: Flask) -> None:
    world = shows(lite_app, {"mode": "cached", "every_s": 3})
    accepted: list[int] = []
    seen: set[int] = set()
    for turn in range(8):
        accepted.append(cast(world, "c1"))
        if turn == 3:
            world.record()
        board = board_of(world)
        assert board.as_of_ms % 3000 == 0
        assert board.ballots == sum(at < board.as_of_ms for at in accepted)
        assert (board.next_ms, board.live) == (board.as_of_ms + 3000, False)
        assert int(time.time() * 1000) < board.as_of_ms + 3000 + 1000 * (FRESH_S + 1)
        seen.add(board.ballots)
    assert len(seen) > 2, "it did move"


def test_daily_shows_nothing_of_today_before_its_time(lite_app: Flask) -> None:
    """About noon where this campaign is (tests.world.calm_zone)."""
    later = shows(lite_app, {"mode": "daily", "at": "18:00"})
    cast(later, "c1")
    board = board_of(later)
    assert figures(board) == (0, 0, {})
    local = [later.campaign().rules.local(at_ms) for at_ms in (board.as_of_ms, board.next_ms or 0)]
    assert [(each.hour, each.minute) for each in local] == [(18, 0), (18, 0)]
    assert local[1] - local[0] == timedelta(days=1)


def test_daily_shows_everything_up_to_its_time(lite_app: Flask) -> None:
    """The update of the minute that is running: one ballot just before it (put into the ledger), one after it."""
    now = datetime.now(ZoneInfo(calm_zone()))
    world = shows(lite_app, {"mode": "daily", "at": f"{now:%H:%M}"})
    update_ms = int(now.replace(second=0, microsecond=0).timestamp() * 1000)
    campaign, candidate = world.campaign().id, world.ids("c2")[0]

    def put() -> None:
        insert_ballots(db.session(), [ballot_row(campaign, 1, stream_ms=update_ms - 1)], choice_rows(1, [candidate]))
        db.session.commit()

    world.do(put)
    cast(world, "c3")
    world.record()
    board = board_of(world)
    assert (figures(board), board.as_of_ms) == ((1, 1, {"c2": 1}), update_ms)
    assert board.next_ms == update_ms + 24 * 3_600_000


def test_frozen_for_the_last_hour(lite_app: Flask) -> None:
    world = shows(lite_app, {"mode": "live", "freeze_hours": 1}, closes_s=3600 + 3)
    cast(world, "c1")
    assert figures(board_of(world))[0] == 1
    freezes_ms = world.campaign().rules.closes_ms - 3_600_000
    time.sleep(max(0.0, freezes_ms / 1000 - time.time()) + 0.05)
    assert cast(world, "c2") >= freezes_ms
    board = board_of(world)
    assert (figures(board), board.as_of_ms) == ((1, 1, {"c1": 1}), freezes_ms)
    assert (board.frozen, board.live, board.next_ms) == (True, False, None)
    world.record()
    assert figures(board_of(world)) == (1, 1, {"c1": 1})


def test_hidden_until_close(lite_app: Flask) -> None:
    world = shows(lite_app, {"mode": "hidden", "until": "close"}, closes_s=4)
    cast(world, "c1")
    closes_ms = world.campaign().rules.closes_ms
    board = world.do(get_board, world.campaign())
    assert (board.hidden, board.ballots, board.votes, board.next_ms) == (True, 0, 0, closes_ms)
    assert all(rows == [] for rows in board.awards.values())
    time.sleep(max(0.0, closes_ms / 1000 - time.time()))
    board = board_of(world)
    assert (board.hidden, figures(board), board.as_of_ms) == (False, (1, 1, {"c1": 1}), closes_ms)


def test_hidden_until_published_asks_the_box_nothing(lite_app: Flask) -> None:
    world = shows(lite_app, "hidden")
    cast(world, "c1")
    world.valkey.delete(world.key("box"))
    assert world.do(get_board, world.campaign()).hidden


def test_hidden_until_published_through_the_announcement(lite_app: Flask) -> None:
    world = shows(lite_app, "hidden")
    for codes in (("c1", "c2", "h1", "h2", "h3"), ("c1", "c2", "h1", "h2", "h3")):
        cast(world, *codes)
    for act in (campaigns.seal_campaign, counting.close_campaign):
        world.do(act, world.slug)
        assert board_of(world).hidden
    world.do(counting.publish_campaign, world.slug)
    board = board_of(world)
    assert (board.final, board.ballots, board.votes) == (True, 2, 10)


def test_two_nodes_show_the_same(sqlite_url: str, valkey_url: str, tmp_path: Path, translations: None) -> None:
    with (
        application(sqlite_url, valkey_url, tmp_path) as one,
        application(sqlite_url, valkey_url, tmp_path) as another,
    ):
        world = shows(one, {"mode": "cached", "every_s": 2})
        twin = World(another, world.slug)
        compared = 0
        for _ in range(4):
            cast(world, "c1", "h1")
            time.sleep(FRESH_S + 0.02)
            boards = [each.do(get_board, each.campaign()) for each in (world, twin)]
            if boards[0].as_of_ms == boards[1].as_of_ms:
                assert figures(boards[0]) == figures(boards[1])
                assert boards[0].etag == boards[1].etag
                compared += 1
        assert compared >= 2


def test_the_tag_of_past_counts_says_nothing_about_ballots(lite_app: Flask) -> None:
    empty, voted = (shows(lite_app, {"mode": "daily", "at": "18:00"}) for _ in range(2))
    cast(voted, "c1")
    voted.record()
    tags = [board_of(world).etag for world in (empty, voted)]
    assert tags[0] == tags[1]
