"""The box made again from the ledger and the stream: the same counts, quotas, receipts and ids as before the loss."""

from __future__ import annotations

import pytest
from flask import Flask
from ulid import ULID

from tests.world import DAY_S, Voter, World, new_world, quota, rules_text
from voting.rules.errors import StageRefused
from voting.services import campaigns, counting, rebuilding
from voting.services.boxes import boxes
from voting.services.rebuilding import Rebuilt
from voting.tally import stream

#: What a rebuilt box has in common with the live one: everything but its epoch, the stream, and traffic by address.
NOT_DERIVED = ("box", "ballots", "address")


def rebuild(world: World) -> Rebuilt:
    return world.do(rebuilding.rebuild, world.slug)


def board(world: World) -> dict[str, int]:
    answer = world.get(f"{world.api}/leaderboard").json
    return {row["name"]: row["votes"] for rows in answer["awards"].values() for row in rows}


def some_votes(world: World) -> tuple[Voter, str, bytes]:
    """A voter who has spent what there is to spend on c1, others, and the first voter's ballot id and answer."""
    voter, ballot_id = world.voter(), str(ULID())
    answer = voter.cast("c1", "c2", "h1", ballot_id=ballot_id)
    assert answer.status_code == 201, answer.text
    assert voter.cast("h2").status_code == 201
    for codes in (("c1",), ("c2", "h1", "h7"), ("h7",)):
        assert world.voter().cast(*codes).status_code == 201
    return voter, ballot_id, answer.data


def test_after_a_flush_everything_is_as_before(world: World) -> None:
    voter, ballot_id, answer = some_votes(world)
    world.record()
    before, counts = world.dump(*NOT_DERIVED), board(world)
    assert len(before) > 5

    world.valkey.flushall()
    lost = voter.cast("c1", "c2", "h1", ballot_id=ballot_id)
    assert (lost.status_code, lost.json["code"]) == (503, "box_unavailable"), "a lost box fails closed"
    assert rebuild(world).ballots == 5

    assert world.dump(*NOT_DERIVED) == before
    assert world.failing() == set()
    again = voter.cast("c1", "c2", "h1", ballot_id=ballot_id)
    assert (again.status_code, again.data) == (200, answer)
    spent = voter.cast("c1")
    assert (spent.status_code, spent.json["code"]) == (403, "quota_spent")
    found = voter.client.get(f"/api/v1/receipts/{again.json['receipt']}").json
    assert found == again.json | {"state": "recorded"}
    assert board(world) == counts
    assert world.voter().cast("c1").status_code == 201, "and voting goes on"
    assert world.record() == 1
    assert world.failing() == set()


@pytest.mark.parametrize(
    "changed",
    [
        {"quotas": [quota("ballots", "voter", "campaign", 2), quota("choices", "candidate", "rolling", 1)]},
        {"quotas": [quota("choices", "voter", "day", 6)], "ballot": {"min": 1, "max": 6, "repeat": True}},
        {"quotas": [quota("choices", "award", "campaign", 4)], "interval_s": 1},
    ],
)
def test_every_kind_of_quota_survives(app: Flask, changed: dict[str, object]) -> None:
    world = new_world(app).put(rules_text(**changed))
    repeats = "ballot" in changed
    for _ in range(3):
        voter = world.voter()
        assert voter.cast("c1", "h1", *(("h1", "h1") if repeats else ())).status_code == 201
        voter.cast("c2", "h3")
    world.record()
    before = world.dump(*NOT_DERIVED)
    world.valkey.flushall()
    rebuild(world)
    assert world.dump(*NOT_DERIVED) == before
    assert world.failing() == set()


def test_a_box_is_rebuilt_while_ballots_wait_in_the_stream(world: World) -> None:
    """Some recorded, some given to a recorder that died, some given to none: all of them count once."""
    some_votes(world)
    world.record()
    assert world.voter().cast("c3").status_code == 201
    world.do(lambda: stream.read_new(boxes().client, [world.campaign().id], "dies", 10, 0))
    voter, ballot_id = world.voter(), str(ULID())
    waiting = voter.cast("c3", "h3", ballot_id=ballot_id)
    before = world.dump(*NOT_DERIVED)
    assert rebuild(world).ballots == 7
    assert world.dump(*NOT_DERIVED) == before
    assert board(world)["候选c3"] == 2
    assert world.failing() == set()
    assert voter.cast("c3", "h3", ballot_id=ballot_id).data == waiting.data


