"""Voting through the pages, without script: the ballot that counts once, and every ballot that does not count."""

from __future__ import annotations

import json
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from tests.builders import ballot_id_at
from tests.web.pages import BEST, ids, paper_for, text_of, vote
from voting.rules.periods import DAY_MS
from voting.rules.rule_text import parse_rules, write_rules
from voting.services.campaigns import pause_campaign, seal_campaign
from voting.services.catalogue import forget
from voting.services.transactions import writing
from voting.storage.campaigns import Campaign


@pytest.mark.usefixtures("open_slug")
class TestVoting:
    def test_from_review_to_receipt(self, client: FlaskClient, web_app: Flask) -> None:
        answer = vote(client, *ids(web_app, 1, 101))
        assert answer.status_code == 303
        receipt = client.get(answer.location)
        assert receipt.status_code == 200
        assert receipt.headers["Cache-Control"] == "no-store"
        words = text_of(receipt)
        for part in ("投票成功", "候选1", "候选101", "已受理", "还剩 2"):
            assert part in words
        code = answer.location.rsplit("/", 1)[1]
        assert " ".join(code[at : at + 4] for at in range(0, 16, 4)) in words
        typed = client.get(
            "/receipts", query_string={"code": "-".join(code[at : at + 4].lower() for at in range(0, 16, 4))}
        )
        assert (typed.status_code, typed.location) == (303, answer.location)

    def test_a_second_tap_is_the_same_ballot(self, client: FlaskClient, web_app: Flask) -> None:
        paper = paper_for(client, *ids(web_app, 1))
        first, second = (client.post(f"{BEST}/ballots", data=paper) for _ in range(2))
        assert first.location == second.location
        time.sleep(1.1)  # the figures may be a second old
        assert "共 1 票，1 张选票" in text_of(client.get(f"{BEST}/leaderboard"))

    def test_unknown_and_foreign_receipts_are_the_same(self, client: FlaskClient, web_app: Flask) -> None:
        location = vote(client, *ids(web_app, 1)).location
        stranger = web_app.test_client()
        foreign, unknown = stranger.get(location), stranger.get("/receipts/0000000000000000")
        assert foreign.status_code == unknown.status_code == 404
        assert text_of(foreign) == text_of(unknown)
        assert "这不像一个回执号" in text_of(stranger.get("/receipts?code=abc"))

    def test_a_spent_quota_says_when_and_keeps_the_choices(self, client: FlaskClient, web_app: Flask) -> None:
        vote(client, *ids(web_app, 1, 2, 3))
        four = ids(web_app, 4)[0]
        paper = paper_for(client, four)
        page = client.post(f"{BEST}/ballots", data=paper)
        assert page.status_code == 403
        assert "的票已投完。" in text_of(page)
        assert "明天 0:00 后可再投。" in text_of(page)
        assert f"{BEST}/review?choice={four}" in page.text
        english = client.post(f"{BEST}/ballots", data=paper, headers={"Accept-Language": "en"})
        assert "You can vote again after tomorrow at 0:00." in text_of(english)

    def test_the_way_on_leaves_out_who_stands_in_it(self, client: FlaskClient, web_app: Flask) -> None:
        one, two = ids(web_app, 1, 2)
        paper = paper_for(client, one, two)
        vote(client, one)
        page = client.post(f"{BEST}/ballots", data=paper)
        assert "去掉它，重新确认" in text_of(page)
        assert f'{BEST}/review?choice={two}"' in page.text

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"ballot_id": "x"}, 400, "malformed_ballot"),
            ({"ballot_id": "8" * 26}, 400, "malformed_ballot"),
            ({"ballot_id": ballot_id_at(1)}, 409, "ballot_id_expired"),
            ({"csrf_token": "x"}, 403, "wrong_token"),
            ({"choice": []}, 400, "malformed_ballot"),
            ({"choice": ["x"]}, 400, "malformed_ballot"),
            ({"choice": ["1" * 11]}, 400, "malformed_ballot"),
            ({"choice": ["١"]}, 400, "malformed_ballot"),
            ({"choice": ["1"] * 1001}, 400, "malformed_ballot"),
            ({"choice": ["999999"]}, 422, "unknown_candidate"),
            ({"choice": ["1", "1"]}, 422, "repeated_candidate"),
        ],
    )
    def test_a_bad_ballot_leaves_no_trace(
        self, client: FlaskClient, web_app: Flask, change: dict[str, list[str] | str], status: int, code: str
    ) -> None:
        paper = paper_for(client, *ids(web_app, 1))
        for name, value in change.items():
            paper.setlist(name, [value] if isinstance(value, str) else value)
        page = client.post(f"{BEST}/ballots", data=paper)
        assert page.status_code == status
        assert code in text_of(page)
        assert "共 0 票，0 张选票" in text_of(client.get(f"{BEST}/leaderboard"))

    def test_doubled_and_missing_fields(self, client: FlaskClient, web_app: Flask) -> None:
        paper = paper_for(client, *ids(web_app, 1))
        for ballot_ids in ([], [paper["ballot_id"]] * 2):
            changed = MultiDict(paper)
            changed.setlist("ballot_id", ballot_ids)
            assert client.post(f"{BEST}/ballots", data=changed).status_code == 400

    def test_without_a_cookie_and_from_another_site(self, client: FlaskClient, web_app: Flask) -> None:
        paper = paper_for(client, *ids(web_app, 1))
        assert web_app.test_client().post(f"{BEST}/ballots", data=paper).status_code == 403
        elsewhere = client.post(f"{BEST}/ballots", data=paper, headers={"Origin": "https://evil.example"})
        assert "不是从本站页面提交的" in text_of(elsewhere)

    def test_paused_and_closed_pages_hide_voting_and_say_why(self, client: FlaskClient, web_app: Flask) -> None:
        one = ids(web_app, 1)[0]
        paper = paper_for(client, one)
        with web_app.app_context():
            pause_campaign("best", "正在核查")
        for path in (BEST, f"{BEST}/candidates/1", f"{BEST}/review?choice={one}"):
            page = client.get(path)
            assert "投票暂停：正在核查。" in text_of(page), path
            assert 'type="checkbox"' not in page.text
            assert "去投票" not in text_of(page)
        refused = client.post(f"{BEST}/ballots", data=paper)
        assert "投票暂停：正在核查" in text_of(refused)
        with web_app.app_context():
            seal_campaign("best")
        assert "正在统计" in text_of(client.get(BEST))
        assert "截止，未计票" in text_of(client.post(f"{BEST}/ballots", data=paper))

    def test_upcoming_pages_say_when(self, client: FlaskClient, web_app: Flask) -> None:
        with web_app.app_context():
            with writing() as session:
                campaign = session.get_one(Campaign, 1)
                document = json.loads(campaign.rules)
                later = parse_rules(campaign.rules).opens_ms + DAY_MS
                document["opens_at"] = parse_rules(campaign.rules).local(later).isoformat()
                campaign.rules = write_rules(parse_rules(json.dumps(document)))
                campaign.version += 1
            forget()
        page = client.get(BEST)
        assert "即将开始" in text_of(page)
        assert "投票将于" in text_of(page)
        assert 'type="checkbox"' not in page.text
