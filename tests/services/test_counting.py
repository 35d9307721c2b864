"""Closing, counting and publishing: the seal first, then everything before it, and SQL has the last word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from tests.storage.rows import ballot_row, choice_rows
from tests.world import World, application, new_world, rules_text
from voting.rules.errors import NotReadyToPublish, StageRefused
from voting.services import campaigns, counting, rebuilding
from voting.services.counting import Provisional
from voting.storage.ballots import insert_ballots, insert_void
from voting.storage.database import db
from voting.tally import embedded


def cast(world: World, *ballots: tuple[str, ...]) -> list[str]:
    """One voter for each ballot; the receipts."""
    receipts = []
    for codes in ballots:
        answer = world.voter().cast(*codes)
        assert answer.status_code == 201, answer.text
        receipts.append(answer.json["receipt"])
    return receipts


def close(world: World) -> Provisional:
    return world.do(counting.close_campaign, world.slug)


def standings(world: World, award: str) -> dict[str, tuple[int, int, bool, str]]:
    """code -> rank, votes, tied, outcome, of the latest result."""
    rows = world.sql(
        "SELECT code, rank, votes, tied, outcome FROM standings JOIN candidates ON candidates.id = candidate_id "
        "WHERE standings.award = :award AND result_id = (SELECT max(id) FROM results)",
        award=award,
    )
    return {code: (rank, votes, bool(tied), outcome) for code, rank, votes, tied, outcome in rows}


def difference(world: World) -> dict[str, list[int]]:
    (text,) = world.sql("SELECT difference FROM results ORDER BY version DESC LIMIT 1")[0]
    found: dict[str, list[int]] = json.loads(text)
    return found


#: two clear seats for the centres, three for the households
CLEAR = [("c1", "c2", "h1", "h2", "h3"), ("c1", "c2", "h1", "h2", "h3"), ("c1", "c3", "h4")]


def test_closing_seals_records_counts_and_ranks(world: World) -> None:
    cast(world, *CLEAR)
    result = close(world)
    assert result == Provisional(version=1, ballots=3, voided=0, difference={})
    assert standings(world, "centres") == {
        "c1": (1, 3, False, "selected"),
        "c2": (2, 2, False, "selected"),
        "c3": (3, 1, False, "not_selected"),
        "c4": (4, 0, True, "not_selected"),
        "c5": (4, 0, True, "not_selected"),
    }
    assert standings(world, "households")["h3"] == (1, 2, True, "selected")
    assert "w1" not in standings(world, "households"), "a household that withdrew is not ranked"
    # The seal is the last entry of the stream, and SQL knows its place.
    last, fields = world.valkey.xrevrange(world.key("ballots"), count=1)[0]
    assert fields == {b"close": b"3"}
    assert world.campaign().sealed_id == tuple(map(int, last.decode().split("-")))
    assert world.campaign().stage == "provisional"
    assert world.failing() == set()


def test_nothing_is_accepted_after_the_seal_and_a_repeat_still_is_answered(world: World) -> None:
    voter = world.voter()
    first = voter.cast("c1", ballot_id="01" + "A" * 24)
    assert first.status_code == 409, "an id from another century is no way around anything"
    paper = voter.paper()
    first = voter.cast("c1", ballot_id=paper["ballot_id"])
    world.do(campaigns.seal_campaign, world.slug)
    late = world.voter().cast("c1")
    assert (late.status_code, late.json["code"]) == (403, "voting_closed")
    again = voter.cast("c1", ballot_id=paper["ballot_id"])
    assert (again.status_code, again.data) == (200, first.data)


def test_closing_goes_on_where_it_was_cut_off(world: World) -> None:
    """Sealed in the box, and the process died before SQL knew; then sealed in both, and died before the count."""
    cast(world, *CLEAR)
    view = world.campaign()
    seal = world.do(lambda: campaigns.box_of(view.id, view.rules).seal())
    assert close(world).ballots == 3
    assert world.campaign().sealed_id == seal
    other = new_world(world.app).put(rules_text())
    cast(other, ("c1",))
    other.do(campaigns.seal_campaign, other.slug)
    assert close(other).ballots == 1


def test_a_difference_is_recorded_shown_and_stops_publishing(world: World) -> None:
    cast(world, *CLEAR)
    candidate, other = world.ids("c3", "h7")
    world.valkey.hset(world.key("tally"), str(candidate), "99")
    world.valkey.hset(world.key("tally"), str(other), "1")
    result = close(world)
    assert result.difference == {candidate: (1, 99), other: (0, 1)}
    assert difference(world) == {str(candidate): [1, 99], str(other): [0, 1]}
    assert standings(world, "centres")["c3"][1] == 1, "the ledger governs"
    with pytest.raises(NotReadyToPublish) as refused:
        world.do(counting.publish_campaign, world.slug)
    assert "2 candidates" in str(refused.value.reasons)
    assert world.campaign().stage == "provisional"


def test_a_voided_ballot_does_not_count_and_stays_in_the_ledger(world: World) -> None:
    receipts = cast(world, *CLEAR, ("c3", "h4"), ("c3", "h4"))
    world.record()
    (voided,) = world.sql("SELECT ballot_id FROM ballots WHERE receipt = :code", code=receipts[-1])[0]

    def void() -> None:
        insert_void(db.session(), voided, "测试", "tests", "none", 1)
        db.session.commit()

    world.do(void)
    result = close(world)
    assert (result.ballots, result.voided, result.difference) == (5, 1, {})
    assert standings(world, "centres")["c3"] == (2, 2, True, "tie_at_last_seat")
    assert world.sql("SELECT count(*) FROM ballots") == [(5,)]
    assert world.failing() == set(), "the tally counts it, the result does not, and the audit knows"
    board = world.get(f"{world.api}/leaderboard").json
    assert (board["ballots"], board["voided"], board["final"]) == (4, 1, True)


def test_a_tie_across_the_last_seat_is_stated_and_stops_publishing(world: World) -> None:
    cast(world, ("c1", "c2", "h1"), ("c1", "c3", "h2"), ("h3",))
    close(world)
    found = standings(world, "centres")
    assert found["c1"] == (1, 2, False, "selected")
    assert found["c2"] == found["c3"] == (2, 1, True, "tie_at_last_seat")
    with pytest.raises(NotReadyToPublish) as refused:
        world.do(counting.publish_campaign, world.slug)
    assert "award centres: 2 candidates are tied across the last seat" in refused.value.reasons[0]


def test_rules_may_select_all_who_are_tied(app: Flask) -> None:
    world = new_world(app).put(rules_text(ties=["extend_seats"]))
    cast(world, ("c1", "c2", "h1"), ("c1", "c3", "h2"), ("h3",))
    close(world)
    assert [each[3] for each in standings(world, "centres").values()].count("selected") == 3
    world.do(counting.publish_campaign, world.slug)
    assert world.campaign().stage == "published"


def test_published_pages_and_receipts_need_no_redis(database_url: str, tmp_path: Path, translations: None) -> None:
    """A Valkey of its own, stopped after publishing: the leaderboard and receipts come from SQL alone."""
    folder = tmp_path
    server = embedded.start(folder / "valkey")
    try:
        with application(database_url, server.url, folder) as app:
            world = new_world(app).put(rules_text())
            voter = world.voter()
            receipt = voter.cast("c1", "c2", "h1", "h2", "h3").json["receipt"]
            close(world)
            world.do(counting.publish_campaign, world.slug)
            server.stop()
            board = world.get(f"{world.api}/leaderboard")
            assert board.status_code == 200
            rows = {row["name"]: row for row in board.json["awards"]["centres"]}
            assert (rows["候选c1"]["votes"], rows["候选c1"]["outcome"]) == (1, "selected")
            assert world.get(f"/c/{world.slug}/leaderboard").status_code == 200
            again = voter.client.get(f"/api/v1/receipts/{receipt}")
            assert (again.status_code, again.json["state"]) == (200, "published")
            page = voter.client.get(f"/receipts/{receipt}")
            assert page.status_code == 200
            assert "候选h3" in page.text
            for url in ("/", f"/c/{world.slug}", f"/c/{world.slug}/rules", "/healthz"):
                assert world.get(url).status_code == 200, url
            assert world.get("/readyz").status_code == 503
    finally:
        server.stop()


def test_counting_without_the_box_needs_only_the_ledger(world: World) -> None:
    """The box is lost after the last ballot was recorded: SQL is the truth, and the result says that it was alone."""
    cast(world, *CLEAR)
    world.record()
    world.do(campaigns.seal_campaign, world.slug)
    Redis.flushall(world.valkey)
    result = close(world)
    assert (result.ballots, result.difference) == (3, {})
    (inputs,) = world.sql("SELECT inputs FROM results")[0]
    assert json.loads(inputs)["tally_seen"] is False
    world.do(counting.publish_campaign, world.slug)


def test_acts_at_the_wrong_stage_are_refused(world: World) -> None:
    with pytest.raises(StageRefused):
        world.do(counting.publish_campaign, world.slug)
    with pytest.raises(StageRefused):
        world.do(counting.count_campaign, world.slug)
    with pytest.raises(StageRefused):
        world.do(campaigns.open_campaign, world.slug)
    close(world)
    for act, arguments in (
        (campaigns.pause_campaign, ("x",)),
        (campaigns.resume_campaign, ()),
        (campaigns.seal_campaign, ()),
    ):
        with pytest.raises(StageRefused):
            world.do(act, world.slug, *arguments)


def test_a_recount_is_the_next_version_and_keeps_the_first(world: World) -> None:
    cast(world, *CLEAR)
    close(world)
    assert world.do(counting.count_campaign, world.slug).version == 2
    assert world.sql("SELECT version, state FROM results ORDER BY version") == [(1, "provisional"), (2, "provisional")]
    world.do(counting.publish_campaign, world.slug)
    assert world.sql("SELECT version, state FROM results ORDER BY version") == [(1, "provisional"), (2, "published")]


def test_a_difference_can_be_cleared_by_a_rebuild_and_a_recount(world: World) -> None:
    """The ledger was right and the cache wrong: mend the cache, close again, publish. Nothing is smoothed over."""
    cast(world, *CLEAR)
    world.valkey.hset(world.key("tally"), str(world.ids("c3")[0]), "99")
    close(world)
    world.do(rebuilding.rebuild, world.slug)
    assert close(world).difference == {}
    world.do(counting.publish_campaign, world.slug)
    assert world.campaign().stage == "published"


def test_a_ballot_in_the_ledger_that_the_box_never_saw_is_a_difference(world: World) -> None:
    cast(world, *CLEAR)
    world.record()
    campaign, candidate = world.campaign().id, world.ids("h7")[0]
    row = ballot_row(campaign, 1, stream_ms=world.campaign().created_at)

    def put() -> None:
        insert_ballots(db.session(), [row], choice_rows(1, [candidate]))
        db.session.commit()

    world.do(put)
    assert close(world).difference == {candidate: (1, 0)}
