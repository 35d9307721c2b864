"""Rows for tests on real databases: a campaign with candidates in two villages, and ballots on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from tests.builders import NOON_MS, rule_set
from voting.rules.rule_text import write_rules
from voting.storage.areas import save_areas
from voting.storage.ballots import insert_ballots
from voting.storage.campaigns import Campaign, add_campaign
from voting.storage.candidates import insert_candidates, list_candidates

CITY, COUNTY, TOWN, VILLAGE, COMMUNITY = "4417", "441702", "441702008", "441702008205", "441702008001"
AREAS = (
    (CITY, "阳江市", "city", None),
    (COUNTY, "江城区", "county", CITY),
    (TOWN, "岗列街道", "town", COUNTY),
    (VILLAGE, "对岸村委会", "village", TOWN),
    (COMMUNITY, "岗列社区居委会", "village", TOWN),
    ("441781", "阳春市", "county", CITY),
    ("441781101", "河朗镇", "town", "441781"),
    ("441781101201", "河朗村委会", "village", "441781101"),
)


def put_areas(session: Session) -> None:
    names = ("code", "name", "level", "parent_code")
    save_areas(session, [dict(zip(names, area, strict=True)) for area in AREAS])


def put_campaign(session: Session, slug: str = "best", **changed: Any) -> Campaign:
    """A draft campaign on the rule set of ``builders.rule_set``."""
    rules = changed.pop("rules", None) or write_rules(rule_set())
    values: dict[str, Any] = {"slug": slug, "title": "评选", "rules": rules, "created_at": NOON_MS}
    return add_campaign(session, **(values | changed))


def candidate_row(campaign_id: int, number: int, **changed: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "award": "centres",
        "group_key": None,
        "number": number,
        "code": f"c{number}",
        "name": f"候选{number}",
        "area_code": VILLAGE,
        "summary": f"简介{number}",
        "story": f"事迹{number}",
        "standing": "standing",
    }
    return values | changed


def put_candidates(session: Session, campaign_id: int, count: int) -> list[int]:
    """The ids of new candidates with the numbers 1 to ``count``."""
    insert_candidates(session, [candidate_row(campaign_id, number) for number in range(1, count + 1)])
    return [row.id for row in list_candidates(session, campaign_id)]


def ballot_row(campaign_id: int, place: int, **changed: Any) -> dict[str, Any]:
    """A ballot whose id, receipt and place in the stream come from one number; three share each millisecond."""
    values: dict[str, Any] = {
        "ballot_id": f"{place:026}",
        "campaign_id": campaign_id,
        "stream_ms": NOON_MS + place // 3,
        "stream_seq": place % 3,
        "voter_key": place.to_bytes(16, "big"),
        "receipt": f"{place:016}",
        "network": "192.0.2.0/24",
        "address_hash": place.to_bytes(8, "big"),
        "marks": "",
    }
    return values | changed


def choice_rows(place: int, choices: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"ballot_id": f"{place:026}", "candidate_id": candidate, "times": choices.count(candidate)}
        for candidate in sorted(set(choices))
    ]


def put_ballot(session: Session, campaign_id: int, place: int, *choices: int) -> int:
    return insert_ballots(session, [ballot_row(campaign_id, place)], choice_rows(place, choices))
