"""My votes: accepted, then recorded, for this browser only; and what was voted for today, marked before submitting."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.pages import BEST, ids, text_of, vote
from tests.world import World, rules_text
from voting.services import mine, recording

API = "/api/v1/campaigns/best/mine"


def record(app: Flask) -> None:
    with app.app_context():
        recorder = recording.Recorder()
        while recorder.step(0):
            pass


@pytest.mark.usefixtures("open_slug")
class TestMyVotes:
    def test_nothing_yet(self, client: FlaskClient) -> None:
        page = client.get(f"{BEST}/mine")
        assert "这部手机上还没有投过票" in text_of(page)
        assert page.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in page.headers, "looking makes nobody known"
        assert "还剩 3" in text_of(page), "and everything is left"
        answer = client.get(API).json
        left = [(line.pop("award"), line.pop("used"), line.pop("left")) for line in answer.pop("left")]
        assert left == [("centres", 0, 3), ("households", 0, 3)]
        assert answer == {"campaign": "best", "ballots": [], "complete": True}

    def test_accepted_then_recorded(self, client: FlaskClient, web_app: Flask) -> None:
        code = vote(client, *ids(web_app, 1, 101)).location.rsplit("/", 1)[1]
        words = text_of(client.get(f"{BEST}/mine"))
        for part in ("已受理", "候选1", "候选101", "还剩 2", "每天每个奖项最多投 3 票", "共 1 张"):
            assert part in words
        assert f'href="/receipts/{code}"' in client.get(f"{BEST}/mine").text
        assert "已入账" not in words
        record(web_app)
        assert "已入账" in text_of(client.get(f"{BEST}/mine"))
        assert text_of(client.get(f"{BEST}/mine")).count("候选101") == 1

    def test_the_api_says_the_same(self, client: FlaskClient, web_app: Flask) -> None:
        chosen = ids(web_app, 1, 101)
        first = vote(client, *chosen).location.rsplit("/", 1)[1]
        record(web_app)
        second = vote(client, *ids(web_app, 2)).location.rsplit("/", 1)[1]
        answer = client.get(API)
        assert answer.headers["Cache-Control"] == "no-store"
        ballots = answer.json["ballots"]
        assert [(one["receipt"], one["state"]) for one in ballots] == [(second, "accepted"), (first, "recorded")]
        assert ballots[1]["choices"] == chosen
        left = {line["award"]: (line["used"], line["left"]) for line in answer.json["left"] if line["per"] == "award"}
        assert left == {"centres": (2, 1), "households": (1, 2)}

    def test_nobody_sees_anothers_votes(self, client: FlaskClient, web_app: Flask) -> None:
        vote(client, *ids(web_app, 1))
        other = web_app.test_client()
        vote(other, *ids(web_app, 2))
        for who, own, foreign in ((client, "候选1", "候选2"), (other, "候选2", "候选1")):
            words = text_of(who.get(f"{BEST}/mine")).split()
            assert (own in words, foreign in words) == (True, False)
        stranger = web_app.test_client()
        stranger.set_cookie("device", "A" * 50)
        assert stranger.get(API).json["ballots"] == []

    def test_each_unrecorded_ballot_is_read_once(
        self, client: FlaskClient, web_app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vote(client, *ids(web_app, 1))
        for _ in range(5):
            vote(web_app.test_client(), *ids(web_app, 2))
        assert len(client.get(API).json["ballots"]) == 1
        read = []
        real = mine.read_range

        def counting(*arguments, **named):  # type: ignore[no-untyped-def]
            for entry in real(*arguments, **named):
                read.append(entry)
                yield entry

        monkeypatch.setattr(mine, "read_range", counting)
        assert len(client.get(API).json["ballots"]) == 1
        assert read == [], "the tail was known already"
        vote(client, *ids(web_app, 3))
        assert len(client.get(API).json["ballots"]) == 2
        assert len(read) == 1
        record(web_app)
        assert [one["state"] for one in client.get(API).json["ballots"]] == ["recorded", "recorded"]
        (tail,) = web_app.extensions["voting_mine"].values()
        assert (len(tail._order), tail._places) == (0, {}), "what is recorded is forgotten"

    def test_a_long_backlog_is_told_not_hidden(
        self, client: FlaskClient, web_app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mine, "READ_AT_ONCE", 2)
        for _ in range(5):
            vote(web_app.test_client(), *ids(web_app, 2))
        vote(client, *ids(web_app, 1))
        first = client.get(API).json
        assert (first["ballots"], first["complete"]) == ([], False)
        assert "可能要过几分钟才出现" in text_of(client.get(f"{BEST}/mine"))
        last = client.get(API).json
        assert (len(last["ballots"]), last["complete"]) == (1, True), "the next look reads on"


@pytest.mark.usefixtures("open_slug")
class TestVotedToday:
    def test_cards_and_candidate_page_say_it(self, client: FlaskClient, web_app: Flask) -> None:
        one, two = ids(web_app, 101, 102)
        vote(client, one)
        page = client.get(f"{BEST}?award=households")
        assert f'data-spent="{one}"' in page.text
        assert "今天已投 1 票" in text_of(page)
        assert page.text.count('type="checkbox"') == 2
        assert f'data-spent="{two}"' not in page.text
        assert "今天已投 1 票" in text_of(client.get(f"{BEST}/candidates/101"))
        assert "选 TA" not in text_of(client.get(f"{BEST}/candidates/101"))
        assert "今天已投" not in text_of(web_app.test_client().get(f"{BEST}?award=households"))

    def test_an_old_choice_is_taken_off_and_told(self, client: FlaskClient, web_app: Flask) -> None:
        one, two = ids(web_app, 1, 101)
        vote(client, one)
        page = client.get(f"{BEST}?choice={one}&choice={two}")
        assert "1 个已经投过，已替您去掉" in text_of(page)
        assert f'type="hidden" name="choice" value="{one}"' not in page.text
        assert f'type="hidden" name="choice" value="{two}"' in page.text

    def test_the_review_marks_it_before_the_ballot_is_sent(self, client: FlaskClient, web_app: Flask) -> None:
        one, two = ids(web_app, 1, 2)
        vote(client, one)
        page = client.get(f"{BEST}/review?choice={one}&choice={two}")
        assert "有 1 个候选对象您已经投过" in text_of(page)
        assert f'action="{BEST}/ballots"' not in page.text
        assert f'data-blocked="{one}"' in page.text
        form = re.search(rf'<form method="get" action="{BEST}/review">.*?</form>', page.text, re.DOTALL)
        assert form
        assert re.findall(r'name="choice" value="(\d+)"', form[0]) == [str(two)]
        assert f'action="{BEST}/ballots"' in client.get(f"{BEST}/review?choice={two}").text


REPEATS = rules_text(
    ballot={"min": 1, "max": 6, "repeat": True},
    quotas=[{"unit": "choices", "per": "candidate", "period": "day", "limit": 3}],
    display={"mode": "live", "order": "number"},
)


class TestRepeats:
    @pytest.fixture
    def poll(self, lite_app: Flask) -> World:
        world = World(lite_app, "repeats")
        return world.put(REPEATS)

    def test_more_and_fewer_without_script(self, poll: World) -> None:
        (one,) = poll.ids("c1")
        client = poll.app.test_client()
        page = client.get(f"/c/{poll.slug}")
        assert 'type="checkbox"' not in page.text
        assert re.search(rf'data-stepper="{one}"[^>]*data-most="3"', page.text)
        page = client.get(f"/c/{poll.slug}?choice={one}&add={one}&on=1")
        assert page.text.count(f'type="hidden" name="choice" value="{one}"') == 2
        assert "<strong data-times>2</strong>" in page.text
        less = client.get(f"/c/{poll.slug}?choice={one}&choice={one}&drop={one}")
        assert less.text.count(f'type="hidden" name="choice" value="{one}"') == 1

    def test_the_review_counts_and_knows_what_is_left(self, poll: World) -> None:
        (one,) = poll.ids("c1")
        voter = poll.voter()
        assert voter.cast("c1", "c1").status_code == 201
        page = voter.client.get(f"/c/{poll.slug}/review?choice={one}")
        assert "今天已投 2 票" in text_of(page)
        assert re.search(rf'data-stepper="{one}"[^>]*data-most="1"', page.text)
        assert f'action="/c/{poll.slug}/ballots"' in page.text
        over = voter.client.get(f"/c/{poll.slug}/review?choice={one}&choice={one}")
        assert f'action="/c/{poll.slug}/ballots"' not in over.text
        mine_page = text_of(voter.client.get(f"/c/{poll.slug}/mine"))
        assert "2 票" in mine_page
        assert mine_page.count("候选c1") == 1
