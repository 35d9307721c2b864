"""What a campaign holds back stands nowhere: every address there is, read before and after others have voted.

The reader is a voter whose own ballot is recorded already, so that receipts and "my votes" are read too. Whatever the
reader sees must not change by seven more ballots, but for the time.
"""

from __future__ import annotations

import re
import time
from hashlib import sha256
from html import unescape
from typing import Any

import pytest
from flask import Flask

from tests.world import Voter, World, new_world, rules_text
from voting.services import counting, screens
from voting.services.leaderboard import FRESH_S
from voting.storage.ballots import insert_void
from voting.storage.database import db

#: a value for every argument that an address of ours has; a new one must be added, or this test says so
ARGUMENTS = {"slug", "number", "code", "provider", "filename", "name", "width", "ending", "token", "act", "step"}
ARGUMENTS |= {"candidate_id", "account_id", "mark", "nomination_id"}
QUERIES = ("", "?award=households", "?part=rows", "?q=c1", "?lang=en", "?page=2", "?order=rank", "?top=5", "?rows=100")
OTHERS = 7
#: what differs from one look to the next though nobody votes
CHANGING = [
    (r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "<ulid>"),
    (r"[A-Za-z0-9_\-+/=.]{24,}", "<token>"),
    (r"\b1[0-9]{12}\b|\b1[0-9]{9}\b", "<time>"),
    (r"\b\d{1,2}:\d\d:\d\d\b", "<clock>"),
    (r"\d+ (天|小时|分钟|d|h|min)\b", "<left>"),
    (r"(?m)^.*voting_(refusals|campaign_refusals|recording_delay_seconds).*$", "<of the reader>"),
    (r"(<of the reader>\n?)+", "<of the reader>"),
]
HEADERS = ("ETag", "X-Counts-As-Of", "Last-Modified", "Link")

HELD_BACK: dict[str, dict[str, Any]] = {
    "hidden until published": {"display": "hidden"},
    "hidden until close": {"display": {"mode": "hidden", "until": "close"}},
    "daily": {"display": {"mode": "daily", "at": "18:00"}},
    "cached": {"display": {"mode": "cached", "every_s": 86_400}},
    "frozen": {"display": {"mode": "live", "freeze_hours": 1}, "closes_s": 3500},
    "listed by rank, daily": {"display": {"mode": "daily", "at": "18:00", "order": "rank"}},
}


def without_what_changes(text: str) -> str:
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    return text


def moving(header: str) -> str:
    """A telling header without times; tags are no tokens, however long they are: they may hold a number of ballots."""
    return re.sub(r"\b1[0-9]{12}\b|\b\d{1,2}:\d\d:\d\d\b", "<time>", header)


def addresses(world: World, receipt: str) -> set[str]:
    """Every GET rule of the application, filled in, with the queries that pages know."""
    campaign = world.campaign()
    known: dict[str, Any] = {"slug": world.slug, "code": receipt, "provider": "oidc", "filename": "citizen.css"}
    known |= {"name": "x", "width": 640, "ending": "webp", "token": "none", "act": "pause", "step": "texts"}
    known |= {"candidate_id": 1, "account_id": 1, "mark": "0" * 16, "nomination_id": 1}
    found: set[str] = set()
    adapter = world.app.url_map.bind("localhost")
    for rule in world.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        assert rule.arguments <= ARGUMENTS, f"{rule}: tell this test a value for {rule.arguments - ARGUMENTS}"
        numbers = [c.number for c in campaign.candidates if c.code in ("c1", "h1")]
        for number in numbers if "number" in rule.arguments else numbers[:1]:
            values = {name: value for name, value in (known | {"number": number}).items() if name in rule.arguments}
            url = adapter.build(rule.endpoint, values, method="GET")
            page = world.slug in url and not url.endswith(".png")
            found |= {url + query for query in (QUERIES if page else QUERIES[:1])}
    return found


def linked(text: str) -> set[str]:
    return {unescape(url).split("#")[0] for url in re.findall(r'(?:href|src|data-rows)="(/[^"]*)"', text)}


