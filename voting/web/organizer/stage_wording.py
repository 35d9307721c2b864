"""The stages in words: what a button does, what stands against it, where a campaign is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext, lazy_gettext

from voting.services.stages import BoxView, StageView
from voting.web.times import date_and_time, exact_time, now_ms, time_left

#: what citizens read after an emergency stop, until somebody says more
EMERGENCY = "因紧急情况暂停，正在核查，恢复时间另行公告"
#: button -> the acts of the trail that it leaves
ACTS: dict[str, tuple[str, ...]] = {
    "open": ("campaign.open",),
    "pause": ("campaign.pause",),
    "resume": ("campaign.resume",),
    "close": ("campaign.count", "campaign.close"),
    "count": ("campaign.count",),
    "ask": ("publish.ask",),
    "confirm": ("campaign.publish",),
    "withdraw": ("publish.withdraw",),
    "ask_close": ("close.ask",),
    "confirm_close": ("campaign.count", "campaign.close"),
    "withdraw_close": ("close.withdraw",),
}
_BUTTONS = {
    "open": lazy_gettext("开放投票"),
    "pause": lazy_gettext("暂停投票"),
    "resume": lazy_gettext("恢复投票"),
    "close": lazy_gettext("截止封箱并清点"),
    "count": lazy_gettext("重新清点"),
    "ask": lazy_gettext("申请公布结果"),
    "confirm": lazy_gettext("确认公布结果"),
    "withdraw": lazy_gettext("撤回公布申请"),
    "ask_close": lazy_gettext("申请提前截止"),
    "confirm_close": lazy_gettext("确认提前截止"),
    "withdraw_close": lazy_gettext("撤回提前截止申请"),
}
_TITLES = {
    "open": lazy_gettext("开放投票？"),
    "pause": lazy_gettext("暂停投票？"),
    "resume": lazy_gettext("恢复投票？"),
    "close": lazy_gettext("截止、封箱并清点？"),
    "count": lazy_gettext("重新清点？"),
    "ask": lazy_gettext("申请公布结果？"),
    "confirm": lazy_gettext("公布结果？"),
    "withdraw": lazy_gettext("撤回公布申请？"),
    "ask_close": lazy_gettext("申请提前截止？"),
    "confirm_close": lazy_gettext("提前截止、封箱并清点？"),
    "withdraw_close": lazy_gettext("撤回提前截止申请？"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A place on the way. ``at``: done, now, next or later (a stage this version does not have yet)."""

    name: str
    note: str
    at: str


def act_button(act: str) -> str:
    return str(_BUTTONS[act])


def act_title(act: str) -> str:
    return str(_TITLES[act])


def needs_care(act: str) -> bool:
    """Acts that cannot be taken back."""
    return act in ("open", "close", "confirm", "confirm_close")


def act_done(act: str, state: StageView) -> str:
    """What has just been done."""
    if act == "open":
        return gettext("规则已冻结，票箱已建立。")
    if act == "pause":
        return gettext("已暂停投票，市民看到的理由：%(reason)s", reason=state.campaign.paused_reason or "")
    if act == "stopped":
        return gettext("投票先前已经暂停，没有重复操作。理由：%(reason)s", reason=state.campaign.paused_reason or "")
    if act == "resume":
        return gettext("已恢复投票。")
    if act == "ask_close":
        return gettext("已提出提前截止申请，请另一位组织者确认。投票照常进行。")
    if act == "withdraw_close":
        return gettext("已撤回提前截止申请，投票照常进行。")
    if act in ("close", "count", "confirm_close"):
        return gettext("已清点，初步结果第 %(n)s 版。", n=state.counted or 0)
    if act == "ask":
        return gettext("已提出公布申请，请另一位组织者确认。")
    if act == "confirm":
        return gettext("结果已公布。")
    return gettext("已撤回公布申请。")


