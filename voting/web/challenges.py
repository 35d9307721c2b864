"""Challenges at the edge: the words of a question, and the solution that comes with a ballot. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voting.identity.base import Identity
from voting.identity.effort import Solved
from voting.services import challenging
from voting.services.catalogue import CampaignView
from voting.web.sign_in_wording import question_sentence


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """The text challenge of a page: the sentence, and the token that goes back with the answer."""

    sentence: str
    token: str


def question_for(campaign: CampaignView, identity: Identity) -> AskedQuestion:
    """A fresh question in the reader's language."""
    question = challenging.new_question(campaign.slug, identity)
    return AskedQuestion(question_sentence(question), question.token)


def asked_at_once(campaign: CampaignView, identity: Identity) -> bool:
    """Whether this voter's ballot needs a challenge from the start."""
    return challenging.asked_of(campaign.rules, identity) == "always"


def read_solution(campaign: CampaignView, identity: Identity, sent: Mapping[str, str]) -> Solved:
    """The solution that came with a ballot, if one came: ``effort``, or ``question`` and ``answer``."""
    return challenging.read_solution(
        campaign.slug, identity, sent.get("effort", ""), sent.get("question", ""), sent.get("answer", "")
    )
