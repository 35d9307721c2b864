"""Every way the software says no, as a named type with the facts a sentence needs.

Wording and HTTP status live at the edge (``voting/web``); the ballot box raises these very types.
A ``code`` is part of the public API: it never changes its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from voting.rules.quota import Quota


class Refusal(Exception):
    """A request that was understood and is not granted; nothing was counted."""

    code: ClassVar[str] = "refused"

    def facts(self) -> dict[str, Any]:
        """The refusal's facts by name, for sentences, problem details and comparison."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.code} {self.facts()}"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Refusal) and self.facts() == other.facts()

    def __hash__(self) -> int:
        return hash(self.code)


# --- the ballot paper -------------------------------------------------------------------------------------------


@dataclass(eq=False)
class MalformedBallot(Refusal):
    """The request is not a ballot: missing, doubled or mistyped fields. ``problem`` names the field and why."""

    code = "malformed_ballot"
    problem: str


@dataclass(eq=False)
class BallotIdExpired(Refusal):
    """The ballot id was made more than a day ago: the box no longer knows whether it was used."""

    code = "ballot_id_expired"


@dataclass(eq=False)
class BallotIdFromFuture(Refusal):
    """The ballot id carries a time more than five minutes ahead of the box's clock."""

    code = "ballot_id_from_future"


@dataclass(eq=False)
class BallotIdConflict(Refusal):
    """This ballot id was used before, by another voter or with other choices."""

    code = "ballot_id_conflict"


# --- when -------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class NotOpenYet(Refusal):
    code = "not_open_yet"
    opens_ms: int


@dataclass(eq=False)
class VotingClosed(Refusal):
    code = "voting_closed"
    closed_ms: int


@dataclass(eq=False)
class VotingPaused(Refusal):
    code = "voting_paused"
    reason: str


@dataclass(eq=False)
class OutsideDailyHours(Refusal):
    """Voting is open every day between two local times, given in minutes after midnight."""

    code = "outside_daily_hours"
    from_minute: int
    until_minute: int


# --- whom -------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class UnknownCandidate(Refusal):
    code = "unknown_candidate"
    candidate: int


@dataclass(eq=False)
class CandidateWithdrawn(Refusal):
    code = "candidate_withdrawn"
    candidate: int


@dataclass(eq=False)
class RepeatedCandidate(Refusal):
    code = "repeated_candidate"
    candidate: int


# --- how many ---------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class TooFewChoices(Refusal):
    """``scope`` is "ballot", "award" or "group"; ``key`` names the award or group."""

    code = "too_few_choices"
    scope: str
    key: str
    chosen: int
    least: int


@dataclass(eq=False)
class TooManyChoices(Refusal):
    """``scope`` is "ballot", "award" or "group"; ``key`` names the award or group."""

    code = "too_many_choices"
    scope: str
    key: str
    chosen: int
    most: int


@dataclass(eq=False)
class TooSoon(Refusal):
    """The minimum interval between two ballots of one voter has not passed."""

    code = "too_soon"
    retry_ms: int


@dataclass(eq=False)
class QuotaSpent(Refusal):
    """A quota line would be exceeded. ``key``: award, group or candidate id as text; ``resets_ms``: None = never."""

    code = "quota_spent"
    quota: Quota
    key: str
    used: int
    asked: int
    resets_ms: int | None


# --- traffic and identity ---------------------------------------------------------------------------------------


@dataclass(eq=False)
class AddressLimited(Refusal):
    """Too many ballots came from one network address within an hour."""

    code = "address_limited"
    retry_ms: int


@dataclass(eq=False)
class ChallengeRequired(Refusal):
    """This ballot needs a solved challenge. ``problem``: "" none came, "expired" too late, "wrong" not solved."""

    code = "challenge_required"
    problem: str = ""


@dataclass(eq=False)
class ChallengeSpent(Refusal):
    """The solved challenge was used before, with another ballot."""

    code = "challenge_spent"


@dataclass(eq=False)
class TooManyRequests(Refusal):
    code = "too_many_requests"
    retry_s: int


@dataclass(eq=False)
class IdentityMissing(Refusal):
    """No identity came with the ballot: the browser kept no cookie, or the ballot page was never opened."""

    code = "identity_missing"


@dataclass(eq=False)
class IdentityForged(Refusal):
    """The identity was not issued by this site."""

    code = "identity_forged"


@dataclass(eq=False)
class WrongToken(Refusal):
    """The CSRF token is missing or belongs to another identity or campaign."""

    code = "wrong_token"


@dataclass(eq=False)
class WrongOrigin(Refusal):
    """The ballot was sent from a page of another site."""

    code = "wrong_origin"


# --- nothing found, nothing certain -----------------------------------------------------------------------------


@dataclass(eq=False)
class CampaignNotFound(Refusal):
    code = "campaign_not_found"
    slug: str


@dataclass(eq=False)
class CandidateNotFound(Refusal):
    code = "candidate_not_found"
    number: int


@dataclass(eq=False)
class PhotoRefused(Refusal):
    """A photo that cannot be used. ``problem``: "bytes" too many of them, "pixels" likewise, or "format"."""

    code = "photo_refused"
    problem: str


@dataclass(eq=False)
class ReceiptNotFound(Refusal):
    """Unknown codes and the receipts of other voters are the same answer."""

    code = "receipt_not_found"


@dataclass(eq=False)
class BoxUnavailable(Refusal):
    """Whether the ballot counted is unknown; sending the same ballot id again is safe.

    ``reason``: "unreachable", "missing", "epoch", "clock" or "full", for operators.
    """

    code = "box_unavailable"
    reason: str


@dataclass(eq=False)
class ResultNotReady(Refusal):
    """Nothing has been counted yet that could be announced."""

    code = "result_not_ready"
    slug: str


# --- organizers -------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class StageRefused(Refusal):
    """The act is not possible at this stage of the campaign."""

    code = "stage_refused"
    act: str
    stage: str


@dataclass(eq=False)
class NotReadyToOpen(Refusal):
    """What is missing or contradictory, each a line of ``checklist.issues_before_opening``."""

    code = "not_ready_to_open"
    issues: tuple[str, ...]


@dataclass(eq=False)
class NotReadyToPublish(Refusal):
    code = "not_ready_to_publish"
    reasons: tuple[str, ...]
