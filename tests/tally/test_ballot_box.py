"""The box at its edges: instants, repeats, traffic, and what it does when Redis is away, full or damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from tests.builders import NOON_MS, PER_DAY, Poll, ballot_id_at, places, rule_set, voter
from voting.identity import effort, question
from voting.rules import errors
from voting.rules.periods import DAY_MS, HOUR_MS, MINUTE_MS
from voting.rules.quota import Quota
from voting.tally.ballot_box import AddressLimits, BallotBox, Sender
from voting.tally.connection import connect

MIDNIGHT_MS = NOON_MS + 12 * HOUR_MS
CLOSES_MS = NOON_MS + 240 * HOUR_MS
ROLLING = Quota("choices", "voter", "rolling", 1)


@pytest.fixture
def poll(valkey: Redis) -> Poll:
    return Poll(valkey, rule_set(), places())


def keys_of(client: Redis) -> dict[bytes, bytes]:
    """Everything in Redis, to see that nothing changed."""
    return {key: client.dump(key) for key in client.scan_iter(count=1000)}


def test_an_accepted_ballot_is_whole_in_the_stream_and_counted_once(poll: Poll) -> None:
    accepted = poll.cast("a", 5, 1, 11, sender=Sender(b"addrhash", "203.0.113.0/24"))
    assert accepted.first
    assert accepted.at_ms == NOON_MS
    ((raw_id, fields),) = poll.client.xrange(poll.box.key("ballots"))
    assert raw_id == b"%d-0" % NOON_MS
    assert fields[b"v"] == voter("a")
    assert (fields[b"c"], fields[b"a"], fields[b"n"], fields[b"m"]) == (b"1,5,11", b"addrhash", b"203.0.113.0/24", b"")
    assert poll.box.counts().votes == {1: 1, 5: 1, 11: 1}
    assert poll.box.counts().ballots == 1


def test_a_repeat_gives_the_same_place_and_counts_nothing_whatever_has_happened_since(poll: Poll) -> None:
    ballot_id = ballot_id_at(NOON_MS)
    first = poll.cast("a", 1, ballot_id=ballot_id)
    before = keys_of(poll.client)
    for later, act in ((0, None), (DAY_MS, poll.box.pause), (2 * DAY_MS, None)):
        poll.set_clock(NOON_MS + later)
        if act:
            act("检修")
            before = keys_of(poll.client)
        again = poll.cast("a", 1, ballot_id=ballot_id)
        assert (again.stream_id, again.first) == (first.stream_id, False)
        assert {k: v for k, v in keys_of(poll.client).items() if k != b"test:clock"} == {
            k: v for k, v in before.items() if k != b"test:clock"
        }
    for other in (("a", (1, 5)), ("b", (1,))):
        with pytest.raises(errors.BallotIdConflict):
            poll.cast(other[0], *other[1], ballot_id=ballot_id)


def test_the_closing_instant_itself_is_too_late(poll: Poll) -> None:
    poll.set_clock(CLOSES_MS - 1)
    assert poll.cast("a", 1).at_ms == CLOSES_MS - 1
    poll.set_clock(CLOSES_MS)
    with pytest.raises(errors.VotingClosed) as closed:
        poll.cast("b", 1)
    assert closed.value == errors.VotingClosed(CLOSES_MS)


def test_a_new_day_begins_at_local_midnight(poll: Poll) -> None:
    poll.set_clock(MIDNIGHT_MS - 1)
    poll.cast("a", 1)
    with pytest.raises(errors.QuotaSpent) as spent:
        poll.cast("a", 1)
    assert spent.value == errors.QuotaSpent(PER_DAY, "1", 1, 1, MIDNIGHT_MS)
    poll.set_clock(MIDNIGHT_MS)
    assert poll.cast("a", 1).at_ms == MIDNIGHT_MS


def test_rolling_quota_gives_again_after_exactly_24_hours(valkey: Redis) -> None:
    poll = Poll(valkey, rule_set(quotas=(ROLLING,)), places())
    poll.cast("a", 1)
    poll.set_clock(NOON_MS + DAY_MS - 1)
    with pytest.raises(errors.QuotaSpent) as spent:
        poll.cast("a", 3)
    assert spent.value == errors.QuotaSpent(ROLLING, "", 1, 1, NOON_MS + DAY_MS)
    poll.set_clock(NOON_MS + DAY_MS)
    assert poll.cast("a", 3).first


def test_the_clock_never_runs_backwards(poll: Poll) -> None:
    poll.set_clock(MIDNIGHT_MS)
    poll.cast("a", 1)
    poll.set_clock(MIDNIGHT_MS - HOUR_MS)
    # By the clock on the wall it is yesterday again; the box stays in the new day.
    with pytest.raises(errors.QuotaSpent):
        poll.cast("a", 1)
    accepted = poll.cast("a", 3)
    assert accepted.stream_id == (MIDNIGHT_MS, 1)


def test_the_night_the_clocks_go_back_is_one_day(valkey: Redis) -> None:
    change_ms = 2_234_998_800_000  # 2040-10-28 03:00 in Berlin becomes 02:00
    rules = rule_set(time_zone="Europe/Berlin", opens_ms=change_ms - DAY_MS, closes_ms=change_ms + 3 * DAY_MS)
    poll = Poll(valkey, rules, places())
    poll.set_clock(change_ms - 2 * HOUR_MS)
    poll.cast("a", 1)
    poll.set_clock(change_ms + 22 * HOUR_MS - 1)  # 25 hours after midnight, minus a moment
    with pytest.raises(errors.QuotaSpent) as spent:
        poll.cast("a", 1)
    assert spent.value.resets_ms == change_ms + 22 * HOUR_MS  # type: ignore[attr-defined]
    poll.set_clock(change_ms + 22 * HOUR_MS)
    assert poll.cast("a", 1).first


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [
        (DAY_MS, None),
        (DAY_MS + 1, errors.BallotIdExpired),
        (-5 * MINUTE_MS, None),
        (-5 * MINUTE_MS - 1, errors.BallotIdFromFuture),
    ],
)
def test_the_age_of_a_ballot_id(poll: Poll, age_ms: int, expected: type[Exception] | None) -> None:
    poll.set_clock(NOON_MS + 2 * DAY_MS)
    ballot_id = ballot_id_at(poll.now_ms - age_ms)
    if expected is None:
        assert poll.cast("a", 1, ballot_id=ballot_id).first
    else:
        with pytest.raises(expected):
            poll.cast("a", 1, ballot_id=ballot_id)


def test_an_id_is_remembered_for_longer_than_it_is_accepted(poll: Poll) -> None:
    poll.cast("a", 1)
    (key,) = poll.client.keys("*ids:*")
    kept_until_ms = int(poll.client.pexpiretime(key))  # type: ignore[arg-type]
    assert NOON_MS + 47 * HOUR_MS < kept_until_ms <= NOON_MS + 48 * HOUR_MS


def test_every_refusal_leaves_no_trace(poll: Poll) -> None:
    poll.cast("a", 1)
    before = keys_of(poll.client)
    for choices in ((), (1,), (99,), (5, 5), (1, 3, 4), (1, 3, 5, 6)):
        with pytest.raises(errors.Refusal):
            poll.cast("a", *choices, sender=Sender(b"addrhash", "203.0.113.0/24", True))
    assert keys_of(poll.client) == before


def test_sealing_is_an_entry_of_the_stream_and_happens_once(poll: Poll) -> None:
    accepted = poll.cast("a", 1)
    seal = poll.box.seal()
    assert seal > accepted.stream_id
    assert poll.box.seal() == seal
    with pytest.raises(errors.VotingClosed):
        poll.cast("b", 1)
    entries = poll.client.xrange(poll.box.key("ballots"))
    assert entries[-1][1] == {b"close": b"1"}
    assert len(entries) == 2
    status = poll.box.status()
    assert status is not None
    assert (status.seal, status.accepted) == (seal, 1)


def test_pausing_carries_the_reason_and_resuming_goes_on(poll: Poll) -> None:
    poll.box.pause("设备检修")
    with pytest.raises(errors.VotingPaused) as paused:
        poll.cast("a", 1)
    assert paused.value == errors.VotingPaused("设备检修")
    poll.box.resume()
    assert poll.cast("a", 1).first


class TestAddresses:
    """Traffic windows: they mark long before they refuse, and never refuse a repeat."""

    LIMITS = AddressLimits(hourly=60, burst=3, refused_hourly=6, new_devices=2)
    HOME = Sender(b"homehome", "203.0.113.0/24")

    @pytest.fixture
    def poll(self, valkey: Redis) -> Poll:
        poll = Poll(valkey, rule_set(), places())
        poll.box._address_limits = (60, 3, 6, 2)
        return poll

    def test_a_burst_is_marked_and_time_gives_room_again(self, poll: Poll) -> None:
        marks = [poll.cast(f"v{n}", 1, sender=self.HOME).marks for n in range(5)]
        assert marks == ["", "", "", "address_rate", "address_rate"]
        poll.set_clock(NOON_MS + 2 * MINUTE_MS)  # 60 an hour: one more every minute
        assert poll.cast("w", 1, sender=self.HOME).marks == ""
        assert poll.cast("x", 1, sender=Sender(b"otherone", "198.51.100.0/24")).marks == ""

    def test_too_many_in_an_hour_are_refused_until_it_is_over(self, poll: Poll) -> None:
        repeated = ballot_id_at(NOON_MS)
        poll.cast("v", 1, ballot_id=repeated, sender=self.HOME)
        for n in range(5):
            poll.cast(f"v{n}", 1, sender=self.HOME)
        with pytest.raises(errors.AddressLimited) as limited:
            poll.cast("z", 1, sender=self.HOME)
        assert limited.value == errors.AddressLimited(NOON_MS + HOUR_MS)
        assert not poll.cast("v", 1, ballot_id=repeated, sender=self.HOME).first
        poll.set_clock(NOON_MS + HOUR_MS)
        assert poll.cast("z", 1, sender=self.HOME).first

    def test_new_devices_are_counted_once_each(self, poll: Poll) -> None:
        new = Sender(b"homehome", "203.0.113.0/24", new_device=True)
        marks = []
        for name, choice in (("a", 1), ("a", 3), ("b", 1), ("c", 1)):
            poll.set_clock(poll.now_ms + 2 * MINUTE_MS)
            marks.append(poll.cast(name, choice, sender=new).marks)
        assert marks == ["", "", "", "new_devices"]


class TestChallenges:
    """Above the first address limits a ballot needs a solved challenge; each solution serves one ballot."""

    ONE, TWO = b"one" * 5 + b"1", b"two" * 5 + b"2"

    @pytest.fixture
    def poll(self, valkey: Redis) -> Poll:
        poll = Poll(valkey, rule_set(), places())
        poll.box._address_limits = (60, 2, 6, 100)
        return poll

    def home(self, solved: bytes = b"", challenge: str = "on_challenge") -> Sender:
        return Sender(b"homehome", "203.0.113.0/24", False, challenge, solved)

    def crowd(self, poll: Poll) -> None:
        """So many ballots that the next one is above the line."""
        for name in "ab":
            assert poll.cast(name, 1, sender=self.home()).marks == ""

    def test_below_the_line_nothing_is_asked_and_nothing_spent(self, poll: Poll) -> None:
        assert poll.cast("a", 1, sender=self.home(self.ONE)).marks == ""
        assert poll.client.keys("*solved*") == []

    def test_above_it_a_solution_is_needed_and_marked(self, poll: Poll) -> None:
        self.crowd(poll)
        before = keys_of(poll.client)
        with pytest.raises(errors.ChallengeRequired):
            poll.cast("c", 1, sender=self.home())
        assert keys_of(poll.client) == before
        assert poll.cast("c", 1, sender=self.home(self.ONE)).marks == "address_rate,solved"
        entries = poll.client.xrange(poll.box.key("ballots"))
        assert entries[-1][1][b"m"] == b"address_rate,solved"

    def test_a_solution_serves_one_ballot_but_its_repeat_gets_the_receipt(self, poll: Poll) -> None:
        self.crowd(poll)
        ballot_id = ballot_id_at(NOON_MS)
        first = poll.cast("c", 1, ballot_id=ballot_id, sender=self.home(self.ONE))
        with pytest.raises(errors.ChallengeSpent):
            poll.cast("d", 1, sender=self.home(self.ONE))
        for solved in (self.ONE, b"", self.TWO):
            again = poll.cast("c", 1, ballot_id=ballot_id, sender=self.home(solved))
            assert (again.stream_id, again.first) == (first.stream_id, False)
        assert poll.cast("d", 1, sender=self.home(self.TWO)).first

    def test_a_refused_ballot_spends_no_solution(self, poll: Poll) -> None:
        self.crowd(poll)
        for choices in ((99,), (1, 3, 4)):
            with pytest.raises(errors.Refusal):
                poll.cast("c", *choices, sender=self.home(self.ONE))
        assert poll.cast("c", 1, sender=self.home(self.ONE)).first

    def test_it_is_remembered_for_longer_than_it_is_good(self, poll: Poll) -> None:
        self.crowd(poll)
        poll.cast("c", 1, sender=self.home(self.ONE))
        (key,) = poll.client.keys("*solved*")
        kept_ms = int(poll.client.pttl(key))  # type: ignore[arg-type]
        longest_s = max(effort.GOOD_FOR_S, question.GOOD_FOR_S)
        assert longest_s * 1000 < kept_ms - 30_000 < kept_ms <= 600_000

    def test_always_and_off(self, poll: Poll) -> None:
        with pytest.raises(errors.ChallengeRequired):
            poll.cast("a", 1, sender=self.home(challenge="always"))
        assert poll.cast("a", 1, sender=self.home(self.ONE, "always")).marks == "solved"
        for name in "bc":
            poll.cast(name, 1, sender=self.home(challenge="off"))
        assert poll.cast("d", 1, sender=self.home(challenge="off")).marks == "address_rate"

    def test_always_without_an_address(self, poll: Poll) -> None:
        with pytest.raises(errors.ChallengeRequired):
            poll.cast("a", 1, sender=Sender(challenge="always"))
        assert poll.cast("a", 1, sender=Sender(challenge="always", solved=self.ONE)).first

    def test_the_refusal_of_too_many_comes_all_the_same(self, poll: Poll) -> None:
        self.crowd(poll)
        for number in range(4):
            poll.cast(f"v{number}", 1, sender=self.home(bytes([number]) * 16))
        with pytest.raises(errors.AddressLimited):
            poll.cast("w", 1, sender=self.home(self.ONE))


class TestUnsure:
    """The box fails closed: every doubt is BoxUnavailable, and nothing is written."""

    def test_no_box(self, valkey: Redis) -> None:
        poll = Poll(valkey, rule_set(), places())
        poll.client.delete(poll.box.key("box"))
        for act in (lambda: poll.cast("a", 1), lambda: poll.box.pause("x"), poll.box.seal, poll.box.counts):
            with pytest.raises(errors.BoxUnavailable) as refused:
                act()
            assert refused.value == errors.BoxUnavailable("missing")
        assert poll.box.status() is None

    def test_another_epoch(self, poll: Poll) -> None:
        poll.epoch = "another"
        with pytest.raises(errors.BoxUnavailable) as refused:
            poll.cast("a", 1)
        assert refused.value == errors.BoxUnavailable("epoch")

    @pytest.mark.parametrize(("apart_ms", "believed"), [(2000, True), (-2000, True), (2001, False), (-2001, False)])
    def test_a_caller_whose_clock_is_off(self, poll: Poll, apart_ms: int, believed: bool) -> None:
        poll.client.set("test:clock", NOON_MS + apart_ms)
        if believed:
            assert poll.cast("a", 1).first
        else:
            with pytest.raises(errors.BoxUnavailable) as refused:
                poll.cast("a", 1)
            assert refused.value == errors.BoxUnavailable("clock")

    def test_redis_away(self, tmp_path: Path) -> None:
        box = BallotBox(connect(f"unix://{tmp_path}/nothing.sock"), 1, rule_set())
        for act in (box.seal, box.status, box.counts, lambda: box.usage(voter("a"), 0)):
            with pytest.raises(errors.BoxUnavailable) as refused:
                act()
            assert refused.value == errors.BoxUnavailable("unreachable")

    def test_redis_full(self, poll: Poll) -> None:
        poll.client.config_set("maxmemory", 1)
        try:
            with pytest.raises(errors.BoxUnavailable) as refused:
                poll.cast("a", 1)
        finally:
            poll.client.config_set("maxmemory", 0)
        assert refused.value == errors.BoxUnavailable("full")
        assert poll.client.xlen(poll.box.key("ballots")) == 0
        assert poll.cast("a", 1).first

    @pytest.mark.parametrize("name", ["ballots", "tally", "candidates"])
    def test_a_key_of_the_wrong_type_writes_nothing(self, poll: Poll, name: str) -> None:
        poll.client.delete(poll.box.key(name))
        poll.client.set(poll.box.key(name), "damaged")
        before = keys_of(poll.client)
        with pytest.raises(Exception, match="WRONGTYPE"):
            poll.cast("a", 1)
        assert keys_of(poll.client) == before


def test_what_is_used_is_read_for_every_quota_line(valkey: Redis) -> None:
    lines = (
        Quota("choices", "award", "day", 3),
        Quota("ballots", "voter", "campaign", 5),
        Quota("choices", "voter", "rolling", 4),
        Quota("choices", "group", "day", 2),
        Quota("choices", "candidate", "campaign", 1),
    )
    poll = Poll(valkey, rule_set(quotas=lines), places())
    poll.cast("a", 1, 5, 11)

    def used(later_ms: int = 0, name: str = "a") -> list[dict[str, int]]:
        return poll.box.usage(voter(name), NOON_MS + later_ms)

    # Candidates are named by their place among the ids: 1 is the first, 5 the fifth, 11 the seventh.
    chosen = {"0": 1, "4": 1, "6": 1}
    groups = {"north": 1, "south": 1}
    assert used() == [{"centres": 2, "households": 1}, {"": 1}, {"": 3}, groups, chosen]
    nobody = {"north": 0, "south": 0}
    assert used(12 * HOUR_MS) == [{"centres": 0, "households": 0}, {"": 1}, {"": 3}, nobody, chosen]
    assert (used(DAY_MS - 1)[2], used(DAY_MS)[2]) == ({"": 3}, {"": 0})
    assert used(name="b") == [{"centres": 0, "households": 0}, {"": 0}, {"": 0}, nobody, {}]


def test_two_campaigns_do_not_meet(valkey: Redis) -> None:
    one, two = Poll(valkey, rule_set(), places()), Poll(valkey, rule_set(), places(), campaign=2)
    one.cast("a", 1)
    assert two.cast("a", 1).first
    assert (one.box.counts().votes, two.box.counts().votes) == ({1: 1}, {1: 1})


def test_opening_twice_changes_nothing(poll: Poll) -> None:
    poll.cast("a", 1)
    assert not poll.box.open("other")
    status = poll.box.status()
    assert status is not None
    assert (status.epoch, status.accepted) == (poll.epoch, 1)
