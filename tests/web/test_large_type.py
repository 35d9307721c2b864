"""大字版: switched by a link, remembered by a cookie, and nobody else's page is served for it."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.pages import BEST, ids, text_of, vote


def size_of(client: FlaskClient, path: str) -> str:
    found = re.search(r"<html [^>]*>", client.get(path).text)
    assert found
    size = re.search(r'data-large="(\d)"', found[0])
    return size[1] if size else ""


def test_a_link_switches_it_and_a_cookie_remembers(client: FlaskClient) -> None:
    assert size_of(client, "/") == ""
    assert size_of(client, "/?large=1") == "1"
    assert size_of(client, "/") == "1"
    assert size_of(client, "/nowhere") == "1", "error pages too"
    assert size_of(client, "/?large=3") == "3"
    assert size_of(client, "/?large=4") == "3", "what is none changes nothing"
    assert size_of(client, "/?large=٣") == "3"
    assert size_of(client, "/?large=0") == ""
    assert size_of(client, "/") == ""


@pytest.mark.parametrize("value", ["9", "x", "", "-1", "11"])
def test_an_odd_cookie_is_the_ordinary_size(client: FlaskClient, value: str) -> None:
    client.set_cookie("large", value)
    assert size_of(client, "/") == ""


@pytest.mark.usefixtures("open_slug")
class TestEveryPage:
    def test_the_switch_is_on_every_page(self, client: FlaskClient, web_app: Flask) -> None:
        one = ids(web_app, 1)[0]
        receipt = vote(client, one).location
        paths = ["/", BEST, f"{BEST}/candidates/1", f"{BEST}/review?choice={one}", f"{BEST}/leaderboard",
                 f"{BEST}/rules", f"{BEST}/mine", f"{BEST}/candidates/1/poster", receipt,
                 "/receipts", "/nowhere"]  # fmt: skip
        for path in paths:
            assert "大字版" in text_of(client.get(path)), path
            joint = "&" if "?" in path else "?"
            large = client.get(f"{path}{joint}large=2")
            for word in ("标准版", "字小一点", "字大一点"):
                assert word in text_of(large), path
            assert size_of(client, f"{path}{joint}large=0") == ""

    def test_the_links_keep_what_was_chosen(self, client: FlaskClient) -> None:
        page = client.get(f"{BEST}?choice=1&choice=2&q=%22%3E")
        link = re.search(r'<a class="to-large" href="([^"]*)"', page.text)
        assert link
        address = urlsplit(unescape(link[1]))
        assert address.path == BEST
        assert parse_qsl(address.query) == [("choice", "1"), ("choice", "2"), ("q", '">'), ("large", "1")]

    def test_the_shared_leaderboard_is_kept_apart_by_size(self, client: FlaskClient, web_app: Flask) -> None:
        path = f"{BEST}/leaderboard"
        ordinary = client.get(path)
        client.set_cookie("large", "2")
        assert 'data-large="2"' in client.get(path).text
        assert client.get(path, headers={"If-None-Match": ordinary.headers["ETag"]}).status_code == 200
        assert 'data-large="2"' not in web_app.test_client().get(path).text
