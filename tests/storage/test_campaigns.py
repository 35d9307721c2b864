"""Campaigns, areas, candidates and results on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.builders import NOON_MS
from tests.storage.rows import AREAS, TOWN, VILLAGE, candidate_row, put_areas, put_campaign, put_candidates
from voting.rules.errors import CampaignNotFound
from voting.storage.areas import count_areas, load_areas, save_areas
from voting.storage.campaigns import (
    any_campaign,
    bump_all_versions,
    bump_version,
    find_by_slug,
    get_by_slug,
    list_campaigns,
    lock_by_slug,
)
from voting.storage.candidates import (
    count_standing,
    insert_candidates,
    list_candidates,
    release_numbers,
    update_candidates,
)
from voting.storage.results import find_latest_result, insert_result, list_standings


def test_campaigns_are_found_by_slug_and_listed_newest_first(ledger: Session) -> None:
    assert not any_campaign(ledger)
    put_campaign(ledger, "old", created_at=NOON_MS - 1)
    put_campaign(ledger, "new", created_at=NOON_MS)
    ledger.commit()
    assert [campaign.slug for campaign in list_campaigns(ledger)] == ["new", "old"]
    assert any_campaign(ledger)
    assert get_by_slug(ledger, "old").stage == "draft"
    assert find_by_slug(ledger, "none") is None
    for get in (get_by_slug, lock_by_slug):
        with pytest.raises(CampaignNotFound) as refusal:
            get(ledger, "none")
        assert refusal.value.slug == "none"


@pytest.mark.parametrize("wrong", [{"stage": "opened"}, {"sealed_ms": 1}, {"slug": "best"}])
def test_impossible_campaigns_are_refused_by_the_database(ledger: Session, wrong: dict[str, object]) -> None:
    put_campaign(ledger)
    with pytest.raises(IntegrityError):
        put_campaign(ledger, **({"slug": "other"} | wrong))  # type: ignore[arg-type]


def test_versions_rise_one_by_one_or_together(ledger: Session) -> None:
    first, second = put_campaign(ledger, "a"), put_campaign(ledger, "b")
    bump_version(ledger, first.id)
    bump_all_versions(ledger)
    ledger.commit()
    assert (first.version, second.version) == (3, 2)


def test_areas_are_saved_twice_and_renamed(ledger: Session) -> None:
    put_areas(ledger)
    put_areas(ledger)
    save_areas(ledger, [{"code": VILLAGE, "name": "对岸新村委会", "level": "village", "parent_code": TOWN}])
    save_areas(ledger, [])
    ledger.commit()
    assert count_areas(ledger) == len(AREAS)
    assert load_areas(ledger).path(VILLAGE) == ("江城区", "岗列街道", "对岸新村委会")


def test_an_area_needs_its_parent(ledger: Session) -> None:
    with pytest.raises(IntegrityError):
        save_areas(ledger, [{"code": VILLAGE, "name": "对岸村委会", "level": "village", "parent_code": TOWN}])


def test_candidates_come_back_by_number_with_every_field(ledger: Session) -> None:
    put_areas(ledger)
    campaign = put_campaign(ledger)
    other = put_campaign(ledger, "other")
    insert_candidates(
        ledger, [candidate_row(campaign.id, 2, group_key="north"), candidate_row(campaign.id, 1, area_code=None)]
    )
    insert_candidates(ledger, [candidate_row(other.id, 1)])
    insert_candidates(ledger, [])
    one, two = list_candidates(ledger, campaign.id)
    assert (one.number, one.area_code, one.group_key) == (1, None, None)
    wanted = candidate_row(campaign.id, 2, group_key="north")
    del wanted["campaign_id"]
    assert two._mapping == wanted | {"id": two.id, "photo": None}


def test_numbers_and_codes_are_unique_where_they_must_be(ledger: Session) -> None:
    put_areas(ledger)
    campaign = put_campaign(ledger)
    insert_candidates(
        ledger, [candidate_row(campaign.id, 1), candidate_row(campaign.id, 2, award="households", code="c1")]
    )
    ledger.commit()
    for doubled in (candidate_row(campaign.id, 1, code="x"), candidate_row(campaign.id, 3, code="c1")):
        with pytest.raises(IntegrityError):
            insert_candidates(ledger, [doubled])
        ledger.rollback()


def test_candidates_exchange_their_numbers(ledger: Session) -> None:
    put_areas(ledger)
    campaign = put_campaign(ledger)
    first, second, third = put_candidates(ledger, campaign.id, 3)
    changed = [candidate_row(0, 2, id=first, name="新名"), candidate_row(0, 1, id=second)]
    with pytest.raises(IntegrityError):  # one after the other, the first meets the number the second still has
        update_candidates(ledger, changed)
    ledger.rollback()
    put_areas(ledger)
    campaign = put_campaign(ledger)
    first, second, third = put_candidates(ledger, campaign.id, 3)
    changed = [candidate_row(0, 2, id=first, name="新名"), candidate_row(0, 1, id=second)]
    release_numbers(ledger, [first, second])
    update_candidates(ledger, changed)
    update_candidates(ledger, [])
    ledger.commit()
    assert [(row.id, row.number) for row in list_candidates(ledger, campaign.id)] == [
        (second, 1),
        (first, 2),
        (third, 3),
    ]
    assert next(row.name for row in list_candidates(ledger, campaign.id) if row.id == first) == "新名"


def test_standing_candidates_are_counted_by_award_and_group(ledger: Session) -> None:
    put_areas(ledger)
    campaign = put_campaign(ledger)
    insert_candidates(
        ledger,
        [
            candidate_row(campaign.id, 1, group_key="north"),
            candidate_row(campaign.id, 2, group_key="south"),
            candidate_row(campaign.id, 3, group_key="south"),
            candidate_row(campaign.id, 4, group_key="south", standing="withdrawn"),
            candidate_row(campaign.id, 5, award="households"),
        ],
    )
    assert count_standing(ledger, campaign.id) == ({"centres": 3, "households": 1}, {"north": 1, "south": 2})


def test_results_are_versions_beside_each_other(ledger: Session) -> None:
    put_areas(ledger)
    campaign = put_campaign(ledger)
    first, second = put_candidates(ledger, campaign.id, 2)
    assert find_latest_result(ledger, campaign.id) is None

    def standing(candidate: int, rank: int, outcome: str = "selected") -> dict[str, object]:
        return {
            "candidate_id": candidate,
            "award": "centres",
            "rank": rank,
            "votes": 5,
            "tied": False,
            "outcome": outcome,
        }

    insert_result(ledger, campaign.id, "provisional", NOON_MS, "{}", "{}", [])
    rows = [standing(first, 2), standing(second, 1)]
    second_version = insert_result(ledger, campaign.id, "provisional", NOON_MS, '{"a":1}', "{}", rows)
    ledger.commit()
    latest = find_latest_result(ledger, campaign.id)
    assert latest is not None
    assert (latest.version, latest.id, latest.inputs) == (2, second_version.id, '{"a":1}')
    standings = list_standings(ledger, latest.id)
    assert [(row.candidate_id, row.rank, row.tied) for row in standings] == [(second, 1, False), (first, 2, False)]
    with pytest.raises(IntegrityError):
        insert_result(ledger, campaign.id, "provisional", NOON_MS, "{}", "{}", [standing(first, 1, "won")])
