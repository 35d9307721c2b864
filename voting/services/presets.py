"""Rule sets that real selections published, to begin a campaign with: files in ``voting/data/presets``.

A file says what it is, in Chinese and English, what of the published rules this system cannot do yet (``cannot``), and
the rules without a window: that is laid over the coming days when one is chosen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from voting.rules.campaign import RuleSet
from voting.rules.draft_errors import PresetNotFound
from voting.rules.rule_text import parse_rules

FOLDER = Path(__file__).resolve().parent.parent / "data" / "presets"
ZONE = "Asia/Shanghai"
OPENS_HOUR, CLOSES_HOUR = 9, 18


@dataclass(frozen=True, slots=True)
class Preset:
    """``name``, ``about`` and each of ``cannot`` are texts by language, "zh" and "en"."""

    id: str
    name: dict[str, str]
    seen_in: str
    about: dict[str, str]
    cannot: tuple[dict[str, str], ...]
    days: int
    rules: dict[str, Any]

    def rules_text(self, now_ms: int) -> str:
        """The rule set as text, its window from tomorrow's morning on."""
        zone = ZoneInfo(ZONE)
        morning = datetime.fromtimestamp(now_ms / 1000, zone).replace(
            hour=OPENS_HOUR, minute=0, second=0, microsecond=0
        )
        opens = morning + timedelta(days=1)
        closes = opens.replace(hour=CLOSES_HOUR) + timedelta(days=self.days - 1)
        window = {"time_zone": ZONE, "opens_at": opens.isoformat(), "closes_at": closes.isoformat()}
        return json.dumps(self.rules | window, ensure_ascii=False)

    def rule_set(self, now_ms: int) -> RuleSet:
        return parse_rules(self.rules_text(now_ms))


@cache
def presets() -> tuple[Preset, ...]:
    """All of them, in the order of their files."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        found.append(Preset(**{**document, "cannot": tuple(document["cannot"])}))
    return tuple(found)


def get_preset(preset_id: str) -> Preset:
    """Raises PresetNotFound."""
    for preset in presets():
        if preset.id == preset_id:
            return preset
    raise PresetNotFound
