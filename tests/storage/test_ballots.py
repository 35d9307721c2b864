"""The ledger's queries on both databases: inserting twice, counting, and reading in stream order."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import islice

import pytest
from flask import Flask
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from tests.builders import NOON_MS
from tests.storage.rows import ballot_row, choice_rows, put_areas, put_ballot, put_campaign, put_candidates
from voting.storage.ballots import (
    ballots_by_id,
    choices_of,
    count_ballots,
    counts_by_candidate,
    find_ballot_by_receipt,
    insert_ballots,
    insert_void,
    iter_ballots,
    last_stream_id,
)
from voting.storage.database import begin_write, db


class Scene:
    """A campaign with three candidates, and another campaign with one."""

    def __init__(self, session: Session) -> None:
        put_areas(session)
        self.campaign = put_campaign(session).id
        self.other = put_campaign(session, "other").id
        self.one, self.two, self.three = put_candidates(session, self.campaign, 3)
        (self.elsewhere,) = put_candidates(session, self.other, 1)
        session.commit()


@pytest.fixture
def scene(ledger: Session) -> Scene:
    return Scene(ledger)


def test_a_ballot_comes_back_as_it_went_in(ledger: Session, scene: Scene) -> None:
    row = ballot_row(scene.campaign, 7, marks="busy_address")
    assert insert_ballots(ledger, [row], choice_rows(7, [scene.two, scene.one, scene.two])) == 1
    ledger.commit()
    found = ballots_by_id(ledger, [row["ballot_id"], "unknown"])
    assert {ballot_id: ballot._mapping for ballot_id, ballot in found.items()} == {row["ballot_id"]: row}
    assert choices_of(ledger, [row["ballot_id"]]) == {row["ballot_id"]: {scene.one: 1, scene.two: 2}}
    by_receipt = find_ballot_by_receipt(ledger, row["receipt"])
    assert by_receipt is not None
    assert by_receipt._mapping == row
    assert find_ballot_by_receipt(ledger, "0" * 15) is None


def test_inserting_again_changes_nothing(ledger: Session, scene: Scene) -> None:
    rows = [ballot_row(scene.campaign, place) for place in range(3)]
    choices = [choice for place in range(3) for choice in choice_rows(place, [scene.one, scene.two])]
    assert insert_ballots(ledger, rows[:2], choices[:4]) == 2
    ledger.commit()
    assert insert_ballots(ledger, rows, choices) == 1
    assert insert_ballots(ledger, rows, choices) == 0
    assert insert_ballots(ledger, [], []) == 0
    ledger.commit()
    assert count_ballots(ledger, scene.campaign) == 3
    assert counts_by_candidate(ledger, scene.campaign) == {scene.one: 3, scene.two: 3}


@pytest.mark.parametrize("taken", ["receipt", "stream"])
def test_another_ballots_receipt_or_place_is_refused_aloud(ledger: Session, scene: Scene, taken: str) -> None:
    put_ballot(ledger, scene.campaign, 1, scene.one)
    ledger.commit()
    first = ballot_row(scene.campaign, 1)
    keys = ("receipt",) if taken == "receipt" else ("stream_ms", "stream_seq")
    second = ballot_row(scene.campaign, 2, **{key: first[key] for key in keys})
    with pytest.raises(IntegrityError):
        insert_ballots(ledger, [second], choice_rows(2, [scene.one]))
    ledger.rollback()
    assert count_ballots(ledger, scene.campaign) == 1


def test_ballots_need_their_campaign_and_choices_their_candidate(ledger: Session, scene: Scene) -> None:
    with pytest.raises(IntegrityError):
        insert_ballots(ledger, [ballot_row(999, 1)], [])
    ledger.rollback()
    for times_or_candidate in ({"candidate_id": 999}, {"times": 0}, {"times": -1}):
        choice = choice_rows(1, [scene.one])[0] | times_or_candidate
        with pytest.raises((IntegrityError, DataError)):
            insert_ballots(ledger, [ballot_row(scene.campaign, 1)], [choice])
        ledger.rollback()
    assert count_ballots(ledger, scene.campaign) == 0


def test_counts_up_to_a_place_and_without_voided(ledger: Session, scene: Scene) -> None:
    for place, choices in enumerate([(scene.one,), (scene.one, scene.one), (scene.two,), (scene.one, scene.three)]):
        put_ballot(ledger, scene.campaign, place, *choices)
    put_ballot(ledger, scene.other, 9, scene.elsewhere)
    insert_void(ledger, ballot_row(0, 1)["ballot_id"], "同一手机重复", "reviewer", "记录 7", NOON_MS)
    ledger.commit()
    everything = {scene.one: 4, scene.two: 1, scene.three: 1}
    table = [
        (None, False, 4, everything),
        ((NOON_MS + 9, 0), False, 4, everything),
        ((NOON_MS, 2), False, 3, {scene.one: 3, scene.two: 1}),
        ((NOON_MS, 1), False, 2, {scene.one: 3}),
        ((NOON_MS, 1), True, 1, {scene.one: 1}),
        ((NOON_MS - 1, 99), False, 0, {}),
        (None, True, 3, {scene.one: 2, scene.two: 1, scene.three: 1}),
    ]
    for upto, without_voided, ballots, votes in table:
        assert count_ballots(ledger, scene.campaign, upto, without_voided) == ballots, upto
        assert counts_by_candidate(ledger, scene.campaign, upto, without_voided) == votes, upto
    assert counts_by_candidate(ledger, scene.other) == {scene.elsewhere: 1}


def test_a_ballot_is_voided_once(ledger: Session, scene: Scene) -> None:
    put_ballot(ledger, scene.campaign, 1, scene.one)
    insert_void(ledger, ballot_row(0, 1)["ballot_id"], "r", "a", "e", NOON_MS)
    with pytest.raises(IntegrityError):
        insert_void(ledger, ballot_row(0, 1)["ballot_id"], "r", "a", "e", NOON_MS)


def test_the_last_place_is_the_highest_not_the_newest_row(ledger: Session, scene: Scene) -> None:
    assert last_stream_id(ledger, scene.campaign) is None
    for place in (5, 4, 3):
        put_ballot(ledger, scene.campaign, place, scene.one)
    put_ballot(ledger, scene.other, 9, scene.elsewhere)
    assert last_stream_id(ledger, scene.campaign) == (NOON_MS + 1, 2)


@pytest.mark.parametrize("batch", [1, 3, 7, 8, 100])
def test_ballots_are_read_in_stream_order_whatever_the_batch(ledger: Session, scene: Scene, batch: int) -> None:
    for place in (6, 0, 5, 1, 4, 2, 3):
        put_ballot(ledger, scene.campaign, place, scene.one, *[scene.two] * (place % 3))
    put_ballot(ledger, scene.other, 9, scene.elsewhere)
    ledger.commit()
    # Bounded: a reader that comes back to a ballot would never end.
    read = list(islice(iter_ballots(ledger, scene.campaign, batch=batch), 8))
    assert [ballot.ballot_id for ballot, _ in read] == [f"{place:026}" for place in range(7)]
    for place, (ballot, choices) in enumerate(read):
        assert ballot._mapping == ballot_row(scene.campaign, place)
        assert choices == Counter([scene.one] + [scene.two] * (place % 3))
    rest = islice(iter_ballots(ledger, scene.campaign, after=(NOON_MS + 1, 0), batch=batch), 8)
    assert [ballot.ballot_id for ballot, _ in rest] == [f"{place:026}" for place in (4, 5, 6)]


def test_more_ids_than_a_statement_can_carry(ledger: Session, scene: Scene) -> None:
    put_ballot(ledger, scene.campaign, 1, scene.one)
    put_ballot(ledger, scene.campaign, 2, scene.two)
    known = [f"{place:026}" for place in (1, 2)]
    ids = [known[0], *["unknown"] * 66_000, known[1]]
    assert list(ballots_by_id(ledger, ids)) == known
    assert choices_of(ledger, ids) == {known[0]: {scene.one: 1}, known[1]: {scene.two: 1}}


def test_recorders_racing_over_the_same_ballots_record_each_once(ledger_app: Flask, scene: Scene) -> None:
    """Four recorders insert the same batches in different orders, as after a claim of pending ballots."""
    batches = [range(start, start + 50) for start in range(0, 400, 50)]
    inserted: list[int] = []
    errors: list[Exception] = []

    def record(turn: int) -> None:
        try:
            with ledger_app.app_context(), Session(db.engine) as session:
                for batch in batches if turn % 2 else batches[::-1]:
                    begin_write(session)
                    rows = [ballot_row(scene.campaign, place) for place in batch]
                    choices = [choice for place in batch for choice in choice_rows(place, [scene.one, scene.two])]
                    inserted.append(insert_ballots(session, rows, choices))
                    session.commit()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=record, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(inserted) == 400
    with Session(db.engine) as session:
        assert count_ballots(session, scene.campaign) == 400
        assert counts_by_candidate(session, scene.campaign) == {scene.one: 400, scene.two: 400}
