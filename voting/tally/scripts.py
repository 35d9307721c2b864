"""Reads the Lua files: ``--#include file.lua`` lines are replaced by that file, so that acts share one wording."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent / "lua"
_INCLUDE = re.compile(r"^--#include (\S+)$", re.MULTILINE)


def read_script(name: str, replaced: Mapping[str, str] | None = None) -> str:
    """The source of an act. ``replaced`` gives other text for included files: tests bring their own clock."""

    def included(match: re.Match[str]) -> str:
        other = (replaced or {}).get(match[1])
        return other if other is not None else (FOLDER / match[1]).read_text("utf-8")

    return _INCLUDE.sub(included, (FOLDER / f"{name}.lua").read_text("utf-8"))
