"""Photos and posters over HTTP: kept for ever or by version, no votes on any poster, rare characters drawn."""

from __future__ import annotations

import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from tests.web.pages import BEST, ids, text_of, vote
from tests.world import World, rules_text
from voting.services import photos, posters
from voting.services.catalogue import forget
from voting.services.photos import store_photo
from voting.services.poster_drawing import FONTS, _font, _wrap

needs_font = pytest.mark.skipif(
    not (FONTS / "NotoSerifSC_700Bold.ttf").is_file(), reason="the posters' typeface is not installed: build the assets"
)


def fetch(client: FlaskClient, path: str) -> TestResponse:
    """An answer read to its end: pictures are sent from open files."""
    answer = client.get(path)
    answer.get_data()
    answer.close()
    return answer


@pytest.fixture
def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), "#3366aa").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.usefixtures("open_slug")
class TestPhotos:
    def test_a_photo_takes_the_place_of_the_drawing(self, client: FlaskClient, web_app: Flask, jpeg: bytes) -> None:
        (one,) = ids(web_app, 101)
        with web_app.app_context():
            name = store_photo(one, jpeg)
            forget()
        page = client.get(f"{BEST}?award=households").text
        assert f'srcset="/photos/{name}/360.webp 360w, /photos/{name}/640.webp 640w' in page
        image = re.search(rf'<img src="/photos/{name}/360.jpg"[^>]*>', page)
        assert image
        for part in ('width="360"', 'height="225"', 'loading="lazy"', 'alt=""'):
            assert part in image[0]
        assert page.count("placeholder-household") == 3
        for width in photos.WIDTHS:
            for ending, kind in (("webp", "image/webp"), ("jpg", "image/jpeg")):
                answer = fetch(client, f"/photos/{name}/{width}.{ending}")
                assert (answer.status_code, answer.mimetype) == (200, kind)
                assert "immutable" in answer.headers["Cache-Control"]
                assert "max-age=31536000" in answer.headers["Cache-Control"]

    @pytest.mark.parametrize("path", ["x/360.jpg", "%2e%2e/360.jpg", f"{'0' * 32}/360.jpg", f"{'0' * 32}/5000.jpg"])
    def test_no_other_file_is_served(self, client: FlaskClient, path: str) -> None:
        assert client.get(f"/photos/{path}").status_code == 404


def test_shared_links_carry_whole_addresses(client: FlaskClient, web_app: Flask, open_slug: str) -> None:
    web_app.config["PUBLIC_URL"] = "https://vote.example.cn"
    page = client.get(f"{BEST}/candidates/3").text
    address = "https://vote.example.cn/c/best/candidates/3"
    assert f'<meta property="og:url" content="{address}">' in page
    assert f'<meta property="og:image" content="{address}/poster.png">' in page
    assert '<meta property="og:title" content="03 岗列社区服务中心 · 十佳评选">' in page
    assert f'<link rel="canonical" href="{address}">' in page
    assert '<meta property="og:url" content="https://vote.example.cn/c/best">' in client.get(BEST).text


@pytest.mark.usefixtures("open_slug")
def test_the_page_around_the_poster(client: FlaskClient) -> None:
    page = client.get(f"{BEST}/candidates/3/poster")
    assert "长按图片" in text_of(page)
    assert re.search(
        rf'<img class="poster" src="{BEST}/candidates/3/poster.png\?v=[^"]+" width="750" height="1334"', page.text
    )
    for path in ("poster", "poster.png"):
        assert client.get(f"{BEST}/candidates/999/{path}").status_code == 404


