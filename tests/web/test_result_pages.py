"""Rules, announcement and result as citizens read them, and the same as JSON; all of it with Redis off."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update

from tests.web.pages import text_of
from tests.world import World, application, new_world, rules_text
from voting.services import campaigns, counting
from voting.services.catalogue import forget
from voting.services.transactions import writing
from voting.storage.ballots import insert_void
from voting.storage.campaigns import Campaign
from voting.storage.database import db
from voting.tally import embedded
from voting.web.boards import Bodies

#: clear seats: c1 and c2; h1 to h3
CLEAR = [("c1", "c2", "h1", "h2", "h3"), ("c1", "c2", "h1", "h2", "h3"), ("c1", "c3", "h4")]
TIED = [("c1", "c2", "h1"), ("c1", "c3", "h2"), ("h3",)]


def phone_numbers(world: World) -> None:
    def put() -> None:
        with writing() as session:
            values = {"enquiry_phone": "0662-3210001", "supervision_phone": "0662-12345"}
            session.execute(update(Campaign).values(values | {"version": Campaign.version + 1}))
        forget()

    world.do(put)


def counted(app: Flask, ballots: list[tuple[str, ...]], published: bool = False, **rules: Any) -> World:
    world = new_world(app).put(rules_text(**rules))
    phone_numbers(world)
    for codes in ballots:
        assert world.voter().cast(*codes).status_code == 201
    world.do(counting.close_campaign, world.slug)
    if published:
        world.do(counting.publish_campaign, world.slug)
    return world


def page(world: World, path: str = "result", lang: str = "zh") -> str:
    answer = world.get(f"/c/{world.slug}/{path}".rstrip("/") + f"?lang={lang}")
    assert answer.status_code == 200, answer.text
    return text_of(answer)


def test_before_the_count_there_is_no_result(lite_world: World) -> None:
    for act in (None, campaigns.seal_campaign):
        if act:
            lite_world.do(act, lite_world.slug)
        answer = lite_world.get(f"/c/{lite_world.slug}/result")
        assert answer.status_code == 404
        assert "结果还没有产生" in text_of(answer)
        problem = lite_world.get(f"{lite_world.api}/result")
        assert (problem.status_code, problem.json["code"]) == (404, "result_not_ready")


def test_closed_and_not_counted_says_so(lite_world: World) -> None:
    lite_world.do(campaigns.seal_campaign, lite_world.slug)
    assert "投票已结束，正在统计。" in page(lite_world, "leaderboard")


def test_the_announcement(lite_app: Flask) -> None:
    world = counted(lite_app, CLEAR)
    words = page(world)
    for part in (
        "结果公示", "这是初步结果，现予公示，不是最终结果。", "监督电话：0662-12345", "评选 2 个，入选 2 个", "候选c1",
        "候选h3", "3 张，共 13 票", "没有剔除选票", "第 1 版", "封箱", world.campaign().rules_hash or "-",
        "最后一个名额出现并列时，如实公布",
    ):  # fmt: skip
        assert part in words, part
    assert "候选c3" not in words, "not selected"
    assert "公布时间" not in words
    assert "查看结果公示" in page(world, "leaderboard")
    assert "查看结果公示" in page(world, "")


def test_the_result(lite_app: Flask) -> None:
    world = counted(lite_app, CLEAR, published=True)
    words = page(world)
    assert "评选结果" in words
    assert "公布时间" in words
    assert "不是最终结果" not in words
    assert "查看评选结果" in page(world, "leaderboard")
    english = page(world, lang="en")
    assert "Ballots: 3, votes: 13" in english
    assert not re.search("[入选名单]{4}", english)


def test_voided_ballots_are_told_with_their_reasons(lite_app: Flask) -> None:
    world = new_world(lite_app).put(rules_text())
    for codes in [*CLEAR, ("c3",), ("c3",)]:
        world.voter().cast(*codes)
    world.record()

    def void() -> None:
        rows = db.session.execute(text("SELECT ballot_id FROM ballots ORDER BY stream_ms DESC LIMIT 2"))
        for ballot_id in [row[0] for row in rows]:
            insert_void(db.session(), ballot_id, "同一网段集中刷票", "tests", "none", 1)
        db.session.commit()

    world.do(void)
    world.do(counting.close_campaign, world.slug)
    assert "已剔除异常票 2 张" in page(world)
    assert "同一网段集中刷票：2 张" in page(world)
    assert "已剔除异常票 2 张" in page(world, "leaderboard")
    assert world.get(f"{world.api}/result").json["void_reasons"] == {"同一网段集中刷票": 2}


def test_a_tie_across_the_last_seat_is_announced_as_it_is(lite_app: Flask) -> None:
    world = counted(lite_app, TIED)
    words = page(world)
    assert "末位并列，待定" in words
    assert "评选 2 个，入选 1 个" in words
    found = world.get(f"{world.api}/result").json["awards"]["centres"]
    assert [row["number"] for row in found["selected"]] == [world.campaign().by_id[world.ids("c1")[0]].number]
    assert len(found["undecided"]) == 2


def test_where_the_rules_select_all_who_are_tied(lite_app: Flask) -> None:
    world = counted(lite_app, TIED, published=True, ties=["extend_seats"])
    words = page(world)
    assert "评选 2 个，入选 3 个" in words
    assert "并列者全部入选" in words
    assert "待定" not in words


def test_hidden_until_published_announces_names_without_figures(lite_app: Flask) -> None:
    world = counted(lite_app, CLEAR, display="hidden")
    words = page(world)
    assert "票数和名次在结果公布时一并公布" in words
    assert "候选c1" in words
    for told in ("得票", "名次 编号", "张，共", "剔除"):
        assert told not in words, told
    answer = world.get(f"{world.api}/result").json
    assert (answer["counts_hidden"], answer["ballots"], answer["votes"]) == (True, None, None)
    selected = answer["awards"]["households"]["selected"]
    assert {(row["rank"], row["votes"], row["tied"]) for row in selected} == {(0, 0, False)}
    assert [row["number"] for row in selected] == sorted(row["number"] for row in selected)
    world.do(counting.publish_campaign, world.slug)
    assert "3 张，共 13 票" in page(world)


def test_a_new_version_replaces_the_page(lite_app: Flask) -> None:
    world = counted(lite_app, CLEAR)
    first = world.get(f"/c/{world.slug}/result")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert world.get(f"/c/{world.slug}/result", headers=tag).status_code == 304
    world.do(counting.count_campaign, world.slug)
    again = world.get(f"/c/{world.slug}/result", headers=tag)
    assert again.status_code == 200
    assert "第 2 版" in text_of(again)


def test_the_page_is_the_same_for_everybody_and_holds_nothing_of_a_request(lite_app: Flask) -> None:
    world = counted(lite_app, CLEAR)
    answer = world.get(f"/c/{world.slug}/result?mark=secret")
    assert "secret" not in answer.text
    assert not re.search(r"\sstyle=|<style|\son\w+=", answer.text)
    assert "{{" not in answer.text


def test_everything_with_redis_off(sqlite_url: str, tmp_path: Path, translations: None) -> None:
    server = embedded.start(tmp_path / "valkey")
    try:
        with application(sqlite_url, server.url, tmp_path) as app:
            world = counted(app, CLEAR, published=True)
            server.stop()
            assert "3 张，共 13 票" in page(world)
            answer = world.get(f"{world.api}/result").json
            assert (answer["state"], answer["ballots"], answer["votes"]) == ("published", 3, 13)
            assert answer["rules_hash"] == world.campaign().rules_hash
    finally:
        server.stop()


def test_the_rules_page_says_what_the_rules_say(lite_app: Flask) -> None:
    world = new_world(lite_app).put(
        rules_text(
            display={"mode": "daily", "at": "18:00", "freeze_hours": 2, "order": "name"},
            ties=["extend_seats"],
            online_weight=40,
            purpose="评选结果用于通报表扬，不作为考核依据。",
            daily_hours=["06:00", "22:00"],
        )
    )
    phone_numbers(world)
    words = page(world, "rules")
    for part in (
        "主办单位 组委会", "每天 06:00 至 22:00 可以投票", "网络投票占评选结果的 40%，其余 60% 由其他评审环节决定",
        "不作为考核依据", "票数每天 18:00 更新", "截止前最后 2 小时不更新票数", "候选对象按名称排列", "并列者全部入选",
        "不用注册", "咨询电话：0662-3210001", "监督电话：0662-12345", "IPv4 前 24 位", "规则改动一个字它就会变",
        world.campaign().rules_hash or "-",
    ):  # fmt: skip
        assert part in words, part
    english = page(world, "rules", "en")
    assert "weighs 40% in the result; the other 60%" in english
    assert "Counts are updated daily at 18:00" in english


@pytest.mark.parametrize(
    ("display", "sentence"),
    [
        ("live", "票数实时更新"),
        ({"mode": "cached", "every_s": 300}, "票数每 5 分钟更新一次"),
        ({"mode": "cached", "every_s": 3600}, "票数每 1 小时更新一次"),
        ("hidden", "结果公布前不公布票数和排名"),
        ({"mode": "hidden", "until": "close"}, "投票截止前不公布票数和排名"),
    ],
)
def test_every_mode_in_words_on_rules_and_leaderboard(lite_app: Flask, display: Any, sentence: str) -> None:
    world = new_world(lite_app).put(rules_text(display=display))
    assert sentence in page(world, "rules")
    if display != "live":
        assert sentence in page(world, "leaderboard")
    assert page(world, "leaderboard", "en")


def test_a_body_that_is_being_replaced_keeps_its_own_tag() -> None:
    """Under the new tag, browsers and proxies would keep the announcement for the result, "not modified"."""
    bodies: Bodies[str] = Bodies()
    drawing, go_on = Event(), Event()
    assert bodies.get(("best",), "provisional", lambda: "announcement") == ("provisional", b"announcement")

    def slowly() -> str:
        drawing.set()
        assert go_on.wait(10)
        return "result"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(bodies.get, ("best",), "published", slowly)
        assert drawing.wait(10)
        assert bodies.get(("best",), "published", lambda: "result") == ("provisional", b"announcement")
        go_on.set()
        assert first.result() == ("published", b"result")
    assert bodies.get(("best",), "published", str) == ("published", b"result")


@pytest.mark.parametrize("path", ["/c/{}/result", "/c/{}/leaderboard", "/api/v1/campaigns/{}/leaderboard"])
def test_nobody_is_told_not_modified_of_what_was_replaced(
    lite_app: Flask, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another thread draws the new page, this one sends the old body: its tag must be refused afterwards."""
    world = counted(lite_app, CLEAR)
    address = path.format(world.slug)
    before = world.get(address)
    real = Bodies.get

    def another_draws(self: Bodies[Any], key: Any, version: Any, render: Any) -> Any:
        with self._rendering:
            return real(self, key, version, render)

    world.do(counting.publish_campaign, world.slug)
    world.do(forget)
    monkeypatch.setattr(Bodies, "get", another_draws)
    old = world.get(address)
    assert old.get_data() == before.get_data()
    monkeypatch.undo()
    time.sleep(1.1)  # a board lasts a second
    after = world.get(address, headers={"If-None-Match": old.headers["ETag"]})
    assert after.status_code == 200
