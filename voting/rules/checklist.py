"""What is missing or contradictory before a campaign may open, and what had better be looked at once more.

The rules decide here, as data; sentences for people are made of the codes and facts at the edge.
"""

from __future__ import annotations

from collections.abc import Mapping

from voting.rules.campaign import CHALLENGES, Award, Limits, RuleSet
from voting.rules.display import display_findings
from voting.rules.findings import Finding, Step
from voting.rules.periods import DAY_MS
from voting.rules.quota import Quota
from voting.rules.ranking import TIE_RULES

#: a window beyond this is a slip of the keyboard
LONGEST_DAYS = 366


def issues_before_opening(
    rules: RuleSet, standing: Mapping[str, int], grouped: Mapping[str, int], now_ms: int, providers: frozenset[str]
) -> list[str]:
    """What keeps a campaign from opening, a line each; an empty list means that it may open."""
    return [found.text for found in rule_findings(rules, standing, grouped, now_ms, providers) if found.blocks]


def checklist(
    rules: RuleSet,
    texts: Mapping[str, str],
    standing: Mapping[str, int],
    grouped: Mapping[str, int],
    now_ms: int,
    providers: frozenset[str],
) -> list[Finding]:
    """Everything there is to say about a draft, in the order of the steps; what blocks comes first within a step.

    ``texts`` are the campaign's texts by the names of their columns.
    """
    findings = text_findings(texts) + rule_findings(rules, standing, grouped, now_ms, providers) + advice(rules)
    order: dict[Step, int] = {step: at for at, step in enumerate(ORDER)}
    return sorted(findings, key=lambda found: (order[found.step], not found.blocks))


ORDER: tuple[Step, ...] = ("texts", "time", "awards", "quotas", "identity", "display", "purpose", "candidates")


def rule_findings(
    rules: RuleSet, standing: Mapping[str, int], grouped: Mapping[str, int], now_ms: int, providers: frozenset[str]
) -> list[Finding]:
    """What is wrong with the rule set as such and with its candidates.

    ``standing`` and ``grouped`` count the standing candidates of each award key and group key.
    """
    findings = _window(rules, now_ms)
    findings += _awards(rules, standing, grouped)
    findings += _ballot(rules, sum(standing.values()))
    findings += _quotas(rules)
    if rules.interval_s < 0:
        findings.append(Finding("interval", "quotas", "the minimum interval must not be negative"))
    for tie in rules.ties:
        if tie not in TIE_RULES:
            findings.append(Finding("display_unknown", "display", f"tie rule {tie} is not known", {"word": tie}))
    findings += display_findings(rules.display, rules.opens_ms, rules.closes_ms)
    if not 0 <= rules.online_weight <= 100:
        text = f"online_weight: {rules.online_weight} is not a percentage from 0 to 100"
        findings.append(Finding("weight", "purpose", text))
    return findings + _identity(rules, providers)


def _doubled(keys: list[str]) -> list[str]:
    return sorted({key for key in keys if keys.count(key) > 1})


def _window(rules: RuleSet, now_ms: int) -> list[Finding]:
    findings = []
    if rules.closes_ms <= rules.opens_ms:
        findings.append(Finding("window_backwards", "time", "the window closes before it opens"))
    elif rules.closes_ms <= now_ms:
        findings.append(Finding("window_over", "time", "the window is already over"))
    if rules.closes_ms - rules.opens_ms > LONGEST_DAYS * DAY_MS:
        text = f"the window is longer than {LONGEST_DAYS} days"
        findings.append(Finding("window_long", "time", text, {"days": LONGEST_DAYS}))
    if rules.daily_hours and not 0 <= rules.daily_hours[0] < rules.daily_hours[1] <= 24 * 60:
        over = rules.daily_hours[0] >= rules.daily_hours[1] and any(quota.period == "day" for quota in rules.quotas)
        text = "daily hours must begin before they end, within one day"
        findings.append(Finding("hours_over_midnight" if over else "hours_backwards", "time", text))
    return findings


