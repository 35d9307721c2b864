"""A browser on its way through signing in, without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.pages import fields_of, text_of
from tests.world import World

IN_WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0.49"}
#: makes a world whose campaign knows its voters by the named providers
Made = Callable[..., World]


class Phone:
    """A browser in one campaign, with two candidates chosen."""

    def __init__(self, world: World, **headers: str) -> None:
        self.world = world
        self.client: FlaskClient = world.app.test_client()
        self.headers = headers
        self.choices = world.ids("c1", "h2")
        self.base = f"/c/{world.slug}"
        self.query = "&".join(f"choice={choice}" for choice in self.choices)

    def get(self, address: str) -> TestResponse:
        return self.client.get(address, headers=self.headers)

    def review(self) -> TestResponse:
        return self.get(f"{self.base}/review?{self.query}")

    def follow(self, response: TestResponse) -> TestResponse:
        """The page a redirect leads to; the selection must still be there."""
        assert response.status_code == 303, text_of(response)
        assert response.location == f"{self.base}/review?{self.query}"
        return self.get(response.location)

    def vote(self, page: TestResponse) -> TestResponse:
        return self.client.post(f"{self.base}/ballots", data=fields_of(page, f"{self.base}/ballots"))

    def way(self, provider: str) -> str:
        """The link on the review page."""
        page = self.review()
        assert "提交前，请先确认身份" in text_of(page)
        assert f'action="{self.base}/ballots"' not in page.text, "no ballot paper for nobody"
        link = re.search(rf'href="([^"]*/sign-in/{provider}[^"]*)"', page.text)
        assert link
        return link[1].replace("&amp;", "&")

    def leave(self, provider: str) -> str:
        """The address at the provider that the browser is sent to."""
        answer = self.get(self.way(provider))
        assert answer.status_code == 302, text_of(answer)
        return answer.location

    def come_back(self, address: str) -> TestResponse:
        parts = urlsplit(address)
        return self.get(f"{parts.path}?{parts.query}")


def ballots(world: World) -> int:
    world.record()
    return int(world.sql("SELECT count(*) FROM ballots")[0][0])
