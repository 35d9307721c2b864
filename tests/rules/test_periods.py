"""Local days and hours: Shanghai has no summer time, Berlin and Auckland do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import hypothesis.strategies as st
import pytest
from hypothesis import given

from voting.rules.periods import DAY_MS, LocalTime

ZONES = ["Asia/Shanghai", "Europe/Berlin", "Pacific/Auckland", "America/St_Johns", "Asia/Kathmandu"]
START_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
LOCAL = {zone: LocalTime.of_zone(zone, START_MS, START_MS + 400 * DAY_MS) for zone in ZONES}
INSTANTS = st.integers(START_MS, START_MS + 400 * DAY_MS)


@given(st.sampled_from(ZONES), INSTANTS)
def test_days_and_minutes_are_those_of_the_zone_database(zone: str, at_ms: int) -> None:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))
    assert LOCAL[zone].day(at_ms) == (moment.date() - date(1970, 1, 1)).days
    assert LOCAL[zone].minute_of_day(at_ms) == moment.hour * 60 + moment.minute


@given(st.sampled_from(ZONES), INSTANTS)
def test_next_midnight_is_the_first_instant_of_the_next_day(zone: str, at_ms: int) -> None:
    local = LOCAL[zone]
    midnight = local.next_midnight(at_ms)
    assert at_ms < midnight <= at_ms + DAY_MS + 3_600_000
    assert local.day(midnight) == local.day(at_ms) + 1
    assert local.day(midnight - 1) == local.day(at_ms)


def test_shanghai_needs_one_offset_and_berlin_changes_twice_a_year() -> None:
    assert LOCAL["Asia/Shanghai"].offsets == ((0, 8 * 3_600_000),)
    assert [offset for _, offset in LOCAL["Europe/Berlin"].offsets] == [
        3_600_000,
        7_200_000,
        3_600_000,
    ]


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        LocalTime.of_zone("Asia/Yangjiang", 0, 1)