@needs_font
@pytest.mark.usefixtures("open_slug")
class TestPosters:
    def test_a_poster_is_drawn_once_for_each_version_and_language(self, client: FlaskClient, web_app: Flask) -> None:
        first = fetch(client, f"{BEST}/candidates/3/poster.png")
        assert (first.status_code, first.mimetype) == (200, "image/png")
        assert Image.open(io.BytesIO(first.data)).size == (750, 1334)
        assert len(first.data) < 200_000
        with web_app.app_context():
            folder = posters.posters_folder()
        assert fetch(client, f"{BEST}/candidates/3/poster.png").data == first.data
        assert len(list(folder.glob("*.png"))) == 1
        assert fetch(client, f"{BEST}/candidates/3/poster.png?lang=en").data != first.data
        assert len(list(folder.glob("*.png"))) == 2

    def test_votes_change_nothing_on_it(self, client: FlaskClient, web_app: Flask) -> None:
        before = fetch(client, f"{BEST}/candidates/1/poster.png").data
        vote(client, *ids(web_app, 1))
        for path in Path(web_app.config["VOTING_INSTANCE"]).glob("posters/*.png"):
            path.unlink()
        assert fetch(client, f"{BEST}/candidates/1/poster.png").data == before

    def test_many_posters_at_once_leave_threads_for_ballots(self, client: FlaskClient, web_app: Flask) -> None:
        """Somebody who opens every candidate's poster makes all wait who want one, not those who vote."""
        address = f"{BEST}/candidates/1/poster.png"

        def ask(_: int) -> TestResponse:
            return fetch(web_app.test_client(), address)

        with ThreadPoolExecutor(posters.MOST_AT_ONCE + 3) as pool:
            for _ in range(posters.DRAWN_AT_ONCE):
                assert posters._drawing.acquire(timeout=10)
            try:
                asking = [pool.submit(ask, number) for number in range(posters.MOST_AT_ONCE + 3)]
                until = time.monotonic() + 5
                while sum(one.done() for one in asking) < 3 and time.monotonic() < until:
                    time.sleep(0.01)
                refused = [one.result() for one in asking if one.done()]
            finally:
                for _ in range(posters.DRAWN_AT_ONCE):
                    posters._drawing.release()
        assert [(one.status_code, one.headers["Retry-After"]) for one in refused] == [(503, "2")] * 3
        assert sorted(one.result().status_code for one in asking) == [200] * posters.MOST_AT_ONCE + [503] * 3
        posters._drawing.acquire()
        try:
            assert ask(0).status_code == 200, "what is drawn already waits for nobody"
        finally:
            posters._drawing.release()

    def test_two_processes_that_clear_out_at_the_same_time(
        self, web_app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What one has listed, the other has just taken away."""
        monkeypatch.setattr(posters, "MOST_KEPT", 2)
        with web_app.app_context():
            folder = posters.posters_folder()
        folder.mkdir(parents=True)
        (folder / "gone.png").symlink_to(folder / "nowhere")
        for name in ("one", "two", "three"):
            posters._write(folder / f"{name}.png", b"")
        assert not (folder / "one.png").exists()
        assert (folder / "three.png").exists()

    def test_the_oldest_go_when_there_are_many(
        self, client: FlaskClient, web_app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(posters, "MOST_KEPT", 2)
        for number in (1, 2, 3):
            assert fetch(client, f"{BEST}/candidates/{number}/poster.png").status_code == 200
        with web_app.app_context():
            assert len(list(posters.posters_folder().glob("*.png"))) == 2


@needs_font
@pytest.mark.parametrize("char", "喆垚犇彧镕堃淼燚龘䶮㛃")
@pytest.mark.parametrize("weight", ["400Regular", "700Bold"])
def test_rare_characters_show(char: str, weight: str) -> None:
    font = _font(weight, 40)
    missing = bytes(font.getmask("\U0010ffff"))
    assert bytes(font.getmask(char)) not in (missing, b"")


@needs_font
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []), ("短", ["短"]), ("一二三四五六七", ["一二三四五", "六七"]), ("一" * 30, ["一" * 5, "一" * 4 + "…"]),
        ("hello big world", ["hello big", "world"]), ("W" * 40, None),
    ],
)  # fmt: skip
def test_text_is_cut_to_its_box(text: str, lines: list[str] | None) -> None:
    font = _font("400Regular", 40)
    cut = _wrap(text, font, 210, 2)
    assert lines is None or cut == lines
    assert len(cut) <= 2
    assert all(font.getlength(line) <= 210 for line in cut)


@pytest.mark.usefixtures("open_slug")
def test_whoever_withdrew_has_no_poster(client: FlaskClient, web_app: Flask) -> None:
    """It would go on asking for attention in every chat where it is shown."""
    page = client.get(f"{BEST}/candidates/104")
    assert "已退出评选" in text_of(page)
    assert "/poster" not in page.text, "neither a link, nor as the picture of the shared page"
    around = client.get(f"{BEST}/candidates/104/poster")
    assert around.status_code == 200
    assert "已退出评选" in text_of(around)
    assert "poster.png" not in around.text
    assert fetch(client, f"{BEST}/candidates/104/poster.png").status_code == 404


def test_how_far_the_next_one_is_ahead_is_the_organizers_choice(lite_app: Flask) -> None:
    for number, (display, said) in enumerate((({"mode": "live", "gap": True}, True), ("live", False))):
        world = World(lite_app, f"gap-{number}").put(rules_text(display=display))
        for chosen in (("c1",), ("c1",), ("c1", "c2")):
            assert world.voter().cast(*chosen).status_code == 201
        numbers = {candidate.code: candidate.number for candidate in world.campaign().candidates}
        pages = {code: text_of(world.get(f"/c/{world.slug}/candidates/{numbers[code]}")) for code in ("c1", "c2", "c3")}
        assert ("距上一名差 2 票" in pages["c2"]) is said
        assert ("距上一名差 1 票" in pages["c3"]) is said
        assert "距上一名" not in pages["c1"]
