"""Editing, taking off the list and numbering candidates; what may no longer change once voting was opened."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.world import World, rules_text
from voting.rules.candidate_errors import (
    CandidateRefused,
    ChangedMeanwhile,
    FieldsFrozen,
    NumbersTaken,
    ReasonNeeded,
    StandsAlready,
)
from voting.rules.errors import CandidateNotFound, StageRefused
from voting.services.campaigns import open_campaign
from voting.services.candidates import edit_candidate, put_back, read_candidate, take_off
from voting.services.numbering import Method, number_candidates
from voting.services.trail import check_trail, list_entries


@pytest.fixture
def draft(app: Any) -> World:
    return World(app, "draft-of-candidates").put(rules_text(), opened=False)


def edit(world: World, code: str, seen: str | None = None, **values: str) -> bool:
    (candidate_id,) = world.ids(code)
    sheet = world.do(read_candidate, world.slug, candidate_id)
    return world.do(edit_candidate, world.slug, candidate_id, seen or sheet.seen, values)


def seen_of(world: World, code: str) -> str:
    return str(world.do(read_candidate, world.slug, world.ids(code)[0]).seen)


def problems(refused: Any) -> list[tuple[str, str]]:
    return [(found.field, found.problem) for found in refused.value.problems]


class TestEditing:
    def test_it_is_saved_and_stays_in_the_trail(self, draft: World) -> None:
        assert edit(draft, "c1", name="新名", story=" 第一段\r\n\r\n第二段 ")
        view = next(one for one in draft.campaign().candidates if one.code == "c1")
        assert (view.name, view.story) == ("新名", "第一段\n\n第二段")
        entry = draft.do(lambda: list_entries(act="candidate.edit"))[0]
        assert (entry.before["name"], entry.after["name"], set(entry.after)) == ("候选c1", "新名", {"name", "story"})
        assert draft.do(check_trail) == []

    def test_nothing_changed_is_no_write(self, draft: World) -> None:
        version = draft.campaign().version
        assert not edit(draft, "c1", name="候选c1")
        assert draft.campaign().version == version

    def test_the_second_of_two_is_told(self, draft: World) -> None:
        first = seen_of(draft, "c1")
        edit(draft, "c1", summary="第一个人的")
        with pytest.raises(ChangedMeanwhile):
            edit(draft, "c1", first, summary="第二个人的")
        assert next(one for one in draft.campaign().candidates if one.code == "c1").summary == "第一个人的"

    def test_every_mistake_is_named(self, draft: World) -> None:
        with pytest.raises(CandidateRefused) as refused:
            edit(
                draft, "c1", name="", number="x", area_code="999", group_key="none", summary="a\nb", story="字" * 10_000
            )
        assert sorted(problems(refused)) == [
            ("area_code", "area"),
            ("group_key", "group"),
            ("name", "empty"),
            ("number", "number"),
            ("story", "long"),
            ("summary", "hidden"),
        ]
        with pytest.raises(CandidateRefused) as refused:
            edit(draft, "c1", number="2", name="\u202e反")
        assert problems(refused) == [("name", "hidden"), ("number", "taken")]

    def test_another_campaigns_candidate_is_not_there(self, draft: World) -> None:
        other = World(draft.app, "other-of-candidates").put(rules_text(), opened=False)
        with pytest.raises(CandidateNotFound):
            draft.do(read_candidate, other.slug, draft.ids("c1")[0])
        with pytest.raises(CandidateNotFound):
            draft.do(edit_candidate, other.slug, draft.ids("c1")[0], "", {"name": "x"})

    def test_after_opening_only_texts(self, draft: World) -> None:
        draft.do(open_campaign, draft.slug)
        assert edit(draft, "c1", summary="新简介", story="新事迹")
        for field, value in {"name": "新名", "number": "99", "group_key": "x", "area_code": ""}.items():
            with pytest.raises(FieldsFrozen) as refused:
                edit(draft, "c1", **{field: value})
            assert refused.value.fields == (field,)
        assert not edit(draft, "c1", award="households", standing="withdrawn", photo="z"), "these are no fields at all"


class TestStanding:
    def test_off_the_list_with_a_reason_and_back(self, draft: World) -> None:
        (c1,) = draft.ids("c1")
        with pytest.raises(ReasonNeeded):
            draft.do(take_off, draft.slug, c1, "  ", False)
        with pytest.raises(CandidateRefused):
            draft.do(take_off, draft.slug, c1, "长" * 281, False)
        draft.do(take_off, draft.slug, c1, " 材料  不实 ", True)
        with pytest.raises(StandsAlready):
            draft.do(take_off, draft.slug, c1, "again", False)
        sheet = draft.do(read_candidate, draft.slug, c1)
        assert (sheet.standing, sheet.disqualified, sheet.standing_reason) == ("withdrawn", True, "材料 不实")
        draft.do(put_back, draft.slug, c1)
        assert draft.do(read_candidate, draft.slug, c1).standing == "standing"
        acts = [(each.act, each.reason) for each in draft.do(lambda: list_entries(act="candidate."))]
        assert acts[:2] == [("candidate.return", ""), ("candidate.disqualify", "材料 不实")]

    def test_not_once_voting_was_opened(self, draft: World) -> None:
        draft.do(open_campaign, draft.slug)
        with pytest.raises(StageRefused):
            draft.do(take_off, draft.slug, draft.ids("c1")[0], "reason", False)
        with pytest.raises(StageRefused):
            draft.do(put_back, draft.slug, draft.ids("w1")[0])


class TestNumbering:
    def number(self, world: World, method: Method = "draw", seed: str = "", first: int = 1, seen: int = 0) -> int:
        seen = seen or world.campaign().version
        return world.do(number_candidates, world.slug, "households", method, seed, first, seen)

    def numbers(self, world: World) -> dict[str, int]:
        return {one.code: one.number for one in world.campaign().candidates if one.award == "households"}

    def test_a_draw_can_be_repeated_by_anybody(self, draft: World) -> None:
        assert self.number(draft, seed="2026-0501", first=101) == 8
        codes = list(self.numbers(draft))
        expected = sorted(codes, key=lambda code: hashlib.sha256(f"2026-0501:{code}".encode()).hexdigest())
        assert self.numbers(draft) == {code: 101 + place for place, code in enumerate(expected)}
        assert expected != sorted(codes)
        entry = draft.do(lambda: list_entries(act="candidates.number"))[0]
        assert (entry.after["seed"], entry.after["method"]) == ("2026-0501", "draw")
        self.number(draft, seed="2026-0501", first=101)
        assert self.numbers(draft) == {code: 101 + place for place, code in enumerate(expected)}
        self.number(draft, seed="another", first=101)
        assert self.numbers(draft) != {code: 101 + place for place, code in enumerate(expected)}

    @pytest.mark.parametrize(("method", "first"), [("name", "h1"), ("area", "h2")])
    def test_by_name_and_by_area(self, draft: World, method: Method, first: str) -> None:
        self.number(draft, method, first=1000)
        numbers = self.numbers(draft)
        assert sorted(numbers.values()) == list(range(1000, 1008))
        assert numbers[first] == 1000

    def test_numbers_of_another_award_are_not_taken(self, draft: World) -> None:
        before = self.numbers(draft)
        with pytest.raises(NumbersTaken) as refused:
            self.number(draft, first=5)
        assert refused.value.first == 5
        assert self.numbers(draft) == before

    def test_a_second_press_is_told_and_an_open_campaign_keeps_its_numbers(self, draft: World) -> None:
        version = draft.campaign().version
        self.number(draft, first=101, seen=version)
        with pytest.raises(ChangedMeanwhile):
            self.number(draft, first=101, seen=version)
        draft.do(open_campaign, draft.slug)
        with pytest.raises(StageRefused):
            self.number(draft, first=101)