def test_a_wrong_tally_is_made_right(world: World) -> None:
    some_votes(world)
    world.record()
    counts = board(world)
    world.valkey.hincrby(world.key("tally"), str(world.ids("h5")[0]), 1000)
    rebuild(world)
    assert world.failing() == set()
    assert {name: votes for name, votes in board(world).items() if votes} == {n: v for n, v in counts.items() if v}


def test_places_in_the_stream_only_go_up(world: World) -> None:
    some_votes(world)
    world.record()
    world.valkey.flushall()
    last = rebuild(world).last
    world.voter().cast("c5")
    first = world.valkey.xrange(world.key("ballots"))[0][0].decode()
    assert last is not None
    assert tuple(map(int, first.split("-"))) > last


def test_the_clock_does_not_go_back(world: World) -> None:
    """The last ballot lies a little in the future, as after a clock was set back: the rebuilt box waits there."""
    some_votes(world)
    world.record()
    ahead = world.sql("SELECT max(stream_ms) FROM ballots")[0][0] + 600_000
    world.valkey.hset(world.key("box"), "last", ahead)
    rebuild(world)
    answer = world.voter().cast("c4")
    assert answer.status_code == 201
    assert answer.json["accepted_at"] >= ahead


def test_a_pause_and_a_seal_outlive_the_box(world: World) -> None:
    some_votes(world)
    world.do(campaigns.pause_campaign, world.slug, "设备检修")
    world.record()
    world.valkey.flushall()
    rebuild(world)
    assert world.voter().cast("c4").json["code"] == "voting_paused"
    world.do(campaigns.resume_campaign, world.slug)
    assert world.voter().cast("c4").status_code == 201
    world.do(campaigns.seal_campaign, world.slug)
    world.record()
    world.valkey.flushall()
    rebuild(world)
    assert world.voter().cast("c4").json["code"] == "voting_closed"
    assert world.do(counting.close_campaign, world.slug).ballots == 6
    assert world.failing() == set()


def test_a_seal_that_only_the_stream_knows_outlives_the_box(world: World) -> None:
    """Closing died between the box and SQL, and then the box key was lost."""
    some_votes(world)
    view = world.campaign()
    seal = world.do(lambda: campaigns.box_of(view.id, view.rules).seal())
    world.valkey.delete(world.key("box"))
    rebuild(world)
    assert world.voter().cast("c4").json["code"] == "voting_closed"
    assert world.do(counting.close_campaign, world.slug).ballots == 5
    assert world.campaign().sealed_id == seal


def test_a_box_comes_back_under_a_new_epoch(world: World) -> None:
    some_votes(world)
    before = world.campaign().epoch
    assert rebuild(world).epoch != before
    # A process that still knows the old one is refused by the box itself, and asks SQL again within a second.
    world.valkey.hset(world.key("box"), "epoch", "of an old copy")
    assert world.voter().cast("c4").json["code"] == "box_unavailable"
    assert world.get("/readyz").json["boxes"] == {world.slug: "epoch"}


def test_opening_again_is_not_a_way_around_a_rebuild(world: World) -> None:
    """Recorded ballots, and the box is gone: an empty box would let everybody vote again."""
    some_votes(world)
    world.record()
    world.valkey.flushall()
    with pytest.raises(campaigns.NotReadyToOpen, match="rebuild"):
        world.do(campaigns.open_campaign, world.slug)
    assert world.get("/readyz").json["boxes"] == {world.slug: "missing"}
    assert world.voter().cast("c4").status_code == 503


def test_opening_again_puts_up_a_box_that_never_stood(world: World) -> None:
    world.valkey.flushall()
    world.do(campaigns.open_campaign, world.slug)
    assert world.voter().cast("c4").status_code == 201


def test_drafts_have_nothing_to_rebuild(app: Flask) -> None:
    world = new_world(app).put(rules_text(opens_s=DAY_S, closes_s=2 * DAY_S), opened=False)
    with pytest.raises(StageRefused):
        rebuild(world)
