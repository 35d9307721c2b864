"""The whole life of a campaign, played at the desk and on the phones of citizens: from the first account to the export.

Everybody here sits at a browser of their own in front of the real server; the only command is the one that makes the
first account. What was voted is known from the phones, and every figure at the end is compared with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from playwright.sync_api import Page, expect

from tests.browser.conftest import Phone
from tests.browser.desk import MINUTE, Desk, Look, nobody_looks
from tests.browser.desk_files import Row, mend, mistakes, photos, village_rows, with_mistakes
from tests.browser.town import Town
from tests.browser.walks import choose, enter, review, send, sending
from tests.servers import wait_until

SLUG, TITLE, AWARD = "walk-2026", "全市十佳党群服务中心评选", "十佳党群服务中心"
SEED = "2026-11-01 当众摇出 37 08 91"
ZONE = ZoneInfo("Asia/Shanghai")
VILLAGES, SEATS = 878, 10
BECAUSE = "正在核实一批异常选票"
#: numbers on the ballots of six phones: ten candidates with votes, one for each seat
BEFORE_THE_PAUSE = ((1, 2, 3), (1, 2, 4), (1, 5, 6), (1, 2, 7))
AFTER_THE_PAUSE = ((3, 8, 9), (5, 10, 1))
BALLOTS = (*BEFORE_THE_PAUSE, *AFTER_THE_PAUSE)
COMPUTER = {"viewport": {"width": 1440, "height": 900}, "accept_downloads": True}


def test_the_whole_life_of_a_campaign(phone: Phone, town: Town, tmp_path: Path) -> None:
    chen, lin = let_two_organizers_in(phone, town)
    prepare(chen)
    drawn = bring_candidates(chen, tmp_path)
    open_for_voting(chen)
    look_at_a_candidate(phone(), drawn)

    receipts = [cast(phone, numbers) for numbers in BEFORE_THE_PAUSE]
    see_on_the_watch(chen, BEFORE_THE_PAUSE)
    hold_votes_up(chen, phone)
    receipts += [cast(phone, numbers) for numbers in AFTER_THE_PAUSE]
    assert len(set(receipts)) == len(BALLOTS)

    count_twice(chen, lin)
    publish(chen, lin, phone)
    read_the_public_result(phone(), drawn)
    check_every_export(chen, drawn, tmp_path)
    see_who_did_what(chen, tmp_path)
    assert town.world(SLUG).failing() == set()


# --- the steps -----------------------------------------------------------------------------------------------------


def let_two_organizers_in(phone: Phone, town: Town, look: Look = nobody_looks) -> tuple[Desk, Desk]:
    """The administrator comes from the command line, the organizers by invitation."""
    said = town.server.run(
        *("account", "create", "wang", "--full-name", "王管理", "--role", "administrator", "--site", town.url)
    )
    assert said.returncode == 0, said.stderr
    wang = Desk(phone(**COMPUTER), look=look)
    codes = wang.accept_invitation(said.stdout.split()[-1])
    assert len(set(codes)) == 10
    wang.sign_in()
    people = []
    for name, full_name in (("chen", "陈主任"), ("lin", "林科长")):
        link = wang.invite(name, full_name, "组织者")
        someone = Desk(phone(**COMPUTER), look=look)
        someone.accept_invitation(link)
        someone.sign_in()
        people.append(someone)
    # The link was good once.
    again = phone()
    again.goto(link)
    expect(again.get_by_role("heading", name="这个邀请链接不能用了")).to_be_visible()
    return people[0], people[1]


def prepare(desk: Desk) -> None:
    """Every step of the wizard, from a preset."""
    now = datetime.now(ZONE)
    desk.begin(TITLE, SLUG, "阳江市评选组委会", "^十佳百佳")
    desk.tell_who({"活动简介": "请选出您身边最好的党群服务中心。", "咨询电话": "0662-12345", "监督电话": "0662-12388"})
    desk.set_time(f"{now - timedelta(hours=1):{MINUTE}}", f"{now + timedelta(days=9):{MINUTE}}")
    desk.keep_one_award(AWARD)
    desk.leave_as_it_is("限额", "身份和验证", "票数公布")
    desk.say_the_purpose("60", "专家评审占四成，结果先公示后公布，不作为考核依据。")
    desk.arrives(TITLE)
    lacking = desk.page.locator(".checklist .must")
    expect(lacking).to_contain_text([f"「{AWARD}」还没有候选对象", "只有 0 个候选对象"])
    desk.look(desk.page, "checklist", None)


def bring_candidates(desk: Desk, folder: Path) -> list[Row]:
    """A sheet with five mistakes, the same mended, numbers by draw, photos; the rows in the order of their numbers."""
    rows = village_rows()
    assert len(rows) == VILLAGES
    wrong, sheet = mistakes(rows), folder / "centres.xlsx"
    sheet.write_bytes(with_mistakes(rows, wrong))
    desk.send_sheet(sheet)
    desk.is_told("有 5 处错误，在 5 行里；一行也没有写入。")
    assert desk.errors() == [(str(each.row), each.column, each.said) for each in wrong]

    sent_back = folder / "sent-back.xlsx"
    with desk.page.expect_download() as waiting:
        desk.press("下载标出问题的表格", "import-errors")
    waiting.value.save_as(sent_back)
    assert mend(sent_back, rows) == 5
    desk.send_sheet(sent_back)
    desk.confirm_sheet(VILLAGES)

    desk.draw_numbers(SEED)
    drawn = sorted(rows, key=lambda row: sha256(f"{SEED}:{row[0]}".encode()).hexdigest())
    pictured = list(range(1, SEATS + 3))
    package = folder / "photos.zip"
    package.write_bytes(photos(pictured, ("说明.txt", "9999.png")))
    desk.send_photos(package, len(pictured))
    expect(desk.page.locator(".tally-wrong dd")).to_have_text("2")
    return drawn


def open_for_voting(desk: Desk) -> None:
    desk.to_campaign()
    desk.is_told("必需的内容都齐了，可以开始投票。")
    desk.act("开放投票", "规则已冻结，票箱已建立。")
    desk.page.goto(f"/organizer/campaigns/{SLUG}/edit/texts")
    desk.arrives("活动已经开始，规则和文字不能再直接修改。")


def look_at_a_candidate(page: Page, drawn: list[Row]) -> None:
    """What was brought along is what citizens see: name, story with its emphasis, and the photo as it loads."""
    page.goto(f"/c/{SLUG}/candidates/3")
    expect(page.get_by_role("heading", level=1)).to_contain_text(drawn[2][1])
    expect(page.locator("main strong", has_text="便民")).to_be_visible()
    photo = page.locator("main img[src^='/photos/']").first
    wait_until(lambda: int(photo.evaluate("img => img.complete ? img.naturalWidth : 0")) > 0, "the photo loads", 10)


def choose_by_number(page: Page, numbers: Sequence[int]) -> None:
    """Find each by its number among all of them, as somebody does who was told a number."""
    enter(page, SLUG)
    for number in numbers:
        page.locator("#q").fill(str(number))
        page.locator("#q").press("Enter")
        page.wait_for_url(f"**q={number}&**")
        choose(page, number)
    review(page)
    expect(page.locator(".chosen li")).to_have_count(len(numbers))


def front_page(page: Page) -> str:
    """What the campaign's own page says now."""
    enter(page, SLUG)
    return page.locator("main").inner_text()


