"""Exports and results at the desk: files opened again and read cell by cell, and nothing in them that could hurt."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import text

from tests.services.test_counting import CLEAR, cast
from tests.web.desk import Person, token_in
from tests.world import World, new_world, rules_text
from voting.services import counting, spreadsheets
from voting.services.spreadsheets import harmless, write_table
from voting.services.trail import list_entries
from voting.storage.ballots import insert_void
from voting.storage.database import db

FORMS = ("xlsx", "csv")


@pytest.fixture
def chen(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


def table(person: Person, world: World, kind: str, form: str) -> list[list[Any]]:
    """An export, opened again: rows of cells, empty ones as ""."""
    path = f"/organizer/campaigns/{world.slug}/exports"
    answer = person.post(path, {"kind": kind, "form": form}, page=path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith(f"attachment; filename={world.slug}-{kind}.{form}")
    assert answer.headers["Cache-Control"] == "no-store"
    data = answer.data
    answer.close()
    assert len(data) == answer.content_length
    if form == "csv":
        assert data.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row), "no cell is a formula"
    return [["" if cell is None else cell for cell in row] for row in book.active.iter_rows(values_only=True)]


def same(cells: list[Any], form: str) -> list[Any]:
    """How a row looks in that format: text only in a CSV file."""
    return [str(cell) for cell in cells] if form == "csv" else cells


@pytest.mark.parametrize("form", FORMS)
def test_candidates_cell_by_cell(lite_world: World, chen: Person, form: str) -> None:
    rows = table(chen, lite_world, "candidates", form)
    assert rows[0][:5] == ["奖项", "类别", "编号", "代码", "名称"]
    assert len(rows) == 1 + 13
    numbers = {one.code: one.number for one in lite_world.campaign().candidates}
    expected = ["十佳中心", "", numbers["c2"], "c2", "候选c2", "江城区", "岗列街道", "岗列社区居委会", "441702008001"]
    assert rows[2] == same([*expected, "参选", "简介", "事迹"], form)
    assert [row[9] for row in rows if row[3] == "w1"] == ["已退出"]


@pytest.mark.parametrize("form", FORMS)
def test_formulas_stay_text(lite_world: World, chen: Person, form: str) -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"]
    codes = [f"h{n}" for n in range(1, 8)] + ["w1"]
    for name, code in zip(evil, codes, strict=True):
        lite_world.sql("UPDATE candidates SET name = :name, summary = :name WHERE code = :code", name=name, code=code)
    lite_world.sql("UPDATE candidates SET name = 'a=1', summary = '<b>' WHERE code = 'c1'")
    lite_world.sql("UPDATE campaigns SET version = version + 1")
    lite_world.campaign()
    rows = {row[3]: row for row in table(chen, lite_world, "candidates", form)}
    for name, code in zip(evil, codes, strict=True):
        for place in (4, 10):
            cell = rows[code][place]
            assert cell[0] == "'", (name, cell)
            assert cell[1:].replace("_x000D_", "\r").strip() == name.strip()
    assert (rows["c1"][4], rows["c1"][10]) == ("a=1", "<b>"), "what is harmless is left as it is"


@pytest.mark.parametrize("form", FORMS)
def test_standings_before_and_after_counting(lite_world: World, chen: Person, form: str) -> None:
    cast(lite_world, *CLEAR)
    numbers = {one.code: one.number for one in lite_world.campaign().candidates}
    before = {row[3]: row for row in table(chen, lite_world, "standings", form)}
    assert before["候选c1"][1:3] == same(["", numbers["c1"]], form)
    assert before["候选c1"][5:] == same([3, "", "", "即时统计，未清点"], form)
    lite_world.do(counting.close_campaign, lite_world.slug)
    after = {row[3]: row for row in table(chen, lite_world, "standings", form)}
    assert after["候选c2"][:3] == same(["十佳中心", 2, numbers["c2"]], form)
    assert after["候选c2"][5:] == same([2, "", "入选", "清点第 1 版"], form)
    assert after["候选c4"][5:] == same([0, "并列", "未入选", "清点第 1 版"], form)
    assert "候选w1" not in after


@pytest.mark.parametrize("form", FORMS)
def test_ballots_without_anybody_in_them(app: Flask, form: str) -> None:
    chen = Person(app, "organizer").signed_in()
    world = new_world(app).put(rules_text())
    receipts = cast(world, *CLEAR)
    world.record()
    (voided,) = world.sql("SELECT ballot_id FROM ballots WHERE receipt = :code", code=receipts[2])

    def void() -> None:
        insert_void(db.session(), voided[0], "测试", "chen", "-", 1)
        db.session.commit()

    world.do(void)
    rows = table(chen, world, "ballots", form)
    numbers = {one.code: str(one.number) for one in world.campaign().candidates}
    day = f"{world.campaign().rules.local(world.campaign().opened_at or 0):%Y-%m-%d}"
    both = "、".join([numbers["c1"], numbers["c2"]])
    houses = "、".join([numbers["h1"], numbers["h2"], numbers["h3"]])
    assert rows[0] == ["日期", "有效", "作废理由", "十佳中心", "百佳中心户"]
    assert sorted(rows[1:]) == sorted(
        [
            [day, "有效", "", both, houses],
            [day, "有效", "", both, houses],
            [day, "作废", "测试", "、".join([numbers["c1"], numbers["c3"]]), numbers["h4"]],
        ]
    )
    told = "\n".join(str(cell) for row in rows for cell in row)
    for ballot_id, receipt, voter, network, address, ms in world.sql(
        "SELECT ballot_id, receipt, voter_key, network, address_hash, stream_ms FROM ballots"
    ):
        for secret in (ballot_id, receipt, bytes(voter).hex(), bytes(address).hex(), str(ms)):
            assert secret not in told
        assert not network or network not in told
    assert not re.search(r"\d{1,2}:\d{2}", told), "no time of day"


def test_the_order_of_ballots_tells_nothing_of_the_order_of_voting(lite_world: World, chen: Person) -> None:
    receipts = cast(lite_world, *([(f"h{n}",) for n in range(1, 8)]))
    lite_world.record()
    numbers = {one.code: str(one.number) for one in lite_world.campaign().candidates}
    by_receipt = [numbers[f"h{n + 1}"] for n in sorted(range(7), key=lambda n: receipts[n])]
    assert [row[4] for row in table(chen, lite_world, "ballots", "csv")[1:]] == by_receipt


@pytest.mark.parametrize("form", FORMS)
def test_the_trail_and_every_export_in_it(lite_world: World, chen: Person, form: str) -> None:
    chen.post(f"/organizer/campaigns/{lite_world.slug}/stop")
    rows = table(chen, lite_world, "trail", form)
    told = {row[3]: row for row in rows}
    assert told["暂停投票"][2] == chen.name
    assert "因紧急情况暂停" in told["暂停投票"][7]
    assert re.fullmatch("[0-9a-f]{64}", told["暂停投票"][8])
    entry = lite_world.do(lambda: list_entries(lite_world.slug, act="export."))[0]
    assert (entry.act, entry.actor, entry.after) == (
        "export.trail", chen.name, {"format": form, "rows": len(rows) - 1}
    )  # fmt: skip


@pytest.mark.parametrize("asked", [{}, {"kind": "accounts", "form": "csv"}, {"kind": "ballots", "form": "exe"}])
def test_what_there_is_not_is_not_exported(lite_world: World, chen: Person, asked: dict[str, str]) -> None:
    assert chen.post(f"/organizer/campaigns/{lite_world.slug}/exports", asked).status_code == 422


def test_a_table_too_long_for_excel_is_refused_in_words(
    lite_world: World, chen: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_EXCEL_ROWS", 3)
    path = f"/organizer/campaigns/{lite_world.slug}/exports"
    answer = chen.post(path, {"kind": "candidates", "form": "xlsx"})
    assert answer.status_code == 422
    assert "请改用 CSV" in answer.text
    assert lite_world.do(lambda: list_entries(lite_world.slug, act="export.")) == []
    with chen.post(path, {"kind": "candidates", "form": "csv"}) as answer:
        assert answer.status_code == 200


def test_numbers_are_left_alone() -> None:
    assert [harmless(cell) for cell in (-5, 0, None, "", "10")] == [-5, 0, None, "", "10"]


def test_the_file_has_no_name_and_no_rest() -> None:
    file, count = write_table("csv", "t", ["a"], iter([["甲"], ['x,"y"\n']]))
    with file:
        assert (count, file.read()) == (2, '\ufeffa\r\n甲\r\n"x,""y""\n"\r\n'.encode())


class TestResults:
    def test_each_rank_is_explained_and_versions_are_kept(self, lite_world: World, chen: Person) -> None:
        path = f"/organizer/campaigns/{lite_world.slug}/results"
        assert "还没有清点" in chen.get(path).text
        cast(lite_world, *CLEAR)
        for _ in range(2):
            lite_world.do(counting.close_campaign, lite_world.slug)
        page = chen.get(path).text
        for words in (
            "得票最多；在 2 个名额内，入选。", "1 个得票更多；在 2 个名额内，入选。", "2 个名额已满，未入选。",
            "没有得票，不能入选。", "台账与即时统计完全一致", "version=1", "version=2", f"/c/{lite_world.slug}/result",
            "申请公布结果",
        ):  # fmt: skip
            assert words in page, words
        assert "得票最多，3 个同票并列" in chen.get(f"{path}?award=households&version=1&page=99").text
        assert chen.get(f"{path}?version=9").status_code == 404
        assert chen.get(f"{path}?version=x&award=%00&page=-1").status_code == 200

    def test_a_tie_for_the_last_seat_and_a_difference_are_shown(self, lite_world: World, chen: Person) -> None:
        cast(lite_world, ("c1", "c2", "c3"))
        lite_world.valkey.hset(lite_world.key("tally"), str(lite_world.ids("c1")[0]), 7)
        lite_world.do(counting.close_campaign, lite_world.slug)
        page = chen.get(f"/organizer/campaigns/{lite_world.slug}/results").text
        assert "剩 2 个名额，3 个争，规则没有写明怎样决定" in page
        assert "台账与即时统计不一致" in page
        assert "<td>1</td><td>7</td>" in page
        assert "stages/ask" not in page

    def test_counts_that_citizens_do_not_see_yet_are_explained_here(self, lite_app: Flask, chen: Person) -> None:
        world = new_world(lite_app).put(rules_text(display="hidden"))
        cast(world, *CLEAR)
        world.do(counting.close_campaign, world.slug)
        assert "得票最多" in chen.get(f"/organizer/campaigns/{world.slug}/results").text


def test_no_form_and_no_address_changes_a_count_or_a_ballot(lite_world: World, chen: Person) -> None:
    """Every form of the campaign's rooms with every field somebody might try, and the same in the address."""
    cast(lite_world, *CLEAR)
    lite_world.record()
    token, slug = token_in(chen.get("/organizer/account")), lite_world.slug

    def kept() -> tuple[Any, ...]:
        tables = ("ballots", "choices", "voids", "results", "standings", "candidates")
        rows = tuple(sorted(map(repr, lite_world.sql(f"SELECT * FROM {name}"))) for name in tables)
        rules = lite_world.sql("SELECT rules, rules_hash, epoch, opened_at FROM campaigns")
        return rows, rules, lite_world.dump("box")

    before, version = kept(), lite_world.campaign().version
    c1 = lite_world.ids("c1")[0]
    tried = {"votes": "999", "count": "999", "tally": "999", "accepted": "999", "candidate_id": str(c1), "times": "9",
             "choice": str(c1), "ballot_id": "0" * 26, "rules": "{}", "rules_hash": "0", "stage": "draft",
             "state": "published", "difference": "{}", "outcome": "selected", "rank": "1", "expected": "1"}  # fmt: skip
    for rule in lite_world.app.url_map.iter_rules():
        if "<slug>" not in rule.rule or not rule.rule.startswith("/organizer/"):
            continue
        acts = ("open", "pause", "resume", "count", "ask", "confirm", "withdraw") if "act" in rule.arguments else ("",)
        for act in acts:
            path = re.sub(r"<any.*:act>", act, rule.rule).replace("<slug>", slug)
            path = re.sub(r"<[^<>]+>", "1", path)
            form = tried | {"csrf_token": token, "version": str(version), "reason": "试", "kind": "ballots"}
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                answer = chen.client.open(path, method=method, data=form, query_string=tried)
                assert answer.status_code < 500, f"{method} {path}"
                answer.close()
            chen.client.get(path, query_string=tried).close()
    assert kept() == before
    assert lite_world.failing() == set()
    with lite_world.app.app_context(), pytest.raises(Exception, match="append-only"):
        db.session.execute(text("UPDATE choices SET times = 9"))