def _limits(name: str, limits: Limits, candidates: int, repeat: bool, facts: Mapping[str, object]) -> list[Finding]:
    findings = []
    facts = {**facts, "least": limits.min, "most": limits.max, "candidates": candidates}
    if limits.min < 0 or (limits.max is not None and limits.max < max(1, limits.min)):
        text = f"{name}: at least {limits.min} and at most {limits.max} choices contradict each other"
        findings.append(Finding("limits_contradict", "awards", text, facts))
    if not repeat and limits.min > candidates:
        text = f"{name}: {limits.min} must be chosen but there are only {candidates} candidates"
        findings.append(Finding("too_few_candidates", "candidates", text, facts))
    return findings


def _awards(rules: RuleSet, standing: Mapping[str, int], grouped: Mapping[str, int]) -> list[Finding]:
    findings = [] if rules.awards else [Finding("no_award", "awards", "no award")]
    keys = _doubled([a.key for a in rules.awards]) + _doubled([g.key for g in rules.groups()])
    findings += [Finding("key_twice", "awards", f"the key {key} is used twice", {"key": key}) for key in keys]
    for award in rules.awards:
        findings += _award(award, standing.get(award.key, 0), rules.repeat)
        for group in award.groups:
            facts = {"scope": "group", "name": group.name}
            count = grouped.get(group.key, 0)
            findings += _limits(f"group {group.key}", group.limits, count, rules.repeat, facts)
    return findings


def _award(award: Award, count: int, repeat: bool) -> list[Finding]:
    findings = []
    facts = {"scope": "award", "name": award.name, "seats": award.seats, "candidates": count}
    if count == 0:
        findings.append(Finding("no_candidates", "candidates", f"award {award.key}: no candidates", facts))
    elif award.seats > count:
        text = f"award {award.key}: {award.seats} seats but only {count} candidates"
        findings.append(Finding("seats_over_candidates", "candidates", text, facts))
    if award.seats < 1:
        findings.append(Finding("no_seat", "awards", f"award {award.key}: needs at least one seat", facts))
    return findings + _limits(f"award {award.key}", award.limits, count, repeat, facts)


def _ballot(rules: RuleSet, candidates: int) -> list[Finding]:
    findings = _limits("ballot", rules.ballot, candidates, rules.repeat, {"scope": "ballot", "name": ""})
    facts = {"least": rules.ballot.min, "most": rules.ballot.max}
    if rules.ballot.min < 1:
        text = "ballot: an empty ballot must not be allowed, set at least 1 choice"
        findings.append(Finding("empty_ballot", "awards", text, facts))
    reachable = [a.limits.max for a in rules.awards]
    together = sum(most or 0 for most in reachable)
    if None not in reachable and together < rules.ballot.min:
        text = f"ballot: {rules.ballot.min} must be chosen but the awards allow fewer together"
        findings.append(Finding("awards_allow_fewer", "awards", text, {**facts, "together": together}))
    required = sum(a.limits.min for a in rules.awards if not a.limits.optional)
    if rules.ballot.max is not None and required > rules.ballot.max:
        text = f"ballot: the awards require {required} choices but a ballot allows {rules.ballot.max}"
        findings.append(Finding("awards_require_more", "awards", text, {**facts, "required": required}))
    return findings


def _quotas(rules: RuleSet) -> list[Finding]:
    if not rules.quotas:
        return [Finding("no_quota", "quotas", "no quota: a voter could vote without end")]
    findings = []
    seen: set[tuple[str, str, str]] = set()
    for quota in rules.quotas:
        if (kind := (quota.unit, quota.per, quota.period)) in seen:
            findings.append(_of_quota("quota_twice", quota, "is given twice"))
        seen.add(kind)
        if quota.limit < 1:
            findings.append(_of_quota("quota_none", quota, "the limit must be at least 1"))
        if quota.unit == "ballots" and quota.per != "voter":
            findings.append(_of_quota("quota_ballots", quota, "ballots are counted per voter only"))
        if quota.unit == "choices" and quota.per == "voter" and quota.limit < rules.ballot.min:
            text = f"{quota.limit} allowed but a ballot needs {rules.ballot.min}"
            findings.append(_of_quota("quota_below_ballot", quota, text, rules.ballot.min))
        if quota.per == "award":
            for award in rules.awards:
                if award.limits.min > quota.limit:
                    text = f"{quota.limit} allowed but an award needs more on one ballot"
                    findings.append(_of_quota("quota_below_award", quota, text, award.limits.min, award.name))
    return findings


