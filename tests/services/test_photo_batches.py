"""Photos in a zip: what matches whom, what is left out, and files that mean no good."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.spreadsheets import zipped
from tests.world import World, rules_text
from voting.rules.candidate_errors import ChangedMeanwhile, UploadRefused
from voting.services.photo_batches import MOST_FILES, match_photos, store_matching
from voting.services.photos import find_photo
from voting.services.trail import list_entries


def picture(colour: str = "red", size: tuple[int, int] = (64, 40), kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


@pytest.fixture
def draft(lite_app: Any) -> World:
    return World(lite_app, "draft-of-photos").put(rules_text(), opened=False)


@pytest.fixture
def put(tmp_path: Path) -> Any:
    def write(*files: tuple[str, bytes]) -> Path:
        path = tmp_path / "photos.zip"
        path.write_bytes(zipped(*files))
        return path

    return write


def test_names_that_match_and_names_that_do_not(draft: World, put: Any) -> None:
    campaign = draft.campaign()
    good = [("003.jpg", 3), ("1.png", 1), ("照片/02 王家.jpg", 2), ("第4号.webp", 4), ("no.5-a.JPG", 5)]
    bad = {
        "王家.jpg": "number",
        "999.jpg": "unknown",
        "3 again.jpg": "double",
        "../6.jpg": "path",
        "/7.jpg": "path",
        "0.jpg": "number",
        "12345678901234567890.jpg": "number",
    }
    litter = [("__MACOSX/003.jpg", b"x"), (".DS_Store", b"x"), ("a/Thumbs.db", b"x")]
    path = put(*((name, picture()) for name, _ in good), *((name, picture()) for name in bad), *litter)
    found = match_photos(path, campaign.by_number)
    assert [(m.file, m.candidate.number) for m in found if not m.problem and m.candidate] == good
    assert {m.file: m.problem for m in found if m.problem} == bad


def test_pictures_that_cannot_be_used_are_named(draft: World, put: Any) -> None:
    path = put(
        ("1.jpg", b"no picture"),
        ("2.png", picture(size=(30_000, 1000), kind="PNG")),
        ("3.jpg", b"\0" * 5_000_001),
        ("4.svg", b"<svg onload='x'/>"),
    )
    problems = [m.problem for m in match_photos(path, draft.campaign().by_number)]
    assert problems == ["format", "pixels", "bytes", "format"]


def test_names_in_the_encoding_of_windows(draft: World, put: Any) -> None:
    path = put(("3 XXXX.jpg", picture()))
    path.write_bytes(path.read_bytes().replace(b"XXXX", "王家".encode("gbk")))
    (match,) = match_photos(path, draft.campaign().by_number)
    assert (match.file, match.problem) == ("3 王家.jpg", "")


@pytest.mark.parametrize("problem", ["kind", "empty", "files", "unpacked"])
def test_zips_that_are_refused_as_a_whole(put: Any, tmp_path: Path, problem: str) -> None:
    path = tmp_path / "photos.zip"
    if problem == "kind":
        path.write_bytes(b"no zip")
    elif problem == "empty":
        put(("__MACOSX/1.jpg", b""))
    elif problem == "files":
        put(*((f"{n}.jpg", b"") for n in range(MOST_FILES + 1)))
    else:
        put(*((f"{n}.jpg", b"\0" * 40_000_000) for n in range(26)))
    with pytest.raises(UploadRefused) as refused:
        match_photos(path, {})
    assert refused.value.problem == problem


def test_what_matches_is_stored_and_told_in_the_trail(draft: World, put: Any) -> None:
    campaign = draft.campaign()
    cut = picture("blue", (900, 900))
    path = put(("1.jpg", picture("green")), ("2.jpg", cut[: len(cut) // 2]), ("x.jpg", b""))
    told: list[tuple[int, int]] = []

    def store(seen: int) -> Any:
        return draft.do(
            store_matching, draft.slug, path, campaign.by_number, seen, lambda done, all_: told.append((done, all_))
        )

    with pytest.raises(ChangedMeanwhile):
        store(campaign.version + 1)
    stored, left = store(campaign.version)
    assert stored == 1
    assert sorted((m.file, m.problem) for m in left) == [("2.jpg", "format"), ("x.jpg", "number")]
    assert told[-1] == (2, 3)
    photo = draft.campaign().by_number[1].photo
    assert photo
    assert draft.do(find_photo, photo, 640, "webp")
    assert [entry.subject for entry in draft.do(lambda: list_entries(act="candidate.photo"))] == ["1"]
