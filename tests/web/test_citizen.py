"""The citizens' pages over HTTP, without script: what they say, how choices ride along, the leaderboard, errors."""

from __future__ import annotations

import re
import time
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from tests.web.pages import BEST, fields_of, ids, paper_for, text_of, vote
from voting.services.catalogue import forget
from voting.services.leaderboard import FRESH_S
from voting.services.transactions import writing
from voting.storage.campaigns import Campaign
from voting.web.templating import Assets, AssetsNotBuilt


@pytest.mark.usefixtures("open_slug")
class TestReading:
    def test_home_lists_campaigns_and_says_when_there_are_none(self, client: FlaskClient, web_app: Flask) -> None:
        assert "十佳评选" in text_of(client.get("/"))
        assert "正在投票" in text_of(client.get("/"))
        with web_app.app_context():
            with writing() as session:
                session.execute(update(Campaign).values(stage="draft", version=Campaign.version + 1))
            forget()
        assert "现在没有正在进行的活动" in text_of(client.get("/"))
        assert client.get(BEST).status_code == 404, "a draft is nobody's business yet"

    def test_campaign_page_says_the_limits_before_the_first_tap(self, client: FlaskClient) -> None:
        page = client.get(BEST)
        assert "每天每个奖项最多投 3 票" in text_of(page)
        assert "每天给同一候选对象最多投 1 票" in text_of(page)
        assert "投票截止" in text_of(page)
        assert page.text.count('type="checkbox"') == 40
        assert page.headers["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize(
        ("query", "found"),
        [("q=3", 1), ("q=03", 1), ("q=3号", 1), ("q=岗列社区服务中心", 1), ("q=zzz", 0), ("area=441702008", 40),
         ("area=999999", 40), ("page=2", 5), ("page=99", 5), ("page=x", 40), ("page=-1", 40), ("award=households", 3),
         ("award=none", 40), ("q=zzz&clear=1", 40), ("award=centres&award=households", 3)],
    )  # fmt: skip
    def test_search_filter_and_pages(self, client: FlaskClient, query: str, found: int) -> None:
        boxes = client.get(f"{BEST}?{query}").text.count('type="checkbox"')
        assert boxes >= 1 if query.startswith("q=") and found else boxes == found

    def test_an_overlong_search_is_told_and_left_out(self, client: FlaskClient) -> None:
        page = client.get(BEST, query_string={"q": "长" * 41})
        assert "搜索词最多 40 个字" in text_of(page)
        assert page.status_code == 200

    def test_a_number_of_another_award_is_offered_there(self, client: FlaskClient) -> None:
        assert "「中心户」中有 1 个" in text_of(client.get(f"{BEST}?q=101"))

    def test_withdrawn_candidates_cannot_be_ticked(self, client: FlaskClient) -> None:
        page = client.get(f"{BEST}?award=households")
        assert "已退出评选" in text_of(page)
        assert page.text.count('type="checkbox"') == 3

    def test_a_story_is_cleaned(self, client: FlaskClient) -> None:
        page = client.get(f"{BEST}/candidates/3")
        assert "<strong>好</strong>" in page.text
        assert "<script>x" not in page.text

    def test_demonstrations_say_so_on_every_page(self, client: FlaskClient, web_app: Flask) -> None:
        receipt = vote(client, *ids(web_app, 1)).location
        for path in (
            "/",
            BEST,
            f"{BEST}/review",
            f"{BEST}/leaderboard",
            f"{BEST}/rules",
            f"{BEST}/candidates/1",
            receipt,
        ):
            assert "演示活动：候选对象与票数均为演示数据" in text_of(client.get(path)), path

    def test_language_by_link_cookie_and_header(self, client: FlaskClient) -> None:
        assert '<html lang="zh-CN">' in client.get(BEST).text
        assert '<html lang="zh-CN">' in client.get(BEST, headers={"Accept-Language": "zh-HK,zh;q=0.9,en;q=0.8"}).text
        english = client.get(BEST, headers={"Accept-Language": "en-GB,en;q=0.9"})
        assert "Votes per award: at most 3 a day" in text_of(english)
        assert "Rules" in text_of(client.get(f"{BEST}/rules?lang=en"))
        assert '<html lang="en">' in client.get("/").text, "the choice is remembered"
        assert '<html lang="zh-CN">' in client.get("/?lang=zh").text
        assert '<html lang="zh-CN">' in client.get("/?lang=xx").text

    def test_the_language_link_keeps_the_choices_and_nothing_else_of_the_address(self, client: FlaskClient) -> None:
        page = client.get(f"{BEST}?choice=1&choice=2&_scheme=javascript&_external=1&q=%22%3E")
        link = re.search(r'<a href="([^"]*)" hreflang="en"', page.text)
        assert link
        address = urlsplit(unescape(link[1]))
        assert address.path == BEST
        assert ("choice", "2") in parse_qsl(address.query)
        assert not address.netloc