def consequences(act: str, state: StageView) -> list[str]:
    """What will happen, in words, one line each."""
    campaign, rules, at_ms = state.campaign, state.campaign.rules, now_ms()
    opens, closes = date_and_time(rules.opens_ms, rules), date_and_time(rules.closes_ms, rules)
    if act == "open" and campaign.stage == "open":
        return [gettext("规则已经冻结，但票箱没有建成。再按一次，把票箱建起来。")]
    if act == "open":
        begins = gettext("到 %(opens)s 自动开始受理选票。", opens=opens)
        if rules.opens_ms <= at_ms:
            begins = gettext("规则写明的开始时间已过，按下后立即开始受理选票。")
        return [
            gettext("规则和候选名单从此冻结，并生成规则指纹。"),
            begins,
            gettext("到 %(closes)s 自动停止受理，以票箱的时钟为准，不需要有人守着。", closes=closes),
            gettext("不能退回筹备阶段。"),
        ]
    if act == "pause":
        return [
            gettext("立即停止受理选票，已受理的选票不受影响。"),
            gettext("您填写的理由会显示在投票页上，所有人都能看到。"),
            gettext("截止时间不变，暂停的时间不补。"),
        ]
    if act == "resume":
        return [gettext("立即继续受理选票，投票页上的暂停理由随即撤下。")]
    if act in ("close", "ask_close", "confirm_close", "withdraw_close"):
        return _closing(act, state, closes, at_ms)
    if act == "count":
        lines = [
            gettext("从台账重新逐张清点，生成第 %(n)s 版初步结果。", n=(state.counted or 0) + 1),
            gettext("以前的各版都保留，不会改动。"),
        ]
        return [*lines, gettext("还没有确认的公布申请随之失效。")] if state.asked else lines
    if act == "ask":
        return [
            gettext("申请公布初步结果第 %(n)s 版。", n=state.counted or 0),
            gettext("公布要由另一位组织者确认，本人不能确认自己的申请。"),
        ]
    if act == "confirm":
        return [
            gettext("第 %(n)s 版成为最终结果，立即向公众公布。", n=state.counted or 0),
            gettext("公布后不能撤回，也不能再清点。"),
        ]
    return [gettext("申请撤回后，结果仍在公示，可以重新申请。")]


def _closing(act: str, state: StageView, closes: str, at_ms: int) -> list[str]:
    """Closing in time by one person, earlier by two."""
    if act == "withdraw_close":
        return [gettext("申请撤回后，投票照常进行到 %(closes)s。", closes=closes)]
    left = time_left(max(0, state.campaign.rules.closes_ms - at_ms))
    early = gettext("注意：规则写明 %(closes)s 截止，还有 %(left)s。", closes=closes, left=left)
    if act == "ask_close":
        return [
            early,
            gettext("提前截止等于变更规则：要由另一位组织者确认，本人不能确认自己的申请。"),
            gettext("确认以前投票照常进行。情况紧急，一个人可以先暂停投票。"),
        ]
    lines = [
        gettext("立即封箱，此后不再受理选票，不能撤销。"),
        gettext("等全部选票入账后，从台账逐张清点，生成初步结果并开始公示。"),
    ]
    if act == "close":
        return lines
    reason = state.close_asked.reason if state.close_asked else ""
    told = gettext("实际的截止时间和理由会在投票规则页公布。理由：%(reason)s", reason=reason)
    return [early, *lines, told]


def box_sentence(box: BoxView) -> str:
    """The state of the box, as a warning where something is wrong; empty when all is well."""
    if box.state == "missing":
        return gettext("票箱不见了，现在不受理选票。请系统管理员执行 flask ledger rebuild。")
    if box.state == "foreign":
        return gettext("票箱与本活动的记录不一致，现在不受理选票。请系统管理员执行 flask ledger rebuild。")
    if box.state == "behind":
        return gettext("规则变更已经决定，但票箱还没有换上新规则，现在不受理选票。请到“规则变更”页完成变更。")
    if box.state == "away":
        return gettext("票箱暂时没有回应，下面的数字可能不全。没有回应时不受理选票。")
    return ""


def stage_line(state: StageView) -> Sequence[Step]:
    """The way of a campaign from draft to published, and where it stands."""
    campaign, rules = state.campaign, state.campaign.rules
    opens, closes = date_and_time(rules.opens_ms, rules), date_and_time(rules.closes_ms, rules)
    at = {"draft": 0, "upcoming": 1, "open": 1, "paused": 1, "closed": 2, "provisional": 4, "published": 6}[state.phase]
    if state.phase == "closed" and campaign.stage == "open":
        closed_note = gettext("时间已到，等待封箱")
    elif campaign.sealed_id:
        closed_note = gettext("%(when)s 封箱", when=exact_time(campaign.sealed_id[0], rules))
    else:
        closed_note = closes
    version = gettext("第 %(n)s 版", n=state.counted) if state.counted else ""
    published = exact_time(campaign.published_at, rules) if campaign.published_at else ""
    names = [
        (gettext("筹备"), gettext("规则可以改")),
        (gettext("投票"), f"{opens} — {closes}"),
        (gettext("封箱、清点"), closed_note),
        (gettext("评委评分"), gettext("以后的版本提供")),
        (gettext("公示"), version),
        (gettext("异议处理"), gettext("以后的版本提供")),
        (gettext("公布"), published or gettext("需要两个人")),
    ]
    steps = []
    for place, (name, note) in enumerate(names):
        if place in (3, 5):
            steps.append(Step(name, note, "later"))
        else:
            steps.append(Step(name, note, "done" if place < at else "now" if place == at else "next"))
    return steps
