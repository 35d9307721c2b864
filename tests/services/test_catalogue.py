"""The catalogue on both databases: what it holds, how it finds, and how rarely it asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tests.builders import NOON_MS, rule_set
from tests.storage.rows import COMMUNITY, COUNTY, TOWN, VILLAGE, candidate_row, put_areas, put_campaign
from voting.rules.errors import CampaignNotFound
from voting.rules.rule_text import parse_rules
from voting.services import catalogue
from voting.services.catalogue import CampaignView, all_campaigns, forget, get_campaign
from voting.storage.campaigns import bump_version, get_by_slug
from voting.storage.candidates import insert_candidates
from voting.storage.database import db

HELANG = "441781101201"

CANDIDATES = (
    {"number": 12, "name": "对岸村党群服务中心", "area_code": VILLAGE},
    {"number": 3, "name": "岗列社区党群服务中心", "area_code": COMMUNITY},
    {"number": 101, "award": "households", "name": "陈丽华 户", "area_code": VILLAGE},
    {"number": 103, "award": "households", "name": "Ａnna 户", "area_code": HELANG, "standing": "withdrawn"},
    {"number": 102, "award": "households", "name": "3号院 户", "area_code": None},
)


@pytest.fixture
def campaign_id(ledger: Session) -> int:
    put_areas(ledger)
    campaign = put_campaign(ledger, stage="open", opened_at=NOON_MS)
    insert_candidates(ledger, [candidate_row(campaign.id, **line) for line in CANDIDATES])
    ledger.commit()
    return campaign.id


@pytest.fixture
def view(campaign_id: int) -> CampaignView:
    return get_campaign("best")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes the next look due, without waiting for a second to pass."""

    def later() -> None:
        real = time.monotonic
        offset = later.offset = later.offset + catalogue.FRESH_S  # type: ignore[attr-defined]
        monkeypatch.setattr("voting.services.catalogue.time.monotonic", lambda: real() + offset)

    later.offset = 0.0  # type: ignore[attr-defined]
    return later


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SELECTs sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


# --- what it holds ----------------------------------------------------------------------------------------------


def test_a_campaign_with_its_candidates(view: CampaignView, ledger: Session) -> None:
    row = get_by_slug(ledger, "best")
    assert (view.id, view.slug, view.stage, view.version) == (row.id, "best", "open", 1)
    assert view.rules == parse_rules(row.rules)
    assert view.sealed_id is None
    assert [candidate.number for candidate in view.candidates] == [3, 12, 101, 102, 103], "by award, then number"
    assert [view.by_number[candidate.number] for candidate in view.candidates] == list(view.candidates)
    assert [view.by_id[candidate.id] for candidate in view.candidates] == list(view.candidates)
    found = view.by_number[12]
    assert (found.name, found.award, found.code, found.standing) == ("对岸村党群服务中心", "centres", "c12", "standing")
    assert found.area_path == ("江城区", "岗列街道", "对岸村委会")
    assert view.by_number[102].area_path == ()
    assert view.by_number[103].standing == "withdrawn"


def test_awards_keep_the_rule_sets_order(ledger: Session) -> None:
    put_areas(ledger)
    campaign = put_campaign(ledger)
    lines = [candidate_row(campaign.id, 1, award="households"), candidate_row(campaign.id, 2)]
    insert_candidates(ledger, lines)
    ledger.commit()
    assert [candidate.award for candidate in get_campaign("best").candidates] == ["centres", "households"]


def test_drafts_can_be_got_but_are_not_listed(ledger: Session, campaign_id: int) -> None:
    put_campaign(ledger, "draft", created_at=NOON_MS + 2)
    put_campaign(ledger, "newer", stage="published", created_at=NOON_MS + 1)
    ledger.commit()
    assert [campaign.slug for campaign in all_campaigns()] == ["newer", "best"]
    assert get_campaign("draft").stage == "draft"
    with pytest.raises(CampaignNotFound):
        get_campaign("none")


