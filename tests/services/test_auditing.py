"""The audit finds each kind of damage by the right name, says nothing else, and stays quiet while voting goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgpack
import pytest
from flask import Flask
from ulid import ULID

from tests.storage.rows import ballot_row, choice_rows
from tests.world import World, new_world, quota, rules_text
from voting.rules.errors import BoxUnavailable, StageRefused
from voting.services import auditing, campaigns, counting
from voting.services.boxes import boxes
from voting.services.recording import Recorder
from voting.storage.ballots import insert_ballots
from voting.storage.database import db
from voting.tally import stream


@pytest.fixture
def voted(world: World) -> World:
    """Four ballots in the ledger, and one that waits in the stream."""
    for codes in (("c1", "c2", "h1"), ("c1", "h2"), ("c3",), ("h1", "h2")):
        assert world.voter().cast(*codes).status_code == 201
    assert world.record() == 4
    assert world.voter().cast("c1", "h1").status_code == 201
    assert world.failing() == set()
    return world


def put_row(world: World, *codes: str, voter_of: str | None = None) -> None:
    """A ballot in the ledger that the box never saw; ``voter_of`` names a recorded ballot whose voter it gets."""
    campaign, chosen = world.campaign(), world.ids(*codes)
    rows = world.sql("SELECT ballot_id, stream_ms, voter_key FROM ballots ORDER BY stream_ms")
    stream_ms = rows[-1][1]
    voter = next(key for ballot_id, _, key in rows if voter_of in (None, ballot_id))
    row = ballot_row(campaign.id, 5, stream_ms=stream_ms, stream_seq=500, voter_key=bytes(voter))

    def put() -> None:
        insert_ballots(db.session(), [row], choice_rows(5, chosen))
        db.session.commit()

    world.do(put)


def lose_a_row(world: World) -> None:
    """A recorded ballot disappears from the ledger."""
    world.unlock_ledger()
    # The newest one: nothing that was recorded later gives away that it is missing.
    ((ballot_id,),) = world.sql("SELECT ballot_id FROM ballots ORDER BY stream_ms DESC, stream_seq DESC LIMIT 1")
    world.sql("DELETE FROM choices WHERE ballot_id = :id", id=ballot_id)
    world.sql("DELETE FROM ballots WHERE ballot_id = :id", id=ballot_id)


def move_a_choice(world: World) -> None:
    """One vote of a recorded ballot goes to another candidate, and the tally is moved along."""
    world.unlock_ledger()
    old, new = world.ids("c3", "c5")
    world.sql("UPDATE choices SET candidate_id = :new WHERE candidate_id = :old", new=new, old=old)
    world.valkey.hdel(world.key("tally"), str(old))
    world.valkey.hset(world.key("tally"), str(new), 1)


def stuff_the_ledger(world: World) -> None:
    put_row(world, "h6")


def stuff_the_tally(world: World) -> None:
    world.valkey.hincrby(world.key("tally"), str(world.ids("c4")[0]), 7)


def vote_twice_in_sql(world: World) -> None:
    """The ledger gets a second ballot of the same voter for the same candidate, and the box is told of it as well."""
    _, entry = world.valkey.xrevrange(world.key("ballots"), count=1)[0]
    world.valkey.xadd(world.key("ballots"), entry | {b"b": str(ULID()).encode()})
    for candidate in entry[b"c"].split(b","):
        world.valkey.hincrby(world.key("tally"), candidate.decode(), 1)
    world.valkey.hincrby(world.key("box"), "accepted", 1)
    world.record()


def add_after_the_seal(world: World) -> None:
    entry = world.valkey.xrange(world.key("ballots"))[-1][1]
    world.record()
    world.do(campaigns.seal_campaign, world.slug)
    assert world.failing() == set()
    world.valkey.xadd(world.key("ballots"), entry | {b"b": str(ULID()).encode(), b"c": b"1", b"v": b"nobody we know.."})


def edit_an_id(world: World) -> None:
    """A repeat of that ballot would be answered with another time."""
    (key,) = world.valkey.keys(world.key("ids:*"))[:1]
    ((field, value),) = list(world.valkey.hgetall(key).items())[:1]
    world.valkey.hset(key, field, value[:-1] + bytes([value[-1] ^ 1]))


def forget_an_id(world: World) -> None:
    (key,) = world.valkey.keys(world.key("ids:*"))[:1]
    world.valkey.delete(key)


def give_a_voter_back_a_vote(world: World) -> None:
    (key,) = world.valkey.keys(world.key("day:*"))[:1]
    ((field, value),) = list(world.valkey.hgetall(key).items())[:1]
    flat = msgpack.unpackb(value)
    flat[1] -= 1
    world.valkey.hset(key, field, msgpack.packb(flat))


def forget_a_voter(world: World) -> None:
    (key,) = world.valkey.keys(world.key("rolling:*"))[:1]
    world.valkey.delete(key)


def skip_an_entry(world: World) -> None:
    """A recorder that acknowledges without having committed."""
    view = world.campaign()
    taken = world.do(lambda: stream.read_new(boxes().client, [view.id], "hasty", 10, 0))[view.id]
    world.do(lambda: stream.acknowledge(boxes().client, view.id, [entry.stream_id for entry in taken]))


#: damage -> the invariants that it breaks: the counting ones follow when a ballot itself appears or is gone
DAMAGES: list[tuple[Callable[[World], None], set[str]]] = [
    # What is in the stream and not in the ledger counts as waiting; that it was acknowledged gives it away.
    (lose_a_row, {"I1"}),
    (move_a_choice, {"I1", "I6", "I7"}),
    (stuff_the_ledger, {"I1", "I2", "I3", "I7"}),
    (stuff_the_tally, {"I3", "I7"}),
    (vote_twice_in_sql, {"I4", "I6", "I7"}),
    (add_after_the_seal, {"I1", "I3", "I5", "I6", "I7"}),
    (edit_an_id, {"I6"}),
    (forget_an_id, {"I6"}),
    (give_a_voter_back_a_vote, {"I7"}),
    (forget_a_voter, {"I7"}),
    (skip_an_entry, {"I1"}),
]


@pytest.mark.parametrize(("damage", "broken"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_each_damage_is_found_by_its_name(voted: World, damage: Callable[[World], None], broken: set[str]) -> None:
    damage(voted)
    assert voted.failing() == broken
    runner = voted.app.test_cli_runner()
    told = runner.invoke(args=["ledger", "audit", voted.slug])
    assert told.exit_code == 1
    assert {line[7:9] for line in told.output.splitlines() if line.startswith("  FAIL")} == broken


def test_a_ballot_over_the_campaign_quota(app: Flask) -> None:
    """Every kind of quota line is asked of the ledger."""
    for unit, per, period in (
        ("ballots", "voter", "campaign"),
        ("choices", "award", "rolling"),
        ("choices", "voter", "day"),
    ):
        world = new_world(app).put(rules_text(quotas=[quota(unit, per, period, 1)]))
        answer = world.voter().cast("c1").json
        world.record()
        assert world.failing() == set(), (unit, per, period)
        world.unlock_ledger()
        put_row(world, "c2", voter_of=answer["ballot_id"])
        assert "I4" in world.failing(), (unit, per, period)
        world.sql("DELETE FROM choices")
        world.sql("DELETE FROM ballots")
        _lock_again(world)


def _lock_again(world: World) -> None:
    """The triggers that ``unlock_ledger`` takes away the next time."""
    for table in ("ballots", "choices", "voids"):
        if world.do(lambda: db.engine.dialect.name) == "postgresql":
            world.sql(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")
        else:
            for act in ("UPDATE", "DELETE"):
                body = "BEGIN SELECT RAISE(ABORT, 'no'); END"
                world.sql(f"CREATE TRIGGER {table}_refuse_{act.lower()} BEFORE {act} ON {table} {body}")


def test_the_audit_leaves_nothing_behind(voted: World) -> None:
    before = voted.dump()
    voted.failing()
    assert voted.dump() == before


def test_the_audit_is_quiet_while_votes_are_cast_and_recorded(app: Flask) -> None:
    """Four hands vote, two recorders claim from each other, and the audit looks again and again in between."""
    world = new_world(app).put(rules_text(quotas=[quota("ballots", "voter", "day", 100_000)]))
    failures: list[object] = []
    accepted: list[str] = []
    voted, done = threading.Event(), threading.Event()

    def vote() -> None:
        voter = world.voter()
        while not voted.is_set():
            answer = voter.cast("c1", "h1")
            (accepted if answer.status_code == 201 else failures).append(answer.text)
            time.sleep(0.005)

    def record() -> None:
        recorder = Recorder(stale_ms=0)
        try:
            while not done.is_set():
                # Not too eager: the audit is to meet ballots that wait, and that are recorded while it looks.
                time.sleep(0.01)
                world.do(recorder.step, 1)
        except BaseException as error:
            failures.append(error)

    voters = [threading.Thread(target=vote) for _ in range(4)]
    recorders = [threading.Thread(target=record) for _ in range(2)]
    for thread in (*voters, *recorders):
        thread.start()
    audits = waited = 0
    try:
        while not failures and (audits < 25 or len(accepted) < 200 or not waited):
            checks = world.do(auditing.audit, world.slug)
            assert [check for check in checks if not check.holds] == []
            waited += "waiting 0;" not in checks[0].figures
            audits += 1
    finally:
        voted.set()
        for thread in voters:
            thread.join(60)
        done.set()
        for thread in recorders:
            thread.join(60)
    assert not failures
    world.record(stale_ms=0)
    assert world.failing() == set()
    assert world.sql("SELECT count(*) FROM ballots") == [(len(accepted),)]


def test_the_command_prints_figures_and_succeeds(voted: World) -> None:
    told = voted.app.test_cli_runner().invoke(args=["ledger", "audit"])
    assert told.exit_code == 0, told.output
    lines = [line for line in told.output.splitlines() if line.startswith("  ok")]
    assert [line[7:9] for line in lines] == ["I1", "I2", "I3", "I4", "I5", "I6", "I7"]
    assert "accepted 5 = recorded 4 + waiting 1" in told.output


def test_a_corrupt_entry_is_one_clear_line(voted: World) -> None:
    voted.valkey.xadd(voted.key("ballots"), {"b": "rubbish"})
    for command in (
        ["ledger", "audit", voted.slug],
        ["campaign", "close", voted.slug],
        ["ledger", "rebuild", voted.slug],
    ):
        told = voted.app.test_cli_runner().invoke(args=command)
        assert told.exit_code == 1, told.output
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
        assert "is not a ballot" in told.output


def test_without_a_box_there_is_nothing_to_compare_with(voted: World) -> None:
    voted.valkey.delete(voted.key("box"))
    with pytest.raises(BoxUnavailable):
        voted.failing()
    told = voted.app.test_cli_runner().invoke(args=["ledger", "audit"])
    assert told.exit_code == 1
    assert "not available (missing)" in told.output


def test_a_stream_that_is_gone_is_found(voted: World) -> None:
    voted.valkey.delete(voted.key("ballots"))
    told = voted.app.test_cli_runner().invoke(args=["ledger", "audit", voted.slug])
    assert told.exit_code == 1
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception


def test_an_audit_after_closing_and_of_a_draft(voted: World) -> None:
    voted.do(counting.close_campaign, voted.slug)
    assert voted.failing() == set()
    draft = new_world(voted.app).put(rules_text(), opened=False)
    with pytest.raises(StageRefused):
        draft.failing()
