"""The shapes of the JSON API, for checking what comes in and for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from voting.services.casting import MOST_CHOICES

CandidateId = Annotated[int, Field(strict=True, ge=1, le=2**53)]


class BallotIn(BaseModel):
    """A ballot: a ULID made for this one submission, and the ids of the chosen candidates."""

    model_config = ConfigDict(extra="forbid")

    ballot_id: Annotated[str, Field(strict=True, min_length=26, max_length=26, examples=["01KAH2Q3V4W5X6Y7Z8A9B0C1D2"])]
    choices: Annotated[list[CandidateId], Field(min_length=1, max_length=MOST_CHOICES)]
    #: a solved challenge, where one is asked for: of ``GET …/challenge``, or the answer to a page's question
    effort: Annotated[str, Field(max_length=2000)] = ""
    question: Annotated[str, Field(max_length=100)] = ""
    answer: Annotated[str, Field(max_length=20)] = ""

    def solution(self) -> dict[str, str]:
        return {"effort": self.effort, "question": self.question, "answer": self.answer}


class ReceiptOut(BaseModel):
    """What an accepted ballot is answered with; the same bytes on every retry. Times are epoch milliseconds."""

    ballot_id: str
    receipt: str
    campaign: str
    accepted_at: int
    choices: list[int]
    state: str


class PaperOut(BaseModel):
    """A fresh ballot id, and the token to send as X-CSRF-Token; the device cookie comes with it."""

    ballot_id: str
    csrf_token: str


class ChallengeOut(BaseModel):
    """A challenge of ALTCHA's second version; to be sent back as it is, beside its solution."""

    parameters: dict[str, Any]
    signature: str


class AwardOut(BaseModel):
    key: str
    name: str
    seats: int
    min: int
    max: int | None
    candidates: int


class CampaignOut(BaseModel):
    slug: str
    title: str
    summary: str
    organizer: str
    contact: str
    enquiry_phone: str
    supervision_phone: str
    demonstration: bool
    phase: str
    paused_reason: str | None
    opens_at: int
    closes_at: int
    awards: list[AwardOut]
    rules: dict[str, Any]
    rules_hash: str | None


class CampaignsOut(BaseModel):
    campaigns: list[CampaignOut]


class CandidateOut(BaseModel):
    id: int
    number: int
    award: str
    group: str | None
    name: str
    area: list[str]
    summary: str
    standing: str


class CandidatesOut(BaseModel):
    candidates: list[CandidateOut]
    page: int
    pages: int
    total: int
    next: int | None


class StandingOut(BaseModel):
    id: int
    number: int
    name: str
    rank: int
    votes: int
    tied: bool
    outcome: str


class LeaderboardOut(BaseModel):
    """``as_of`` is epoch milliseconds; ``awards`` maps an award's key to its standings, best first.

    Counts are as of ``as_of``, which is a past instant where the rules say so. ``next_update`` is when newer ones come
    (``hidden``: when there will be some); null while they move with every vote, or when that is not before the result.
    """

    campaign: str
    as_of: int
    final: bool
    hidden: bool
    frozen: bool
    next_update: int | None
    ballots: int
    votes: int
    voided: int
    awards: dict[str, list[StandingOut]]


class ResultAwardOut(BaseModel):
    """``undecided`` are tied across the last seat, which the rules leave to be settled."""

    selected: list[StandingOut]
    undecided: list[StandingOut]


class ResultOut(BaseModel):
    """One version of the counted result. ``seal`` is the end of the stream of ballots, ``differing`` how many
    candidates the ledger and the running tally disagreed about (the ledger governs)."""

    campaign: str
    version: int
    state: str
    counted_at: int
    counts_hidden: bool
    ballots: int | None
    votes: int | None
    voided: int | None
    void_reasons: dict[str, int]
    differing: int
    seal: str | None
    rules_hash: str | None
    awards: dict[str, ResultAwardOut]


class FindQuery(BaseModel):
    award: str | None = None
    q: str = ""
    area: str = ""
    page: int = 1
    after: int | None = None


class BoardQuery(BaseModel):
    award: str | None = None
    top: int = 100


class ProblemOut(BaseModel):
    """Problem details (RFC 9457); ``code`` is stable, ``title`` and ``detail`` are for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retry_after: int | None = None
    facts: dict[str, Any] | None = None