def cast(phone: Phone, numbers: Sequence[int]) -> str:
    """A citizen with a phone of their own votes; the receipt code."""
    page = phone()
    choose_by_number(page, numbers)
    return send(page)


def see_on_the_watch(desk: Desk, ballots: Sequence[Sequence[int]]) -> None:
    """The figures of the watch, brought up to date by its own script, and its audit."""
    page = desk.watch()
    for name, figure in (("accepted", len(ballots)), ("recorded", len(ballots)), ("waiting", 0)):
        expect(page.locator(f"[data-total={name}]")).to_have_text(str(figure), timeout=20_000)
    expect(page.locator("[data-total=votes]")).to_have_text(str(sum(map(len, ballots))))
    desk.look(page, "watch", None)
    desk.press("现在核对")
    expect(page.locator(".checks .chip")).to_have_text(["相符"] * 7)


def hold_votes_up(desk: Desk, phone: Phone) -> None:
    """Paused with a reason that citizens read, also who has chosen already; then resumed, and they can send."""
    page = phone()
    choose_by_number(page, (11, 12))
    desk.act("暂停投票", f"市民看到的理由：{BECAUSE}", {"公开的理由": BECAUSE})
    sending(page).click()
    expect(page.locator("main")).to_contain_text(BECAUSE)
    other = phone()
    wait_until(lambda: BECAUSE in front_page(other), "citizens are told", 10)
    desk.look(other, "citizen-paused", None)
    desk.act("恢复投票", "已恢复投票。")
    wait_until(lambda: BECAUSE not in front_page(other), "citizens may vote again", 10)


def count_twice(desk: Desk, other: Desk) -> None:
    """Closed early by two people, counted, and counted again: two versions that say the same."""
    desk.act("申请提前截止", "已提出提前截止申请，请另一位组织者确认。投票照常进行。", {"公开的理由": "投票已经结束"})
    expect(desk.found("确认提前截止…")).to_have_count(0)
    other.slug = SLUG
    other.act("确认提前截止", "已清点，初步结果第 1 版。")
    desk.act("重新清点", "已清点，初步结果第 2 版。")
    desk.press("结果")
    desk.is_told("台账与即时统计完全一致。")
    expect(desk.page.locator("tr.won")).to_have_count(SEATS)
    desk.look(desk.page, "results", None)


