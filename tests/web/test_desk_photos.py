"""Photos at the desk: two people for one candidate, and pictures that mean no good."""

from __future__ import annotations

import io
import re
import struct
import threading
import time
import zlib
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.spreadsheets import zipped
from tests.storage.rows import put_areas, put_campaign, put_candidates
from tests.web.desk import Person
from tests.web.test_desk_candidates import home, page_of, seen_in, send
from tests.world import World, new_world, rules_text
from voting.rules.candidate_errors import PhotoChanged
from voting.services.photos import give_photo, photos_folder, prepare_photo
from voting.services.trail import check_trail, list_entries
from voting.storage.campaigns import lock_by_slug
from voting.storage.candidates import get_candidate, set_photo
from voting.storage.database import db


@pytest.fixture
def draft(lite_app: Any) -> World:
    return new_world(lite_app).put(rules_text(), opened=False)


@pytest.fixture
def organizer(draft: World) -> Person:
    return Person(draft.app, "organizer").signed_in()


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 40), colour).save(out, "PNG")
    return out.getvalue()


def huge(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a hundred kilobytes that is a gigabyte of pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def photo_seen(page: TestResponse) -> str:
    found = re.search(r'enctype="multipart/form-data">.*?name="seen" value="([0-9a-f]*)"', page.text, re.DOTALL)
    assert found, page.text
    return found[1]


def test_whoever_sends_second_sees_both_and_decides(draft: World, organizer: Person) -> None:
    other = Person(draft.app, "organizer").signed_in()
    path = page_of(draft, "c1")
    mine, theirs = photo_seen(organizer.get(path)), photo_seen(other.get(path))
    assert send(other, f"{path}/photo", "a.png", picture("red"), "photo", seen=theirs).status_code == 303
    red = photo_seen(other.get(path))
    told = send(organizer, f"{path}/photo", "b.png", picture("blue"), "photo", seen=mine)
    assert told.status_code == 409
    assert "这期间有别人换过照片" in told.text
    assert f"/photos/{red}/640.webp" in told.text, "the other's, which is there now"
    waiting = re.search(r'name="sent" value="([0-9a-f]{32})"', told.text)
    assert waiting
    assert f"/photos/{waiting[1]}/640.webp" in told.text, "and one's own"
    with organizer.client.get(f"/photos/{waiting[1]}/640.webp") as kept:
        assert kept.status_code == 200, "nothing is lost"
    assert photo_seen(organizer.get(path)) == red
    assert photo_seen(told) == red, "pressing again is a decision"
    assert organizer.post(f"{path}/photo", {"seen": red, "sent": waiting[1]}).status_code == 303
    assert photo_seen(organizer.get(path)) == waiting[1]
    with draft.app.app_context():
        entries = list_entries(act="candidate.photo")
        assert [(each.actor, each.before["photo"], each.after["photo"]) for each in entries] == [
            (organizer.name, red, waiting[1]),
            (other.name, None, red),
        ]


def test_a_photo_that_came_meanwhile_is_not_taken_away(draft: World, organizer: Person) -> None:
    path = page_of(draft, "c1")
    assert send(organizer, f"{path}/photo", "a.png", picture("red"), "photo").status_code == 303
    red = photo_seen(organizer.get(path))
    assert send(organizer, f"{path}/photo", "a.png", picture("blue"), "photo", seen=red).status_code == 303
    answer = organizer.post(f"{path}/photo", {"remove": "1", "seen": red})
    assert answer.status_code == 409
    assert 'name="sent"' not in answer.text
    assert organizer.post(f"{path}/photo", {"remove": "1", "seen": photo_seen(answer)}).status_code == 303
    assert photo_seen(organizer.get(path)) == ""


def test_the_same_photo_twice_is_no_quarrel(draft: World, organizer: Person) -> None:
    path = page_of(draft, "c1")
    for _ in range(2):
        assert send(organizer, f"{path}/photo", "a.png", picture("red"), "photo", seen="").status_code == 303
    with draft.app.app_context():
        assert len(list_entries(act="candidate.photo")) == 1


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "0" * 32, "A" * 32])
def test_only_a_photo_that_was_sent_can_be_given(draft: World, organizer: Person, name: str) -> None:
    path = page_of(draft, "c1")
    answer = organizer.post(f"{path}/photo", {"seen": "", "sent": name})
    assert answer.status_code == 422
    assert photo_seen(answer) == ""


