"""Candidates at the desk, as browsers meet them: list, editing, import, photos, numbers, and who sees what."""

from __future__ import annotations

import io
import random
import re
import time
from typing import Any

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from tests.spreadsheets import HEADER, bomb, cells, xlsx, zipped
from tests.storage.rows import COMMUNITY, VILLAGE
from tests.web.desk import Person, token_in
from tests.world import World, new_world, rules_text
from voting.services import uploads
from voting.services.campaigns import open_campaign
from voting.services.trail import check_trail, list_entries

PAGE = "/organizer/account"


@pytest.fixture
def draft(lite_app: Any) -> World:
    return new_world(lite_app).put(rules_text(), opened=False)


@pytest.fixture
def organizer(draft: World) -> Person:
    return Person(draft.app, "organizer").signed_in()


def home(world: World) -> str:
    return f"/organizer/campaigns/{world.slug}/candidates"


def page_of(world: World, code: str) -> str:
    return f"{home(world)}/{world.ids(code)[0]}"


def seen_in(page: TestResponse) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def picture(size: tuple[int, int] = (64, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "PNG")
    return out.getvalue()


def send(person: Person, path: str, name: str, content: bytes, field: str = "file", **others: str) -> TestResponse:
    data = {"csrf_token": token_in(person.get(PAGE)), field: (io.BytesIO(content), name), **others}
    answer = person.client.post(path, data=data, content_type="multipart/form-data")
    # A large body lies in a file that the client of the tests leaves open.
    answer.request.environ["wsgi.input"].close()
    return answer


class TestTheList:
    def test_it_finds_by_name_award_and_area(self, draft: World, organizer: Person) -> None:
        everything = organizer.get(home(draft)).text
        assert everything.count("</td></tr>") == 13
        assert "已退出" in everything
        assert organizer.get(f"{home(draft)}?award=centres").text.count("</td></tr>") == 5
        assert organizer.get(f"{home(draft)}?award=households&q=候选h3").text.count("</td></tr>") == 1
        for nonsense in ("award=none", "area=x", "page=-1", "page=x", "q=" + "x" * 100):
            assert organizer.get(f"{home(draft)}?{nonsense}").status_code == 200

    def test_a_script_in_a_name_stays_a_name(self, draft: World, organizer: Person) -> None:
        page = organizer.get(page_of(draft, "c1"))
        sent = {"seen": seen_in(page), "name": "<script>x</script>", "story": "<img src=x onerror=y>**好**"}
        assert organizer.post(page_of(draft, "c1") + "/edit", sent).status_code == 303
        for path in (home(draft), page_of(draft, "c1")):
            assert "<script>x" not in organizer.get(path).text
            assert "&lt;script&gt;x" in organizer.get(path).text

    def test_a_reviewer_sees_their_own_area_and_nothing_else(self, draft: World) -> None:
        inside = {VILLAGE: "c1", COMMUNITY: "c2"}
        for area, code in inside.items():
            reviewer = Person(draft.app, "reviewer", area=area[:9]).signed_in()
            other = next(each for where, each in inside.items() if where != area)
            same_town = VILLAGE[:9] == COMMUNITY[:9]
            found = reviewer.get(f"{home(draft)}?area={inside and ''}").text
            assert f"候选{code}<" in found
            assert (f"候选{other}<" in found) == same_town
            assert reviewer.get(page_of(draft, code)).status_code == 200
            assert reviewer.get(page_of(draft, other)).status_code == (200 if same_town else 404)
        elsewhere = Person(draft.app, "reviewer", area="441781").signed_in()
        for path in ("", "?area=4417", "?area=441702", "?q=c1"):
            assert "</td></tr>" not in elsewhere.get(home(draft) + path).text
        assert elsewhere.get(page_of(draft, "c1")).status_code == 404
        assert 'name="reason"' not in elsewhere.get(home(draft)).text

    def test_a_candidate_of_another_campaign_is_not_there(self, draft: World, organizer: Person) -> None:
        other = new_world(draft.app).put(rules_text(), opened=False)
        foreign = f"{home(other)}/{draft.ids('c1')[0]}"
        assert organizer.get(foreign).status_code == 404
        for act in ("edit", "standing", "photo"):
            assert organizer.post(f"{foreign}/{act}", {"reason": "x", "remove": "1"}).status_code == 404
        assert organizer.get(f"{home(draft)}/999999").status_code == 404


class TestEditing:
    def test_two_organizers_and_nothing_is_lost(self, draft: World, organizer: Person) -> None:
        other = Person(draft.app, "organizer").signed_in()
        path = page_of(draft, "c1")
        mine, theirs = seen_in(organizer.get(path)), seen_in(other.get(path))
        assert other.post(f"{path}/edit", {"seen": theirs, "summary": "别人的简介"}).status_code == 303
        answer = organizer.post(f"{path}/edit", {"seen": mine, "summary": "我的 <简介>", "story": "我的事迹"})
        assert answer.status_code == 409
        assert "这期间有别人改动过" in answer.text
        assert "我的 &lt;简介&gt;" in answer.text
        assert "别人的简介" in answer.text
        again = organizer.post(f"{path}/edit", {"seen": seen_in(answer), "summary": "我的 <简介>", "story": "我的事迹"})
        assert again.status_code == 303
        with draft.app.app_context():
            entries = list_entries(act="candidate.edit")
            assert [(entry.actor, entry.after["summary"]) for entry in entries] == [
                (organizer.name, "我的 <简介>"),
                (other.name, "别人的简介"),
            ]
            assert entries[0].before["summary"] == "别人的简介"
            assert check_trail() == []

    def test_ten_thousand_characters_come_back(self, draft: World, organizer: Person) -> None:
        path, long = page_of(draft, "c1"), "字" * 10_000
        answer = organizer.post(f"{path}/edit", {"seen": seen_in(organizer.get(path)), "story": long, "name": ""})
        assert answer.status_code == 422
        assert long in answer.text
        assert "最多 5000 个字" in answer.text
        assert "请填写这一项" in answer.text

    def test_the_preview_saves_nothing(self, draft: World, organizer: Person) -> None:
        path, version = page_of(draft, "c1"), draft.campaign().version
        answer = organizer.post(f"{path}/edit", {"seen": "x", "preview": "1", "story": "**好**<script>x</script>"})
        assert "<strong>好</strong>" in answer.text
        assert "<script>x" not in answer.text
        assert draft.campaign().version == version

    def test_once_voting_was_opened_only_texts_and_photo(self, draft: World, organizer: Person) -> None:
        draft.do(open_campaign, draft.slug)
        before = draft.dump()
        path = page_of(draft, "c1")
        page = organizer.get(path)
        assert 'name="number"' not in page.text
        assert "不能在这里直接操作" in page.text
        assert organizer.post(f"{path}/edit", {"seen": seen_in(page), "story": "新事迹"}).status_code == 303
        seen = seen_in(organizer.get(path))
        for field in ("name", "number", "area_code", "group_key"):
            answer = organizer.post(f"{path}/edit", {"seen": seen, field: "77"})
            assert answer.status_code == 409, field
        organizer.post(f"{path}/edit", {"seen": seen, "award": "households", "standing": "withdrawn", "id": "1"})
        for act in ("withdraw", "disqualify", "return"):
            assert organizer.post(f"{path}/standing", {"act": act, "reason": "x"}).status_code == 409
        numbers = {"award": "centres", "method": "draw", "first": "1", "seen": str(draft.campaign().version)}
        assert organizer.post(f"{home(draft)}/numbers", numbers).status_code == 409
        assert send(organizer, f"{home(draft)}/import", "a.xlsx", xlsx([]), award="centres").status_code == 409
        kept = [(c.code, c.number, c.award, c.group_key, c.standing, c.area_code) for c in draft.campaign().candidates]
        assert kept[0][:3] == ("c1", 1, "centres")
        assert draft.dump() == before

    def test_off_the_list_with_a_reason(self, draft: World, organizer: Person) -> None:
        path = page_of(draft, "c1")
        assert organizer.post(f"{path}/standing", {"act": "withdraw", "reason": " "}).status_code == 422
        assert organizer.post(f"{path}/standing", {"act": "disqualify", "reason": "材料不实"}).status_code == 303
        assert "已取消资格：材料不实" in organizer.get(path).text
        assert organizer.post(f"{path}/standing", {"act": "return"}).status_code == 303

    def test_a_photo(self, draft: World, organizer: Person) -> None:
        path = page_of(draft, "c1")
        assert send(organizer, f"{path}/photo", "a.png", picture(), "photo").status_code == 303
        assert "/640.webp" in organizer.get(path).text
        for content in (b"", b"<svg/>", picture((30_000, 1000)), b"x" * 6_000_000):
            assert send(organizer, f"{path}/photo", "a.png", content, "photo").status_code == 422
        assert "/640.webp" in organizer.get(path).text
        seen = re.search(r"/photos/([0-9a-f]{32})/640", organizer.get(path).text)
        assert seen
        assert organizer.post(f"{path}/photo", {"remove": "1", "seen": seen[1]}).status_code == 303
        assert "/640.webp" not in organizer.get(path).text


def upload(person: Person, world: World, content: bytes, name: str = "表.xlsx", award: str = "centres") -> str:
    """Where the preview is."""
    answer = send(person, f"{home(world)}/import", name, content, award=award)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


class TestImport:
    ROWS = (["c1", "新名", VILLAGE, "", "", "简介", "事迹"], ["n1", "新来", 441702008205.0, 50.0, "", "", ""])

    def test_upload_look_confirm(self, draft: World, organizer: Person) -> None:
        place = upload(organizer, draft, xlsx([["c1", "候选c1", VILLAGE, "", "", "简介", "事迹"], *self.ROWS[1:]]))
        preview = organizer.get(place)
        assert "没有发现错误" in preview.text
        assert "441702008205" in preview.text
        assert [one.code for one in draft.campaign().candidates if one.code == "n1"] == []
        done = organizer.post(place, {"seen": seen_in(preview)})
        assert done.status_code == 303
        assert "2 行全部写入" in organizer.get(place).text
        assert next(one for one in draft.campaign().candidates if one.code == "n1").number == 50
        # A second press, and a look at the waiting files: nothing is done twice, nothing is left.
        organizer.post(place, {"seen": seen_in(preview)})
        with draft.app.app_context():
            (entry,) = list_entries(act="candidates.import", actor=organizer.name)
            assert entry.after == {"added": 1, "changed": 0, "rows": 2, "new_codes": ["n1"], "new_numbers": "50"}
            assert not list(uploads.uploads_folder().rglob("file"))

    @pytest.mark.parametrize("kind", ["utf-8", "gbk"])
    def test_csv_files(self, draft: World, organizer: Person, kind: str) -> None:
        text = ",".join(HEADER) + "\nn1,新来的,,,,,\n"
        place = upload(organizer, draft, text.encode(kind), "a.csv")
        organizer.post(place, {"seen": seen_in(organizer.get(place))})
        assert any(one.code == "n1" for one in draft.campaign().candidates)

    def test_problems_are_told_downloaded_mended_and_imported(self, draft: World, organizer: Person) -> None:
        rows = [list(row) for row in self.ROWS]
        rows[0][1] = ""
        rows[1][2] = 999.0
        place = upload(organizer, draft, xlsx(rows))
        page = organizer.get(place)
        assert "有 2 处错误" in page.text
        assert 'name="seen"' not in page.text, "there is nothing to confirm"
        version = draft.campaign().version
        organizer.post(place, {"seen": str(version)})
        assert draft.campaign().version == version, "all or nothing"
        sent_back = organizer.get(f"{place}/problems.xlsx")
        assert sent_back.headers["Content-Disposition"].startswith("attachment")
        table = cells(sent_back.data)
        assert "不能为空" in table[1][0]
        assert "没有这个区划代码：999" in table[2][0]
        table[1][2], table[2][3] = "新名", VILLAGE
        place = upload(organizer, draft, xlsx(table[1:], header=table[0]))
        organizer.post(place, {"seen": seen_in(organizer.get(place))})
        names = {one.code: one.name for one in draft.campaign().candidates}
        assert (names["c1"], names["n1"]) == ("新名", "新来")

    def test_whoever_confirms_second_is_told_and_may_go_on(self, draft: World, organizer: Person) -> None:
        place = upload(organizer, draft, xlsx(self.ROWS))
        seen = seen_in(organizer.get(place))
        other = Person(draft.app, "organizer").signed_in()
        path = page_of(draft, "c2")
        other.post(f"{path}/edit", {"seen": seen_in(other.get(path)), "name": "改过"})
        organizer.post(place, {"seen": seen})
        page = organizer.get(place)
        assert "这期间候选对象被改动过" in page.text
        organizer.post(place, {"seen": seen_in(page)})
        assert "2 行全部写入" in organizer.get(place).text

    def test_a_waiting_file_is_its_senders_and_this_campaigns(self, draft: World, organizer: Person) -> None:
        place = upload(organizer, draft, xlsx(self.ROWS))
        token = place.rsplit("/", 1)[1]
        other = Person(draft.app, "organizer").signed_in()
        elsewhere = new_world(draft.app).put(rules_text(), opened=False)
        for person, path in (
            (other, place),
            (organizer, f"{home(elsewhere)}/import/{token}"),
            (organizer, f"{home(draft)}/photos/{token}"),
            (organizer, f"{home(draft)}/import/..%2f{token}"),
            (organizer, f"{home(draft)}/import/{'A' * 32}"),
        ):
            assert person.get(path).status_code == 404
            assert person.post(path, {"seen": "1"}).status_code in (404, 405)
        assert organizer.post(f"{place}/drop").status_code == 303
        assert organizer.get(place).status_code == 404

    def test_old_files_are_removed(self, draft: World, organizer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        place = upload(organizer, draft, xlsx(self.ROWS))
        monkeypatch.setattr(uploads, "KEPT_S", -1)
        upload(organizer, draft, xlsx(self.ROWS))
        assert organizer.get(place).status_code == 404

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"%PDF-1.7 " + b"x" * 100, "不是表格文件"),
            (bomb(500_000_000), "解压后太大"),
            (xlsx([], header=("姓名",)), "缺少这一列"),
        ],
        ids=["pdf", "bomb", "other-table"],
    )
    def test_files_that_mean_no_good(self, draft: World, organizer: Person, content: bytes, says: str) -> None:
        place = upload(organizer, draft, content)
        assert says in organizer.get(place).text
        assert organizer.get(f"{place}/problems.xlsx").status_code in (200, 404)

    def test_files_that_are_too_large_are_refused_in_words(self, draft: World, organizer: Person) -> None:
        answer = send(organizer, f"{home(draft)}/import", "a.xlsx", b"x" * 50_000_000, award="centres")
        assert answer.status_code == 422
        assert "文件超过 32 MB" in answer.text
        with draft.app.app_context():
            assert not list(uploads.uploads_folder().iterdir())
        nothing = organizer.post(f"{home(draft)}/import", {"award": "centres"})
        assert "还没有选择文件" in nothing.text

    def test_a_file_of_any_bytes_passes_the_parser(self, draft: World, organizer: Person) -> None:
        """Line ends at the seams of what the parser takes at a time were once too much for it."""
        content = random.Random(4).randbytes(3_000_000).replace(b"P", b"\r").replace(b"K", b"\n")
        assert "文件" in organizer.get(upload(organizer, draft, b"%PDF" + content)).text

    def test_large_bodies_are_not_read_for_strangers(self, draft: World) -> None:
        answer = draft.app.test_client().post(f"{home(draft)}/import", data={"file": (io.BytesIO(b"x" * 10**5), "a")})
        assert answer.status_code == 403
        assert "选好的文件要重新选择" in answer.text

    def test_the_template_can_be_filled_in_and_sent(self, draft: World, organizer: Person) -> None:
        content = organizer.get(f"{home(draft)}/import/template.xlsx").data
        assert cells(content)[0] == list(HEADER)
        assert [row[0] for row in cells(content, 1)][:8] == ["列", *HEADER]
        assert VILLAGE in {row[0] for row in cells(content, 2)}
        assert "没有内容" not in organizer.get(upload(organizer, draft, content)).text


