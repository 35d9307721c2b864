"""Every page there is, with an address at which it can be looked at. Shared by the checks that want all of them.

``test_every_page_is_listed`` fails when the application has a page that is not here.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.town import DEMO, Town
from tests.nominators import ORGANIZER, given, id_of, send
from tests.storage.rows import VILLAGE
from voting.rules.roles import Holder, check_roles
from voting.services import accounts, desk_sessions
from voting.services.nominating import send_for_area
from voting.services.nomination_review import decide


@dataclass(frozen=True, slots=True)
class Stop:
    """One page. ``rule`` is its address as the application spells it."""

    name: str
    title: str
    path: str
    rule: str
    status: int = 200

    @property
    def is_screen(self) -> bool:
        return self.rule.startswith("/screen")

    @property
    def is_desk(self) -> bool:
        """The organizers' desk; its pages have one size of type, their own."""
        return self.rule.startswith(DESK)

    @property
    def needs_session(self) -> bool:
        return self.is_desk and not self.rule.endswith(("/sign-in", "/<token>"))


CAMPAIGN = "/c/<slug>"
DESK = "/organizer"
AT_DESK = f"{DESK}/campaigns/<slug>"
DRAFT = f"{DESK}/campaigns/draft"
NOMINATE = "/c/draft/nominate"
FOR_REVIEWERS = (f"{AT_DESK}/nominations/new", f"{AT_DESK}/nominations/<int:nomination_id>/amend")
ADMINISTRATORS = (f"{DESK}/accounts", f"{DESK}/trail/check")
ACT = "<any(open, pause, resume, close, count, ask, confirm, withdraw, ask_close, confirm_close, withdraw_close):act>"
STEP = "<any(texts, time, awards, quotas, identity, display, purpose):step>"
AWAY = "<any(wechat, oidc):provider>"
STOPS = (
    Stop("home", "全部活动", "/", "/"),
    Stop("campaign", "活动首页：看候选对象，选择", f"/c/{DEMO}", CAMPAIGN),
    Stop("households", "另一个奖项", f"/c/{DEMO}?award=households", CAMPAIGN),
    Stop("nothing-found", "没有找到", f"/c/{DEMO}?q=没有这个名字", CAMPAIGN),
    Stop("candidate", "候选对象", f"/c/{DEMO}/candidates/3", f"{CAMPAIGN}/candidates/<int:number>"),
    Stop("poster", "海报", f"/c/{DEMO}/candidates/3/poster", f"{CAMPAIGN}/candidates/<int:number>/poster"),
    Stop("review", "确认选票", f"/c/{DEMO}/review?{{choices}}", f"{CAMPAIGN}/review"),
    Stop("review-empty", "确认选票，什么都没有选", f"/c/{DEMO}/review", f"{CAMPAIGN}/review"),
    Stop("receipt", "投票回执", "/receipts/{receipt}", "/receipts/<code>"),
    Stop("receipt-search", "查询回执", "/receipts", "/receipts"),
    Stop("receipt-mistyped", "回执号写错了", "/receipts?code=12", "/receipts"),
    Stop("mine", "我的投票", f"/c/{DEMO}/mine", f"{CAMPAIGN}/mine"),
    Stop("leaderboard", "排行榜", f"/c/{DEMO}/leaderboard", f"{CAMPAIGN}/leaderboard"),
    Stop("leaderboard-hidden", "排行榜，投票期间不公布票数", "/c/hidden/leaderboard", f"{CAMPAIGN}/leaderboard"),
    Stop("leaderboard-final", "排行榜，最终结果", "/c/published/leaderboard", f"{CAMPAIGN}/leaderboard"),
    Stop("rules", "投票规则", f"/c/{DEMO}/rules", f"{CAMPAIGN}/rules"),
    Stop("rules-changed", "投票规则，变更过", "/c/changed/rules", f"{CAMPAIGN}/rules"),
    Stop("changed", "变更过规则的活动", "/c/changed", CAMPAIGN),
    Stop("upcoming", "即将开始", "/c/upcoming", CAMPAIGN),
    Stop("paused", "暂停投票", "/c/paused", CAMPAIGN),
    Stop("closed", "结果公示中", "/c/closed", CAMPAIGN),
    Stop("published", "结果已公布", "/c/published", CAMPAIGN),
    Stop("announcement", "公示", "/c/closed/result", f"{CAMPAIGN}/result"),
    Stop("result", "结果", "/c/published/result", f"{CAMPAIGN}/result"),
    Stop("not-found", "没有这个页面", "/c/nowhere", CAMPAIGN, 404),
    Stop("sign-in-sms", "用手机短信确认身份", "/c/by-sms/sign-in/sms", f"{CAMPAIGN}/sign-in/sms"),
    Stop("in-wechat", "请在微信中打开", "/c/by-wechat/sign-in/wechat", f"{CAMPAIGN}/sign-in/{AWAY}"),
    Stop("sign-in-lost", "身份确认没有完成", "/sign-in/oidc/callback", f"/sign-in/{AWAY}/callback", 403),
    Stop("review-sign-in", "确认选票，先确认身份", "/c/by-sms/review?{choices:by-sms}", f"{CAMPAIGN}/review"),
    Stop("review-effort", "确认选票，自动验证", "/c/effort/review?{choices:effort}", f"{CAMPAIGN}/review"),
    Stop("nominate-area", "推荐：选择地区", f"{NOMINATE}?area=441702", f"{CAMPAIGN}/nominate"),
    Stop("nominate", "推荐：填写", f"{NOMINATE}?area={VILLAGE}", f"{CAMPAIGN}/nominate"),
    Stop("nomination", "我的推荐", "/c/draft/nominations/{code}?new=1", f"{CAMPAIGN}/nominations/<code>"),
    Stop(
        "nomination-returned", "我的推荐，被退回", "/c/draft/nominations/{returned}", f"{CAMPAIGN}/nominations/<code>"
    ),
    Stop("screen-hidden", "大屏，投票期间不公布票数", "/screen/hidden", "/screen/<slug>"),
    Stop("screen", "大屏", f"/screen/{DEMO}", "/screen/<slug>"),
    Stop("desk-sign-in", "工作台：登录", "/organizer/sign-in", "/organizer/sign-in"),
    Stop("desk-invitation", "工作台：启用账号", f"{DESK}/invitations/{{invitation}}", f"{DESK}/invitations/<token>"),
    Stop("desk", "工作台：活动", "/organizer/", "/organizer/"),
    Stop("desk-account", "工作台：我的账号", "/organizer/account", "/organizer/account"),
    Stop("desk-accounts", "工作台：账号", "/organizer/accounts", "/organizer/accounts"),
    Stop("desk-trail", "工作台：操作记录", "/organizer/trail", "/organizer/trail"),
    Stop("desk-trail-check", "工作台：检查完整性", "/organizer/trail/check", "/organizer/trail/check"),
    Stop("desk-new", "工作台：新建活动", "/organizer/campaigns/new", "/organizer/campaigns/new"),
    Stop("desk-campaign", "工作台：一个活动", f"/organizer/campaigns/{DEMO}", AT_DESK),
    Stop("desk-draft", "工作台：筹备中的活动和清单", "/organizer/campaigns/draft", AT_DESK),
    *(
        Stop(f"desk-{step}", f"工作台：{title}", f"{DRAFT}/edit/{step}", f"{AT_DESK}/edit/{STEP}")
        for step, title in (
            ("texts", "文字"),
            ("time", "时间"),
            ("awards", "奖项"),
            ("quotas", "票数"),
            ("identity", "身份"),
            ("display", "公布方式"),
            ("purpose", "用途"),
        )
    ),
    Stop("desk-preview", "工作台：预览", f"{DRAFT}/preview", f"{AT_DESK}/preview"),
    Stop("desk-trial", "工作台：规则试算", f"{DRAFT}/trial", f"{AT_DESK}/trial"),
    Stop("desk-candidates", "工作台：候选对象", f"/organizer/campaigns/{DEMO}/candidates", f"{AT_DESK}/candidates"),
    Stop(
        "desk-candidate",
        "工作台：一个候选对象",
        f"{DRAFT}/candidates/{{candidate}}",
        f"{AT_DESK}/candidates/<int:candidate_id>",
    ),
    Stop("desk-import", "工作台：导入", f"{DRAFT}/candidates/import", f"{AT_DESK}/candidates/import"),
    Stop("desk-photos", "工作台：照片", f"{DRAFT}/candidates/photos", f"{AT_DESK}/candidates/photos"),
    Stop("desk-numbers", "工作台：编号", f"{DRAFT}/candidates/numbers", f"{AT_DESK}/candidates/numbers"),
    Stop("desk-nominations", "工作台：推荐", f"{DRAFT}/nominations", f"{AT_DESK}/nominations"),
    Stop("desk-call", "工作台：推荐设置", f"{DRAFT}/nominations/settings", f"{AT_DESK}/nominations/settings"),
    Stop(
        "desk-nomination",
        "工作台：审核一条推荐",
        f"{DRAFT}/nominations/{{nomination}}",
        f"{AT_DESK}/nominations/<int:nomination_id>",
    ),
    Stop("desk-nominate", "工作台：代表本地推荐", f"{DRAFT}/nominations/new", f"{AT_DESK}/nominations/new"),
    Stop(
        "desk-amend",
        "工作台：修改退回的推荐",
        f"{DRAFT}/nominations/{{mine}}/amend",
        f"{AT_DESK}/nominations/<int:nomination_id>/amend",
    ),
    Stop("desk-stages", "工作台：阶段", f"/organizer/campaigns/{DEMO}/stages", f"{AT_DESK}/stages"),
    Stop("desk-pause", "工作台：暂停前的确认", f"/organizer/campaigns/{DEMO}/stages/pause", f"{AT_DESK}/stages/{ACT}"),
    Stop(
        "desk-ask-close",
        "工作台：申请提前截止",
        f"/organizer/campaigns/{DEMO}/stages/ask_close",
        f"{AT_DESK}/stages/{ACT}",
    ),
    Stop("desk-changes", "工作台：规则变更，等待确认", "/organizer/campaigns/changed/changes", f"{AT_DESK}/changes"),
    Stop("desk-change", "工作台：起草规则变更", f"/organizer/campaigns/{DEMO}/changes/new", f"{AT_DESK}/changes/new"),
    Stop("desk-watch", "工作台：实时情况", f"/organizer/campaigns/{DEMO}/watch", f"{AT_DESK}/watch"),
    Stop("desk-results", "工作台：结果", "/organizer/campaigns/published/results", f"{AT_DESK}/results"),
    Stop("desk-exports", "工作台：导出", f"/organizer/campaigns/{DEMO}/exports", f"{AT_DESK}/exports"),
)
#: what browsers show only inside a page, and what machines read
NO_PAGES = ("/static/", "/api/", "/healthz", "/readyz", "/metrics", "/photos/", "/banners/")
NO_PAGE = (".png", ".xlsx", "/events", "/figures", "/import/<token>", "/photos/<token>")


