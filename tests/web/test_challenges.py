"""Challenges through pages and API: computed or answered, once, and never between a voter and a receipt."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altcha
import pytest
from flask import Flask
from ulid import ULID
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.web.pages import fields_of, text_of
from tests.world import Voter, World, application, new_world, rules_text
from voting.services.boxes import boxes

QUICK = {"EFFORT": {"rounds": 2, "least": 3, "most": 9}}
#: two ballots from one address are nothing, the third is above the line
CROWDED = {"ADDRESS_LIMITS": {"burst": 2, "hourly": 60}}


@pytest.fixture
def app(sqlite_url: str, valkey_url: str, tmp_path: Path, translations: None) -> Iterator[Flask]:
    with application(sqlite_url, valkey_url, tmp_path, **QUICK, **CROWDED) as made:
        yield made


@pytest.fixture
def always(app: Flask) -> World:
    return new_world(app).put(rules_text(challenge="always"))


@pytest.fixture
def crowded(app: Flask) -> World:
    world = new_world(app).put(rules_text(challenge="on_challenge"))
    for _ in range(2):
        assert world.voter().cast("c1").status_code == 201
    return world


def effort_of(voter: Voter) -> str:
    """What a phone computes while its owner is reading."""
    challenge = voter.client.get(f"{voter.world.api}/challenge")
    assert challenge.headers["Cache-Control"] == "no-store"
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge.json))
    assert solution is not None
    payload = {"challenge": challenge.json, "solution": solution.to_dict()}
    return base64.b64encode(json.dumps(payload).encode()).decode()


def send(voter: Voter, *codes: str, **more: Any) -> TestResponse:
    """A ballot through the API, with a solution."""
    if not voter.token:
        voter.paper()
    body = {"ballot_id": str(ULID()), "choices": voter.world.ids(*codes)} | more
    return voter.client.post(f"{voter.world.api}/ballots", json=body, headers={"X-CSRF-Token": voter.token})


def answered(page: TestResponse) -> str:
    """The answer to the question on a page, found by reading it."""
    words = re.search(r"(\S+)加(\S+)等于几|(\S+)减(\S+)等于几|(\d+) 和 (\d+)，哪个数大", text_of(page))
    assert words, text_of(page)
    plus, minus, larger = words.groups()[:2], words.groups()[2:4], words.groups()[4:]
    if larger[0]:
        return str(max(map(int, larger)))
    numbers = ["零", *"一二三四五六七八九十", *(f"十{one}" for one in "一二三四五六七八九")]
    one, other = (numbers.index(word) for word in (plus if plus[0] else minus))
    return str(one + other if plus[0] else one - other)


def review(voter: Voter, *codes: str) -> TestResponse:
    query = [("choice", choice) for choice in voter.world.ids(*codes)]
    return voter.client.get(f"/c/{voter.world.slug}/review", query_string=query)


def post(voter: Voter, form: MultiDict[str, str]) -> TestResponse:
    return voter.client.post(f"/c/{voter.world.slug}/ballots", data=form)


class TestApi:
    def test_always_means_with_every_ballot(self, always: World) -> None:
        voter = always.voter()
        refused = send(voter, "c1")
        assert (refused.status_code, refused.json["code"], refused.json["facts"]) == (
            403, "challenge_required", {"problem": ""},
        )  # fmt: skip
        effort = effort_of(voter)
        assert send(voter, "c1", effort=effort).status_code == 201
        spent = send(voter, "c2", effort=effort)
        assert (spent.status_code, spent.json["code"]) == (403, "challenge_spent")
        assert send(voter, "c2", effort=effort_of(voter)).status_code == 201

    def test_a_lost_answer_is_asked_for_again_with_the_same_solution_or_none(self, always: World) -> None:
        voter = always.voter()
        paper = voter.paper()
        sent = {"ballot_id": paper["ballot_id"], "effort": effort_of(voter)}
        first = send(voter, "c1", **sent)
        assert first.status_code == 201
        for again in (sent, sent | {"effort": ""}, sent | {"effort": "spoilt"}):
            answer = send(voter, "c1", **again)
            assert (answer.status_code, answer.data) == (200, first.data)

    def test_a_solution_is_nobody_elses(self, always: World) -> None:
        one, other = always.voter(), always.voter()
        one.paper(), other.paper()
        refused = send(other, "c1", effort=effort_of(one))
        assert refused.json["facts"] == {"problem": "wrong"}

    def test_above_the_line_it_is_asked_for(self, crowded: World) -> None:
        voter = crowded.voter()
        assert send(voter, "c1").json["code"] == "challenge_required"
        assert send(voter, "c1", effort=effort_of(voter)).status_code == 201
        crowded.record()
        marks = [row[0] for row in crowded.sql("SELECT marks FROM ballots ORDER BY stream_ms, stream_seq")]
        assert marks == ["", "", "address_rate,solved"]

    def test_it_costs_no_round_trip(self, always: World) -> None:
        """One command a ballot, with a solution or without, whatever becomes of it."""
        voter = always.voter()
        voter.paper()
        send(voter, "c1", effort=effort_of(voter))  # the script is loaded, the catalogue read
        efforts = ["", effort_of(voter), effort_of(voter), "spoilt"]
        client = always.do(boxes).client

        for effort in efforts:
            with client.monitor() as wire:
                send(voter, "c2", effort=effort)
                client.echo("that was all")
                sent = []
                while (seen := wire.next_command())["command"] != "ECHO that was all":
                    # What a script calls for itself does not travel; our own echo may open a connection.
                    name = seen["command"].split()[0]
                    sent += [] if seen["client_type"] == "lua" or name == "CLIENT" else [name]
            assert sent == ["FCALL"]

    def test_a_challenge_needs_somebody_to_be_for(self, always: World) -> None:
        assert always.get(f"{always.api}/challenge").json["code"] == "identity_missing"

    @pytest.mark.parametrize("more", [{"effort": 7}, {"effort": "x" * 2001}, {"answer": "1" * 21}, {"more": 1}])
    def test_misshapen_solutions(self, always: World, more: dict[str, Any]) -> None:
        assert send(always.voter(), "c1", **more).json["code"] == "malformed_ballot"


class TestPages:
    def test_above_the_line_a_question_without_script(self, crowded: World) -> None:
        voter, action = crowded.voter(), f"/c/{crowded.slug}/ballots"
        page = post(voter, fields_of(review(voter, "c1", "h1"), action))
        assert (page.status_code, "challenge_required" in text_of(page)) == (403, True)
        assert "还差一步" in text_of(page)
        form = fields_of(page, action)
        assert form.getlist("choice") == [str(choice) for choice in crowded.ids("c1", "h1")]
        form["answer"] = answered(page)
        receipt = post(voter, form)
        assert receipt.status_code == 303, text_of(receipt)
        assert post(voter, form).location == receipt.location, "a second tap is the same ballot"

    def test_a_wrong_answer_gets_another_question_and_keeps_the_ballot(self, crowded: World) -> None:
        voter, action = crowded.voter(), f"/c/{crowded.slug}/ballots"
        page = post(voter, fields_of(review(voter, "c1"), action))
        ballot = fields_of(page, action)["ballot_id"]
        for wrong in ("1000", "七百", "", " "):
            form = fields_of(page, action)
            form["answer"] = wrong
            page = post(voter, form)
            assert page.status_code == 403
            assert ("验证没有通过" in text_of(page)) is bool(wrong.strip())
        form = fields_of(page, action)
        assert form["ballot_id"] == ballot
        form["answer"] = answered(page)
        assert post(voter, form).status_code == 303

    def test_one_answer_serves_one_ballot(self, always: World) -> None:
        voter, action = always.voter(), f"/c/{always.slug}/ballots"
        page = review(voter, "c1")
        first = fields_of(page, action)
        first["answer"] = answered(page)
        assert post(voter, first).status_code == 303
        second = fields_of(review(voter, "c2"), action)
        second["question"], second["answer"] = first["question"], first["answer"]
        refused = post(voter, second)
        assert (refused.status_code, "challenge_spent" in text_of(refused)) == (403, True)
        again = fields_of(refused, action)
        again["answer"] = answered(refused)
        assert post(voter, again).status_code == 303

    def test_always_asks_on_the_review_page_and_takes_a_computed_solution(self, always: World) -> None:
        voter, action = always.voter(), f"/c/{always.slug}/ballots"
        page = review(voter, "c1")
        assert f'data-challenge="{always.api}/challenge"' in page.text
        assert 'data-worker="/static/dist/effort-worker.js"' in page.text
        form = fields_of(page, action)
        form["effort"] = effort_of(voter)
        assert post(voter, form).status_code == 303

    def test_below_the_line_nothing_is_asked(self, app: Flask) -> None:
        world = new_world(app).put(rules_text(challenge="on_challenge"))
        assert "data-challenge" not in review(world.voter(), "c1").text

    def test_in_english_the_question_is_english(self, always: World) -> None:
        voter = always.voter()
        page = voter.client.get(f"/c/{always.slug}/review?choice={always.ids('c1')[0]}&lang=en")
        assert re.search(r"What is \w+ (plus|minus) \w+\?|Which number is larger", text_of(page))
