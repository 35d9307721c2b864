"""The recorder on real stores: every ballot once, whoever dies or comes second; a stop at what cannot be skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.world import Voter, World, new_world, rules_text
from voting.services import campaigns, recording
from voting.services.boxes import boxes
from voting.services.recording import Recorder, RecordingStopped
from voting.tally import stream


def cast_some(world: World, count: int) -> list[Voter]:
    """``count`` voters with one ballot each."""
    voters = [world.voter() for _ in range(count)]
    for voter in voters:
        assert voter.cast("c1", "h2").status_code == 201
    return voters


def recorded(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM ballots")[0][0])


def take(world: World, consumer: str) -> list[stream.Entry | stream.Seal]:
    """What a recorder is given that then dies: delivered, and never acknowledged."""
    campaign = world.campaign().id
    return world.do(lambda: stream.read_new(boxes().client, [campaign], consumer, 1000, 0))[campaign]


def entries(world: World) -> list[tuple[bytes, dict[bytes, bytes]]]:
    return world.valkey.xrange(world.key("ballots"))


def stops(world: World, act: Callable[[], object] | None = None) -> str:
    """The message a recorder stops with; it stops again, and nothing more is in the ledger than before."""
    before = recorded(world), world.sql("SELECT count(*) FROM choices")
    with pytest.raises(RecordingStopped) as first:
        (act or (lambda: world.record(stale_ms=0)))()
    with pytest.raises(RecordingStopped):
        world.record(stale_ms=0)
    assert (recorded(world), world.sql("SELECT count(*) FROM choices")) == before
    return str(first.value)


def test_ballots_are_recorded_whole_and_acknowledged(world: World) -> None:
    voter = world.voter()
    answer = voter.cast("h3", "c1", "c2", headers={"X-Forwarded-For": "203.0.113.9"}).json
    assert world.record() == 1
    rows = world.sql("SELECT ballot_id, stream_ms, receipt, network, marks FROM ballots")
    # Nobody is a proxy here: the address is the peer's, whatever a header says.
    assert rows == [(answer["ballot_id"], answer["accepted_at"], answer["receipt"], "127.0.0.0/24", "")]
    choices = world.sql("SELECT candidate_id, times FROM choices ORDER BY candidate_id")
    assert choices == [(candidate, 1) for candidate in sorted(world.ids("h3", "c1", "c2"))]
    assert world.do(campaigns.campaign_state, world.slug).backlog.waiting is False
    assert world.record() == 0


def test_two_recorders_that_grab_each_others_work_record_once(world: World) -> None:
    """Both claim whatever is not acknowledged at once, so most batches are in two hands."""
    done = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        recorder = Recorder(stale_ms=0)
        try:
            while not done.is_set():
                world.do(recorder.step, 1)
        except BaseException as error:
            failures.append(error)

    recorders = [threading.Thread(target=work) for _ in range(2)]
    for thread in recorders:
        thread.start()
    try:
        cast_some(world, 60)
        assert not failures
    finally:
        done.set()
        for thread in recorders:
            thread.join(30)
    world.record(stale_ms=0)
    assert not failures
    assert recorded(world) == 60
    assert world.sql("SELECT sum(times) FROM choices") == [(120,)]
    assert world.failing() == set()


def test_a_batch_that_comes_again_after_its_commit_changes_nothing(world: World) -> None:
    cast_some(world, 5)
    given = [entry for entry in take(world, "dies after the commit") if isinstance(entry, stream.Entry)]
    world.do(recording.commit_ballots, world.campaign(), given)
    assert recorded(world) == 5
    assert world.record(stale_ms=0) == 5
    assert recorded(world) == 5
    assert world.do(campaigns.campaign_state, world.slug).backlog.waiting is False
    assert world.failing() == set()


def test_a_batch_is_recorded_or_it_is_not(world: World) -> None:
    """A candidate that SQL does not know: the other ballots of the batch wait as well."""
    cast_some(world, 3)
    raw = entries(world)[-1][1]
    world.valkey.xadd(world.key("ballots"), raw | {b"b": b"0" * 26, b"c": b"424242"})
    message = stops(world)
    assert "refused a batch of 4 ballots" in message
    assert recorded(world) == 0


@pytest.mark.parametrize(
    ("name", "value"), [(b"b", None), (b"v", None), (b"c", b"1,zwei"), (b"c", b""), (b"n", "\u00e9".encode())]
)
def test_an_entry_that_is_no_ballot_stops_the_recorder(lite_world: World, name: bytes, value: bytes | None) -> None:
    world = lite_world
    cast_some(world, 2)
    raw = dict(entries(world)[0][1]) | {b"b": b"0" * 26}
    if value is None:
        del raw[name]
    else:
        raw[name] = value
    place = world.valkey.xadd(world.key("ballots"), raw)
    assert f"entry {place.decode()} is not a ballot" in stops(world)
    assert recorded(world) == 0


@pytest.mark.parametrize("changed", [{b"c": b"1"}, {b"v": b"another voter..."}, {}])
def test_other_content_under_a_recorded_id_stops_the_recorder(world: World, changed: dict[bytes, bytes]) -> None:
    """Other choices, another voter, or the very same ballot at another place: an old copy of Redis looks like that."""
    cast_some(world, 2)
    world.record()
    raw = entries(world)[0][1]
    assert raw[b"c"] != b"1"
    world.valkey.xadd(world.key("ballots"), raw | changed)
    message = stops(world)
    assert raw[b"b"].decode() in message
    assert "other content or at another place" in message


def test_a_ballot_after_the_seal_stops_the_recorder(world: World) -> None:
    cast_some(world, 2)
    world.record()
    world.do(campaigns.seal_campaign, world.slug)
    raw = entries(world)[0][1]
    world.valkey.xadd(world.key("ballots"), raw | {b"b": b"7" * 26})
    message = stops(world)
    assert "7" * 26 in message
    assert "stands after the seal" in message


def test_a_seal_and_a_late_ballot_in_one_batch(world: World) -> None:
    """SQL has not been told of the seal yet: the stream's own seal counts."""
    cast_some(world, 1)
    raw = entries(world)[0][1]
    world.valkey.xadd(world.key("ballots"), {b"close": b"1"})
    world.valkey.xadd(world.key("ballots"), raw | {b"b": b"7" * 26})
    assert "stands after the seal" in stops(world)
    assert recorded(world) == 0


