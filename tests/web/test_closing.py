"""Closing earlier than the rules say: asked by one person, confirmed by another, and read by everybody."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.services.test_counting import CLEAR, cast
from tests.web.desk import Person
from tests.web.test_stages import Desk, entries, voting_is_over
from tests.world import World
from voting.services import campaigns


@pytest.fixture
def chen(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


@pytest.fixture
def wang(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


def test_one_person_alone_cannot(lite_world: World, chen: Person) -> None:
    desk = Desk(lite_world, chen)
    page = desk.page()
    assert 'stages/close"' not in page
    assert 'stages/ask_close"' in page
    assert chen.get(f"{desk.path}/close").status_code == 409
    form = desk.ask("pause")
    alone = desk.send("close", form)
    assert alone.status_code == 403
    assert "一个人不能截止" in alone.text
    desk.press("ask_close", reason="想早点结束")
    assert 'stages/confirm_close"' not in desk.page()
    own = desk.send("confirm_close", desk.ask("confirm_close"))
    assert own.status_code == 403
    assert "不能由您确认" in own.text
    assert lite_world.campaign().stage == "open"
    assert lite_world.voter().cast("c1").status_code == 201


def test_two_can_and_everybody_reads_why(world: World) -> None:
    chen, wang = Person(world.app, "organizer").signed_in(), Person(world.app, "organizer").signed_in()
    cast(world, *CLEAR)
    before = world.campaign()
    desk, other = Desk(world, chen), Desk(world, wang)
    assert "已提出提前截止申请" in desk.press("ask_close", reason="汛情紧急").text
    assert "理由：汛情紧急" in other.page()
    assert "已清点，初步结果第 1 版" in other.press("confirm_close").text
    after = world.campaign()
    assert after.stage == "provisional"
    assert after.sealed_id is not None
    assert after.sealed_id[0] <= after.rules.closes_ms < after.sealed_id[0] + 1000
    assert after.rules_hash != before.rules_hash
    assert [edition.reason for edition in after.history] == ["", "汛情紧急"]
    rules = world.get(f"/c/{world.slug}/rules").text
    assert "汛情紧急" in rules
    assert before.rules_hash in rules
    assert chen.name not in rules
    (closed,) = entries(world, "campaign.close")
    assert (closed.actor, closed.after["asked by"], closed.reason) == (wang.name, chen.name, "汛情紧急")
    assert world.failing() == set()


def test_it_can_be_taken_back_and_a_reason_is_needed(lite_world: World, chen: Person, wang: Person) -> None:
    desk, other = Desk(lite_world, chen), Desk(lite_world, wang)
    assert desk.send("ask_close", desk.ask("ask_close"), reason=" ").status_code == 422
    desk.press("ask_close", reason="甲")
    form = other.ask("confirm_close")
    assert "投票照常进行" in desk.press("withdraw_close").text
    assert other.send("confirm_close", form).status_code == 409
    assert other.send("confirm_close", form | {"version": str(lite_world.campaign().version)}).status_code == 409
    assert lite_world.campaign().stage == "open"


def test_cut_off_after_the_box_was_sealed_it_is_finished_by_confirming_again(
    lite_world: World, chen: Person, wang: Person
) -> None:
    cast(lite_world, *CLEAR)
    desk, other = Desk(lite_world, chen), Desk(lite_world, wang)
    desk.press("ask_close", reason="甲")
    view = lite_world.campaign()
    seal = lite_world.do(lambda: campaigns.box_of(view.id, view.rules).seal())
    assert "初步结果第 1 版" in other.press("confirm_close").text
    assert lite_world.campaign().sealed_id == seal
    assert lite_world.failing() == set()


def test_when_the_time_is_over_one_is_enough(lite_world: World, chen: Person, wang: Person) -> None:
    cast(lite_world, *CLEAR)
    desk = Desk(lite_world, chen)
    Desk(lite_world, wang).press("ask_close", reason="甲")
    voting_is_over(lite_world)
    assert "初步结果第 1 版" in desk.press("close").text
    assert lite_world.sql("SELECT act, outcome FROM requests") == [("close", "lapsed")]