class TestPhotos:
    def test_upload_look_confirm(self, draft: World, organizer: Person) -> None:
        content = zipped(("001.png", picture()), ("2 王家.png", picture()), ("x.png", picture()), ("3.png", b"x"))
        answer = send(organizer, f"{home(draft)}/photos", "a.zip", content)
        place = answer.headers["Location"]
        preview = organizer.get(place)
        assert "文件名不是以编号开头" in preview.text
        assert "保存 2 张照片" in preview.text
        organizer.post(place, {"seen": seen_in(preview)})
        for _ in range(40):
            page = organizer.get(place)
            if "Refresh" not in page.headers:
                break
            time.sleep(0.1)
        assert "照片已换好" in page.text
        assert [bool(draft.campaign().by_number[number].photo) for number in (1, 2, 3)] == [True, True, False]
        with draft.app.app_context():
            assert [each.actor for each in list_entries(act="candidate.photo")] == [organizer.name] * 2

    def test_no_zip(self, draft: World, organizer: Person) -> None:
        assert "不是 zip 压缩包" in send(organizer, f"{home(draft)}/photos", "a.zip", b"x").text


class TestNumbers:
    def test_a_draw_with_its_seed(self, draft: World, organizer: Person) -> None:
        page = organizer.get(f"{home(draft)}/numbers")
        form = {"award": "centres", "method": "draw", "first": "101", "seed": "摇出 7 3 9", "seen": seen_in(page)}
        assert organizer.post(f"{home(draft)}/numbers", form).status_code == 303
        assert sorted(one.number for one in draft.campaign().candidates if one.award == "centres") == [*range(101, 106)]
        assert "摇出 7 3 9" in organizer.get(f"{home(draft)}/numbers").text
        second = organizer.post(f"{home(draft)}/numbers", form)
        assert second.status_code == 409
        assert "这期间有别人改动过" in second.text
        for wrong in ({"first": "0"}, {"first": "x"}, {"method": "votes"}, {"award": "none"}, {"seed": "x" * 101}):
            assert organizer.post(f"{home(draft)}/numbers", form | wrong).status_code == 422
