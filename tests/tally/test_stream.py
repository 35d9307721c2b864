"""The stream as recorders see it, trimming, and the box made again beside the live one."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.builders import NOON_MS, SECRET, Poll, ballot_id_at, places, rule_set, voter
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.rules.quota import Quota
from voting.rules.voter import receipt_code
from voting.tally import rebuilding, stream
from voting.tally.rebuilding import Recount, Shadow
from voting.tally.stream import Entry, Seal, StreamDamaged

LINES = (
    Quota("choices", "candidate", "day", 9),
    Quota("choices", "award", "rolling", 50),
    Quota("ballots", "voter", "campaign", 9),
)


@pytest.fixture
def poll(valkey: Redis) -> Poll:
    return Poll(valkey, rule_set(quotas=LINES, interval_s=1), places())


def fill(poll: Poll, ballots: int) -> list[Entry]:
    for number in range(ballots):
        poll.set_clock(NOON_MS + number * 7000)
        poll.cast(f"v{number % 5}", 1 + number % 4, 11 + number % 6)
    return [entry for entry in stream.read_range(poll.client, 1) if isinstance(entry, Entry)]


def as_recounts(entries: list[Entry]) -> list[Recount]:
    return [
        Recount(e.stream_id, e.ballot_id, e.voter_key, receipt_code(SECRET, 1, e.ballot_id), e.choices) for e in entries
    ]


def test_entries_are_given_to_one_recorder_and_stay_pending_until_acknowledged(poll: Poll) -> None:
    entries = fill(poll, 4)
    first = stream.read_new(poll.client, [1], "one", 3, 0)[1]
    second = stream.read_new(poll.client, [1], "two", 3, 0)[1]
    assert [*first, *second] == entries
    assert stream.read_new(poll.client, [1], "one", 3, 0) == {}
    backlog = stream.read_backlog(poll.client, 1)
    assert backlog is not None
    assert (backlog.pending, backlog.waiting, backlog.lag) == (4, True, 4)
    assert not backlog.acknowledged(entries[0].stream_id)
    stream.acknowledge(poll.client, 1, [entry.stream_id for entry in first])
    assert stream.claim(poll.client, 1, "three", 0, 10) == second
    stream.acknowledge(poll.client, 1, [entry.stream_id for entry in second])
    backlog = stream.read_backlog(poll.client, 1)
    assert backlog is not None
    assert (backlog.waiting, backlog.lag, backlog.acknowledged(entries[-1].stream_id)) == (False, 0, True)


def test_reading_and_finding_by_place(poll: Poll) -> None:
    entries = fill(poll, 5)
    some = list(stream.read_range(poll.client, 1, entries[0].stream_id, entries[3].stream_id, count=2))
    assert some == entries[1:4]
    assert stream.find_entry(poll.client, 1, entries[2].stream_id) == entries[2]
    assert stream.find_entry(poll.client, 1, (1, 1)) is None
    place = poll.box.place_of_receipt(receipt_code(SECRET, 1, entries[2].ballot_id))
    assert place == entries[2].stream_id
    assert poll.box.place_of_receipt("0" * 16) is None
    seal = poll.box.seal()
    assert list(stream.read_range(poll.client, 1, entries[-1].stream_id)) == [Seal(seal, 5)]
    assert stream.find_entry(poll.client, 1, seal) is None


def test_what_is_not_a_ballot_is_named(poll: Poll) -> None:
    poll.client.xadd(poll.box.key("ballots"), {"votes": "1000"})
    with pytest.raises(StreamDamaged, match="votes"):
        stream.read_new(poll.client, [1], "one", 10, 0)


def test_trimming_below_an_acknowledgement_is_noticed(poll: Poll) -> None:
    entries = fill(poll, 3)
    stream.read_new(poll.client, [1], "one", 10, 0)
    poll.client.xtrim(poll.box.key("ballots"), maxlen=1, approximate=False)
    with pytest.raises(StreamDamaged, match=str(entries[0].stream_id[0])):
        stream.claim(poll.client, 1, "two", 0, 10)


def test_only_what_is_acknowledged_and_old_is_trimmed(poll: Poll) -> None:
    entries = fill(poll, 6)
    later_ms = poll.now_ms + HOUR_MS
    poll.set_clock(later_ms)

    def left() -> int:
        poll.box.run("trim", HOUR_MS)
        return int(poll.client.xlen(poll.box.key("ballots")))

    assert left() == 6
    given = stream.read_new(poll.client, [1], "one", 4, 0)[1]
    assert left() == 6
    stream.acknowledge(poll.client, 1, [entry.stream_id for entry in given[:2]])
    assert left() == 4
    stream.acknowledge(poll.client, 1, [entry.stream_id for entry in given[2:]])
    assert left() == 3
    assert next(stream.read_range(poll.client, 1)).stream_id == entries[3].stream_id
    poll.set_clock(entries[4].stream_id[0] + 1000)  # younger than the margin: kept, although acknowledged
    rest = stream.read_new(poll.client, [1], "one", 4, 0)[1]
    stream.acknowledge(poll.client, 1, [entry.stream_id for entry in rest])
    assert left() == 3


def test_no_stream_no_backlog_and_nothing_to_trim(valkey: Redis) -> None:
    poll = Poll(valkey, rule_set(), places())
    poll.client.delete(poll.box.key("ballots"))
    assert stream.read_backlog(valkey, 1) is None
    assert poll.box.run("trim", 0) == 0
    stream.ensure_group(valkey, 1)
    stream.ensure_group(valkey, 1)
    assert poll.box.run("trim", 0) == 0
    backlog = stream.read_backlog(valkey, 1)
    assert backlog is not None
    assert not backlog.waiting


def test_a_replayed_box_has_the_same_keys(poll: Poll) -> None:
    entries = fill(poll, 40)

    def derived() -> dict[bytes, bytes]:
        names = [key for name in rebuilding.DERIVED for key in poll.client.scan_iter(poll.box.key(name))]
        return {name: poll.client.hgetall(name) for name in names}

    before = derived()
    assert len(before) > 10
    rebuilding.clear(poll.box)
    assert derived() == {}
    assert rebuilding.replay(poll.box, as_recounts(entries), poll.now_ms) == 40
    assert derived() == before


def test_the_shadow_differs_exactly_where_the_box_was_damaged(poll: Poll) -> None:
    entries = fill(poll, 20)

    def differing() -> set[bytes]:
        shadow = Shadow(poll.box, poll.now_ms)
        try:
            assert shadow.add(as_recounts(entries)) == 20
            names = shadow.names()
            live, again = shadow.read(names, shadow=False), shadow.read(names, shadow=True)
            return {name for name in names if live[name] != again[name]}
        finally:
            shadow.close()

    assert differing() == set()
    poll.client.hincrby(poll.box.key("tally"), "1", 1)
    bucket = voter("v0")[:2].hex().encode()
    poll.client.hdel(poll.box.key(f"campaign:{bucket.decode()}"), voter("v0")[2:10])
    assert differing() == {b"tally", b"campaign:" + bucket}
    assert not list(poll.client.scan_iter(poll.box.key("shadow:*")))


def test_what_is_over_is_not_replayed(poll: Poll) -> None:
    entries = fill(poll, 5)
    rebuilding.clear(poll.box)
    rebuilding.replay(poll.box, as_recounts(entries), NOON_MS + 3 * DAY_MS)
    kept = {key.split(b":")[1] for key in poll.client.scan_iter(poll.box.key("*"))}
    assert kept == {b"box", b"candidates", b"ballots", b"tally", b"campaign", b"last"}
    assert poll.cast("v9", 1, ballot_id=ballot_id_at(poll.now_ms)).first


def test_a_recorder_finds_again_what_it_could_not_acknowledge(poll: Poll) -> None:
    entries = fill(poll, 3)
    assert stream.read_new(poll.client, [1], "one", 10, 0)[1] == entries
    assert stream.read_own(poll.client, 1, "two", 10) == []
    assert stream.read_own(poll.client, 1, "one", 10) == entries
    stream.acknowledge(poll.client, 1, [entries[0].stream_id])
    assert stream.read_own(poll.client, 1, "one", 10) == entries[1:]
    poll.client.xtrim(poll.box.key("ballots"), maxlen=1, approximate=False)
    with pytest.raises(StreamDamaged, match=str(entries[1].stream_id[0])):
        stream.read_own(poll.client, 1, "one", 10)