def standing(town: Town) -> list[Stop]:
    """The stops whose page exists."""
    return [stop for stop in STOPS if town.has_route(stop.rule)]


def open_stop(page: Page, town: Town, stop: Stop, large: bool = False) -> None:
    """Open a stop; a receipt is that of a ballot cast for this very browser."""
    jar = {"large": "1"} if large else {}
    reviewer: Holder | None = None
    if stop.needs_session:
        if stop.rule in FOR_REVIEWERS:
            reviewer, jar["desk"] = at_the_desk(town, "reviewer", "441702")
        else:
            _, jar["desk"] = at_the_desk(town, "administrator" if stop.rule in ADMINISTRATORS else "organizer")
    path = stop.path
    if asked := re.search(r"{(code|returned|nomination|mine)}", path):
        path = path.replace(asked[0], a_nomination(town, asked[1], reviewer))
    if asked := re.search(r"{choices:?(.*?)}", path):
        slug = asked[1] or DEMO
        some = town.candidates(slug, "centres")[:3] + town.candidates(slug, "households")[:2]
        path = path.replace(asked[0], "&".join(f"choice={each.id}" for each in some))
    if "{candidate}" in path:
        path = path.replace("{candidate}", str(town.candidates("draft", "centres")[0].id))
    if "{invitation}" in path:
        name = f"invited{secrets.token_hex(4)}"
        token = town.world(DEMO).do(accounts.create_account, name, "受邀人", ["organizer"])
        path = path.replace("{invitation}", token)
    if "{receipt}" in path or stop.name == "mine":
        receipt, jar["device"] = a_ballot(town)
        path = path.replace("{receipt}", receipt)
    page.context.add_cookies([{"name": name, "value": value, "url": town.url} for name, value in jar.items()])
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == stop.status, f"{path} answers {answer.status}"


