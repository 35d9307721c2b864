"""Acts that need two people: one asks, and another account confirms exactly what was asked, or it is taken back.

Whoever calls holds the campaign's row: two people who decide at once come one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from voting.rules.stage_errors import SecondPersonNeeded
from voting.services.trail import current_actor
from voting.storage.requests import Request, find_open_request


def ask(session: Session, campaign_id: int, act: str, subject: str, at_ms: int) -> Request:
    """Put a request on record; one of the same kind that is still open has lapsed."""
    lapse(session, campaign_id, (act,), at_ms)
    request = Request(campaign_id=campaign_id, act=act, subject=subject, asked_by=current_actor(), asked_at=at_ms)
    session.add(request)
    session.flush()
    return request


def confirm(request: Request, at_ms: int) -> None:
    """Settle what somebody else asked for; raises SecondPersonNeeded."""
    if request.asked_by == current_actor():
        raise SecondPersonNeeded(request.asked_by)
    settle(request, "confirmed", at_ms)


def settle(request: Request, outcome: str, at_ms: int) -> None:
    """Say how a request ended, and through whom."""
    request.outcome, request.settled_by, request.settled_at = outcome, current_actor(), at_ms


def lapse(session: Session, campaign_id: int, acts: Iterable[str], at_ms: int) -> None:
    """End requests that nobody can confirm any more."""
    for act in acts:
        if (request := find_open_request(session, campaign_id, act)) is not None:
            settle(request, "lapsed", at_ms)
