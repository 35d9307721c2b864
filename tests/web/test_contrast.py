"""Contrast of the design tokens, measured: text on every ground it is used on, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "voting/static/css/tokens.css"
LARGE = TOKENS.with_name("large.css")
#: WCAG AA for everybody, AAA in large type
LEAST = {"light": 4.5, "dark": 4.5, "large light": 7.0, "large dark": 7.0}
GROUNDS = ("paper", "card", "sunken", "gold-wash")
TEXT_ON = [
    *((text, ground) for text in ("ink", "ink-soft", "red-text", "gold-text") for ground in GROUNDS),
    *((text, "red-wash") for text in ("ink", "ink-soft", "red-text")),
    *((text, "warn-wash") for text in ("ink", "warn-text")),
    *((text, "good-wash") for text in ("ink", "good-text", "red-text")),
    *((text, ground) for text in ("good-text", "warn-text") for ground in ("paper", "card")),
    *((text, ground) for text in ("on-red", "on-red-soft") for ground in ("red-deep", "red")),
    ("paper", "ink-soft"),
]


def colours() -> dict[str, dict[str, str]]:
    found = {}
    for size, path in (("", TOKENS), ("large ", LARGE)):
        light, dark = path.read_text(encoding="utf-8").split("@media (prefers-color-scheme: dark)")
        read = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]
        found |= {f"{size}light": found.get("light", {}) | read[0]}
        found |= {f"{size}dark": found.get("dark", {}) | read[0] | read[1]}
    # In large type the dark colours of the ordinary size hold wherever large type names none of its own.
    return found


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", LEAST)
@pytest.mark.parametrize(("text", "ground"), TEXT_ON, ids=lambda name: name)
def test_text_can_be_read(mode: str, text: str, ground: str) -> None:
    tokens = colours()[mode]
    assert contrast(tokens[text], tokens[ground]) >= LEAST[mode]


@pytest.mark.parametrize("mode", LEAST)
def test_edges_of_controls_can_be_seen(mode: str) -> None:
    tokens = colours()[mode]
    for ground in ("paper", "card"):
        assert contrast(tokens["line-strong"], tokens[ground]) >= 3
