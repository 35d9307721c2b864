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
DRAWN_AT_ONCE = 2
#: with those who wait for it, so that threads are left for votes as well
MOST_AT_ONCE = 4
_drawing = threading.Semaphore(DRAWN_AT_ONCE)
_waiting = threading.Semaphore(MOST_AT_ONCE)


class PostersBusy(Exception):
    """So many posters are being drawn that another one would keep people from voting."""


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
    """The file of a poster, drawn if it is not there; raises PostersBusy. ``key`` names campaign and version."""
    digest = sha256(repr((DESIGN, key, astuple(words), photo, household, tint)).encode()).hexdigest()[:32]
    path = posters_folder() / f"{digest}.png"
    if not path.is_file():
        if not _waiting.acquire(blocking=False):
            raise PostersBusy
        try:
            with _drawing:
                if not path.is_file():
                    picture = find_photo(photo, 960, "jpg") if photo else None
                    _write(path, draw_poster(words, picture, household, tint))
        finally:
            _waiting.release()
    return path


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    draft.write_bytes(content)
    draft.replace(path)
    kept = sorted(path.parent.glob("*.png"), key=_written_s)
    for old in kept[:-MOST_KEPT]:
        old.unlink(missing_ok=True)


def _written_s(file: Path) -> float:
    """When a file was written; long ago, if another process has just cleared it away."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
