"""Asking for other rules and confirming them: never one person, never what was not asked, never too late."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from tests.services.test_rule_changes import QUOTAS, act, ask, change, confirm, limits, mark
from tests.world import World, new_world, rules_text
from voting.rules.change_errors import AlreadyAsked, ChangeReasonRefused, RuleChangeRefused
from voting.rules.errors import Refusal, StageRefused
from voting.rules.periods import HOUR_MS
from voting.rules.rule_text import write_rules
from voting.rules.stage_errors import ChangedMeanwhile, NothingAsked, SecondPersonNeeded
from voting.services import campaigns, closing, counting, rule_changes


@pytest.fixture
def open_world(app: Flask) -> World:
    return new_world(app).put(rules_text(quotas=QUOTAS))


@pytest.fixture
def lite(lite_app: Flask) -> World:
    return new_world(lite_app).put(rules_text(quotas=QUOTAS))


class TestOnePersonAlone:
    def test_nobody_confirms_their_own(self, lite: World) -> None:
        ask(lite, limits(1, 4, 3, 9))
        with pytest.raises(SecondPersonNeeded):
            confirm(lite, "chen")
        assert len(lite.campaign().history) == 1

    def test_nothing_is_confirmed_that_was_not_asked(self, lite: World) -> None:
        version = lite.campaign().version
        with pytest.raises(NothingAsked):
            act(lite, "wang", rule_changes.confirm_change, version, "")
        ask(lite, limits(1, 4, 3, 9))
        read = mark(lite)
        act(lite, "chen", rule_changes.withdraw_change, lite.campaign().version)
        ask(lite, limits(9, 9, 9, 9))
        for said in (read, "", "0" * 64):
            with pytest.raises(ChangedMeanwhile):
                act(lite, "wang", rule_changes.confirm_change, lite.campaign().version, said)
        assert lite.campaign().rules.quotas[0].limit == 1

    def test_once_is_once(self, lite: World) -> None:
        ask(lite, limits(1, 4, 3, 9))
        version, read = lite.campaign().version, mark(lite)
        act(lite, "wang", rule_changes.confirm_change, version, read)
        box = lite.dump()
        with pytest.raises(ChangedMeanwhile):
            act(lite, "wang", rule_changes.confirm_change, version, read)
        with pytest.raises(NothingAsked):
            act(lite, "wang", rule_changes.confirm_change, lite.campaign().version, read)
        assert lite.dump() == box
        assert len(lite.campaign().history) == 2

    def test_two_people_at_once(self, open_world: World) -> None:
        world = open_world
        ask(world, limits(1, 4, 3, 9))
        version, read = world.campaign().version, mark(world)
        begin, ends = threading.Barrier(2), []

        def press(who: str) -> None:
            begin.wait()
            try:
                act(world, who, rule_changes.confirm_change, version, read)
                ends.append("confirmed")
            except Refusal as refused:
                ends.append(refused.code)

        threads = [threading.Thread(target=press, args=(who,)) for who in ("wang", "li")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(ends) == ["changed_meanwhile", "confirmed"]
        assert len(world.campaign().history) == 2
        assert world.voter().cast("c1").status_code == 201

    @pytest.mark.parametrize("changes", [{}, {"identity": ["wechat"]}, {"quotas": []}, limits(1, 4, 3, 7)], ids=str)
    def test_what_may_not_be_changed_is_not_even_asked(self, lite: World, changes: dict[str, Any]) -> None:
        with pytest.raises(RuleChangeRefused):
            ask(lite, changes)
        assert lite.sql("SELECT count(*) FROM requests") == [(0,)]

    @pytest.mark.parametrize("reason", ["", " ", "长" * 301])
    def test_a_reason_is_needed(self, lite: World, reason: str) -> None:
        with pytest.raises(ChangeReasonRefused):
            ask(lite, limits(1, 4, 3, 9), reason=reason)

    def test_one_change_at_a_time(self, lite: World) -> None:
        ask(lite, limits(1, 4, 3, 9))
        with pytest.raises(AlreadyAsked):
            ask(lite, {"purpose": "表彰"}, who="wang")

    def test_a_version_is_written_once(self, open_world: World) -> None:
        for statement in (
            "UPDATE rule_versions SET rules_hash = ''",
            "UPDATE rule_versions SET reason = 'x', in_force_ms = 1",
            "DELETE FROM rule_versions",
        ):
            with pytest.raises(DBAPIError, match="append-only"):
                open_world.sql(statement)


class TestTooLate:
    def test_after_closing_nothing_is_confirmed(self, lite: World) -> None:
        ask(lite, limits(1, 4, 3, 9))
        read = mark(lite)
        lite.do(counting.close_campaign, lite.slug)
        with pytest.raises(StageRefused):
            act(lite, "wang", rule_changes.confirm_change, lite.campaign().version, read)
        with pytest.raises(StageRefused):
            ask(lite, {"purpose": "表彰"})
        assert lite.sql("SELECT outcome FROM requests") == [("lapsed",)]
        assert len(lite.campaign().history) == 1

    def test_when_the_time_is_over_nothing_opens_it_again(self, lite: World) -> None:
        rules = lite.campaign().rules
        ask(lite, {"closes_at": rules.local(rules.closes_ms + HOUR_MS).isoformat()})
        read = mark(lite)
        over = write_rules(replace(rules, closes_ms=rules.opens_ms + 1000))
        lite.sql("UPDATE campaigns SET rules = :rules, version = version + 1", rules=over)
        with pytest.raises(StageRefused):
            act(lite, "wang", rule_changes.confirm_change, lite.campaign().version, read)

    def test_a_closing_time_that_passed_while_it_waited(self, lite: World) -> None:
        rules = lite.campaign().rules
        soon = campaigns.now_ms() + 2500
        ask(lite, {"closes_at": rules.local(soon).isoformat()})
        read, version = mark(lite), lite.campaign().version
        while campaigns.now_ms() < soon:
            threading.Event().wait(0.05)
        with pytest.raises(RuleChangeRefused):
            act(lite, "wang", rule_changes.confirm_change, version, read)
        assert lite.voter().cast("c1").status_code == 201

    def test_a_request_to_close_lapses_with_the_rules_it_was_made_under(self, lite: World) -> None:
        act(lite, "li", closing.ask_to_close, lite.campaign().version, "提前完成")
        change(lite, limits(1, 4, 3, 9))
        with pytest.raises(NothingAsked):
            act(lite, "wang", closing.confirm_closing, lite.campaign().version)
        assert lite.campaign().stage == "open"

    def test_drafts_are_simply_edited(self, lite_app: Flask) -> None:
        world = new_world(lite_app).put(rules_text(quotas=QUOTAS), opened=False)
        with pytest.raises(StageRefused):
            ask(world, {"purpose": "表彰"})
