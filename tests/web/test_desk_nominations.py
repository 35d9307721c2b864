"""Nominations at the desk: the setting, the list by area, the decision, and nominating on behalf of a town."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.nominators import call_for, id_of, send
from tests.storage.rows import COUNTY, TOWN, VILLAGE
from tests.web.desk import Person
from tests.web.test_nominations import TYPED
from tests.world import World, new_world, rules_text
from voting.services.campaigns import open_campaign
from voting.services.nomination_calls import read_call
from voting.services.trail import check_trail, list_entries


@pytest.fixture
def draft(lite_app: Any) -> World:
    world = new_world(lite_app).put(rules_text(), opened=False)
    call_for(world)
    return world


@pytest.fixture
def organizer(draft: World) -> Person:
    return Person(draft.app, "organizer").signed_in()


def reviewer(world: World, area: str = COUNTY) -> Person:
    return Person(world.app, "reviewer", area=area).signed_in()


def home(world: World) -> str:
    return f"/organizer/campaigns/{world.slug}/nominations"


def nominated(world: World, **changed: str) -> str:
    return f"{home(world)}/{id_of(world, send(world, **changed))}"


def seen_in(page: TestResponse) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page.text)
    assert found, page.text
    return found[1]


def decided(person: Person, path: str, act: str, reason: str = "", seen: str = "") -> TestResponse:
    seen = seen or seen_in(person.get(path))
    return person.post(f"{path}/decide", {"act": act, "reason": reason, "seen": seen})


class TestTheSetting:
    def form(self, person: Person, world: World, **changed: Any) -> dict[str, Any]:
        rules = world.campaign().rules
        now = datetime.now(rules.zone)
        values = {"public": "1", "awards": ["centres"], "conditions": "须<连续>三年"}
        values |= {"opens": f"{now:%Y-%m-%dT%H:%M}", "closes": f"{now + timedelta(days=7):%Y-%m-%dT%H:%M}"}
        return values | {"seen": seen_in(person.get(f"{home(world)}/settings"))} | changed

    def test_switched_on_in_the_campaigns_zone(self, lite_app: Any) -> None:
        world = new_world(lite_app).put(rules_text(), opened=False)
        person = Person(world.app, "organizer").signed_in()
        assert "开放推荐" in person.get(home(world)).text
        form = self.form(person, world)
        assert person.post(f"{home(world)}/settings", form).status_code == 303
        call = world.do(read_call, world.slug).call
        assert call is not None
        assert (call.public, call.desk, call.awards, call.conditions) == (True, False, ("centres",), "须<连续>三年")
        assert f"{world.campaign().rules.local(call.opens_ms):%Y-%m-%dT%H:%M}" == form["opens"]
        assert "须&lt;连续&gt;三年" in world.get(f"/c/{world.slug}/nominate").text
        assert "还没有收到推荐" in person.get(home(world)).text

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"closes": "2020-01-01T00:00"}, "截止时间要晚于开始时间"),
            ({"opens": "tomorrow"}, "请填日期和时间"),
            ({"awards": []}, "请填写这一项"),
            ({"awards": ["none"]}, "请从列表中选择"),
            ({"conditions": "字" * 2001}, "最多 2000 个字"),
        ],
    )
    def test_what_cannot_be_is_told_at_its_field(
        self, draft: World, organizer: Person, changed: dict[str, Any], says: str
    ) -> None:
        before = draft.do(read_call, draft.slug).call
        answer = organizer.post(f"{home(draft)}/settings", self.form(organizer, draft, **changed))
        assert answer.status_code == 422
        assert says in answer.text
        assert draft.do(read_call, draft.slug).call == before

    def test_two_organizers(self, draft: World, organizer: Person) -> None:
        other = Person(draft.app, "organizer").signed_in()
        mine, theirs = self.form(organizer, draft, conditions="我的"), self.form(other, draft, conditions="别人的")
        assert other.post(f"{home(draft)}/settings", theirs).status_code == 303
        told = organizer.post(f"{home(draft)}/settings", mine)
        assert told.status_code == 409
        assert "别人的" in told.text
        assert "我的" in told.text
        assert organizer.post(f"{home(draft)}/settings", mine | {"seen": seen_in(told)}).status_code == 303

    def test_not_once_voting_was_opened(self, draft: World, organizer: Person) -> None:
        form = self.form(organizer, draft)
        draft.do(open_campaign, draft.slug)
        assert organizer.post(f"{home(draft)}/settings", form).status_code == 409
        assert 'name="opens"' not in organizer.get(f"{home(draft)}/settings").text


class TestTheList:
    def test_by_state_and_area_and_nothing_of_others(self, draft: World, organizer: Person) -> None:
        near = nominated(draft)
        far = nominated(draft, area_code="441781101201", name="春家")
        decided(organizer, far, "decline", "不属本次范围")
        assert organizer.get(home(draft)).text.count("</td></tr>") == 2
        assert organizer.get(f"{home(draft)}?state=declined").text.count("</td></tr>") == 1
        assert organizer.get(f"{home(draft)}?area=441781").text.count("</td></tr>") == 1
        assert "没有符合条件的推荐" in organizer.get(f"{home(draft)}?state=returned").text
        for nonsense in ("state=x", "area=x", "page=-1", "page=9999", "page=x"):
            assert organizer.get(f"{home(draft)}?{nonsense}").status_code == 200
        for area, mine, other in ((COUNTY, near, far), (TOWN, near, far), ("441781", far, near)):
            person = reviewer(draft, area)
            for query in ("", "?area=4417", f"?area={COUNTY}", "?state=sent"):
                assert other not in person.get(home(draft) + query).text
            assert mine in person.get(home(draft)).text
            assert "13800138000" in person.get(mine).text
            assert "13800138000" not in person.get(home(draft)).text
            assert person.get(other).status_code == 404
            for act in ("accept", "return", "decline"):
                assert person.post(f"{other}/decide", {"act": act, "seen": "1", "reason": "x"}).status_code == 404

    def test_a_nomination_of_another_campaign_is_not_there(self, draft: World, organizer: Person) -> None:
        other = new_world(draft.app).put(rules_text(), opened=False)
        foreign = f"{home(other)}/{nominated(draft).rsplit('/', 1)[1]}"
        assert organizer.get(foreign).status_code == 404
        assert organizer.post(f"{foreign}/decide", {"act": "accept", "seen": "1"}).status_code == 404

    def test_a_reviewer_finds_the_way(self, draft: World) -> None:
        nominated(draft)
        page = reviewer(draft).get(f"/organizer/campaigns/{draft.slug}/candidates").text
        assert home(draft) in page
        assert "待审核 1 条" in page


class TestDeciding:
    def test_accepted_by_the_reviewer_of_its_area(self, draft: World, organizer: Person) -> None:
        path = nominated(draft, name="<script>王家</script>")
        person = reviewer(draft)
        assert "<script>王" not in person.get(path).text
        assert decided(person, path, "accept").status_code == 303
        page = person.get(path)
        assert "号候选对象" in page.text
        made = draft.campaign().candidates[-1]
        assert made.name == "<script>王家</script>"
        assert person.get(f"/organizer/campaigns/{draft.slug}/candidates/{made.id}").status_code == 200
        entry = draft.do(lambda: list_entries(act="nomination.accept"))[0]
        assert (entry.actor, entry.after["number"]) == (person.name, made.number)
        assert draft.do(check_trail) == []
        assert "采纳推荐" in organizer.get(f"/organizer/trail?campaign={draft.slug}").text

    def test_no_reason_no_decision(self, draft: World, organizer: Person) -> None:
        path = nominated(draft)
        for act in ("return", "decline"):
            assert decided(organizer, path, act, " ").status_code == 422
            long = decided(organizer, path, act, "长" * 281)
            assert long.status_code == 422
            assert "长" * 281 in long.text
        assert decided(organizer, path, "publish").status_code == 409
        assert "待审核" in organizer.get(path).text

    def test_the_second_of_two_is_told_and_keeps_the_words(self, draft: World, organizer: Person) -> None:
        path, person = nominated(draft), reviewer(draft)
        mine, theirs = seen_in(organizer.get(path)), seen_in(person.get(path))
        assert decided(person, path, "return", "请补照片", theirs).status_code == 303
        answer = decided(organizer, path, "decline", "我的<理由>", mine)
        assert answer.status_code == 409
        assert "已经有人处理或改动过" in answer.text
        assert "请补照片" in answer.text
        assert "我的&lt;理由&gt;" in answer.text
        assert decided(organizer, path, "decline", "我的理由", seen_in(answer)).status_code == 303

    def test_not_once_voting_was_opened(self, draft: World, organizer: Person) -> None:
        path = nominated(draft)
        seen = seen_in(organizer.get(path))
        draft.do(open_campaign, draft.slug)
        assert decided(organizer, path, "accept", seen=seen).status_code == 403
        assert 'name="act"' not in organizer.get(path).text


class TestForAnArea:
    def test_a_town_nominates_and_the_county_decides(self, draft: World) -> None:
        town, county = reviewer(draft, TOWN), reviewer(draft)
        page = town.get(f"{home(draft)}/new")
        assert "对岸村委会" in page.text
        assert "河朗村委会" not in page.text
        wrong = town.post(f"{home(draft)}/new", TYPED | {"area_code": "441781101201"})
        assert wrong.status_code == 422
        assert "请选择您审核范围内的地区" in wrong.text
        assert "照顾邻居" in wrong.text
        sent = town.post(f"{home(draft)}/new", TYPED | {"area_code": VILLAGE})
        assert sent.status_code == 303
        path = sent.headers["Location"].partition("?")[0]
        assert 'name="act"' not in town.get(path).text, "whoever sends does not decide"
        assert town.post(f"{path}/decide", {"act": "accept", "seen": "1"}).status_code == 403
        assert town.get(f"{path}/amend").status_code == 409
        decided(county, path, "return", "请补照片")
        assert county.get(f"{path}/amend").status_code == 404
        form = town.get(f"{path}/amend")
        assert "照顾邻居" in form.text
        changed = TYPED | {"area_code": VILLAGE, "name": "王家大院", "seen": seen_in(form)}
        assert town.post(f"{path}/amend", changed).status_code == 303
        assert decided(county, path, "accept").status_code == 303
        assert draft.campaign().candidates[-1].name == "王家大院"

    def test_a_session_that_is_over_loses_no_text(self, draft: World) -> None:
        person = reviewer(draft)
        person.client.delete_cookie("desk")
        sent = TYPED | {"area_code": VILLAGE, "story": "字" * 5000, "file": (io.BytesIO(b"x"), "a.jpg")}
        door = person.client.post(f"{home(draft)}/new", data=sent, content_type="multipart/form-data")
        door.request.environ["wsgi.input"].close()
        assert door.status_code == 403
        kept = {name: unescape(text) for name, text in re.findall(r'name="(kept[^"]*)" value="([^"]*)"', door.text)}
        after = person.sign_in(**kept)
        again = {
            name: unescape(text) for name, text in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', after.text)
        }
        page = person.client.post(f"{home(draft)}/new", data=again)
        assert page.status_code == 422
        assert "照片没有收到" in page.text
        assert "字" * 5000 in page.text
        again.pop("file_lost")
        assert person.client.post(f"{home(draft)}/new", data=again).status_code == 303

    def test_only_while_reviewers_are_asked(self, draft: World) -> None:
        person = reviewer(draft)
        assert f"{home(draft)}/new" in person.get(home(draft)).text
        call_for(draft, desk=False)
        assert f"{home(draft)}/new" not in person.get(home(draft)).text
        assert person.get(f"{home(draft)}/new").status_code == 404
        assert person.post(f"{home(draft)}/new", TYPED | {"area_code": VILLAGE}).status_code == 404