def _of_quota(code: str, quota: Quota, text: str, least: int = 0, name: str = "") -> Finding:
    line = f"quota of {quota.unit} per {quota.per} and {quota.period}"
    return Finding(code, "quotas", f"{line}: {text}", {"quota": quota, "least": least, "name": name})


def _identity(rules: RuleSet, providers: frozenset[str]) -> list[Finding]:
    findings = []
    if rules.challenge not in CHALLENGES:
        text = f"challenge {rules.challenge} is not known"
        findings.append(Finding("challenge_unknown", "identity", text, {"word": rules.challenge}))
    for provider in _doubled(list(rules.identity)):
        text, facts = f"identity {provider} is given twice", {"provider": provider}
        findings.append(Finding("identity_twice", "identity", text, facts))
    for provider in rules.identity:
        if provider not in providers:
            text, facts = f"identity {provider} is not available", {"provider": provider}
            findings.append(Finding("identity_not_configured", "identity", text, facts))
    if not rules.identity:
        findings.append(Finding("no_identity", "identity", "no identity is chosen"))
    return findings


def text_findings(texts: Mapping[str, str]) -> list[Finding]:
    """What citizens should be told and are not: whose selection it is, and whom to ask or to complain to."""
    findings = []
    if not texts.get("title"):
        findings.append(Finding("no_title", "texts", "no title"))

    def advise(code: str, text: str) -> None:
        findings.append(Finding(code, "texts", text, blocks=False))

    if not texts.get("organizer_name"):
        advise("no_organizer", "nobody is named as organizer")
    if not any(texts.get(name) for name in ("contact", "enquiry_phone", "supervision_phone")):
        advise("no_contact", "no contact and no telephone number")
    elif not texts.get("supervision_phone"):
        advise("no_supervision", "no telephone number for complaints")
    return findings


def advice(rules: RuleSet) -> list[Finding]:
    """What is allowed and probably not meant."""
    findings = []

    def advise(code: str, step: Step, text: str, **facts: object) -> None:
        findings.append(Finding(code, step, text, facts, blocks=False))

    daily = any(quota.period == "day" for quota in rules.quotas)
    if daily and rules.closes_ms > rules.opens_ms:
        length, days = rules.closes_ms - rules.opens_ms, days_touched(rules)
        if days > -(-length // DAY_MS):
            text = f"the window touches {days} local days: every voter has that many daily quotas"
            advise("days_touched", "time", text, days=days, hours=-(-length // 3_600_000))
    if any(quota.per == "group" for quota in rules.quotas) and not rules.groups():
        advise("quota_without_groups", "quotas", "a quota per group, but there are no groups")
    if any(q.period == "day" for q in rules.quotas) and any(q.period == "rolling" for q in rules.quotas):
        advise("two_days", "quotas", "some quotas count the calendar day and some the last 24 hours")
    if rules.online_weight < 100 and not rules.purpose:
        advise("no_purpose", "purpose", "the online vote is not all that counts, and nothing says what else does")
    if rules.challenge == "off" and rules.identity == ("device",):
        advise("no_challenge", "identity", "devices without any challenge are easily automated")
    return findings


def days_touched(rules: RuleSet) -> int:
    """How many local calendar days the window has a part of."""
    return (rules.local(rules.closes_ms - 1).date() - rules.local(rules.opens_ms).date()).days + 1