def crawl(world: World, reader: Voter, receipt: str) -> dict[str, str]:
    """Every address and all that pages link to: status, telling headers and body, without what always changes."""
    time.sleep(FRESH_S + 0.05)
    seen: dict[str, str] = {}
    waiting = sorted(addresses(world, receipt))
    while waiting:
        url = waiting.pop(0)
        if url in seen or re.search(r"[?&](lang|large|choice)=", url.replace("?lang=en", "", 1)):
            continue
        answer = reader.client.get(url)
        assert answer.status_code < 500, (url, answer.text)
        told = [f"{name}: {answer.headers[name]}" for name in HEADERS if name in answer.headers]
        told += [f"{name}: {value}" for name, value in answer.headers if name.startswith("X-")]
        # Pictures by a digest too short to be taken for a token.
        picture = answer.mimetype.startswith("image/")
        body = sha256(answer.data).hexdigest()[:20] if picture else without_what_changes(answer.text)
        seen[url] = "\n".join([str(answer.status_code), *map(moving, sorted(set(told))), body])
        if answer.mimetype == "text/html" and len(seen) < 400:
            waiting += sorted(linked(answer.text) - seen.keys())
        answer.close()
    picture = world.do(screens.picture, world.campaign())
    seen["what screens are sent"] = without_what_changes(repr({k: v for k, v in picture.items() if k != "now"}))
    # Chosen once, asked in one language: the reader's cookie must be as it was.
    reader.client.get("/?lang=zh")
    return seen


def reader_of(world: World) -> tuple[Voter, str]:
    reader = world.voter()
    reader.client.get("/?lang=zh")
    answer = reader.cast("c2", "h2")
    assert answer.status_code == 201, answer.text
    world.record()
    return reader, answer.json["receipt"]


def others_vote(world: World) -> None:
    for number in range(OTHERS):
        assert world.voter().cast("c1", "h1").status_code == 201
        if number == OTHERS // 2:
            world.record()
    world.record()


def differing(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, ...]]:
    found = {}
    for url in before.keys() | after.keys():
        one, two = before.get(url, ""), after.get(url, "")
        if one != two:
            lines = zip(one.splitlines(), two.splitlines(), strict=False)
            found[url] = next(((a, b) for a, b in lines if a != b), (one[-200:], two[-200:]))
    return found


@pytest.mark.parametrize("mode", HELD_BACK)
def test_nothing_tells_how_many_voted(lite_app: Flask, mode: str) -> None:
    world = new_world(lite_app).put(rules_text(**HELD_BACK[mode]))
    reader, receipt = reader_of(world)
    before = crawl(world, reader, receipt)
    assert len(before) > 40, "a crawl that finds little proves little"
    assert f"/c/{world.slug}/candidates/1" in before
    assert f"/receipts/{receipt}" in before
    others_vote(world)
    assert differing(before, crawl(world, reader, receipt)) == {}


def test_ballots_that_nobody_recorded_yet_are_not_told_either(lite_app: Flask) -> None:
    """A recorder that is behind: its lag is a number of ballots."""
    world = new_world(lite_app).put(rules_text(display="hidden"))
    reader, receipt = reader_of(world)
    before = crawl(world, reader, receipt)
    for _ in range(OTHERS):
        world.voter().cast("c1", "h1")
    assert differing(before, crawl(world, reader, receipt)) == {}


def test_the_announcement_of_what_is_hidden_until_published(lite_app: Flask) -> None:
    """Counted and announced: two ballots fewer change the figures of the result, and no page may know."""
    world = new_world(lite_app).put(rules_text(display="hidden"))
    reader, receipt = reader_of(world)
    others_vote(world)
    world.do(counting.close_campaign, world.slug)
    before = crawl(world, reader, receipt)

    def void() -> None:
        rows = db.session.execute(db.select(db.text("ballot_id")).select_from(db.text("ballots")))
        for ballot_id in [row[0] for row in rows][-2:]:
            insert_void(db.session(), ballot_id, "刷票", "tests", "none", 1)
        db.session.commit()

    world.do(void)
    world.do(counting.count_campaign, world.slug)
    after = crawl(world, reader, receipt)
    # It was counted again, and says so: by the number of the count, which is also in tags and in posters' addresses.
    numbered = re.compile(
        r'第 \d+ 版|version \d+|"version": ?\d+|ETag: \S+|\'version\': \d+|h\d+|screen\.\d+|\?v=\d+|Last-Modified: .*'
    )
    both = [{numbered.sub("#", url): numbered.sub("#", text) for url, text in each.items()} for each in (before, after)]
    assert differing(*both) == {}


def test_the_crawl_finds_what_is_told(lite_app: Flask) -> None:
    """The same crawl where counts are live: it must see them everywhere they stand."""
    world = new_world(lite_app).put(rules_text(display="live"))
    reader, receipt = reader_of(world)
    before = crawl(world, reader, receipt)
    others_vote(world)
    told = differing(before, crawl(world, reader, receipt))
    for url in (
        f"/c/{world.slug}", f"/c/{world.slug}/leaderboard", f"/c/{world.slug}/leaderboard?part=rows",
        f"/c/{world.slug}/candidates/1", f"/screen/{world.slug}", f"{world.api}/leaderboard", "/metrics",
        "what screens are sent",
    ):  # fmt: skip
        assert url in told, url
