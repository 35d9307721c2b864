"""Counts of a past instant: exact whatever is recorded by then, the same for everybody, and made again when lost."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.world import World, application, new_world, rules_text
from voting.rules.errors import BoxUnavailable
from voting.services import counting, instants, rebuilding
from voting.services.instants import counts_before
from voting.storage.database import db
from voting.tally import embedded, shown
from voting.tally.shown import ShownCounts


def votes_of(world: World, counts: ShownCounts) -> dict[str, int]:
    names = {candidate.id: candidate.code for candidate in world.campaign().candidates}
    return {names[candidate]: votes for candidate, votes in counts.votes.items() if votes}


def ask(world: World, at_ms: int, last: ShownCounts | None = None) -> ShownCounts:
    return world.do(counts_before, world.campaign(), at_ms, last)


def forget_kept(world: World) -> None:
    world.valkey.delete(world.key("shown"), world.key("showing"))


def cast_at_intervals(world: World, *ballots: tuple[str, ...]) -> list[int]:
    """The times at which they were accepted, no two the same."""
    times = []
    for codes in ballots:
        times.append(world.voter().cast(*codes).json["accepted_at"])
        time.sleep(0.003)
    return times


FOUR = [("c1", "h1"), ("c1",), ("c2", "h1", "h2"), ("c1", "c2")]
#: votes after none, one … four of them
AFTER: list[dict[str, int]] = [
    {},
    {"c1": 1, "h1": 1},
    {"c1": 2, "h1": 1},
    {"c1": 2, "c2": 1, "h1": 2, "h2": 1},
    {"c1": 3, "c2": 2, "h1": 2, "h2": 1},
]


@pytest.mark.parametrize("recorded", range(5))
def test_exact_at_every_instant_whatever_is_recorded(world: World, recorded: int) -> None:
    """Some in the ledger, some only in the stream; asked afresh, and going on from every earlier instant."""
    times = cast_at_intervals(world, *FOUR[:recorded])
    world.record()
    times += cast_at_intervals(world, *FOUR[recorded:])
    instants_ms = [times[0], *(at + 1 for at in times)]
    known: list[ShownCounts] = []
    for number, at_ms in enumerate(instants_ms):
        forget_kept(world)
        fresh = ask(world, at_ms)
        assert (fresh.at_ms, fresh.ballots, votes_of(world, fresh)) == (at_ms, number, AFTER[number])
        for earlier in known:
            forget_kept(world)
            assert ask(world, at_ms, earlier) == fresh
        known.append(fresh)


def test_a_ballot_of_the_very_instant_is_not_in_it(world: World) -> None:
    (at_ms,) = cast_at_intervals(world, ("c1",))
    assert ask(world, at_ms).ballots == 0
    assert ask(world, at_ms + 1).ballots == 1


def test_given_to_a_recorder_and_not_finished(world: World) -> None:
    """Between reading and acknowledging a recorder holds ballots; committed or not, each counts once."""
    times = cast_at_intervals(world, *FOUR)
    campaign = world.campaign()
    client = world.valkey
    entries = instants.stream.read_new(client, [campaign.id], "dead", 2, 0)[campaign.id]
    assert ask(world, times[-1] + 1).ballots == 4
    forget_kept(world)
    from voting.services.recording import commit_ballots

    world.do(commit_ballots, campaign, entries)  # committed, and died before XACK
    assert votes_of(world, ask(world, times[-1] + 1)) == AFTER[4]


def test_kept_for_everybody_and_made_again_when_lost(world: World) -> None:
    times = cast_at_intervals(world, *FOUR)
    at_ms = times[-1] + 1
    first = ask(world, at_ms)
    assert ask(world, at_ms) == first
    document = json.loads(world.valkey.get(world.key("shown")))
    world.valkey.set(world.key("shown"), json.dumps(document | {"ballots": 77}))
    assert ask(world, at_ms).ballots == 77, "what was kept is what is shown: nobody counts twice"
    forget_kept(world)
    assert ask(world, at_ms) == first
    world.record()
    forget_kept(world)
    assert ask(world, at_ms) == first


def test_a_box_made_again_forgets_what_was_kept_under_the_old_one(world: World) -> None:
    times = cast_at_intervals(world, *FOUR)
    document = {"epoch": world.campaign().epoch, "at_ms": times[-1] + 1, "ballots": 77, "votes": {}}
    world.valkey.set(world.key("shown"), json.dumps(document))
    world.do(rebuilding.rebuild, world.slug)
    assert ask(world, times[-1] + 1).ballots == 4


def test_while_another_process_counts_the_older_counts_are_shown_as_what_they_are(world: World) -> None:
    times = cast_at_intervals(world, *FOUR)
    older = ask(world, times[1] + 1)
    assert shown.claim_counting(world.valkey, world.campaign().id)
    assert ask(world, times[3] + 1, older) == older
    assert ask(world, times[3] + 1) == older, "another worker finds them in Redis"
    forget_kept(world)
    assert shown.claim_counting(world.valkey, world.campaign().id)
    assert ask(world, times[3] + 1).ballots == 4, "with nothing to show nobody waits"


def test_an_instant_that_the_box_has_not_reached_is_waited_for(world: World) -> None:
    """Our clock may be ahead of the box's: a ballot could still be accepted before the instant."""
    times = cast_at_intervals(world, *FOUR)
    older = ask(world, times[1] + 1)
    assert ask(world, int(time.time() * 1000) + 1500, older) == older


def test_older_counts_never_take_the_place_of_newer_ones(world: World) -> None:
    times = cast_at_intervals(world, *FOUR)
    ask(world, times[3] + 1)
    assert ask(world, times[1] + 1).ballots == 2, "a node whose clock is behind"
    assert json.loads(world.valkey.get(world.key("shown")))["ballots"] == 4


def test_before_opening_nothing_is_asked(lite_world: World) -> None:
    lite_world.valkey.delete(lite_world.key("ballots"))
    assert ask(lite_world, lite_world.campaign().rules.opens_ms).ballots == 0


def test_without_redis_or_sql_the_last_counts_stay(sqlite_url: str, tmp_path: Path, translations: None) -> None:
    server = embedded.start(tmp_path / "valkey")
    try:
        with application(sqlite_url, server.url, tmp_path) as app:
            world = new_world(app).put(rules_text())
            times = cast_at_intervals(world, *FOUR)
            older = ask(world, times[1] + 1)
            world.sql("ALTER TABLE choices RENAME TO choices_away")
            assert ask(world, times[3] + 1, older) == older
            world.sql("ALTER TABLE choices_away RENAME TO choices")
            server.stop()
            assert ask(world, times[3] + 1, older) == older
            with pytest.raises(BoxUnavailable):
                ask(world, times[3] + 1)
    finally:
        server.stop()


def test_reasons_of_voided_ballots_are_kept_with_the_count(world: World) -> None:
    from voting.storage.ballots import insert_void

    cast_at_intervals(world, *FOUR)
    world.record()
    ids = [ballot_id for (ballot_id,) in world.sql("SELECT ballot_id FROM ballots ORDER BY stream_ms")]

    def void() -> None:
        for ballot_id, reason in zip(ids, ("刷票", "刷票", "测试票"), strict=False):
            insert_void(db.session(), ballot_id, reason, "tests", "none", 1)
        db.session.commit()

    world.do(void)
    world.do(counting.close_campaign, world.slug)
    (inputs,) = world.sql("SELECT inputs FROM results")[0]
    assert json.loads(inputs)["void_reasons"] == {"刷票": 2, "测试票": 1}
