"""What of a rule set may be changed while voting runs, and what a change must not do.

Two things are out of reach: whatever would have refused or admitted ballots that are already in the box, or weigh them
differently, and whatever the box has not kept a record of. Why each field is where it is: docs/decisions/0027.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from voting.rules.campaign import Award, RuleSet
from voting.rules.checklist import rule_findings
from voting.rules.findings import Finding, Step
from voting.rules.quota import Quota

#: fields of a rule set that may be changed, each with the step of the wizard it belongs to; of quotas only the limits
#: and of awards only the seats
CHANGEABLE: Mapping[str, Step] = {
    "closes_ms": "time",
    "daily_hours": "time",
    "quotas": "quotas",
    "interval_s": "quotas",
    "challenge": "identity",
    "display": "display",
    "ties": "display",
    "awards": "awards",
    "purpose": "purpose",
}
_PLAIN = tuple(name for name in CHANGEABLE if name not in ("quotas", "awards"))


def change_findings(
    before: RuleSet,
    after: RuleSet,
    standing: Mapping[str, int],
    grouped: Mapping[str, int],
    now_ms: int,
    providers: frozenset[str],
) -> list[Finding]:
    """What stands against putting ``after`` in the place of ``before`` now; an empty list means that it may be."""
    if before == after:
        return [Finding("nothing_changed", "time", "nothing is changed")]
    findings = _fixed(before, after) + _quotas(before, after) + _awards(before, after)
    if (before.interval_s > 0) != (after.interval_s > 0):
        text = "a minimum interval can be made longer or shorter, not brought in or taken away"
        findings.append(Finding("interval_switched", "quotas", text))
    # What was so before, such as a candidate who withdrew, is not this change's fault.
    known = {found.text for found in rule_findings(before, standing, grouped, now_ms, providers)}
    made = rule_findings(after, standing, grouped, now_ms, providers)
    return findings + [found for found in made if found.blocks and found.text not in known]


def _fixed(before: RuleSet, after: RuleSet) -> list[Finding]:
    """Whatever differs beside the fields that may be changed."""
    rest = replace(after, quotas=before.quotas, awards=before.awards, **{n: getattr(before, n) for n in _PLAIN})
    names = [name for name in RuleSet.__slots__ if getattr(rest, name) != getattr(before, name)]
    return [Finding("rule_fixed", "time", f"{name} cannot be changed any more", {"name": name}) for name in names]


def _kinds(rules: RuleSet) -> list[tuple[str, str, str]]:
    return [(quota.unit, quota.per, quota.period) for quota in rules.quotas]


def _quotas(before: RuleSet, after: RuleSet) -> list[Finding]:
    if _kinds(before) != _kinds(after):
        # What voters have used is kept for the lines that there were, and for no other.
        text = "quota lines can be given other limits, not added, removed or put in another order"
        return [Finding("quota_kinds", "quotas", text)]
    findings = []
    for old, new in zip(before.quotas, after.quotas, strict=True):
        if old.period == "campaign" and new.limit < old.limit:
            findings.append(_lowered(old))
    return findings


def _lowered(quota: Quota) -> Finding:
    text = f"a quota of {quota.unit} for the whole campaign can only be raised: some may have used it up"
    return Finding("quota_lowered", "quotas", text, {"quota": quota})


def _awards(before: RuleSet, after: RuleSet) -> list[Finding]:
    def without_seats(awards: tuple[Award, ...]) -> list[Award]:
        return [replace(award, seats=0) for award in awards]

    if without_seats(before.awards) != without_seats(after.awards):
        text = "awards, their groups and limits cannot be changed any more, only their seats"
        return [Finding("rule_fixed", "awards", text, {"name": "awards"})]
    return [
        Finding("seats_fewer", "awards", f"award {old.key}: seats can only be added", {"name": old.name})
        for old, new in zip(before.awards, after.awards, strict=True)
        if new.seats < old.seats
    ]


def changed_fields(before: RuleSet, after: RuleSet) -> list[str]:
    """The names of the fields that differ, in the order people ask for them."""
    return [name for name in CHANGEABLE if getattr(before, name) != getattr(after, name)]
