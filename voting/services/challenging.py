"""Challenges for voters who are known by their device alone: given out, and read back from what comes with a ballot.

Whether a ballot needs one, and that a solution is used only once, is decided by the ballot box in the vote's one round
trip; here a solution is only found right or wrong.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app

from voting.identity.base import Identity
from voting.identity.device import PROVIDER as DEVICE
from voting.identity.effort import NOTHING, Cost, Effort, Solved
from voting.identity.question import Question, Questions
from voting.rules.campaign import RuleSet

_EXTENSION = "voting_challenges"


def init_challenging(app: Flask) -> None:
    """Give the application its makers of challenges."""
    secret = app.config["SECRET_KEY"]
    app.extensions[_EXTENSION] = (Effort(secret, Cost(**app.config.get("EFFORT", {}))), Questions(secret))


def _makers() -> tuple[Effort, Questions]:
    found: tuple[Effort, Questions] = current_app.extensions[_EXTENSION]
    return found


def asked_of(rules: RuleSet, identity: Identity) -> str:
    """When this voter is asked: whoever a provider vouches for never is, the effort would be for nothing."""
    return rules.challenge if identity.provider == DEVICE else "off"


def new_effort(slug: str, identity: Identity) -> dict[str, Any]:
    """A proof-of-work challenge as ALTCHA's workers read it."""
    return _makers()[0].ask(slug, identity)


def new_question(slug: str, identity: Identity) -> Question:
    """A small question, for phones that cannot compute."""
    return _makers()[1].ask(slug, identity)


def read_solution(slug: str, identity: Identity, effort: str = "", question: str = "", answer: str = "") -> Solved:
    """What came with a ballot: the computed solution if there is one, else the answer to the question."""
    if not effort and not question:
        return NOTHING
    efforts, questions = _makers()
    solved = NOTHING
    if effort:
        solved = efforts.check(slug, identity, effort)
    if not solved.digest and question and answer.strip():
        solved = questions.check(slug, identity, question, answer)
    return solved
