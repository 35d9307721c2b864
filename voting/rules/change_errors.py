"""What changing rules after opening says no to, as named types; wording and status live at the edge."""

from __future__ import annotations

from dataclasses import dataclass

from voting.rules.errors import Refusal
from voting.rules.findings import Finding


@dataclass(eq=False)
class RuleChangeRefused(Refusal):
    """These rules cannot take the place of those that are in force."""

    code = "rule_change_refused"
    findings: tuple[Finding, ...]


@dataclass(eq=False)
class ChangeReasonRefused(Refusal):
    """Citizens read why a rule was changed: it has to be said, and briefly."""

    code = "change_reason_refused"


@dataclass(eq=False)
class AlreadyAsked(Refusal):
    """Another change waits for its second person: one at a time."""

    code = "already_asked"
    by: str


@dataclass(eq=False)
class EarlyCloseNeedsTwo(Refusal):
    """Closing before the time in the rules changes the rules: one person may pause, two may close."""

    code = "early_close_needs_two"


@dataclass(eq=False)
class BoxNotTold(Refusal):
    """Two people have decided and it is on record; the box does not have the new rules yet and admits nothing."""

    code = "box_not_told"
