"""A Redis that answers and takes nothing more (memory full): pages stay readable, and say nothing that is not so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.world import World, new_world, rules_text

CACHED = rules_text(display={"mode": "cached", "every_s": 1, "order": "rank"})


@pytest.fixture
def poll(lite_app: Flask) -> World:
    return new_world(lite_app).put(CACHED)


@pytest.fixture
def full(poll: World) -> Iterator[World]:
    """No page was asked for before: nothing stands in this process's memory."""
    poll.valkey.config_set("maxmemory", 1)
    yield poll
    poll.valkey.config_set("maxmemory", 0)


@pytest.mark.parametrize("path", ["", "/candidates/1", "/leaderboard", "/mine", "/rules"])
def test_pages_of_a_board_that_is_brought_up_to_date_now_and_then(full: World, path: str) -> None:
    """What is counted for everybody cannot be kept there; this process still counts it for itself."""
    answer = full.get(f"/c/{full.slug}{path}")
    assert answer.status_code == 200


def test_the_board_and_the_screen(full: World) -> None:
    board = full.get(f"{full.api}/leaderboard")
    assert (board.status_code, board.json["hidden"], board.json["ballots"]) == (200, False, 0)
    assert full.get(f"/screen/{full.slug}").status_code == 200
