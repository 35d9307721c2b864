"""A candidate's poster: a PNG with photo, number, name, area, slogan and QR code. No votes, in any display mode.

How it looks is drawn in ``poster_drawing.py``. Posters are kept in the instance folder by everything they depend on:
a change of the campaign or its candidates makes new ones, and the oldest go when there are many.
"""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path

from flask import current_app

from voting.services.photos import find_photo
from voting.services.poster_drawing import DESIGN, draw_poster

#: some 100 KB each
MOST_KEPT = 2_000
#: drawing takes a third of a second of one core: two at once leave the others for votes
_drawing = threading.Semaphore(2)


@dataclass(frozen=True, slots=True)
class PosterWords:
    """Everything that is written on a poster, in the reader's language; ``address`` is what the QR code says."""

    title: str
    award: str
    number: str
    name: str
    area: str
    slogan: str
    invitation: str
    organizer: str
    notice: str
    address: str


def posters_folder() -> Path:
    return Path(current_app.config["VOTING_INSTANCE"]) / "posters"


def get_poster(key: str, words: PosterWords, photo: str | None, household: bool, tint: int) -> Path:
    """The file of a poster, drawn if it is not there. ``key`` names campaign, version and candidate."""
    digest = sha256(repr((DESIGN, key, astuple(words), photo, household, tint)).encode()).hexdigest()[:32]
    path = posters_folder() / f"{digest}.png"
    if not path.is_file():
        with _drawing:
            if not path.is_file():
                picture = find_photo(photo, 960, "jpg") if photo else None
                _write(path, draw_poster(words, picture, household, tint))
    return path


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    draft.write_bytes(content)
    draft.replace(path)
    kept = sorted(path.parent.glob("*.png"), key=lambda file: file.stat().st_mtime)
    for old in kept[:-MOST_KEPT]:
        old.unlink(missing_ok=True)
