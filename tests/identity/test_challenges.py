"""Proof of work and small questions: right answers only, of this voter, for this campaign, in time."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import altcha
import pytest

from voting.identity.base import Identity
from voting.identity.effort import GOOD_FOR_S, Cost, Effort, Solved
from voting.identity.question import GOOD_FOR_S as ANSWER_IN_S
from voting.identity.question import Question, Questions, read_number

VOTER, OTHER = Identity("device", "ab" * 16, 0), Identity("device", "cd" * 16, 0)
QUICK = Cost(rounds=2, least=3, most=9)
WRONG = Solved(problem="wrong")


def solved(challenge: dict[str, Any]) -> dict[str, Any]:
    """What a phone sends back, before it is packed."""
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge))
    assert solution is not None
    return {"challenge": challenge, "solution": solution.to_dict()}


def packed(payload: Any) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


class TestEffort:
    EFFORT = Effort("s", QUICK)

    def test_a_solution_is_named_by_its_challenge_however_it_is_written(self) -> None:
        payload = solved(self.EFFORT.ask("best", VOTER))
        first = self.EFFORT.check("best", VOTER, packed(payload))
        assert first.problem == ""
        assert len(first.digest) == 16
        payload["solution"]["time"] = 99
        assert self.EFFORT.check("best", VOTER, packed(payload)) == first
        other = self.EFFORT.check("best", VOTER, packed(solved(self.EFFORT.ask("best", VOTER))))
        assert other.digest != first.digest

    def test_it_is_of_one_voter_and_one_campaign(self) -> None:
        payload = packed(solved(self.EFFORT.ask("best", VOTER)))
        assert self.EFFORT.check("other", VOTER, payload) == WRONG
        assert self.EFFORT.check("best", OTHER, payload) == WRONG
        assert Effort("t", QUICK).check("best", VOTER, payload) == WRONG

    def test_it_says_nothing_about_the_voter(self) -> None:
        assert VOTER.subject not in json.dumps(self.EFFORT.ask("best", VOTER))

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda p: p["solution"].update(derivedKey="00" * 32),
            lambda p: p["solution"].update(derivedKey=7),
            lambda p: p["challenge"]["parameters"].update(cost=1),
            lambda p: p["challenge"]["parameters"].update(expiresAt=int(time.time()) + 9999),
            lambda p: p["challenge"]["parameters"].pop("keySignature"),
            lambda p: p["challenge"].pop("signature"),
            lambda p: p["challenge"].update(signature="00"),
            lambda p: p.pop("solution"),
            lambda p: p.update(challenge=[]),
            lambda p: p.update(solution="x"),
        ],
    )
    def test_whatever_is_spoilt_is_wrong(self, spoil: Callable[[dict[str, Any]], Any]) -> None:
        payload = solved(self.EFFORT.ask("best", VOTER))
        spoil(payload)
        assert self.EFFORT.check("best", VOTER, packed(payload)) == WRONG

    @pytest.mark.parametrize("sent", ["x", "W10=", "bnVsbA==", "é", "/" * 3000, packed([[[]]]), packed("x")])
    def test_what_is_no_solution_is_wrong(self, sent: str) -> None:
        assert self.EFFORT.check("best", VOTER, sent) == WRONG

    def test_it_expires(self, monkeypatch: pytest.MonkeyPatch) -> None:
        payload, now = packed(solved(self.EFFORT.ask("best", VOTER))), time.time()
        monkeypatch.setattr(time, "time", lambda: now + GOOD_FOR_S - 2)
        assert self.EFFORT.check("best", VOTER, payload).digest
        monkeypatch.setattr(time, "time", lambda: now + GOOD_FOR_S + 2)
        assert self.EFFORT.check("best", VOTER, payload) == Solved(problem="expired")

    def test_as_it_is_given_out_it_is_work_but_not_much(self) -> None:
        challenge = Effort("s").ask("best", VOTER)
        assert 150 <= solved(challenge)["solution"]["counter"] < 300


def answer_to(question: Question) -> int:
    one, other = question.one, question.other
    return {"sum": one + other, "difference": one - other, "larger": max(one, other)}[question.kind]


class TestQuestion:
    QUESTIONS = Questions("s")

    def test_the_right_answer_and_no_other(self) -> None:
        kinds = set()
        for _ in range(60):
            question = self.QUESTIONS.ask("best", VOTER)
            kinds.add(question.kind)
            right = answer_to(question)
            assert 0 < right < 100
            found = self.QUESTIONS.check("best", VOTER, question.token, str(right))
            assert len(found.digest) == 16
            assert self.QUESTIONS.check("best", VOTER, question.token, str(right + 1)) == WRONG
            assert self.QUESTIONS.check("best", OTHER, question.token, str(right)) == WRONG
            assert self.QUESTIONS.check("other", VOTER, question.token, str(right)) == WRONG
        assert kinds == {"sum", "difference", "larger"}

    @pytest.mark.parametrize("token", ["", "x", "é", "A" * 39, "A" * 5000])
    def test_made_up_tokens(self, token: str) -> None:
        assert self.QUESTIONS.check("best", VOTER, token, "7") == WRONG

    def test_it_expires(self, monkeypatch: pytest.MonkeyPatch) -> None:
        question, now = self.QUESTIONS.ask("best", VOTER), time.time()
        monkeypatch.setattr(time, "time", lambda: now + ANSWER_IN_S + 2)
        found = self.QUESTIONS.check("best", VOTER, question.token, str(answer_to(question)))
        assert found == Solved(problem="expired")

    @pytest.mark.parametrize(
        ("typed", "number"),
        [("12", 12), (" 7 ", 7), ("１２", 12), ("十二", 12), ("二十", 20), ("十", 10), ("七", 7), ("一二", 12),
         ("12。", 12), ("", None), ("十十", None), ("-3", None), ("3.5", None), ("seven", None), ("1" * 20, None)],
    )  # fmt: skip
    def test_numbers_as_people_type_them(self, typed: str, number: int | None) -> None:
        assert read_number(typed) == number
