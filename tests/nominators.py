"""People who nominate and who review, and a call for nominations: shared by tests of services, pages and browsers."""

from __future__ import annotations

import time
from typing import Any

from tests.storage.rows import COUNTY, TOWN, VILLAGE
from tests.world import World
from voting.rules.nomination import Call
from voting.rules.periods import DAY_MS
from voting.rules.roles import Holder
from voting.services.nominating import Sent, new_code, read_by_code, send_nomination
from voting.services.nomination_calls import read_call, save_call

ORGANIZER = Holder(1, "chen", "陈主任", frozenset({"organizer"}))
COUNTY_REVIEWER = Holder(2, "county", "县审核员", frozenset({"reviewer"}), COUNTY)
TOWN_REVIEWER = Holder(3, "town", "镇审核员", frozenset({"reviewer"}), TOWN)
ELSEWHERE = Holder(4, "other", "外县审核员", frozenset({"reviewer"}), "441781")
GOOD = {
    "award": "households",
    "name": "<b>王家</b>",
    "area_code": VILLAGE,
    "summary": "尊老爱幼",
    "story": "第一段\r\n\r\n第二段",
    "nominator": "李四",
    "telephone": "138 0013 8000",
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def call_for(world: World, opens_ms: int = 0, closes_ms: int = 0, **changed: Any) -> Call:
    """Let a campaign take nominations, a day before and after now unless something else is said."""
    values: dict[str, Any] = {"public": True, "desk": True, "awards": ("centres", "households")} | changed
    call = Call(opens_ms or now_ms() - DAY_MS, closes_ms or now_ms() + DAY_MS, **values)
    world.do(save_call, world.slug, call, world.do(read_call, world.slug).seen)
    return call


def given(**changed: str) -> Sent:
    """A nomination that may stand, and what is different about it."""
    return Sent(GOOD | changed, consent=True)


def send(world: World, **changed: str) -> str:
    """Send one as a citizen does; its code."""
    return world.do(send_nomination, world.slug, new_code(), given(**changed))


def id_of(world: World, code: str) -> int:
    return world.do(read_by_code, world.slug, code).id