@pytest.mark.parametrize(
    ("changed", "moment", "phase"),
    [
        ({"stage": "draft"}, "within", "draft"),
        ({"stage": "open"}, "before", "upcoming"),
        ({"stage": "open", "paused_reason": "停"}, "before", "upcoming"),
        ({"stage": "open"}, "first", "open"),
        ({"stage": "open"}, "within", "open"),
        ({"stage": "open", "paused_reason": "停"}, "within", "paused"),
        ({"stage": "open", "paused_reason": ""}, "within", "paused"),
        ({"stage": "open"}, "last", "open"),
        ({"stage": "open"}, "after", "closed"),
        ({"stage": "open", "paused_reason": "停"}, "after", "closed"),
        ({"stage": "closed"}, "within", "closed"),
        ({"stage": "provisional"}, "after", "provisional"),
        ({"stage": "published"}, "after", "published"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_phases(ledger: Session, changed: dict[str, str], moment: str, phase: str) -> None:
    put_campaign(ledger, **changed)
    ledger.commit()
    rules = rule_set()
    moments = {
        "before": rules.opens_ms - 1,
        "first": rules.opens_ms,
        "within": NOON_MS,
        "last": rules.closes_ms - 1,
        "after": rules.closes_ms,
    }
    assert get_campaign("best").phase(moments[moment]) == phase


# --- how it finds -----------------------------------------------------------------------------------------------


def test_areas_with_candidates_each_county_before_its_towns(view: CampaignView) -> None:
    jiangcheng = [(COUNTY, "江城区", "county"), (TOWN, "岗列街道", "town")]
    yangchun = [("441781", "阳春市", "county"), ("441781101", "河朗镇", "town")]
    assert view.areas_of() == jiangcheng + yangchun
    assert view.areas_of("centres") == jiangcheng
    assert view.areas_of("households") == jiangcheng + yangchun
    assert view.areas_of("none") == []


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({}, [3, 12, 101, 102, 103]),
        ({"award": "centres"}, [3, 12]),
        ({"award": "none"}, []),
        ({"q": "对岸"}, [12, 101]),
        ({"q": "  对岸  户 "}, [101]),
        ({"q": "岗列"}, [3, 12, 101]),
        ({"q": "江城区 陈"}, [101]),
        ({"q": "阳江市"}, []),  # every path would match; the city is left out
        ({"q": "ANNA"}, [103]),
        ({"q": "ａｎｎａ"}, [103]),
        ({"q": "3"}, [3, 102]),
        ({"q": "03"}, [3]),
        ({"q": "3号"}, [3, 102]),
        ({"q": " 第 3 号"}, [3]),
        ({"q": "３号"}, [3, 102]),
        ({"q": "3", "award": "households"}, [102]),
        ({"q": "101", "award": "centres"}, []),
        ({"q": "12", "area": "441781"}, []),
        ({"q": "12", "area": COUNTY}, [12]),
        ({"q": "999999999"}, []),
        ({"area": COUNTY}, [3, 12, 101]),
        ({"area": TOWN, "award": "households"}, [101]),
        ({"area": VILLAGE}, [12, 101]),
        ({"area": "999"}, []),
        ({"q": "%"}, []),
        ({"q": "."}, []),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_searching(view: CampaignView, asked: dict[str, str], numbers: list[int]) -> None:
    page = view.search(**asked)  # type: ignore[arg-type]
    assert [candidate.number for candidate in page.items] == numbers
    assert page.total == len(numbers)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pages_are_moved_into_the_range_there_is(view: CampaignView) -> None:
    everyone = [3, 12, 101, 102, 103]
    table = [(1, 2, [3, 12], 1), (3, 2, [103], 3), (4, 2, [103], 3), (0, 2, [3, 12], 1), (-5, 5, everyone, 1)]
    for asked, size, numbers, given in table:
        page = view.search(page=asked, size=size)
        assert [candidate.number for candidate in page.items] == numbers
        assert (page.page, page.pages, page.total) == (given, -(-5 // size), 5)
    nothing = view.search(q="没有这样的人")
    assert (nothing.page, nothing.pages, nothing.total, list(nothing.items)) == (1, 1, 0, [])


# --- how rarely it asks -----------------------------------------------------------------------------------------


def test_one_look_a_second(view: CampaignView, soon: Callable[[], None]) -> None:
    with statements() as sent:
        for _ in range(100):
            assert get_campaign("best") is view
        assert sent == []
        soon()
        for _ in range(100):
            assert get_campaign("best") is view, "the version did not rise, so it is the same object"
        assert len(sent) == 1


def test_a_change_is_seen_when_the_version_rises(ledger: Session, campaign_id: int, soon: Callable[[], None]) -> None:
    before = get_campaign("best")
    other_id = put_campaign(ledger, "other", stage="open").id
    insert_candidates(ledger, [candidate_row(campaign_id, 4)])
    bump_version(ledger, campaign_id)
    ledger.commit()
    assert get_campaign("best") is before, "within the second"
    soon()
    after = get_campaign("best")
    assert len(after.candidates) == len(before.candidates) + 1
    assert after.version == before.version + 1
    other = get_campaign("other")
    bump_version(ledger, other_id)
    ledger.commit()
    soon()
    assert get_campaign("best") is after, "only what changed is read again"
    assert get_campaign("other") is not other


def test_forgetting_looks_at_once(ledger: Session, view: CampaignView) -> None:
    put_campaign(ledger, "new")
    ledger.commit()
    with pytest.raises(CampaignNotFound):
        get_campaign("new")
    forget()
    assert get_campaign("new").slug == "new"


def test_the_last_copy_is_served_while_sql_is_away(
    ledger: Session, view: CampaignView, soon: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    ledger.execute(text("ALTER TABLE campaigns RENAME TO away"))
    ledger.commit()
    soon()
    with statements() as sent:
        for _ in range(10):
            assert get_campaign("best") is view
        assert len(sent) == 1, "a database in trouble is asked once a second, too"
    assert "its last copy is served" in caplog.text
    ledger.execute(text("ALTER TABLE away RENAME TO campaigns"))
    bump_version(ledger, view.id)
    ledger.commit()
    soon()
    assert get_campaign("best").version == view.version + 1


def test_without_any_copy_the_error_is_told(ledger: Session, campaign_id: int) -> None:
    ledger.execute(text("ALTER TABLE campaigns RENAME TO away"))
    ledger.commit()
    with pytest.raises(SQLAlchemyError):
        get_campaign("best")
    ledger.execute(text("ALTER TABLE away RENAME TO campaigns"))
    ledger.commit()
    assert get_campaign("best").slug == "best"


def test_reading_leaves_the_requests_session_free(view: CampaignView, soon: Callable[[], None]) -> None:
    soon()
    get_campaign("best")
    assert not db.session().in_transaction()


def test_sixteen_threads_look_once_and_nobody_waits_for_a_slow_look(
    ledger_app: Flask, campaign_id: int, soon: Callable[[], None]
) -> None:
    """Cold: everyone waits for one look. Later, while one look hangs, the others are answered from the copy."""
    got: list[CampaignView] = []

    def ask() -> None:
        with ledger_app.app_context():
            got.append(get_campaign("best"))

    def ask_all() -> list[threading.Thread]:
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        return threads

    with statements() as sent:
        for thread in ask_all():
            thread.join()
        cold = len(sent)
        assert [statement for statement in sent if "FROM campaigns" in statement] == sent[:1], sent
    assert len({id(view) for view in got}) == 1
    assert cold == 3, "campaigns, areas, and the candidates of one campaign"

    hanging, go_on = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hanging.set()
        assert go_on.wait(10)

    soon()
    got.clear()
    event.listen(db.engine, "before_cursor_execute", hang, once=True)
    slow = threading.Thread(target=ask)
    slow.start()
    assert hanging.wait(10)
    try:
        for thread in ask_all():
            thread.join(5)
        assert len(got) == 16, "answered while the look is still hanging"
    finally:
        go_on.set()
        slow.join()
    assert len({id(view) for view in got}) == 1
