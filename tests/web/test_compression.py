"""Answers on their way out: packed when the browser takes it, never when a secret is in them; built files for ever."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.pages import BEST, ids, paper_for, vote
from voting.web.compression import WORTH_IT, pack
from voting.web.static_files import init_static_files

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.usefixtures("open_slug")
class TestPages:
    @pytest.mark.parametrize("path", [BEST, f"{BEST}/leaderboard", "/api/v1/campaigns/best/candidates"])
    def test_pages_and_json_are_packed(self, client: FlaskClient, path: str) -> None:
        plain, packed = client.get(path), client.get(path, headers=GZIP)
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data)[:200] == plain.data[:200]
        assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 3
        for answer in (plain, packed):
            assert "Accept-Encoding" in answer.headers["Vary"], "a cache between must keep both apart"

    @pytest.mark.parametrize("header", ["", "br", "gzip;q=0", "identity"])
    def test_not_for_who_does_not_take_it(self, client: FlaskClient, header: str) -> None:
        assert "Content-Encoding" not in client.get(BEST, headers={"Accept-Encoding": header}).headers

    def test_a_page_with_a_token_keeps_its_length(self, client: FlaskClient, web_app: Flask) -> None:
        """BREACH: beside words from the address, the length of a packed page tells about the secret in it."""
        answer = client.get(f"{BEST}/review?choice={ids(web_app, 1)[0]}", headers=GZIP)
        assert len(answer.data) > WORTH_IT
        assert b"csrf_token" in answer.data
        assert "Content-Encoding" not in answer.headers

    def test_small_answers_and_ballots_are_left_alone(self, client: FlaskClient, web_app: Flask) -> None:
        assert "Content-Encoding" not in client.get("/healthz", headers=GZIP).headers
        chosen = ids(web_app, 1)
        second = paper_for(client, *chosen)
        vote(client, *chosen)
        refused = client.post(f"{BEST}/ballots", data=second, headers=GZIP)
        assert refused.status_code == 403
        assert len(refused.data) > WORTH_IT
        assert "Content-Encoding" not in refused.headers

    def test_counts_that_did_not_change_are_not_sent_again(self, client: FlaskClient) -> None:
        first = client.get(f"{BEST}/leaderboard", headers=GZIP)
        again = client.get(f"{BEST}/leaderboard", headers=GZIP | {"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert again.data == b""


def test_the_same_body_is_packed_the_same() -> None:
    assert pack(b"a" * 5000) == pack(b"a" * 5000)


class TestBuiltFiles:
    @pytest.fixture
    def files(self, tmp_path: Path) -> FlaskClient:
        """An application on a static folder of our own."""
        dist = tmp_path / "dist" / "img"
        dist.mkdir(parents=True)
        (dist.parent / "citizen.ABCD2345.css").write_text("a{color:red}")
        (dist.parent / "citizen.ABCD2345.css.gz").write_bytes(pack(b"a{color:red}"))
        (dist / "house.ABCD2345.svg").write_text("<svg/>")
        (dist.parent / "manifest.json").write_text(json.dumps({}))
        app = Flask("files", static_folder=str(tmp_path), static_url_path="/static")
        init_static_files(app)
        return app.test_client()

    def test_a_hashed_name_is_kept_for_ever(self, files: FlaskClient) -> None:
        for name in ("dist/citizen.ABCD2345.css", "dist/img/house.ABCD2345.svg"):
            with files.get(f"/static/{name}") as answer:
                assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        with files.get("/static/dist/manifest.json") as answer:
            assert answer.headers["Cache-Control"] == "no-cache"

    def test_the_packed_file_is_sent_to_who_takes_it(self, files: FlaskClient) -> None:
        path = "/static/dist/citizen.ABCD2345.css"
        plain, packed = files.get(path), files.get(path, headers=GZIP)
        assert plain.data == gzip.decompress(packed.data)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert plain.mimetype == packed.mimetype == "text/css"
        for answer in (plain, packed):
            assert "Accept-Encoding" in answer.headers["Vary"]
            answer.close()

    @pytest.mark.parametrize("path", ["dist/../../etc/passwd", "dist/none.ABCD2345.css", "../x", "dist"])
    def test_nothing_else_is_given_away(self, files: FlaskClient, path: str) -> None:
        assert files.get(f"/static/{path}", headers=GZIP).status_code == 404
