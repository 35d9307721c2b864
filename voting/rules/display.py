"""When counts may be shown, and of which instant: the display modes of published rule sets, decided in one place.

What is hidden here is hidden everywhere: pages, API, big screen, posters and metrics all ask ``visible``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from voting.rules.findings import Finding
from voting.rules.periods import HOUR_MS

if TYPE_CHECKING:
    from voting.rules.campaign import RuleSet, Stage

Mode = Literal["live", "cached", "daily", "hidden"]
Until = Literal["close", "published"]
Order = Literal["random", "number", "name", "rank"]
#: an update that is more than a day apart is "daily"
LONGEST_CACHE_S = 86_400


@dataclass(frozen=True, slots=True)
class Display:
    """How counts are shown before there is a result, and how candidates are listed.

    ``live``: the running tally. ``cached``: brought up to date every ``every_s`` seconds, on round times of the local
    clock. ``daily``: once a day at ``at_minute`` (minutes after local midnight). ``hidden``: not before voting closes,
    or not before the result is published (``until``). ``freeze_hours``: no update in the last hours before closing.
    ``gap``: a candidate's page says how many votes the next one above is ahead.
    """

    mode: Mode = "live"
    every_s: int = 0
    at_minute: int = 0
    until: Until = "published"
    freeze_hours: int = 0
    order: Order = "random"
    gap: bool = False


#: what a rule set that says nothing means
LIVE = Display()


@dataclass(frozen=True, slots=True)
class Hidden:
    """No count may be shown; from ``until_ms`` on there will be some, None = when somebody publishes."""

    until_ms: int | None


@dataclass(frozen=True, slots=True)
class AsOf:
    """Ballots accepted before ``at_ms`` may be shown, and no later one.

    ``live``: nothing later is held back, so the running tally is what may be shown. ``next_ms``: when newer counts
    come; None = with every vote (live), or not before the result.
    """

    at_ms: int
    live: bool
    frozen: bool = False
    next_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """The result that was counted from the ledger may be shown."""


Visible = Hidden | AsOf | Counted


def visible(rules: RuleSet, stage: Stage, now_ms: int, sealed_ms: int | None = None) -> Visible:
    """What may be shown of a campaign's counts at ``now_ms``; ``sealed_ms`` is when the box was sealed.

    Between closing and the count everything stays as the mode says: updates go on until one of them holds all votes,
    a freeze lasts until the result.
    """
    display = rules.display
    until_published = display.mode == "hidden" and display.until == "published"
    if stage == "published" or (stage == "provisional" and not until_published):
        return Counted()
    if until_published:
        return Hidden(None)
    close_ms = rules.closes_ms if sealed_ms is None else min(rules.closes_ms, sealed_ms)
    if display.mode == "hidden":
        return Hidden(close_ms) if now_ms < close_ms else AsOf(close_ms, live=True)
    freezes_ms = rules.closes_ms - display.freeze_hours * HOUR_MS
    frozen = display.freeze_hours > 0 and now_ms >= freezes_ms
    at_ms = _last_update(rules, freezes_ms if frozen else now_ms)
    if at_ms >= close_ms:
        return AsOf(close_ms, live=True)
    if frozen:
        return AsOf(at_ms, live=False, frozen=True)
    if display.mode == "live":
        return AsOf(at_ms, live=True)
    next_ms: int | None = _next_update(rules, now_ms)
    if display.freeze_hours > 0 and next_ms is not None and next_ms > freezes_ms:
        next_ms = None
    return AsOf(at_ms, live=False, next_ms=next_ms)


def holds_back(rules: RuleSet, stage: Stage, now_ms: int, sealed_ms: int | None = None) -> bool:
    """Whether anybody who knew how many ballots there are now would know more than may be shown."""
    shown = visible(rules, stage, now_ms, sealed_ms)
    return isinstance(shown, Hidden) or (isinstance(shown, AsOf) and not shown.live)


def _daily(rules: RuleSet, at_ms: int, days: int) -> int:
    """The daily update on the local day of an instant, or some days from it."""
    clock = time(rules.display.at_minute // 60, rules.display.at_minute % 60)
    day = rules.local(at_ms).date() + timedelta(days=days)
    return int(datetime.combine(day, clock, rules.zone).timestamp() * 1000)


def _last_update(rules: RuleSet, at_ms: int) -> int:
    """The last instant at or before ``at_ms`` at which counts were brought up to date."""
    display = rules.display
    if display.mode == "cached":
        every_ms = display.every_s * 1000
        offset = rules.local(at_ms).utcoffset()
        offset_ms = int(offset.total_seconds() * 1000) if offset else 0
        return (at_ms + offset_ms) // every_ms * every_ms - offset_ms
    if display.mode == "daily":
        today = _daily(rules, at_ms, 0)
        return today if today <= at_ms else _daily(rules, at_ms, -1)
    return at_ms


def _next_update(rules: RuleSet, at_ms: int) -> int:
    """The first update after ``at_ms``, for the modes that have updates."""
    if rules.display.mode == "cached":
        return _last_update(rules, at_ms) + rules.display.every_s * 1000
    today = _daily(rules, at_ms, 0)
    return today if today > at_ms else _daily(rules, at_ms, 1)


def display_findings(display: Display, opens_ms: int, closes_ms: int) -> list[Finding]:
    """What contradicts itself in a display, before a campaign may open."""

    def found(code: str, text: str, **facts: object) -> Finding:
        return Finding(code, "display", text, facts)

    findings = []
    if display.mode not in ("live", "cached", "daily", "hidden"):
        findings.append(found("display_unknown", f"display {display.mode} is not known", word=display.mode))
    if display.order not in ("random", "number", "name", "rank"):
        text = f"display: order {display.order} is not known"
        findings.append(found("display_unknown", text, word=display.order))
    if display.mode == "cached" and not 1 <= display.every_s <= LONGEST_CACHE_S:
        findings.append(found("display_every", f"display: cached needs every_s from 1 to {LONGEST_CACHE_S}"))
    if display.mode == "daily" and not 0 <= display.at_minute < 24 * 60:
        findings.append(found("display_at", "display: daily needs a time of day"))
    if display.mode == "hidden" and display.until not in ("close", "published"):
        text = f"display: hidden until {display.until} is not known"
        findings.append(found("display_unknown", text, word=display.until))
    if display.mode == "hidden" and display.order == "rank":
        findings.append(found("display_rank_hidden", "display: an order by rank would tell what is hidden"))
    if display.freeze_hours < 0:
        findings.append(found("display_freeze", "display: freeze_hours must not be negative"))
    elif display.freeze_hours and display.mode == "hidden":
        findings.append(found("display_freeze_hidden", "display: what is hidden needs no freeze_hours"))
    elif display.freeze_hours and display.freeze_hours * HOUR_MS >= closes_ms - opens_ms:
        text = "display: frozen for the whole of the voting, say hidden instead"
        findings.append(found("display_frozen_whole", text))
    return findings
