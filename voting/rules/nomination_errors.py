"""What nominating says no to, to citizens and at the desk, as named types; wording and status live at the edge."""

from __future__ import annotations

from dataclasses import dataclass

from voting.rules.candidate_errors import FieldProblem
from voting.rules.errors import Refusal


@dataclass(eq=False)
class NominationsNotOpen(Refusal):
    """The call begins later."""

    code = "nominations_not_open"
    opens_ms: int


@dataclass(eq=False)
class NominationsOver(Refusal):
    """The call has ended, or the campaign is no draft any more: nobody can be added to it."""

    code = "nominations_over"
    closed_ms: int


@dataclass(eq=False)
class NominationNotFound(Refusal):
    """No such nomination, none of this account's, or a campaign that takes none: the same answer for all of them."""

    code = "nomination_not_found"


@dataclass(eq=False)
class NominationRefused(Refusal):
    """Fields that cannot be like this; all of them are named."""

    code = "nomination_refused"
    problems: tuple[FieldProblem, ...]


@dataclass(eq=False)
class NominationDecided(Refusal):
    """Somebody else decided on it, or it was amended, since this page was shown."""

    code = "nomination_decided"


@dataclass(eq=False)
class OwnNomination(Refusal):
    """Whoever sent it does not decide on it."""

    code = "own_nomination"


@dataclass(eq=False)
class CallRefused(Refusal):
    """A call for nominations that nobody could answer; all that is wrong with it is named."""

    code = "call_refused"
    problems: tuple[FieldProblem, ...]


@dataclass(eq=False)
class NominationsWaiting(Refusal):
    """A draft to which people have sent nominations is not thrown away under them."""

    code = "nominations_waiting"
    candidates: int
