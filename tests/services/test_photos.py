"""Photos: decoded and written anew in three widths, nothing but pixels kept, and every odd file refused in time."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session

from tests.storage.rows import put_areas, put_campaign, put_candidates
from voting.rules.errors import CandidateNotFound, PhotoRefused
from voting.services import photos
from voting.services.catalogue import forget, get_campaign
from voting.services.photos import WIDTHS, find_photo, photos_folder, store_photo

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def candidate(ledger: Session, ledger_app: Flask, tmp_path: Path) -> int:
    ledger_app.config["VOTING_INSTANCE"] = tmp_path
    put_areas(ledger)
    campaign = put_campaign(ledger, stage="open")
    (one,) = put_candidates(ledger, campaign.id, 1)
    ledger.commit()
    return one


def picture(kind: str = "JPEG", size: tuple[int, int] = (2000, 1500), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 200).save(out, kind, **options)
    return out.getvalue()


def test_three_widths_in_two_formats(candidate: int) -> None:
    before = get_campaign("best").version
    name = store_photo(candidate, picture())
    for width in WIDTHS:
        for ending, kind in (("webp", "WEBP"), ("jpg", "JPEG")):
            path = find_photo(name, width, ending)
            assert path is not None
            with Image.open(path) as stored:
                assert (stored.format, stored.size) == (kind, (width, width * 10 // 16))
    forget()
    view = get_campaign("best")
    assert view.by_id[candidate].photo == name
    assert view.version == before + 1
    assert store_photo(candidate, picture()) == name, "the same bytes are the same photo"
    assert [path.name for path in photos_folder().iterdir()] == [name], "no half-written folder stays"


def test_nothing_but_pixels_is_kept(candidate: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif[0x8825] = {1: "N", 2: (21.0, 51.0, 0.0)}
    name = store_photo(candidate, picture(exif=exif))
    for width in WIDTHS:
        for ending in ("webp", "jpg"):
            path = find_photo(name, width, ending)
            assert path is not None
            assert b"taken at home" not in path.read_bytes()
            with Image.open(path) as stored:
                assert not stored.getexif()


def test_a_photo_taken_upright_stays_upright(candidate: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("RGB", (1600, 1000), "blue")
    wide.paste("red", (0, 0, 800, 1000))
    out = io.BytesIO()
    wide.save(out, "JPEG", exif=exif)
    path = find_photo(store_photo(candidate, out.getvalue()), 360, "jpg")
    assert path is not None
    with Image.open(path) as stored:
        red, _, blue = stored.convert("RGB").getpixel((160, 20))  # type: ignore[misc]
        assert red > blue, "what was left is at the top after a turn to the right"


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("WEBP", "RGB"), ("JPEG", "CMYK")]
)
def test_other_kinds_are_accepted(candidate: int, kind: str, mode: str) -> None:
    assert find_photo(store_photo(candidate, picture(kind, mode=mode)), 960, "jpg")


def test_small_photos_are_not_blown_up(candidate: int) -> None:
    path = find_photo(store_photo(candidate, picture(size=(400, 250))), 960, "webp")
    assert path is not None
    with Image.open(path) as stored:
        assert stored.size == (400, 250)


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 30,000 pixels wide and high."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format"),
        (b"x" * 5_000_001, "bytes"),
        (bomb(), "pixels"),
        (picture()[:2000], "format"),
        (picture("GIF", (10, 10)), "format"),
    ],
    ids=["empty", "svg", "large", "bomb", "cut off", "gif"],
)
def test_what_is_refused(candidate: int, content: bytes, problem: str) -> None:
    with pytest.raises(PhotoRefused) as refused:
        store_photo(candidate, content)
    assert refused.value.problem == problem
    assert not photos_folder().exists()


def test_an_unknown_candidate_changes_nothing(candidate: int) -> None:
    with pytest.raises(CandidateNotFound):
        store_photo(999, picture())


@pytest.mark.parametrize(
    ("name", "width", "ending"),
    [
        ("../secrets", 360, "jpg"),
        ("0" * 32, 360, "jpg"),
        ("0" * 32, 321, "jpg"),
        ("0" * 32, 360, "json"),
        ("", 360, "jpg"),
    ],
)
def test_nothing_else_can_be_reached(candidate: int, name: str, width: int, ending: str) -> None:
    assert find_photo(name, width, ending) is None


def jpeg_with_exif(*entries: tuple[int, int, int, bytes]) -> bytes:
    """Lying on its side, as telephones write it; red above and blue below once it stands."""
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries) + 1)
    for tag, kind, count, value in (*entries, (0x0112, 3, 1, struct.pack("<H", 6))):
        tiff += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    lying = Image.new("RGB", (1000, 1600), (200, 0, 0))
    lying.paste((0, 0, 200), (500, 0, 1000, 1600))
    out = io.BytesIO()
    lying.save(out, "JPEG", exif=b"Exif\0\0" + tiff + b"\0\0\0\0")
    return out.getvalue()


@pytest.mark.parametrize("entries", [(), ((0x011A, 7, 4, b"abcd"),)], ids=["good", "a resolution that is no number"])
def test_what_else_the_camera_wrote_is_not_looked_at(
    candidate: int, entries: tuple[tuple[int, int, int, bytes], ...]
) -> None:
    """Only which way is up; programs that edit photos leave the rest in every state."""
    path = find_photo(store_photo(candidate, jpeg_with_exif(*entries)), 640, "jpg")
    assert path is not None
    with Image.open(path) as stored:
        assert stored.size == (640, 400)
        above, below = stored.getpixel((320, 40)), stored.getpixel((320, 360))
    assert isinstance(above, tuple)
    assert isinstance(below, tuple)
    assert above[0] > 150 > 50 > above[2]
    assert below[2] > 150 > 50 > below[0]


def test_a_disk_that_refuses_is_not_taken_for_another_process(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQL must never name a photo whose files are not there."""

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with app.app_context():
        out = io.BytesIO()
        Image.new("RGB", (320, 200), "red").save(out, "JPEG")
        monkeypatch.setattr(Path, "rename", refuse)
        with pytest.raises(OSError, match="No space left"):
            photos.prepare_photo(out.getvalue())
        assert not list(photos.photos_folder().iterdir()), "no half photo stays either"
