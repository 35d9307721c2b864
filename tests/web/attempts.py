"""One ballot sent twice over: through the API and as a plain form. What both must answer is checked here once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from ulid import ULID
from werkzeug.test import TestResponse

from tests.world import Voter, World

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CHANNELS = ("api", "form")


@dataclass
class Attempt:
    """A ballot as it is sent, with every part that a test may want to be wrong."""

    client: FlaskClient
    slug: str
    token: str
    choices: list[int]
    ballot_id: str = field(default_factory=lambda: str(ULID()))
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, voter: Voter, *codes: str, **changed: Any) -> Attempt:
        if not voter.token:
            voter.paper()
        return replace(cls(voter.client, voter.world.slug, voter.token, voter.world.ids(*codes)), **changed)

    def send(self, channel: str, **headers: str) -> TestResponse:
        sent = self.headers | headers
        if channel == "api":
            return self.client.post(
                f"/api/v1/campaigns/{self.slug}/ballots",
                json={"ballot_id": self.ballot_id, "choices": self.choices},
                headers={"X-CSRF-Token": self.token} | sent,
            )
        form = {"ballot_id": self.ballot_id, "csrf_token": self.token, "choice": self.choices}
        return self.client.post(f"/c/{self.slug}/ballots", data=form, headers=sent)


def ballots_known(world: World) -> list[tuple[Any, ...]]:
    return world.sql("SELECT count(*) FROM ballots")


def check_problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Problem details (RFC 9457): a stable code, a Chinese title, and what to do next."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    problem: dict[str, Any] = answer.json
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:voting:problem:{code}"
    assert CHINESE.search(problem["title"]), problem
    assert CHINESE.search(problem["detail"]), problem
    assert "Traceback" not in answer.text
    if "retry_after" in problem:
        assert answer.headers["Retry-After"] == str(problem["retry_after"])
        assert problem["retry_after"] >= 1
    return problem


def check_page(answer: TestResponse, status: int, title: str) -> None:
    """The same as a page: the sentence is its heading, and no machine words or traces."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "text/html"
    assert answer.headers["Cache-Control"] == "no-store"
    heading = re.search(r"<h1>(.*?)</h1>", answer.text, re.DOTALL)
    assert heading is not None
    assert unescape(heading[1]) == title
    assert "Traceback" not in answer.text


def without_names(text: str) -> str:
    """A sentence without what an organizer wrote, which is not translated."""
    for name in (r"候选\w+", "十佳中心", "百佳中心户", "设备检修"):
        text = re.sub(name, "", text)
    return text


def check_refused(world: World, attempt: Attempt, status: int, code: str) -> dict[str, Any]:
    """Refused through both doors, in both languages, alike; nothing is counted and no key of the box changed."""
    before = world.dump(), ballots_known(world)
    problem = check_problem(attempt.send("api"), status, code)
    check_page(attempt.send("form"), status, problem["title"])
    english = attempt.send("api", **{"Accept-Language": "en"}).json
    assert english["code"] == code
    for part in ("title", "detail"):
        assert english[part] != problem[part]
        assert not CHINESE.search(without_names(english[part])), english
    check_page(attempt.send("form", **{"Accept-Language": "en"}), status, english["title"])
    assert (world.dump(), ballots_known(world)) == before
    return problem
