"""Publishing by two people: one asks for a version of the result to be made final, another confirms exactly that."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from voting.rules.stage_errors import ChangedMeanwhile, NothingAsked
from voting.services import second_person
from voting.services.campaigns import check_version, now_ms
from voting.services.catalogue import forget
from voting.services.counting import check_publishable, publish
from voting.services.trail import write_entry
from voting.services.transactions import writing
from voting.storage.campaigns import Campaign, bump_version, lock_by_slug
from voting.storage.requests import Request, find_open_request
from voting.storage.results import find_latest_result

ACT = "publish"


@dataclass(frozen=True, slots=True)
class Asked:
    """An open request: the version of the result it is about, who asked, and when."""

    version: int
    by: str
    at_ms: int


def find_asked(session: Session, campaign_id: int) -> Asked | None:
    """The request that may be confirmed now; one for an older version of the result has lapsed."""
    request, result = find_open_request(session, campaign_id, ACT), find_latest_result(session, campaign_id)
    if request is None or result is None or request.subject != str(result.version):
        return None
    return Asked(result.version, request.asked_by, request.asked_at)


def ask_to_publish(slug: str, expected: int) -> None:
    """Ask for the newest result to be published. Raises NotReadyToPublish, StageRefused or ChangedMeanwhile."""
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        _, result = check_publishable(session, campaign)
        if find_asked(session, campaign.id) is not None:
            raise ChangedMeanwhile(campaign.version)
        second_person.ask(session, campaign.id, ACT, str(result.version), now_ms())
        write_entry(session, "publish.ask", slug, slug, after={"version": result.version})
        bump_version(session, campaign.id)
    forget()


def confirm_publishing(slug: str, expected: int) -> None:
    """Publish what another person asked for.

    Raises SecondPersonNeeded, NothingAsked, NotReadyToPublish, StageRefused or ChangedMeanwhile.
    """
    with writing() as session:
        campaign, request = _asked(session, slug, expected)
        second_person.confirm(request, now_ms())
        publish(session, campaign, asked_by=request.asked_by)
    forget()


def withdraw_request(slug: str, expected: int) -> None:
    """Take a request back, whoever made it. Raises NothingAsked or ChangedMeanwhile."""
    with writing() as session:
        campaign, request = _asked(session, slug, expected)
        second_person.settle(request, "withdrawn", now_ms())
        asked = {"version": int(request.subject), "asked by": request.asked_by}
        write_entry(session, "publish.withdraw", slug, slug, before=asked)
        bump_version(session, campaign.id)
    forget()


def _asked(session: Session, slug: str, expected: int) -> tuple[Campaign, Request]:
    campaign = lock_by_slug(session, slug)
    check_version(campaign, expected)
    request = find_open_request(session, campaign.id, ACT)
    if request is None or find_asked(session, campaign.id) is None:
        raise NothingAsked
    return campaign, request
