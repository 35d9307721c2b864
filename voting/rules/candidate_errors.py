"""What the desk says no to about candidates and their files, as named types; wording and status live at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from voting.rules.errors import Refusal


class FieldProblem(NamedTuple):
    """What is wrong with one field; ``fact`` helps to say it.

    ``problem``: empty, long, hidden, area, number, group or taken.
    """

    field: str
    problem: str
    fact: str = ""


@dataclass(eq=False)
class CandidateRefused(Refusal):
    """Fields of a candidate that cannot be like this; all of them are named."""

    code = "candidate_refused"
    problems: tuple[FieldProblem, ...]


@dataclass(eq=False)
class FieldsFrozen(Refusal):
    """What the ballot box keeps, or what voters saw on their paper, cannot change once voting was opened."""

    code = "fields_frozen"
    fields: tuple[str, ...]


@dataclass(eq=False)
class ChangedMeanwhile(Refusal):
    """Somebody else saved the same thing since this page was shown."""

    code = "changed_meanwhile"


@dataclass(eq=False)
class PhotoChanged(Refusal):
    """Somebody else gave the candidate another photo since this page was shown; ``sent`` is the one that waits."""

    code = "photo_changed"
    sent: str


@dataclass(eq=False)
class ReasonNeeded(Refusal):
    """Nobody is taken off the list without a reason."""

    code = "reason_needed"


@dataclass(eq=False)
class StandsAlready(Refusal):
    """The candidate is off the list already, or was never taken off it."""

    code = "stands_already"


@dataclass(eq=False)
class NumbersTaken(Refusal):
    """Other awards have numbers in the range that was asked for; ``first`` of them."""

    code = "numbers_taken"
    first: int


@dataclass(eq=False)
class UploadRefused(Refusal):
    """``problem``: none, bytes, kind, files, unpacked or empty; ``most`` is the limit in bytes or files."""

    code = "upload_refused"
    problem: str
    most: int = 0


@dataclass(eq=False)
class UploadNotFound(Refusal):
    """It was used, is too old, or is somebody else's."""

    code = "upload_not_found"
