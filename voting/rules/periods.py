"""Local days and hours of a campaign, as plain arithmetic that the ballot box can repeat in Lua.

A time zone is reduced to the UTC offsets in force during the campaign's window; the box gets the same list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def _offset_ms(zone: ZoneInfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * 1000


@dataclass(frozen=True, slots=True)
class LocalTime:
    """UTC offsets by the instant from which they hold, oldest first: ``((from_ms, offset_ms), ...)``."""

    offsets: tuple[tuple[int, int], ...]

    @classmethod
    def of_zone(cls, name: str, from_ms: int, until_ms: int) -> LocalTime:
        """The offsets of an IANA zone over a window, with two days of margin on both sides.

        Raises ``zoneinfo.ZoneInfoNotFoundError`` for an unknown name.
        """
        zone = ZoneInfo(name)
        at = (from_ms - 2 * DAY_MS) // HOUR_MS * HOUR_MS
        offsets = [(0, _offset_ms(zone, at))]
        while at < until_ms + 2 * DAY_MS:
            # Zones change their offset on a quarter of an hour of UTC; nothing finer exists after 1972.
            at += HOUR_MS // 4
            offset = _offset_ms(zone, at)
            if offset != offsets[-1][1]:
                offsets.append((at, offset))
        return cls(tuple(offsets))

    def offset(self, at_ms: int) -> int:
        """The UTC offset in force, ms."""
        found = self.offsets[0][1]
        for from_ms, offset in self.offsets:
            if at_ms >= from_ms:
                found = offset
        return found

    def day(self, at_ms: int) -> int:
        """The number of the local calendar day (days since 1970-01-01 local)."""
        return (at_ms + self.offset(at_ms)) // DAY_MS

    def minute_of_day(self, at_ms: int) -> int:
        """Whole minutes on the local clock since its midnight, 0 to 1439."""
        return (at_ms + self.offset(at_ms)) % DAY_MS // MINUTE_MS

    def next_midnight(self, at_ms: int) -> int:
        """The first instant of the next local day, epoch ms."""
        wall = (self.day(at_ms) + 1) * DAY_MS
        guess = wall - self.offset(at_ms)
        return wall - self.offset(guess)
