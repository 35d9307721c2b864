"""The audit trail: every entry chained; an edited, a removed and a reordered row show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.exc import DatabaseError

from voting.services import trail
from voting.services.trail import Fault, acting_as, check_trail, write_entry
from voting.services.transactions import writing
from voting.storage.database import db


@pytest.fixture
def five(app: Flask) -> Iterator[Flask]:
    """Five entries of two people."""
    with app.app_context():
        for number in range(5):
            with acting_as("chen" if number % 2 else "li"), writing() as session:
                write_entry(session, "campaign.pause", f"s{number}", "best", after={"原因": number}, reason="核实")
        yield app


def tamper(*statements: str) -> None:
    """What only somebody with the whole database in their hands can do: the triggers first, then the rows."""
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TRIGGER trail_refuse_update")
        connection.exec_driver_sql("DROP TRIGGER trail_refuse_delete")
    else:
        connection.exec_driver_sql("DROP TRIGGER trail_append_only ON trail")
    for statement in statements:
        connection.exec_driver_sql(statement)
    db.session.commit()


def test_an_untouched_trail_has_no_fault(five: Flask) -> None:
    assert check_trail() == []
    assert [entry.actor for entry in trail.list_entries()] == ["li", "chen", "li", "chen", "li"]
    assert [entry.number for entry in trail.list_entries(actor="chen")] == [4, 2]
    assert [entry.number for entry in trail.list_entries(before=3, act="campaign.")] == [2, 1]
    assert trail.list_entries()[0].after == {"原因": 4}
    assert len(list(trail.all_entries())) == 5


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("UPDATE trail SET actor = 'wang' WHERE number = 3", [Fault(3, "edited")]),
        ("UPDATE trail SET after = '{}' WHERE number = 5", [Fault(5, "edited")]),
        ("DELETE FROM trail WHERE number = 3", [Fault(4, "removed")]),
        ("DELETE FROM trail WHERE number = 1", [Fault(2, "removed")]),
        ("DELETE FROM trail WHERE number = 5", [Fault(5, "cut")]),
        ("DELETE FROM trail", [Fault(5, "cut")]),
    ],
)
def test_a_changed_history_shows(five: Flask, statement: str, faults: list[Fault]) -> None:
    tamper(statement)
    assert check_trail() == faults


def test_two_entries_that_changed_places_show(five: Flask) -> None:
    tamper(
        "UPDATE trail SET number = 99 WHERE number = 2",
        "UPDATE trail SET number = 2 WHERE number = 3",
        "UPDATE trail SET number = 3 WHERE number = 99",
    )
    assert {fault.number for fault in check_trail()} >= {2, 3}


def test_an_entry_rewritten_with_its_hash_shows_at_the_next(five: Flask) -> None:
    with writing() as session:
        forged = trail.TrailEntry(
            number=3, at_ms=1, actor="x", act="y", campaign="", subject="", before="{}", after="{}", reason=""
        )
        second = session.get(trail.TrailEntry, 2)
        assert second is not None
        hashed = trail._hash(forged, second.hash)
    tamper(
        "UPDATE trail SET at_ms = 1, actor = 'x', act = 'y', campaign = '', subject = '', before = '{}', after = '{}', "
        f"reason = '', hash = '{hashed}' WHERE number = 3"
    )
    assert check_trail() == [Fault(4, "edited")]


@pytest.mark.parametrize("statement", ["UPDATE trail SET actor = 'x'", "DELETE FROM trail"])
def test_the_database_refuses_to_change_it(five: Flask, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.connection().exec_driver_sql(statement)
    db.session.rollback()


def test_an_act_that_fails_leaves_no_entry(five: Flask) -> None:
    def act() -> None:
        with writing() as session:
            write_entry(session, "campaign.open")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert len(trail.list_entries()) == 5
    assert check_trail() == []
