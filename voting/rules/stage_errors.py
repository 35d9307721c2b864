"""What the stages and exports of the desk say no to, as named types; wording and status live at the edge."""

from __future__ import annotations

from dataclasses import dataclass

from voting.rules.errors import Refusal


@dataclass(eq=False)
class ChangedMeanwhile(Refusal):
    """The campaign is not any more what the page showed on which somebody decided. Nothing was done."""

    code = "changed_meanwhile"
    version: int


@dataclass(eq=False)
class PauseReasonRefused(Refusal):
    """Citizens read why voting pauses: it has to be said, and briefly."""

    code = "pause_reason_refused"


@dataclass(eq=False)
class SecondPersonNeeded(Refusal):
    """Whoever asked for it does not also confirm it."""

    code = "second_person_needed"
    asked_by: str


@dataclass(eq=False)
class NothingAsked(Refusal):
    """There is no request to publish this version of the result: confirmed, withdrawn, or counted anew."""

    code = "nothing_asked"


@dataclass(eq=False)
class TooLongForExcel(Refusal):
    """A table of more rows than a workbook is made for; the text file has no such limit."""

    code = "too_long_for_excel"
    rows: int
    most: int


@dataclass(eq=False)
class AuditRunning(Refusal):
    """One audit of a campaign at a time: it reads every ballot."""

    code = "audit_running"


@dataclass(eq=False)
class RecordingUnfinished(Refusal):
    """The box is sealed, and some ballots are not recorded yet: counting comes after the last of them."""

    code = "recording_unfinished"
