"""The area tree: county, town, village under a city, by their national statistical codes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    code: str
    name: str
    level: str
    parent: str | None


def is_area_code(text: str) -> bool:
    """Whether this can be an area's code at all; not every text can even be asked for in a database."""
    return re.fullmatch("[0-9]{2,12}", text) is not None


class AreaTree:
    """Areas by code; a path runs from the county down, the city left out because every path would repeat it."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = {area.code: area for area in areas}

    def __contains__(self, code: str) -> bool:
        return code in self._areas

    def __len__(self) -> int:
        return len(self._areas)

    def get(self, code: str) -> Area:
        """The area; raises KeyError."""
        return self._areas[code]

    def lineage(self, code: str) -> tuple[Area, ...]:
        """From the top of the tree down to the area itself."""
        found: list[Area] = []
        at: str | None = code
        while at is not None:
            area = self._areas[at]
            found.append(area)
            at = area.parent
        return tuple(reversed(found))

    def path(self, code: str) -> tuple[str, ...]:
        """Names from the county down to the area itself."""
        return tuple(area.name for area in self.lineage(code) if area.level != "city")

    def all(self) -> Iterable[Area]:
        """Every area, in the order in which they were given."""
        return self._areas.values()
