"""Photos of candidates: one original becomes three widths in WebP and JPEG, kept in the instance folder by content.

Whatever was uploaded is decoded and written anew: no EXIF, no place where it was taken, nothing but pixels. A name is
made from the bytes of the upload, so a stored file never changes and browsers may keep it for ever.
"""

from __future__ import annotations

import io
import os
import secrets
import warnings
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import current_app
from PIL import ExifTags, Image, UnidentifiedImageError

from voting.rules.candidate_errors import PhotoChanged
from voting.rules.errors import PhotoRefused
from voting.services.trail import write_entry
from voting.services.transactions import writing
from voting.storage.campaigns import bump_version, get_by_id, lock_by_slug
from voting.storage.candidates import get_candidate, set_photo

MOST_BYTES = 5_000_000
MOST_PIXELS = 25_000_000
WIDTHS = (360, 640, 960)
#: every page shows photos in this proportion
RATIO = (16, 10)
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "webp": ("WEBP", {"quality": 66, "method": 6}),
    "jpg": ("JPEG", {"quality": 80, "optimize": True}),
}
ACCEPTED = ("JPEG", "PNG", "WEBP")
#: how a picture that says so is turned
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def photos_folder() -> Path:
    """Where the files are: <width>.webp and .jpg in a folder named by the photo."""
    return Path(current_app.config["VOTING_INSTANCE"]) / "photos"


def store_photo(candidate_id: int, content: bytes, seen: str | None = None) -> str:
    """Give a candidate a photo; returns its name. Raises PhotoRefused and CandidateNotFound.

    ``seen``, here and below, is the photo that somebody saw when deciding, empty for none: raises PhotoChanged, with
    the name of what was sent, when there is another by now. The files are there before the database names them; a
    photo that nobody names is harmless.
    """
    name = prepare_photo(content)
    _give(candidate_id, name, seen)
    return name


def give_photo(candidate_id: int, name: str, seen: str) -> None:
    """Give a candidate a photo that was sent before. Raises PhotoRefused when it is none of ours, and PhotoChanged."""
    if find_photo(name, WIDTHS[0], "jpg") is None:
        raise PhotoRefused("format")
    _give(candidate_id, name, seen)


def prepare_photo(content: bytes) -> str:
    """Make the files of a photo and return its name; nobody has it yet. Raises PhotoRefused."""
    name = sha256(content).hexdigest()[:32]
    folder = photos_folder() / name
    if not folder.is_dir():
        _write(folder, cut(read_picture(content, WIDTHS[-1]), RATIO))
    return name


def remove_photo(candidate_id: int, seen: str | None = None) -> None:
    """Take a candidate's photo away; its files stay, others may have the same. Raises CandidateNotFound."""
    _give(candidate_id, None, seen)


def _give(candidate_id: int, name: str | None, seen: str | None) -> None:
    with writing() as session:
        candidate = get_candidate(session, candidate_id)
        slug = get_by_id(session, candidate.campaign_id).slug
        lock_by_slug(session, slug)
        session.refresh(candidate)
        if candidate.photo == name:
            return
        if seen is not None and seen != (candidate.photo or ""):
            raise PhotoChanged(name or "")
        was = {"photo": candidate.photo}
        write_entry(session, "candidate.photo", str(candidate.number), slug, before=was, after={"photo": name})
        set_photo(session, candidate_id, name)
        bump_version(session, candidate.campaign_id)


def check_photo(content: bytes) -> None:
    """Look at a picture's size and format without decoding it; raises PhotoRefused."""
    if len(content) > MOST_BYTES:
        raise PhotoRefused("bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=ACCEPTED)
    except Image.DecompressionBombError as error:
        raise PhotoRefused("pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise PhotoRefused("format") from error
    if picture.width * picture.height > MOST_PIXELS:
        raise PhotoRefused("pixels")


def read_picture(content: bytes, widest: int) -> Image.Image:
    """The picture upright and in RGB; its size is looked at before a pixel is decoded. ``widest``: what is needed."""
    if len(content) > MOST_BYTES:
        raise PhotoRefused("bytes")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures on its own; the limit is ours.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=ACCEPTED)
            if picture.width * picture.height > MOST_PIXELS:
                raise PhotoRefused("pixels")
            # A JPEG can be decoded at an eighth of its size; four times less memory for a telephone's photo.
            picture.draft("RGB", (widest * 2, widest * 2))
            upright = _upright(picture)
            if upright.mode in ("RGBA", "LA", "P", "PA"):
                on_white = Image.new("RGB", upright.size, "white")
                on_white.paste(upright, mask=upright.convert("RGBA").getchannel("A"))
                upright = on_white
            return upright.convert("RGB")
    except Image.DecompressionBombError as error:
        raise PhotoRefused("pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise PhotoRefused("format") from error


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as the camera was held. Pillow's own way writes the whole EXIF anew, and fails where it is odd."""
    try:
        turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # whatever an editing program left behind: the pixels are good, and nothing else is kept
        turn = None
    return picture if turn is None else picture.transpose(turn)


def cut(picture: Image.Image, ratio: tuple[int, int]) -> Image.Image:
    """The middle in a proportion, a little above it where something goes: faces are rarely at the bottom."""
    width, height = picture.size
    across, down = ratio
    if width * down > height * across:
        wide = height * across // down
        left = (width - wide) // 2
        return picture.crop((left, 0, left + wide, height))
    high = max(1, width * down // across)
    top = (height - high) // 3
    return picture.crop((0, top, width, top + high))


def _write(folder: Path, picture: Image.Image) -> None:
    files = {}
    for width in WIDTHS:
        # Small originals are not blown up: the browser does that as well.
        size = min(width, picture.width)
        smaller = picture.resize((size, max(1, size * RATIO[1] // RATIO[0])), Image.Resampling.LANCZOS)
        for ending, (kind, options) in FORMATS.items():
            out = io.BytesIO()
            smaller.save(out, kind, **options)
            files[f"{width}.{ending}"] = out.getvalue()
    write_files(folder, files)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """All files, then the folder under its name at once: nobody meets half a picture."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f"{folder.name}.{os.getpid()}-{secrets.token_hex(4)}")
    draft.mkdir()
    for name, content in files.items():
        (draft / name).write_bytes(content)
    try:
        draft.rename(folder)
    except OSError:
        for left in draft.iterdir():
            left.unlink()
        draft.rmdir()
        # Another process was first with the same bytes; or the disk refuses, and then SQL must not name the picture.
        if not folder.is_dir():
            raise


def is_name(name: str) -> bool:
    """Whether a stored picture could be called like this."""
    return len(name) == 32 and set(name) <= set("0123456789abcdef")


def find_photo(name: str, width: int, ending: str) -> Path | None:
    """The file of a photo in one width and format, or None; names are checked, nothing else is reachable."""
    if not is_name(name) or width not in WIDTHS or ending not in FORMATS:
        return None
    path = photos_folder() / name / f"{width}.{ending}"
    return path if path.is_file() else None