def at_the_desk(town: Town, role: str, area: str | None = None) -> tuple[Holder, str]:
    """Somebody who has that role, and their session."""

    def begin() -> tuple[Holder, str]:
        name = f"desk{secrets.token_hex(4)}"
        accounts.create_account(name, "演示人员", [role], area)
        one = next(each for each in accounts.all_accounts() if each.name == name)
        holder = Holder(one.id, one.name, one.full_name, check_roles(one.roles, area), area)
        return holder, desk_sessions.begin_session(holder, "Chromium", "127.0.0.1")

    found: tuple[Holder, str] = town.world(DEMO).do(begin)
    return found


def a_nomination(town: Town, what: str, reviewer: Holder | None) -> str:
    """The code of a citizen's nomination (``code``, or ``returned``), or the id of one at the desk (``nomination``, or
    ``mine``: the reviewer's own, returned)."""
    draft = town.world("draft")
    if what == "mine":
        assert reviewer is not None
        mine = draft.do(send_for_area, draft.slug, reviewer, "", given())
        draft.do(decide, ORGANIZER, draft.slug, mine, "return", 1, "请写明是哪一年开始的。")
        return str(mine)
    code = send(draft, name=f"王家 {secrets.token_hex(2)}", summary="台风夜里为邻居敞开大门的人家")
    if what == "returned":
        draft.do(decide, ORGANIZER, draft.slug, id_of(draft, code), "return", 1, "请写明是哪一年开始的。")
    return str(id_of(draft, code)) if what == "nomination" else code


def a_ballot(town: Town) -> tuple[str, str]:
    """A receipt of the demonstration, and the cookie of whoever cast it."""
    codes = [each.code for each in town.candidates(DEMO, "centres")[:3]]
    voter = town.voter(DEMO)
    answer = voter.cast(*codes)
    assert answer.status_code == 201, answer.text
    return answer.json["receipt"], voter.cookie