@pytest.mark.usefixtures("open_slug")
class TestChoosing:
    def test_the_chosen_set_rides_along(self, client: FlaskClient, web_app: Flask) -> None:
        here, there = ids(web_app, 1, 101)
        page = client.get(f"{BEST}?choice={here}&choice={there}&choice=999999&choice=x&award=centres")
        assert re.search(rf'type="checkbox" name="choice" value="{here}"[^>]*checked', page.text)
        assert fields_of(page, f"{BEST}#pick").getlist("choice") == [str(there)]
        assert "1 个已退出评选" in text_of(page), "an unknown candidate is reported and left out"

    def test_add_and_drop_without_script(self, client: FlaskClient, web_app: Flask) -> None:
        one, two = ids(web_app, 1, 2)
        added = client.get(f"{BEST}/candidates/2?choice={one}&add={two}")
        assert "<span data-chosen>2</span>" in added.text
        dropped = client.get(f"{BEST}/candidates/2?choice={one}&choice={two}&drop={two}")
        assert "<span data-chosen>1</span>" in dropped.text

    def test_too_many_are_told_before_sending(self, client: FlaskClient, web_app: Flask) -> None:
        four = ids(web_app, 1, 2, 3, 4)
        page = client.get(f"{BEST}/review", query_string=[("choice", one) for one in four])
        assert "最多选" in text_of(page)
        assert f'action="{BEST}/ballots"' not in page.text
        over = client.get(BEST, query_string=[("choice", one) for one in four])
        assert "多选了 1 个" in text_of(over)

    def test_a_review_of_nothing_leads_back(self, client: FlaskClient) -> None:
        page = client.get(f"{BEST}/review")
        assert "还没有选择候选对象" in text_of(page)
        assert "Set-Cookie" not in page.headers

    def test_ten_thousand_choices_are_refused(self, client: FlaskClient) -> None:
        page = client.get(f"{BEST}/review?" + "&".join(f"choice={n}" for n in range(1001)))
        assert page.status_code == 400


@pytest.mark.usefixtures("open_slug")
class TestLeaderboard:
    def test_rows_ties_and_as_of(self, client: FlaskClient, web_app: Flask) -> None:
        vote(client, *ids(web_app, 2, 3))
        time.sleep(FRESH_S + 0.05)  # the review page has just looked at the figures
        page = client.get(f"{BEST}/leaderboard")
        words = text_of(page)
        assert re.search(r"数据截至 \d\d:\d\d:\d\d", words)
        assert "并列" in words
        assert "以上为前 2 名" in words
        assert "style=" not in page.text

    def test_etag_answers_304_until_a_vote_comes(self, client: FlaskClient, web_app: Flask) -> None:
        path = f"{BEST}/leaderboard?part=rows"
        first = client.get(path)
        assert "<html" not in first.text
        same = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (same.status_code, same.data) == (304, b"")
        assert re.fullmatch(r"\d\d:\d\d:\d\d", same.headers["X-Counts-As-Of"])
        vote(client, *ids(web_app, 1))
        time.sleep(1.1)
        assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
        english = client.get(path, headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "en"})
        assert english.status_code == 200

    def test_the_shared_body_holds_nothing_of_a_request(self, client: FlaskClient) -> None:
        first = client.get(f"{BEST}/leaderboard?mark=secret&choice=7&lang=zh&_external=1")
        assert "secret" not in first.text
        assert "choice=7" not in first.text

    def test_the_first_page_holds_the_seats_and_the_rest_is_a_link_away(self, client: FlaskClient) -> None:
        assert client.get(f"{BEST}/leaderboard?page=9").text.count('class="place ') == 45
        assert client.get(f"{BEST}/leaderboard?award=households").text.count('class="place ') == 3


@pytest.mark.usefixtures("open_slug")
def test_every_page_obeys_the_content_policy(client: FlaskClient, web_app: Flask) -> None:
    one = ids(web_app, 1)[0]
    receipt = vote(client, one).location
    paths = ["/", BEST, f"{BEST}?choice={one}", f"{BEST}/review?choice={one}", f"{BEST}/leaderboard", f"{BEST}/rules",
             f"{BEST}/candidates/1", receipt, "/receipts", "/nowhere", f"{BEST}/candidates/999", "/c/none"]  # fmt: skip
    for path in paths:
        page = client.get(path)
        assert page.status_code in (200, 404), path
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|<script(?![^>]* src=)", page.text), path
        assert "{{" not in page.text
        assert "Undefined" not in page.text


def test_errors_without_any_campaign(client: FlaskClient) -> None:
    assert "没有找到这个页面" in text_of(client.get("/nowhere"))
    assert client.get("/nowhere").status_code == 404
    wrong = client.post("/")
    assert (wrong.status_code, "这个网址不能这样访问" in text_of(wrong)) == (405, True)


@pytest.mark.usefixtures("open_slug")
def test_an_enormous_ballot_is_refused_unread(client: FlaskClient, web_app: Flask) -> None:
    paper = paper_for(client, *ids(web_app, 1))
    paper["note"] = "1" * 70_000
    large = client.post(f"{BEST}/ballots", data=paper)
    assert large.status_code == 413
    assert "提交的内容太大。" in text_of(large)


def test_unbuilt_assets_are_one_clear_error(web_app: Flask, client: FlaskClient) -> None:
    assets: Assets = web_app.extensions["voting-assets"]
    web_app.extensions["voting-assets"] = Assets(assets._manifest.with_name("nowhere.json"))
    with web_app.test_request_context("/"), pytest.raises(AssetsNotBuilt, match="build the front-end assets first"):
        web_app.extensions["voting-assets"].url("citizen.css")
    with web_app.test_request_context("/"), pytest.raises(AssetsNotBuilt, match=r"other\.css is not in"):
        assets.url("other.css")