def test_thirty_thousand_by_thirty_thousand(draft: World, organizer: Person) -> None:
    content = huge()
    assert len(content) < 1_000_000
    answer = send(organizer, f"{page_of(draft, 'c1')}/photo", "a.png", content, "photo")
    assert answer.status_code == 422
    assert "2500 万像素" in answer.text
    preview = organizer.get(
        send(organizer, f"{home(draft)}/photos", "a.zip", zipped(("1.png", content))).headers["Location"]
    )
    assert "超过 2500 万像素" in preview.text
    with draft.app.app_context():
        assert not photos_folder().exists() or not list(photos_folder().iterdir())


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_two_at_the_same_moment(ledger_app: Flask, ledger: Session, tmp_path: Any) -> None:
    ledger_app.config["VOTING_INSTANCE"] = tmp_path
    put_areas(ledger)
    (one,) = put_candidates(ledger, put_campaign(ledger).id, 1)
    ledger.commit()
    outcomes: list[str] = []
    start = threading.Barrier(6)

    photos = [prepare_photo(picture(colour)) for colour in ("red", "blue", "green", "black", "white", "grey")]

    def give(name: str) -> None:
        with ledger_app.app_context():
            db.session.execute(text("SELECT 1"))  # connected
            start.wait()
            try:
                give_photo(one, name, "")
                outcomes.append(name)
            except PhotoChanged as changed:
                outcomes.append(f"second {changed.sent}")

    threads = [threading.Thread(target=give, args=(name,)) for name in photos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6
    (first,) = [each for each in outcomes if not each.startswith("second")]
    ledger.rollback()
    assert get_candidate(ledger, one).photo == first
    assert [each.after for each in list_entries(act="candidate.photo")] == [{"photo": first}]
    assert check_trail() == []


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_whoever_waits_for_another_looks_after_them(ledger_app: Flask, ledger: Session, tmp_path: Any) -> None:
    """A database that lets people read while another writes: the second must not decide on what they read before."""
    ledger_app.config["VOTING_INSTANCE"] = tmp_path
    put_areas(ledger)
    (one,) = put_candidates(ledger, put_campaign(ledger).id, 1)
    ledger.commit()
    red, blue = prepare_photo(picture("red")), prepare_photo(picture("blue"))
    outcomes: list[str] = []

    def give() -> None:
        with ledger_app.app_context():
            try:
                give_photo(one, blue, "")
                outcomes.append("given")
            except PhotoChanged as changed:
                outcomes.append(changed.sent)

    lock_by_slug(ledger, "best")
    set_photo(ledger, one, red)
    second = threading.Thread(target=give)
    second.start()
    with Session(db.engine) as watcher:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        deadline = time.monotonic() + 20
        while not watcher.scalar(waiting) and time.monotonic() < deadline:
            time.sleep(0.02)
    ledger.commit()
    second.join()
    assert outcomes == [blue]
    assert get_candidate(ledger, one).photo == red


def test_the_texts_have_a_lock_of_their_own(draft: World, organizer: Person) -> None:
    """A photo that came meanwhile does not stand in the way of a text."""
    path = page_of(draft, "c1")
    seen = seen_in(organizer.get(path))
    send(organizer, f"{path}/photo", "a.png", picture("red"), "photo")
    assert organizer.post(f"{path}/edit", {"seen": seen, "summary": "新"}).status_code == 303
