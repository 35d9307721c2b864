"""Small rule sets, ballots and clocks for tests: the values that a test does not care about."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from voting.rules.ballot import Ballot
from voting.rules.ballot_id import CROCKFORD
from voting.rules.campaign import Award, Group, Limits, RuleSet
from voting.rules.periods import HOUR_MS
from voting.rules.quota import Place, Quota
from voting.rules.voter import receipt_code, voter_key
from voting.tally.ballot_box import Accepted, BallotBox, Sender

SECRET = b"secret of the tests"
#: 2040-06-01 12:00:00 in Shanghai: far ahead, because keys expire by the real clock
NOON_MS = 2_222_136_000_000
PER_DAY = Quota("choices", "candidate", "day", 1)
CLOCK_KEY = "test:clock"
#: takes the place of lua/clock.lua: a clock that the test sets
TEST_CLOCK = f"local function redis_ms() return tonumber(redis.call('GET', '{CLOCK_KEY}')) end"

NOBODY = Sender()

_numbers = itertools.count(1)


def ballot_id_at(made_ms: int, number: int | None = None) -> str:
    """A ULID with that time; its random part is a running number, so that no two are equal."""
    value = made_ms << 80 | (next(_numbers) if number is None else number)
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(125, -5, -5))


def rule_set(**changed: Any) -> RuleSet:
    """Two awards, one with two groups; open from an hour before NOON_MS for ten days."""
    groups = (Group("north", "北片", Limits(max=2)), Group("south", "南片", Limits(max=2)))
    values: dict[str, Any] = {
        "time_zone": "Asia/Shanghai",
        "opens_ms": NOON_MS - HOUR_MS,
        "closes_ms": NOON_MS + 240 * HOUR_MS,
        "awards": (Award("centres", "中心", 2, Limits(max=3), groups), Award("households", "中心户", 3, Limits(max=3))),
        "quotas": (PER_DAY,),
    }
    return RuleSet(**(values | changed))


def places(withdrawn: tuple[int, ...] = ()) -> dict[int, Place]:
    """Candidates 1 to 4 north, 5 and 6 south (centres), 11 to 16 (households)."""
    table = {number: ("centres", "north" if number < 5 else "south") for number in range(1, 7)}
    table |= dict.fromkeys(range(11, 17), ("households", None))  # type: ignore[dict-item]
    return {number: Place(number, award, group, number not in withdrawn) for number, (award, group) in table.items()}


def voter(name: str, campaign: int = 1) -> bytes:
    return voter_key(SECRET, campaign, "device", name)


@dataclass
class Poll:
    """A campaign's box with a clock that the test sets; ``cast`` speaks in names and numbers."""

    client: Redis
    rules: RuleSet
    places: dict[int, Place]
    campaign: int = 1
    epoch: str = field(default_factory=lambda: f"epoch-{next(_numbers)}")

    def __post_init__(self) -> None:
        self.box = BallotBox(self.client, self.campaign, self.rules, replaced_scripts={"clock.lua": TEST_CLOCK})
        self.set_clock(NOON_MS)
        self.box.put_candidates(self.places.values())
        assert self.box.open(self.epoch)

    def set_clock(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.client.set(CLOCK_KEY, now_ms)

    def cast(self, name: str, *choices: int, ballot_id: str | None = None, sender: Sender = NOBODY) -> Accepted:
        ballot = Ballot(ballot_id or ballot_id_at(self.now_ms), voter(name, self.campaign), tuple(sorted(choices)))
        receipt = receipt_code(SECRET, self.campaign, ballot.ballot_id)
        return self.box.cast(self.epoch, ballot, receipt, sender, app_ms=self.now_ms)
