"""The demonstration: real places, the same people every time, marked as what it is; and the samples of full size."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.builders import NOON_MS
from tests.storage.rows import put_campaign
from voting.rules.areas import Area
from voting.rules.checklist import issues_before_opening
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.rules.rule_text import parse_rules
from voting.services import demonstration, demonstration_texts
from voting.services.boxes import box_of, boxes, init_boxes
from voting.services.catalogue import forget, get_campaign
from voting.services.identifying import init_identifying
from voting.services.importing import import_areas, import_candidates
from voting.services.sheets import unprintable
from voting.storage.areas import count_areas
from voting.storage.campaigns import get_by_slug
from voting.storage.candidates import count_standing, list_candidates

LATE_MS = NOON_MS + 37 * 60_000


def test_a_campaign_that_may_open(ledger: Session) -> None:
    assert demonstration.prepare(LATE_MS)
    campaign = get_by_slug(ledger, "yangjiang-2026")
    assert campaign.title == "阳江市十佳村(社区)党群服务中心、百佳党员中心户评选"
    assert campaign.demonstration
    assert campaign.stage == "draft"
    rules = parse_rules(campaign.rules)
    assert (rules.opens_ms, rules.closes_ms) == (NOON_MS, NOON_MS + 30 * DAY_MS), "whole hours"
    assert rules.local(rules.opens_ms).utcoffset().total_seconds() == 8 * 3600  # type: ignore[union-attr]
    assert [(award.key, award.seats, award.limits.max) for award in rules.awards] == [
        ("centres", 10, 10),
        ("households", 100, 10),
    ]
    assert (rules.ballot.min, rules.ballot.max) == (1, 20)
    assert [(q.unit, q.per, q.period, q.limit) for q in rules.quotas] == [
        ("choices", "award", "day", 10),
        ("choices", "candidate", "day", 1),
    ]
    standing, grouped = count_standing(ledger, campaign.id)
    assert standing == {"centres": 40, "households": 300}
    assert issues_before_opening(rules, standing, grouped, LATE_MS, frozenset({"device"})) == []
    assert count_areas(ledger) == 946


def test_who_is_on_the_ballot(ledger: Session) -> None:
    demonstration.prepare(LATE_MS)
    campaign = get_campaign("yangjiang-2026")
    centres = [candidate for candidate in campaign.candidates if candidate.award == "centres"]
    households = [candidate for candidate in campaign.candidates if candidate.award == "households"]
    assert [candidate.number for candidate in centres] == list(range(1, 41))
    assert [candidate.number for candidate in households] == list(range(101, 401))
    (duian,) = (candidate for candidate in centres if candidate.area_code == "441702008205")
    assert duian.name == "对岸村党群服务中心"
    assert duian.area_path == ("江城区", "岗列街道", "对岸村委会")
    counties = Counter(candidate.area_path[0] for candidate in centres)
    assert counties == {"阳春市": 17, "江城区": 8, "阳东区": 8, "阳西县": 7}
    assert len({candidate.name for candidate in centres}) == 40
    assert all(len(candidate.area_path) == 3 for candidate in campaign.candidates)
    assert not any("虚拟" in "".join(candidate.area_path) for candidate in campaign.candidates)
    for candidate in households:
        assert candidate.name.endswith(" 户")
        assert demonstration_texts.HOUSEHOLD_MARK in candidate.story
    for candidate in centres:
        assert demonstration_texts.CENTRE_MARK in candidate.story
    for candidate in campaign.candidates:
        assert "演示数据" in candidate.story
        assert candidate.summary
        assert not {"{", "}"} & set(candidate.summary + candidate.story)


def test_preparing_again_finishes_and_changes_nothing_else(ledger: Session) -> None:
    demonstration.prepare(LATE_MS)
    campaign = get_by_slug(ledger, "yangjiang-2026")
    before = [tuple(row) for row in list_candidates(ledger, campaign.id)]
    ledger.rollback()
    assert demonstration.prepare(LATE_MS + 5 * HOUR_MS)
    campaign = get_by_slug(ledger, "yangjiang-2026")
    assert parse_rules(campaign.rules).opens_ms == NOON_MS + 5 * HOUR_MS, "a draft that never opened begins now"
    assert [tuple(row) for row in list_candidates(ledger, campaign.id)] == before


def test_seeding_opens_the_box_once(ledger: Session, ledger_app: Flask, valkey_url: str) -> None:
    ledger_app.config |= {"REDIS_URL": valkey_url, "VOTER_SECRET": "tests: makes pseudonyms"}
    init_boxes(ledger_app)
    init_identifying(ledger_app)
    assert demonstration.seed_if_empty()
    campaign = get_campaign(demonstration.SLUG)
    now_ms = time.time_ns() // 1_000_000
    assert campaign.phase(now_ms) == "open"
    assert 0 <= now_ms - campaign.rules.opens_ms <= 2 * HOUR_MS
    status = box_of(campaign.id, campaign.rules).status()
    assert status is not None
    assert campaign.rules_hash
    assert not demonstration.seed_if_empty()
    boxes().client.close()


@pytest.mark.parametrize(
    "other",
    [{"slug": "best"}, {"slug": "yangjiang-2026"}, {"slug": "yangjiang-2026", "demonstration": True, "stage": "open"}],
)
def test_a_database_that_is_in_use_is_left_alone(ledger: Session, other: dict[str, object]) -> None:
    put_campaign(ledger, **other)  # type: ignore[arg-type]
    ledger.commit()
    assert not demonstration.prepare(LATE_MS)
    assert not demonstration.seed_if_empty()
    ledger.rollback()
    assert count_areas(ledger) == 0


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("对岸村委会", "对岸村"),
        ("六村村委会", "六村村"),
        ("北门社区居委会", "北门社区"),
        ("西濑居委会", "西濑社区"),
        ("龙山社区居民委员会", "龙山社区"),
        ("大澳渔委会", "大澳渔业社区"),
        ("新星渔民委员会社区", "新星渔业社区"),
        ("渔委会", "南恩渔业社区"),
        ("合水华侨社区", "合水华侨社区"),
        ("三丰华侨农场生活区", "三丰华侨农场生活区"),
        ("花滩林场虚拟生活区", "花滩林场生活区"),
        ("石录矿区虚拟社区", "石录矿区社区"),
    ],
)
def test_names_as_people_say_them(name: str, spoken: str) -> None:
    town = Area("441702001", "南恩街道", "town", "441702")
    assert demonstration.short_name(Area("441702001001", name, "village", town.code), town) == spoken


def test_every_area_that_comes_along_has_a_spoken_name() -> None:
    areas = demonstration._areas()
    villages = [area for area in areas.values() if area.level == "village"]
    assert len(villages) == 878
    for village in villages:
        spoken = demonstration.short_name(village, areas[village.parent or ""])
        assert len(spoken) >= 2, village
        assert not any(word in spoken for word in ("委会", "委员会", "虚拟")), village


def test_samples_are_the_same_every_time_and_can_be_imported(ledger: Session, tmp_path: Path) -> None:
    paths = demonstration.write_samples(tmp_path / "one", households=2000)
    again = demonstration.write_samples(tmp_path / "two", households=2000)
    for first, second in zip(paths, again, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in paths] == ["centres.csv", "households.csv"]
    rows = list(csv.DictReader(io.StringIO(paths[1].read_text("utf-8-sig"))))
    assert len({row["code"] for row in rows}) == 2000
    assert len({(row["name"], row["area_code"]) for row in rows}) == 2000
    assert not any(unprintable(row["story"], breaks=True) for row in rows)
    put_campaign(ledger, demonstration.SLUG)
    ledger.commit()
    import_areas(demonstration.AREAS_FILE)
    assert import_candidates(demonstration.SLUG, "centres", paths[0]).added == 878
    assert import_candidates(demonstration.SLUG, "households", paths[1]).added == 2000
    forget()
    assert get_campaign(demonstration.SLUG).search(award="centres", q="对岸").total >= 1


def test_no_more_centres_than_villages(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="878"):
        demonstration.write_samples(tmp_path, centres=879, households=0)
