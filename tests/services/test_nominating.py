"""Nominations through the services, on both databases: sent once, kept apart, returned, amended, accepted."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.nominators import (
    COUNTY_REVIEWER,
    ELSEWHERE,
    ORGANIZER,
    TOWN_REVIEWER,
    call_for,
    given,
    id_of,
    now_ms,
    send,
)
from tests.storage.rows import COMMUNITY, TOWN, VILLAGE
from tests.world import World, new_world, rules_text
from voting.rules.candidate_errors import ChangedMeanwhile, ReasonNeeded
from voting.rules.errors import StageRefused
from voting.rules.nomination import Call
from voting.rules.nomination_errors import (
    CallRefused,
    NominationDecided,
    NominationNotFound,
    NominationRefused,
    NominationsNotOpen,
    NominationsOver,
    NominationsWaiting,
    OwnNomination,
)
from voting.rules.periods import DAY_MS
from voting.services.campaigns import create_campaign, open_campaign
from voting.services.candidates import read_candidate
from voting.services.drafting import discard_draft
from voting.services.nominating import (
    Sent,
    amend_for_area,
    amend_nomination,
    new_code,
    public_call,
    read_by_code,
    send_for_area,
    send_nomination,
)
from voting.services.nomination_calls import area_step, areas_below, read_call, save_call
from voting.services.nomination_review import decide, history_of, list_for, read_for, waiting_for
from voting.services.trail import acting_as, all_entries, check_trail, list_entries


@pytest.fixture
def draft(app: Any) -> World:
    world = new_world(app).put(rules_text(), opened=False)
    call_for(world)
    return world


def problems(refused: Any) -> set[tuple[str, str]]:
    return {(one.field, one.problem) for one in refused.value.problems}


class TestTheCall:
    def test_off_until_somebody_switches_it_on(self, app: Any) -> None:
        world = new_world(app).put(rules_text(), opened=False)
        assert world.do(read_call, world.slug).call is None
        with pytest.raises(NominationNotFound):
            world.do(public_call, world.slug)
        with pytest.raises(NominationNotFound):
            send(world)
        call_for(world, public=False)
        with pytest.raises(NominationNotFound):
            world.do(public_call, world.slug)

    def test_saving_is_in_the_trail_and_the_second_of_two_is_told(self, draft: World) -> None:
        seen = draft.do(read_call, draft.slug).seen
        call = call_for(draft, conditions="须连续三年")
        entry = draft.do(lambda: list_entries(act="nominations.call"))[0]
        assert (entry.before["conditions"], entry.after["conditions"]) == ("", "须连续三年")
        with pytest.raises(ChangedMeanwhile):
            draft.do(save_call, draft.slug, Call(0, 1), seen)
        assert draft.do(read_call, draft.slug).call == call
        assert not draft.do(save_call, draft.slug, call, draft.do(read_call, draft.slug).seen)
        with pytest.raises(CallRefused):
            call_for(draft, opens_ms=2, closes_ms=1)

    def test_only_while_the_campaign_is_a_draft(self, draft: World) -> None:
        code = send(draft)
        draft.do(open_campaign, draft.slug)
        with pytest.raises(StageRefused):
            call_for(draft, conditions="anew")
        with pytest.raises(NominationsOver):
            send(draft)
        with pytest.raises(NominationNotFound):
            draft.do(public_call, draft.slug)
        for act in ("accept", "return", "decline"):
            with pytest.raises(NominationsOver):
                draft.do(decide, ORGANIZER, draft.slug, id_of(draft, code), act, 1, "理由")
        assert draft.do(read_by_code, draft.slug, code).state == "sent", "its page stays"

    def test_only_within_its_time(self, draft: World) -> None:
        call_for(draft, opens_ms=now_ms() + DAY_MS, closes_ms=now_ms() + 2 * DAY_MS)
        with pytest.raises(NominationsNotOpen):
            send(draft)
        call_for(draft, closes_ms=now_ms() - 1)
        with pytest.raises(NominationsOver):
            send(draft)

    def test_a_draft_that_was_sent_something_is_not_thrown_away(self, app: Any) -> None:
        world = new_world(app).put(rules_text(), opened=False)
        empty = f"{world.slug}-empty"
        world.do(create_campaign, empty, "空", rules_text())
        call = Call(now_ms() - DAY_MS, now_ms() + DAY_MS, public=True, awards=("households",))
        world.do(save_call, empty, call, world.do(read_call, empty).seen)
        world.do(send_nomination, empty, new_code(), given())
        with pytest.raises(NominationsWaiting):
            world.do(discard_draft, empty)
        other = f"{world.slug}-other"
        world.do(create_campaign, other, "空", rules_text())
        world.do(save_call, other, call, world.do(read_call, other).seen)
        world.do(discard_draft, other)


class TestSending:
    def test_it_is_kept_as_it_was_sent(self, draft: World) -> None:
        code = send(draft)
        mine = draft.do(read_by_code, draft.slug, f" {code.lower()[:8]}-{code.lower()[8:]} ")
        assert (mine.state, mine.values["name"], mine.values["story"]) == ("sent", "<b>王家</b>", "第一段\n\n第二段")
        assert mine.area_path == ("江城区", "岗列街道", "对岸村委会")
        assert (mine.nominator, mine.telephone) == ("李**", "138****8000"), "whoever finds the code finds no number"

    def test_sent_twice_is_one_and_another_is_another(self, draft: World) -> None:
        code = new_code()
        assert draft.do(send_nomination, draft.slug, code, given()) == code
        assert draft.do(send_nomination, draft.slug, code, given()) == code
        other = draft.do(send_nomination, draft.slug, code, given(name="张家"))
        assert other != code
        assert draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).total == 2

    def test_two_at_the_same_moment_are_one(self, draft: World) -> None:
        code, found = new_code(), []

        def go() -> None:
            found.append(draft.do(send_nomination, draft.slug, code, given()))

        threads = [threading.Thread(target=go) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert found == [code] * 4
        assert draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).total == 1

    def test_every_mistake_is_named(self, draft: World) -> None:
        wrong = {
            "award": "none", "name": "\u202e反", "area_code": "999", "summary": "家住建设路12号", "story": "字" * 5001,
            "nominator": "", "telephone": "12",
        }  # fmt: skip
        with pytest.raises(NominationRefused) as refused:
            draft.do(send_nomination, draft.slug, "", Sent(wrong))
        assert problems(refused) == {
            ("award", "choose"), ("name", "hidden"), ("area_code", "choose"), ("summary", "private"),
            ("story", "long"), ("nominator", "empty"), ("telephone", "telephone"), ("consent", "consent"),
        }  # fmt: skip
        with pytest.raises(NominationRefused) as refused:
            draft.do(send_nomination, draft.slug, "", Sent({}, consent=True))
        assert ("name", "empty") in problems(refused)
        assert draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).total == 0

    @pytest.mark.parametrize("field", ["award", "group_key", "name", "area_code", "summary", "story", "nominator"])
    def test_what_a_database_cannot_hold_is_a_mistake_and_no_error(self, draft: World, field: str) -> None:
        with pytest.raises(NominationRefused):
            send(draft, **{field: "4417\x0002"})
        assert draft.do(area_step, "4417\x0002").path == draft.do(area_step, "").path

    def test_only_for_awards_that_are_called_for(self, draft: World) -> None:
        call_for(draft, awards=("centres",))
        with pytest.raises(NominationRefused) as refused:
            send(draft)
        assert problems(refused) == {("award", "choose")}

    def test_a_code_opens_nothing_else(self, draft: World) -> None:
        code = send(draft)
        other = new_world(draft.app).put(rules_text(), opened=False)
        for slug, tried in ((other.slug, code), (draft.slug, new_code()), (draft.slug, ""), ("nowhere", code)):
            with pytest.raises(NominationNotFound):
                draft.do(read_by_code, slug, tried)

    def test_neither_texts_nor_people_stand_in_the_trail(self, draft: World) -> None:
        code = send(draft)
        draft.do(decide, ORGANIZER, draft.slug, id_of(draft, code), "return", 1, "请补照片")
        draft.do(amend_nomination, draft.slug, code, 2, given(story="另一个故事", summary="新简介"))
        told = draft.do(lambda: [entry for entry in all_entries() if entry.act.startswith("nomination.")])
        assert [entry.act for entry in told] == ["nomination.send", "nomination.return", "nomination.amend"]
        assert told[0].actor == told[2].actor == "public:link"
        for word in ("李四", "8000", "第一段", "另一个故事", "新简介", "尊老爱幼", code):
            assert word not in str(told), word
        assert told[2].after["state"] == "sent"
        assert draft.do(check_trail) == []


class TestReviewing:
    def test_accepted_it_is_a_candidate_like_any_other(self, draft: World) -> None:
        code = send(draft)
        highest = max(one.number for one in draft.campaign().candidates)
        with acting_as("town"):
            id_ = draft.do(decide, TOWN_REVIEWER, draft.slug, id_of(draft, code), "accept", 1)
        assert id_ is not None
        sheet = draft.do(read_candidate, draft.slug, id_)
        assert sheet.values["number"] == str(highest + 1)
        assert (sheet.award, sheet.values["name"], sheet.values["area_code"]) == ("households", "<b>王家</b>", VILLAGE)
        assert sheet.code.startswith("tj")
        entry = draft.do(lambda: list_entries(act="nomination.accept"))[0]
        assert (entry.actor, entry.before["state"], entry.after["state"]) == ("town", "sent", "accepted")
        assert (entry.after["number"], entry.after["code"]) == (highest + 1, sheet.code)
        assert draft.do(read_by_code, draft.slug, code).state == "accepted"
        again = draft.do(decide, ORGANIZER, draft.slug, id_of(draft, send(draft, name="张家")), "accept", 1)
        assert draft.do(read_candidate, draft.slug, again).values["number"] == str(highest + 2)
        draft.do(open_campaign, draft.slug)
        assert draft.campaign().by_id[id_].name == "<b>王家</b>"

    def test_returned_amended_and_sent_again(self, draft: World) -> None:
        code = send(draft)
        with pytest.raises(NominationDecided):
            draft.do(amend_nomination, draft.slug, code, 1, given())
        with pytest.raises(ReasonNeeded):
            draft.do(decide, ORGANIZER, draft.slug, id_of(draft, code), "return", 1, "  ")
        draft.do(decide, ORGANIZER, draft.slug, id_of(draft, code), "return", 1, " 请补  照片 ")
        mine = draft.do(read_by_code, draft.slug, code)
        assert (mine.state, mine.reason, mine.seen) == ("returned", "请补 照片", 2)
        # The call may be over by now: whoever was asked to amend may do so until voting opens.
        call_for(draft, closes_ms=now_ms() - 1)
        draft.do(amend_nomination, draft.slug, code, 2, given(name="王家大院", nominator="别人", telephone="1"))
        mine = draft.do(read_by_code, draft.slug, code)
        assert (mine.state, mine.values["name"], mine.nominator) == ("sent", "王家大院", "李**")
        with pytest.raises(NominationDecided):
            draft.do(amend_nomination, draft.slug, code, 2, given())

    def test_the_second_of_two_reviewers_is_told(self, draft: World) -> None:
        id_ = id_of(draft, send(draft))
        draft.do(decide, COUNTY_REVIEWER, draft.slug, id_, "decline", 1, "不属本次评选范围")
        for act in ("accept", "return", "decline"):
            with pytest.raises(NominationDecided):
                draft.do(decide, TOWN_REVIEWER, draft.slug, id_, act, 1, "理由")
        assert draft.do(read_for, ORGANIZER, draft.slug, id_).acts == ()

    def test_what_was_amended_meanwhile_is_not_decided_on_unseen(self, draft: World) -> None:
        code = send(draft)
        draft.do(decide, ORGANIZER, draft.slug, id_of(draft, code), "return", 1, "请补照片")
        draft.do(amend_nomination, draft.slug, code, 2, given(story="换成别的"))
        with pytest.raises(NominationDecided):
            draft.do(decide, ORGANIZER, draft.slug, id_of(draft, code), "accept", 1)

    def test_many_press_accept_and_one_candidate_comes_of_it(self, draft: World) -> None:
        id_, before, outcomes = id_of(draft, send(draft)), len(draft.campaign().candidates), []

        def go() -> None:
            try:
                draft.do(decide, ORGANIZER, draft.slug, id_, "accept", 1)
                outcomes.append("accepted")
            except NominationDecided:
                outcomes.append("told")

        threads = [threading.Thread(target=go) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(outcomes) == ["accepted", "told", "told", "told"]
        assert len(draft.campaign().candidates) == before + 1

    def test_a_reviewer_has_one_area(self, draft: World) -> None:
        id_ = id_of(draft, send(draft))
        far = id_of(draft, send(draft, area_code="441781101201", name="春家"))
        for holder, here, there in ((COUNTY_REVIEWER, id_, far), (TOWN_REVIEWER, id_, far), (ELSEWHERE, far, id_)):
            listed = draft.do(list_for, holder, draft.slug, "", "", 1)
            assert [line.id for line in listed.lines] == [here]
            assert draft.do(list_for, holder, draft.slug, "", "4417", 1).total == 1, "asking for more gives no more"
            assert draft.do(waiting_for, holder, draft.slug) == 1
            assert draft.do(read_for, holder, draft.slug, here).telephone == "13800138000"
            with pytest.raises(NominationNotFound):
                draft.do(read_for, holder, draft.slug, there)
            with pytest.raises(NominationNotFound):
                draft.do(decide, holder, draft.slug, there, "accept", 1)
        assert draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).total == 2
        assert draft.do(list_for, ORGANIZER, draft.slug, "declined", "", 1).total == 0

    def test_another_campaigns_nomination_is_not_there(self, draft: World) -> None:
        id_ = id_of(draft, send(draft))
        other = new_world(draft.app).put(rules_text(), opened=False)
        with pytest.raises(NominationNotFound):
            draft.do(read_for, ORGANIZER, other.slug, id_)
        with pytest.raises(NominationNotFound):
            draft.do(decide, ORGANIZER, other.slug, id_, "accept", 1)

    def test_those_alike_are_pointed_out(self, draft: World) -> None:
        first, second = id_of(draft, send(draft)), id_of(draft, send(draft, story="又一篇"))
        assert draft.do(read_for, ORGANIZER, draft.slug, first).alike == 1
        draft.do(decide, ORGANIZER, draft.slug, first, "accept", 1)
        one = draft.do(read_for, ORGANIZER, draft.slug, second)
        assert [number for _, number in one.namesakes] == [max(each.number for each in draft.campaign().candidates)]
        assert [entry.act for entry in draft.do(history_of, draft.slug, first)] == [
            "nomination.accept",
            "nomination.send",
        ]


class TestForAnArea:
    def test_a_reviewer_sends_for_their_own_area_only(self, draft: World) -> None:
        with pytest.raises(NominationRefused) as refused:
            draft.do(send_for_area, draft.slug, TOWN_REVIEWER, "", given(area_code="441781101201"))
        assert problems(refused) == {("area_code", "foreign")}
        id_ = draft.do(send_for_area, draft.slug, TOWN_REVIEWER, "", given(area_code=COMMUNITY))
        assert draft.do(read_for, COUNTY_REVIEWER, draft.slug, id_).view.sent_by == "town"

    def test_whoever_sends_does_not_decide(self, draft: World) -> None:
        id_ = draft.do(send_for_area, draft.slug, TOWN_REVIEWER, "", given())
        with pytest.raises(OwnNomination):
            draft.do(decide, TOWN_REVIEWER, draft.slug, id_, "accept", 1)
        assert draft.do(read_for, TOWN_REVIEWER, draft.slug, id_).acts == ()
        draft.do(decide, COUNTY_REVIEWER, draft.slug, id_, "return", 1, "请补照片")
        assert draft.do(read_for, TOWN_REVIEWER, draft.slug, id_).acts == ("amend",)
        with pytest.raises(NominationNotFound):
            draft.do(amend_for_area, draft.slug, COUNTY_REVIEWER, id_, 2, given())
        draft.do(amend_for_area, draft.slug, TOWN_REVIEWER, id_, 2, given(name="王家大院"))
        assert draft.do(read_for, COUNTY_REVIEWER, draft.slug, id_).view.values["name"] == "王家大院"

    def test_not_where_only_citizens_are_asked(self, draft: World) -> None:
        call_for(draft, desk=False)
        with pytest.raises(NominationNotFound):
            draft.do(send_for_area, draft.slug, TOWN_REVIEWER, "", given())

    def test_the_way_down_to_a_village(self, draft: World) -> None:
        top = draft.do(area_step, "")
        assert [area.name for area in top.below] == ["江城区", "阳春市"], "there is one city: nothing to choose"
        town = draft.do(area_step, TOWN)
        assert [area.name for area in town.path] == ["阳江市", "江城区", "岗列街道"]
        assert len(town.below) == 2
        assert draft.do(area_step, VILLAGE).below == ()
        assert draft.do(area_step, "nonsense") == top
        assert next(path for _, path in draft.do(areas_below, TOWN)) == "江城区 · 岗列街道"
