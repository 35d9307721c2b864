"""Citizens' pages for nominating, as a browser without script meets them."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from tests.nominators import ORGANIZER, call_for, now_ms
from tests.storage.rows import TOWN, VILLAGE
from tests.web.pages import fields_of, text_of
from tests.world import World, application, new_world, rules_text
from voting.rules.periods import DAY_MS
from voting.services.campaigns import open_campaign
from voting.services.nomination_review import decide, list_for

TYPED = {
    "place": "households",
    "name": "<script>王家</script>",
    "summary": "尊老爱幼",
    "story": "几十年如一日\r\n照顾邻居",
    "nominator": "李四",
    "telephone": "13800138000",
    "consent": "1",
}


@pytest.fixture
def draft(lite_app: Any) -> World:
    world = new_world(lite_app).put(rules_text(), opened=False)
    call_for(world, conditions="须在本地连续居住三年")
    return world


@pytest.fixture
def visitor(draft: World) -> FlaskClient:
    return draft.app.test_client()


def room(world: World) -> str:
    return f"/c/{world.slug}/nominate"


def filled(world: World, visitor: FlaskClient, **typed: Any) -> dict[str, Any]:
    page = visitor.get(f"{room(world)}?area={VILLAGE}")
    assert page.status_code == 200
    return {**fields_of(page, room(world)), **TYPED, **typed}


def post(visitor: FlaskClient, path: str, data: dict[str, Any], **named: Any) -> TestResponse:
    answer = visitor.post(path, data=data, content_type="multipart/form-data", **named)
    # A large body lies in a file that the client of the tests leaves open.
    answer.request.environ["wsgi.input"].close()
    return answer


def send(world: World, visitor: FlaskClient, **typed: Any) -> TestResponse:
    return post(visitor, room(world), filled(world, visitor, **typed))


def picture(size: tuple[int, int] = (64, 40), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


def file(content: bytes, name: str = "a.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def total(world: World) -> int:
    return world.do(list_for, ORGANIZER, world.slug, "", "", 1).total


def kept(page: TestResponse) -> bool:
    """Whether everything that was typed is on the page again."""
    texts = ("&lt;script&gt;王家", "尊老爱幼", "照顾邻居", 'value="李四"', 'value="13800138000"')
    return all(text in page.text for text in texts)


class TestTheWayIn:
    def test_a_draft_that_takes_none_is_not_there(self, lite_app: Any) -> None:
        world = new_world(lite_app).put(rules_text(), opened=False)
        nowhere = world.get("/c/nowhere/nominate")
        for changed in ({"public": False, "desk": False}, {"public": False}):
            there = world.get(room(world))
            assert there.status_code == nowhere.status_code == 404
            assert there.text == nowhere.text.replace("nowhere", world.slug), "nobody learns whether it is a draft"
            call_for(world, **changed)
        assert world.get(f"/c/{world.slug}").status_code == 404

    def test_nothing_else_of_the_draft_is_told(self, draft: World, visitor: FlaskClient) -> None:
        for path in ("", f"?area={TOWN}", f"?area={VILLAGE}"):
            page = visitor.get(room(draft) + path)
            assert page.headers["Cache-Control"] == "no-store"
            assert "noindex" in page.headers["X-Robots-Tag"]
            assert not re.search(rf'href="/c/{draft.slug}(?!/nominat)', page.text)
            for word in ("候选c1", "候选h1", "排行", "开始投票"):
                assert word not in page.text

    def test_county_town_village_one_after_the_other(self, draft: World, visitor: FlaskClient) -> None:
        page = visitor.get(room(draft))
        assert "须在本地连续居住三年" in page.text
        for name in ("江城区", "岗列街道", "对岸村委会"):
            found = re.search(rf'href="([^"]+)">{name}<', page.text)
            assert found, page.text
            page = visitor.get(found[1])
        assert 'name="telephone"' in page.text
        assert "江城区 › 岗列街道 › 对岸村委会" in page.text
        town = visitor.get(f"{room(draft)}?area={TOWN}")
        here = re.search(r'href="([^"]+here=1)"', town.text)
        assert here
        assert 'name="telephone"' in visitor.get(here[1].replace("&amp;", "&")).text
        for nonsense in ("x", "999", "4417%", "' OR 1=1", "\x00"):
            assert visitor.get(room(draft), query_string={"area": nonsense}).status_code == 200

    def test_before_and_after_its_time(self, draft: World, visitor: FlaskClient) -> None:
        form = filled(draft, visitor)
        call_for(draft, opens_ms=now_ms() + DAY_MS, closes_ms=now_ms() + 2 * DAY_MS)
        assert "推荐还没有开始" in visitor.get(room(draft)).text
        call_for(draft, closes_ms=now_ms() - 1)
        assert "推荐已经结束" in visitor.get(room(draft)).text
        late = post(visitor, room(draft), form)
        assert late.status_code == 403
        assert kept(late)
        assert total(draft) == 0


class TestSending:
    def test_sent_and_read_again(self, draft: World, visitor: FlaskClient) -> None:
        answer = send(draft, visitor, file=file(picture()))
        assert answer.status_code == 303
        place = answer.headers["Location"]
        page = draft.get(place)  # from another phone, with the link alone
        assert "已收到您的推荐" in page.text
        assert "待审核" in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert "&lt;script&gt;王家" in page.text
        assert "<script>王" not in page.text
        assert "/photos/" in page.text
        assert "李四" not in page.text
        assert "13800138000" not in page.text

    def test_a_double_tap_is_one(self, draft: World, visitor: FlaskClient) -> None:
        form = filled(draft, visitor)
        first, second = post(visitor, room(draft), form), post(visitor, room(draft), form)
        assert first.headers["Location"] == second.headers["Location"]
        assert total(draft) == 1

    def test_everything_typed_is_kept_with_a_mistake(self, draft: World, visitor: FlaskClient) -> None:
        page = send(draft, visitor, telephone="12", file=file(picture()))
        assert page.status_code == 422
        assert "请填 11 位手机号" in page.text
        photo = fields_of(page, room(draft))["photo"]
        stored = draft.get(f"/photos/{photo}/360.webp")
        assert stored.status_code == 200, "a photo is not chosen twice"
        stored.close()
        form = {**fields_of(page, room(draft)), **TYPED}
        assert post(visitor, room(draft), form).status_code == 303
        for wrong in ({"consent": ""}, {"name": ""}, {"place": "none"}, {"summary": "建设路12号"}, {"area_code": "9"}):
            typed = {key: text for key, text in wrong.items() if text}
            form = {key: text for key, text in (filled(draft, visitor) | typed).items() if wrong.get(key) != ""}
            page = post(visitor, room(draft), form)
            assert page.status_code == 422, wrong
            assert "照顾邻居" in page.text
            assert 'role="alert"' in page.text
        assert total(draft) == 1

    @pytest.mark.parametrize(
        "content",
        [b"no picture", b"<svg/>", picture((1, 1), "GIF"), b"x" * 5_000_001],
        ids=["text", "svg", "gif", "too-large"],
    )
    def test_a_photo_that_cannot_be_used(self, draft: World, visitor: FlaskClient, content: bytes) -> None:
        page = send(draft, visitor, file=file(content))
        assert page.status_code == 422
        assert "这张照片不能使用" in page.text
        assert kept(page)
        assert total(draft) == 0

    def test_a_name_of_a_photo_that_nobody_sent_is_no_photo(self, draft: World, visitor: FlaskClient) -> None:
        for made_up in ("../../secrets", "0" * 32, "x"):
            page = draft.get(send(draft, visitor, photo=made_up, name=f"家{made_up[:1]}").headers["Location"])
            assert "/photos/" not in page.text

    def test_a_page_of_another_site_or_an_old_one(self, draft: World, visitor: FlaskClient) -> None:
        form = filled(draft, visitor)
        foreign = post(visitor, room(draft), form, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        assert "照顾邻居" not in foreign.text
        old = post(visitor, room(draft), form | {"csrf_token": "0" * 32})
        assert old.status_code == 403
        assert kept(old)
        stranger = draft.app.test_client()
        without = post(stranger, room(draft), form)
        assert without.status_code == 403
        assert kept(without)
        assert total(draft) == 0
        again = {**fields_of(without, room(draft)), **TYPED}
        assert post(stranger, room(draft), again).status_code == 303, "what the page gave is good"

    def test_the_area_can_be_changed_and_nothing_is_lost(self, draft: World, visitor: FlaskClient) -> None:
        form = filled(draft, visitor, file=file(picture()))
        page = post(visitor, room(draft), form | {"pick": ""})
        for name in ("阳春市", "河朗镇", "河朗村委会"):
            assert "江城区" in page.text or name != "阳春市"
            button = re.search(rf'<button class="button" name="pick" value="(\d+)">{name}<', page.text)
            assert button, page.text
            page = post(visitor, room(draft), {**fields_of(page, room(draft)), "pick": button[1]})
        assert "阳春市 › 河朗镇 › 河朗村委会" in page.text
        assert kept(page)
        assert "/photos/" in page.text
        assert re.search(r'value="households" checked', page.text)
        assert re.search(r'name="consent" value="1" required checked', page.text)

    def test_too_many_from_one_address_wait_and_keep_their_text(self, draft: World, visitor: FlaskClient) -> None:
        form = filled(draft, visitor)
        for _ in range(60):  # as many as a village behind one address sends in a minute
            assert post(visitor, room(draft), form | {"csrf_token": "0"}).status_code == 403
        page = post(visitor, room(draft), form)
        assert page.status_code == 429
        assert int(page.headers["Retry-After"]) <= 60
        assert kept(page)
        other = {"REMOTE_ADDR": "192.0.2.9"}
        assert post(visitor, room(draft), form, environ_overrides=other).status_code == 303

    def test_fields_nobody_asked_for_change_nothing(self, draft: World, visitor: FlaskClient) -> None:
        place = send(draft, visitor, state="accepted", candidate_id="1", sent_by="chen", number="1", votes="9").headers
        line = draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).lines[0]
        assert (line.state, line.by_account) == ("sent", None)
        assert "待审核" in draft.get(place["Location"]).text


class TestItsPage:
    def test_an_unknown_code_is_not_there(self, draft: World, visitor: FlaskClient) -> None:
        place = send(draft, visitor).headers["Location"].partition("?")[0]
        other = new_world(draft.app).put(rules_text(), opened=False)
        call_for(other)
        code = place.rsplit("/", 1)[1]
        for path in (
            place[:-1],
            place[:-1] + "!",
            f"/c/{other.slug}/nominations/{code}",
            f"/c/nowhere/nominations/{code}",
        ):
            answer = draft.get(path)
            assert answer.status_code == 404
            assert answer.headers["Cache-Control"] == "no-store"

    def test_returned_amended_accepted(self, draft: World, visitor: FlaskClient) -> None:
        place = send(draft, visitor, file=file(picture())).headers["Location"].partition("?")[0]
        id_ = draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).lines[0].id
        draft.do(decide, ORGANIZER, draft.slug, id_, "return", 1, "请写明<年份>")
        phone = draft.app.test_client()
        page = phone.get(place)
        assert "请写明&lt;年份&gt;" in page.text
        assert 'name="telephone"' not in page.text, "the nominator is asked once"
        form = {**fields_of(page, place), **{key: TYPED[key] for key in ("place", "name", "summary")}}
        wrong = post(phone, place, {**form, "story": "字" * 5001})
        assert wrong.status_code == 422
        assert "字" * 5001 in wrong.text
        moved = post(phone, place, {**form, "story": "一九九八年起", "pick": ""})
        assert "河朗镇" not in moved.text
        assert "阳春市" in moved.text
        moved = post(phone, place, {**fields_of(moved, place), "here": TOWN})
        assert "一九九八年起" in moved.text
        assert "江城区 › 岗列街道<" in moved.text
        assert post(phone, place, {**form, "story": "一九九八年起"}).status_code == 303
        late = post(phone, place, {**form, "story": "再改一次"})
        assert late.status_code == 409
        assert "再改一次" in late.text, "what was typed is still to be read"
        draft.do(decide, ORGANIZER, draft.slug, id_, "accept", 3)
        page = draft.get(place)
        assert "已采纳" in page.text
        assert "一九九八年起" in page.text
        made = draft.campaign().candidates[-1]
        assert made.name == TYPED["name"]
        assert made.photo

    def test_amending_keeps_what_was_typed_without_a_token(self, draft: World, visitor: FlaskClient) -> None:
        place = send(draft, visitor).headers["Location"].partition("?")[0]
        id_ = draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).lines[0].id
        draft.do(decide, ORGANIZER, draft.slug, id_, "return", 1, "请补充")
        page = post(draft.app.test_client(), place, {"story": "补充的内容", "name": "王家", "seen": "2"})
        assert page.status_code == 403
        assert "补充的内容" in page.text


def test_contact_stands_in_no_answer_of_the_site(draft: World, visitor: FlaskClient) -> None:
    """Accepted and opened, no public page, no API and no export of candidates knows who nominated."""
    send(draft, visitor)
    id_ = draft.do(list_for, ORGANIZER, draft.slug, "", "", 1).lines[0].id
    draft.do(decide, ORGANIZER, draft.slug, id_, "accept", 1)
    draft.do(open_campaign, draft.slug)
    number = draft.campaign().candidates[-1].number
    paths = ("", f"/candidates/{number}", "/leaderboard", "/rules")
    pages = [draft.get(f"/c/{draft.slug}{path}") for path in paths]
    pages += [draft.get(f"{draft.api}{path}") for path in ("", "/candidates", "/leaderboard")]
    assert all(page.status_code == 200 for page in pages)
    assert TYPED["summary"] in pages[1].text
    found = "".join(page.text for page in pages) + repr(draft.campaign().candidates)
    assert "13800138000" not in found
    assert "李四" not in found


def test_without_redis_nominating_goes_on(draft: World, sqlite_url: str, tmp_path: Any) -> None:
    with application(sqlite_url, f"unix://{tmp_path / 'nobody.sock'}", tmp_path) as app:
        away = World(app, draft.slug)
        assert send(away, app.test_client()).status_code == 303


def test_plain_words(draft: World, visitor: FlaskClient) -> None:
    """English readers too: no Chinese but names, conditions and what was typed."""
    page = text_of(visitor.get(f"{room(draft)}?area={VILLAGE}&lang=en"))
    rest = re.sub(
        r"须在本地连续居住三年|十佳评选|组委会|十佳中心|百佳中心户|江城区|岗列街道|对岸村委会|中文|阳江", "", page
    )
    assert not re.search("[\u4e00-\u9fff]", rest), re.findall("[\u4e00-\u9fff]+", rest)
