"""The steps of the people at the organizers' desk, in the words of its pages, as docs/organizers.zh-CN.md tells them.

``Desk`` is one of them at a computer. ``benchmarks/guide_pictures.py`` looks over their shoulder: before something is
pressed, ``look`` is called with the name of a picture and what is about to be pressed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
from playwright.sync_api import Download, Locator, Page, expect

from tests.servers import wait_until

PASSWORD = "漠阳江畔 绿水青山 2026"
#: as ``datetime-local`` fields are filled in
MINUTE = "%Y-%m-%dT%H:%M"
LONG_MS = 30_000
STEP_S = 30
#: what pictures of the stages are called
STAGES = {
    "开放投票": "open",
    "暂停投票": "pause",
    "恢复投票": "resume",
    "申请提前截止": "ask-close",
    "确认提前截止": "close",
    "重新清点": "count",
    "申请公布结果": "ask",
    "确认公布结果": "confirm",
}

Look = Callable[[Page, str, Locator | None], None]


def nobody_looks(page: Page, name: str, pressed: Locator | None) -> None:
    """Without pictures."""


class Digits:
    """The telephone that shows six digits. The desk takes each only once, so the next ones are waited for."""

    def __init__(self, secret: str) -> None:
        self._totp, self._last = pyotp.TOTP(secret), 0

    def __call__(self) -> str:
        step = max(int(time.time()) // STEP_S, self._last + 1)
        # A phone's clock may be half a minute ahead, and the desk allows for it.
        wait_until(lambda: int(time.time()) // STEP_S + 1 >= step, "the telephone shows the next digits", 2 * STEP_S)
        self._last = step
        return self._totp.at(step * STEP_S)


@dataclass
class Desk:
    """Somebody at the desk. ``slug`` is the campaign they work on."""

    page: Page
    slug: str = ""
    look: Look = nobody_looks
    name: str = ""
    digits: Digits | None = field(default=None, repr=False)

    # --- pressing --------------------------------------------------------------------------------------------------

    def found(self, words: str) -> Locator:
        """A button or a link by its whole words."""
        button = self.page.get_by_role("button", name=words, exact=True)
        return button.or_(self.page.get_by_role("link", name=words, exact=True)).first

    def press(self, words: str, picture: str = "") -> None:
        pressed = self.found(words)
        if picture:
            self.look(self.page, picture, pressed)
        pressed.click()

    def fill(self, fields: Mapping[str, str]) -> None:
        """Fields by their labels."""
        for label, text in fields.items():
            self.page.get_by_label(label, exact=True).fill(text)

    def arrives(self, heading: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=LONG_MS)

    def is_told(self, words: str | re.Pattern[str]) -> None:
        """A message on the page, whatever its colour."""
        expect(self.page.locator(".notice").filter(has_text=words).first).to_be_visible(timeout=LONG_MS)

    # --- accounts --------------------------------------------------------------------------------------------------

    def accept_invitation(self, link: str, password: str = PASSWORD) -> list[str]:
        """Password and telephone, with the link that was sent; the codes for the drawer."""
        self.page.goto(link)
        self.arrives("启用账号")
        self.digits = Digits(self.page.locator(".set-up code").inner_text())
        self.name = self.page.locator("main p").first.inner_text().rsplit("是 ", 1)[1].removesuffix("。")
        self.look(self.page, "invitation", None)
        self.fill({"新密码": password, "再输入一次": password, "动态验证码": self.digits()})
        self.press("启用账号")
        self.arrives("账号已启用，请抄下备用码")
        codes = self.page.locator(".codes li").all_inner_texts()
        self.press("抄好了，去登录", "recovery-codes")
        return codes

    def sign_in(self, password: str = PASSWORD) -> None:
        assert self.digits is not None
        self.page.goto("/organizer/")
        self.arrives("登录")
        self.fill({"账号": self.name, "密码": password, "动态验证码": self.digits()})
        self.press("登录", "sign-in")
        self.arrives("活动")

    def invite(self, name: str, full_name: str, role: str) -> str:
        """An account for somebody else, as an administrator; the link to hand over."""
        self.press("账号")
        self.arrives("账号")
        self.fill({"账号": name, "姓名": full_name})
        self.page.get_by_label(role, exact=True).check()
        self.press("新建账号", "new-account")
        self.is_told("邀请链接，只显示这一次")
        self.look(self.page, "invitation-link", self.page.locator("code.copyable"))
        return self.page.locator("code.copyable").inner_text()

    # --- preparing -------------------------------------------------------------------------------------------------

    def begin(self, title: str, slug: str, organizer: str, preset: str) -> None:
        """A new campaign from a rule set."""
        self.press("活动")
        self.press("新建活动", "home")
        self.arrives("新建活动")
        self.fill({"活动名称": title, "网址中的名称": slug, "主办单位": organizer})
        self.page.get_by_role("radio", name=re.compile(preset)).check()
        self.look(self.page, "new-campaign", self.found("新建并继续"))
        self.press("新建并继续")
        self.slug = slug

    def tell_who(self, texts: Mapping[str, str]) -> None:
        """The first step of the wizard."""
        self.arrives("名称和联系方式")
        self.fill(texts)
        self.press("保存并继续", "step-texts")

    def set_time(self, opens: str, closes: str) -> None:
        self.arrives("时间")
        self.fill({"开始时间": opens, "截止时间": closes})
        self.press("保存并继续", "step-time")

    def keep_one_award(self, name: str) -> None:
        """Only the first award of the rule set, under a name of our own."""
        self.arrives("奖项和选票")
        self.press("删除奖项 2", "step-awards")
        expect(self.page.get_by_label("评选几个", exact=True)).to_have_count(1)
        self.fill({"名称": name, "整张选票最多选几个": "3"})
        self.press("保存并继续")

    def leave_as_it_is(self, *steps: str) -> None:
        """Steps that the rule set has right already."""
        for step in steps:
            self.arrives(step)
            self.press("保存并继续", "step-quotas" if step == "限额" else "")

    def say_the_purpose(self, percent: str, words: str) -> None:
        self.arrives("作用和占比")
        self.fill({"网络投票占评选结果的百分之几": percent, "结果怎样使用，其余部分由什么决定": words})
        self.press("保存并继续", "step-purpose")

    # --- candidates ------------------------------------------------------------------------------------------------

    def to_campaign(self) -> None:
        self.page.goto(f"/organizer/campaigns/{self.slug}")

    def to_candidates(self) -> None:
        self.to_campaign()
        self.page.get_by_role("link", name=re.compile("^候选对象")).last.click()
        self.arrives("候选对象")

    def upload(self, file: Path, picture: str = "") -> None:
        """Any file, into the form that is open."""
        self.page.locator("input[type=file]").set_input_files(file)
        self.press("上传并检查", picture)

    def send_sheet(self, file: Path) -> None:
        self.to_candidates()
        self.page.get_by_role("link", name="导入表格", exact=True).first.click()
        self.arrives("导入表格")
        self.upload(file, "import")
        self.arrives("检查结果")

    def errors(self) -> list[tuple[str, str, str]]:
        """What is wrong with a sheet: row, column, sentence."""
        rows = self.page.get_by_role("region", name="错误").locator("tbody tr").all()
        return [(row, column, said) for row, column, said in (each.locator("td").all_inner_texts() for each in rows)]

    def confirm_sheet(self, rows: int) -> None:
        self.press(f"确认导入 {rows} 行", "import-confirm")
        self.arrives("导入完成")
        self.is_told(f"{rows} 行全部写入")

    def draw_numbers(self, seed: str) -> None:
        self.to_candidates()
        self.press("编号")
        self.page.get_by_label("抽签", exact=True).check()
        self.fill({"抽签种子": seed})
        self.press("给这个奖项重新编号", "numbers")
        self.is_told("编号完成")

    def send_photos(self, file: Path, fitting: int) -> None:
        self.to_candidates()
        self.press("批量照片")
        self.upload(file)
        self.arrives("哪张照片属于谁")
        self.press(f"保存 {fitting} 张照片", "photos")
        self.arrives("照片已换好")

    # --- stages ----------------------------------------------------------------------------------------------------

    def act(self, words: str, told: str, fields: Mapping[str, str] | None = None) -> None:
        """Press a button of the stages, read what will happen, press again."""
        self.page.goto(f"/organizer/campaigns/{self.slug}/stages")
        self.press(f"{words}…")
        self.fill(fields or {})
        self.press(words, f"confirm-{STAGES[words]}")
        self.is_told(told)
        self.look(self.page, f"after-{STAGES[words]}", None)

    def watch(self) -> Page:
        self.page.goto(f"/organizer/campaigns/{self.slug}/stages")
        self.press("监看")
        return self.page

    def export(self, what: str, form: str = "Excel") -> Download:
        """A file, as the browser saves it."""
        self.page.goto(f"/organizer/campaigns/{self.slug}/exports")
        with self.page.expect_download() as waiting:
            self.press(f"{form} {what}", "exports" if what == "名次" else "")
        return waiting.value
