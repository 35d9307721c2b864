"""The banner: re-encoded and small whatever was sent, with words for who cannot see it, and saved by one at a time."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import EnvironBuilder, TestResponse

from benchmarks.page_weight import a_photo
from tests.web.desk import Person
from tests.web.wizard import Planner, fields_of
from tests.world import World, new_world, rules_text
from voting.services import campaigns
from voting.services.banners import WIDTHS
from voting.services.trail import list_entries


def picture(size: tuple[int, int] = (1200, 500), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", size, "#a81c17").save(out, kind, exif=exif)
    return out.getvalue()


@pytest.fixture
def draft(lite_app: Flask) -> World:
    return new_world(lite_app).put(rules_text(), opened=False)


@pytest.fixture
def chen(draft: World) -> Planner:
    return Planner(Person(draft.app, "organizer").signed_in(), draft.slug)


def send(planner: Planner, content: bytes | None, name: str = "b.png", **changed: str) -> TestResponse:
    form = dict(fields_of(planner.get("/edit/texts"), "/banner")) | {"alt": "红色横幅"} | changed
    sent = form | ({"banner": (io.BytesIO(content), name)} if content is not None else {})
    path, kind = f"{planner.base}/banner", "multipart/form-data"
    environ = EnvironBuilder(path, method="POST", data=sent, content_type=kind).get_environ()
    answer = planner.person.client.open(environ)
    # What is large was written to a file by the test's side.
    environ["wsgi.input"].close()
    return answer


def banner(world: World) -> tuple[str | None, str]:
    ((name, alt),) = world.sql("SELECT banner, banner_alt FROM campaigns WHERE slug = :slug", slug=world.slug)
    return name, alt


def test_it_stands_on_the_page_in_sizes_that_a_phone_can_load(app: Flask) -> None:
    world = new_world(app).put(rules_text(), opened=False)
    chen = Planner(Person(app, "organizer").signed_in(), world.slug)
    # The worst there is to pack: a photo of noise.
    answer = send(chen, a_photo((1900, 900)), "b.jpg", alt="学先进、树新风")
    assert answer.status_code == 303
    name, alt = banner(world)
    assert alt == "学先进、树新风"
    for page in (chen.get("/edit/texts").text, chen.get("/preview").text):
        assert f"/banners/{name}/1080.webp" in page
        assert 'alt="学先进、树新风"' in page
    world.do(campaigns.open_campaign, world.slug)
    home = world.get(f"/c/{world.slug}").text
    assert home.index("banner-picture") < home.index('class="figures"')
    addresses = set(re.findall(r"/banners/\w+/\d+\.\w+", home))
    assert len(addresses) == 8
    for address in addresses:
        got = world.get(address)
        assert got.status_code == 200
        content = got.data
        got.close()
        assert len(content) <= WIDTHS[int(re.findall(r"/(\d+)\.", address)[0])], address
        with Image.open(io.BytesIO(content)) as shown:
            assert shown.width == pytest.approx(shown.height * 3, rel=0.02)
    (entry,) = world.do(lambda: list_entries(world.slug, act="campaign.banner"))
    assert entry.after == {"banner": name, "banner_alt": alt}


def test_nothing_but_pixels_is_kept(draft: World, chen: Planner) -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        assert send(chen, picture((1200, 500 + len(kind)), kind)).status_code == 303
        files = list((Path(draft.app.config["VOTING_INSTANCE"]) / "banners" / (banner(draft)[0] or "")).iterdir())
        assert len(files) == 8
        for path in files:
            with Image.open(path) as shown:
                assert not shown.getexif()


def test_it_can_be_taken_away_and_its_words_changed(draft: World, chen: Planner) -> None:
    send(chen, picture())
    name, _ = banner(draft)
    assert send(chen, None, alt="别的话").status_code == 303
    assert banner(draft) == (name, "别的话")
    assert send(chen, None, remove="1").status_code == 303
    assert banner(draft) == (None, "")
    assert "/banners/" not in chen.get("/preview").text


@pytest.mark.parametrize(
    ("content", "alt", "status", "words"),
    [
        (b"", "字", 422, "请选择"),
        (b"<svg onload=alert(1)>", "字", 422, "不能使用"),
        (picture((6000, 4200)), "字", 422, "不能使用"),
        (b"\x89PNG" + b"0" * 5_000_001, "字", 422, "不能使用"),
        (picture(), "", 422, "请写明横幅上有什么"),
        (picture(), "长" * 201, 422, "请写明横幅上有什么"),
    ],
    ids=["nothing", "no picture", "25 megapixels", "5 MB", "no words", "too many words"],
)
def test_what_cannot_be_a_banner(
    draft: World, chen: Planner, content: bytes, alt: str, status: int, words: str
) -> None:
    answer = send(chen, content, alt=alt)
    assert answer.status_code == status
    assert words in answer.text
    assert banner(draft) == (None, "")


def test_two_people_at_once_and_the_second_is_told(draft: World, chen: Planner) -> None:
    wang = Planner(Person(draft.app, "organizer").signed_in(), draft.slug)
    old = dict(fields_of(wang.get("/edit/texts"), "/banner"))
    send(chen, picture())
    kept = banner(draft)
    for changed in ({}, {"remove": "1"}):
        answer = send(wang, picture((900, 300)), **(old | {"csrf_token": old["csrf_token"], "alt": "我的"} | changed))
        assert answer.status_code == 409
        assert "活动有了变化" in answer.text
        assert banner(draft) == kept


def test_texts_and_banner_do_not_undo_each_other(draft: World, chen: Planner) -> None:
    fields = chen.step("texts")
    send(chen, picture())
    assert chen.send("texts", fields, summary="新的简介").status_code == 303
    assert banner(draft)[0] is not None


def test_after_opening_it_stays(lite_world: World) -> None:
    chen = Planner(Person(lite_world.app, "organizer").signed_in(), lite_world.slug)
    token = dict(fields_of(chen.get("/stages/pause"), "/stages/pause"))["csrf_token"]
    answer = chen.person.client.post(f"{chen.base}/banner", data={"csrf_token": token, "remove": "1"})
    assert answer.status_code == 409
    assert "不能再直接修改" in answer.text


@pytest.mark.parametrize("path", ["a" * 32 + "/720.webp", "../../etc/720.webp", "a" * 32 + "/721.webp"])
def test_nothing_else_is_reachable(lite_world: World, path: str) -> None:
    assert lite_world.get(f"/banners/{path}").status_code == 404