def publish(asking: Desk, confirming: Desk, phone: Phone) -> None:
    """One asks, and cannot confirm; another one confirms. Until then citizens read that it is not final."""
    asking.act("申请公布结果", "已提出公布申请，请另一位组织者确认。")
    expect(asking.found("确认公布结果…")).to_have_count(0)
    page = phone()
    page.goto(f"/c/{SLUG}/result")
    expect(page.locator("main")).to_contain_text("这是初步结果，现予公示，不是最终结果。")
    asking.look(page, "citizen-announcement", None)
    confirming.act("确认公布结果", "结果已公布。")


def read_the_public_result(page: Page, drawn: list[Row]) -> None:
    """The ten with their votes, best first, as anybody reads it."""
    wait_until(
        lambda: page.goto(f"/c/{SLUG}/result") is not None and "不是最终结果" not in page.locator("main").inner_text(),
        "the result is published",
        10,
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("评选结果")
    ranks, votes, shown = ranking(tally()), tally(), []
    for row in page.locator(".honour tbody tr").all():
        rank, name, count = row.locator("td").all_inner_texts()
        number = int(re.findall(r"(\d+) 号", name)[0])
        assert name.startswith(drawn[number - 1][1])
        assert (rank.split()[0], count) == (str(ranks[number][0]), str(votes[number]))
        assert ("并列" in rank) == ranks[number][1]
        shown.append(number)
    assert sorted(shown) == sorted(votes)
    assert [votes[number] for number in shown] == sorted(votes.values(), reverse=True)


# --- what was voted, and what the files say ---------------------------------------------------------------------------


def tally() -> Counter[int]:
    """Votes by number, from what was put into the phones."""
    return Counter(number for ballot in BALLOTS for number in ballot)


def ranking(votes: Counter[int]) -> dict[int, tuple[int, bool]]:
    """Rank and whether it is shared, for everybody who stands: as in sport, 1, 2, 2, 4."""
    everybody = {number: votes[number] for number in range(1, VILLAGES + 1)}
    shared = Counter(everybody.values())
    return {
        number: (1 + sum(other > mine for other in everybody.values()), shared[mine] > 1)
        for number, mine in everybody.items()
    }


def table(desk: Desk, what: str, folder: Path) -> list[list[Any]]:
    """An export as a spreadsheet program shows it: all cells, empty ones as "", and none is a formula."""
    file = desk.export(what)
    path = folder / file.suggested_filename
    file.save_as(path)
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    return [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]


def check_every_export(desk: Desk, drawn: list[Row], folder: Path) -> None:
    head, *lines = table(desk, "候选对象", folder)
    assert head[:5] == ["奖项", "类别", "编号", "代码", "名称"]
    assert len(lines) == VILLAGES
    for number, (line, row) in enumerate(zip(lines, drawn, strict=True), 1):
        code, name, area, summary, story = row
        assert line[:5] == [AWARD, "", number, code, name]
        assert line[8:] == [area, "参选", summary, story]

    head, *lines = table(desk, "名次", folder)
    assert head[1:4] + head[5:] == ["名次", "编号", "名称", "票数", "并列", "结果", "依据"]
    ranks, votes = ranking(tally()), tally()
    assert {line[2]: (line[3], *line[1:2], *line[5:]) for line in lines} == {
        number: (
            *(drawn[number - 1][1], ranks[number][0], votes[number], "并列" if ranks[number][1] else ""),
            *("入选" if votes[number] else "未入选", "清点第 2 版"),
        )
        for number in range(1, VILLAGES + 1)
    }
    assert [line[1] for line in lines] == sorted(line[1] for line in lines)

    head, *lines = table(desk, "选票（不含身份）", folder)
    assert head == ["日期", "有效", "作废理由", AWARD]
    assert Counter(line[3] for line in lines) == Counter("、".join(map(str, sorted(ballot))) for ballot in BALLOTS)
    today = datetime.now(ZONE).date()
    assert {line[0] for line in lines} <= {f"{today}", f"{today - timedelta(days=1)}"}
    assert {(line[1], line[2]) for line in lines} == {("有效", "")}


def see_who_did_what(desk: Desk, folder: Path) -> None:
    """The trail of the campaign, oldest first: every press of a button with the name of whoever pressed it."""
    _, *lines = table(desk, "操作记录", folder)
    did = [(actor, act) for _, _, actor, act, *_ in lines]
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)
    for order in (
        [("chen", "新建活动"), ("chen", "导入候选对象"), ("chen", "重新编号"), ("chen", "开始投票")],
        [("chen", "暂停投票"), ("chen", "恢复投票"), ("chen", "申请提前截止")],
        [("chen", "申请提前截止"), ("lin", "截止并封箱"), ("lin", "清点")],
        [
            ("chen", "清点"),
            ("chen", "申请公布结果"),
            ("lin", "公布结果"),
            ("chen", "导出候选对象"),
            ("chen", "导出选票"),
        ],
    ):
        rest = iter(did)
        assert all(each in rest for each in order), did
