"""How Chinese names are typed with Latin letters: pinyin in full and its initials, every usual reading of a character.

Worked out once per distinct character and kept: 35,000 names are written with a few thousand. pypinyin is told to leave
its phrases at home (they would cost half a second and 45 MB): a search takes every reading anyway.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from itertools import islice, product

#: readings looked at per character, and spellings kept per name: names have few characters that are read in two ways
READINGS = 3
SPELLINGS = 9


@cache
def readings(char: str) -> tuple[str, ...]:
    """The usual readings of a character without tones, the first one best; a letter or digit reads as itself."""
    if char.isascii():
        return (char,) if char.isalnum() else ()
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    found = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
    return tuple(dict.fromkeys(found[0]))[:READINGS] if found else ()


def spellings(name: str) -> Iterator[tuple[str, ...]]:
    """The syllables of a name, in each way it is usually read."""
    parts = [read for char in name if (read := readings(char))]
    # Almost every name has one reading only; product() would cost three times as much for it.
    if all(len(read) == 1 for read in parts):
        yield tuple(read[0] for read in parts)
    else:
        yield from islice(product(*parts), SPELLINGS)


def sort_key(name: str) -> tuple[tuple[str, ...], str]:
    """How a name sorts: by pinyin, then by its characters."""
    return next(spellings(name)), name