def test_entries_trimmed_before_they_were_recorded_stop_the_recorder(world: World) -> None:
    cast_some(world, 3)
    take(world, "dies before the commit")
    lost = entries(world)[0][0]
    world.valkey.xtrim(world.key("ballots"), maxlen=1, approximate=False)
    # Redis forgets what it told us of once: the first answer is the only one that names the loss.
    with pytest.raises(RecordingStopped) as stopped:
        world.record(stale_ms=0)
    assert "trimmed before they were recorded" in str(stopped.value)
    assert lost.decode() in str(stopped.value)
    assert recorded(world) == 0
    assert "I1" in world.failing()


def test_trimming_waits_for_the_ledger(world: World) -> None:
    """Nothing is forgotten that is not acknowledged, nor anything younger than the margin."""
    cast_some(world, 3)
    box = world.do(lambda: recording.box_of(world.campaign().id, world.campaign().rules))
    take(world, "is slow")
    assert box.run("trim", -1000) == 0
    assert world.record(stale_ms=0) == 3
    assert box.run("trim", 60_000) == 0
    assert len(entries(world)) == 3
    cast_some(world, 1)
    assert world.record() == 1
    # A margin in the future: everything that is done may go, but the last place stays known.
    assert box.run("trim", -1000) >= 3
    assert world.failing() == set()
    cast_some(world, 1)
    assert world.record() == 1
    assert world.failing() == set()


def test_draining_takes_over_what_another_recorder_left(world: World) -> None:
    cast_some(world, 4)
    take(world, "died")
    cast_some(world, 2)
    world.do(recording.drain, world.campaign())
    assert recorded(world) == 6
    assert world.do(campaigns.campaign_state, world.slug).backlog.waiting is False


def test_draining_gives_up_with_a_number(world: World) -> None:
    """Another recorder holds entries and is alive: their idle time does not grow."""
    cast_some(world, 2)
    take(world, "alive")
    with pytest.raises(RecordingStopped, match="2 entries are still not acknowledged"):
        world.do(recording.drain, world.campaign(), 0.2)


def test_nothing_to_do_without_a_box(world: World) -> None:
    assert world.record() == 0
    world.valkey.flushall()
    assert world.record() == 0


def test_two_campaigns_are_recorded_side_by_side(world: World) -> None:
    other = new_world(world.app).put(rules_text())
    cast_some(world, 2)
    cast_some(other, 3)
    assert world.record() == 5
    assert world.sql("SELECT count(*) FROM ballots GROUP BY campaign_id ORDER BY 1") == [(2,), (3,)]
    assert world.failing() == other.failing() == set()


def test_a_campaign_without_a_box_does_not_hold_up_the_others(world: World) -> None:
    other = new_world(world.app).put(rules_text())
    cast_some(other, 2)
    world.valkey.delete(world.key("box"), world.key("ballots"))
    assert world.record() == 2
