"""How many votes are left, on the bar at the bottom: for a newcomer, for a voter, and when nobody can know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.web.pages import text_of
from tests.world import World, application, new_world, quota, rules_text

AWARD_A_DAY = quota("choices", "award", "day", 3)


def bar_of(page: str) -> str:
    """What the bar says beside the number of the chosen."""
    return page.rpartition("已选")[2].partition("去投票")[0].strip().replace(" /", "/")


def poll(app: Flask, *quotas: dict[str, Any], **rules: Any) -> World:
    return new_world(app).put(rules_text(quotas=list(quotas), **rules))


def seen(world: World, client: Any = None, path: str = "") -> str:
    return bar_of(text_of((client or world.app.test_client()).get(f"/c/{world.slug}{path}")))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([AWARD_A_DAY], "0/3 今天还可投 3 票"),
        ([quota("choices", "voter", "day", 2), AWARD_A_DAY], "0/2 今天还可投 2 票"),
        ([quota("choices", "award", "campaign", 2)], "0/2 还可投 2 票"),
        ([quota("choices", "voter", "rolling", 2), AWARD_A_DAY], "0/2 还可投 2 票"),
        ([quota("ballots", "voter", "day", 1)], "0/3 今天还可投 3 票"),
        ([quota("ballots", "voter", "campaign", 2), AWARD_A_DAY], "0/3 今天还可投 3 票"),
    ],
    ids=str,
)
def test_a_newcomer_has_everything_left(lite_app: Flask, lines: list[dict[str, Any]], words: str) -> None:
    world = poll(lite_app, *lines)
    assert seen(world) == words
    assert seen(world, path="/candidates/1") == words
    client = world.app.test_client()
    client.get(f"/c/{world.slug}/review?choice={world.ids('c1')[0]}")
    assert client.get_cookie("device"), "known from now on, and nothing else is said"
    assert seen(world, client) == words


def test_looking_makes_nobody_known(lite_app: Flask) -> None:
    world = poll(lite_app, AWARD_A_DAY)
    client = world.app.test_client()
    assert "今天还可投 3 票" in seen(world, client)
    assert client.get_cookie("device") is None


def test_whoever_must_sign_in_first_is_a_newcomer_too(
    lite_app: Flask, sqlite_url: str, valkey_url: str, tmp_path: Path
) -> None:
    with application(sqlite_url, valkey_url, tmp_path, SMS_PROVIDER="console") as app:
        world = poll(app, AWARD_A_DAY, identity=["sms"])
        assert "今天还可投 3 票" in seen(world)


def test_spent_ballots_leave_no_vote_whatever_the_other_lines_say(lite_app: Flask) -> None:
    world = poll(lite_app, quota("ballots", "voter", "day", 1), quota("choices", "award", "day", 4))
    voter = world.voter()
    assert voter.cast("c1").status_code == 201
    assert seen(world, voter.client) == "0/0 今天还可投 0 票"


def test_nothing_is_said_that_is_not_known(lite_app: Flask, sqlite_url: str, tmp_path: Path) -> None:
    """Redis is away: a known voter's votes cannot be looked up, and the bar does not make them up."""
    world = poll(lite_app, AWARD_A_DAY)
    voter = world.voter()
    assert voter.cast("c1").status_code == 201
    with application(sqlite_url, f"unix://{tmp_path / 'nobody.sock'}", tmp_path) as app:
        client = app.test_client()
        client.set_cookie("device", voter.cookie)
        assert seen(World(app, world.slug), client) == "0/3 本奖项"
        for path in ("/mine", "/review", "/candidates/1"):
            assert client.get(f"/c/{world.slug}{path}").status_code == 200, path
        page = text_of(client.get(f"/c/{world.slug}/mine"))
        assert "可能要过几分钟才出现" in page
        assert "还没有投过票" not in page, "nobody knows that now"
        mine = client.get(f"{world.api}/mine")
        assert (mine.status_code, mine.json["left"], mine.json["complete"]) == (200, [], False)


def test_before_and_after_voting_there_is_no_bar_to_say_it(lite_app: Flask) -> None:
    world = new_world(lite_app).put(rules_text(opens_s=3600, quotas=[AWARD_A_DAY]))
    assert "还可投" not in text_of(world.get(f"/c/{world.slug}"))
    assert world.get(f"{world.api}/mine").json["left"] == []
