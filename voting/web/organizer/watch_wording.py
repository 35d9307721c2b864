"""The figures of the watch in words: one document that the page and its script both read."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_gettext

from voting.rules.campaign import RuleSet
from voting.rules.periods import HOUR_MS, MINUTE_MS
from voting.services.auditing import Check
from voting.services.catalogue import CampaignView
from voting.services.watching import Figures
from voting.web.organizer.stage_wording import box_sentence
from voting.web.organizer.steps import PROVIDERS
from voting.web.times import clock_time

_CHECKS = {
    "I1": lazy_gettext("每张已受理的选票在台账中恰好有一次"),
    "I2": lazy_gettext("台账中没有票箱未受理的选票"),
    "I3": lazy_gettext("每个候选对象的即时统计等于台账加在途"),
    "I4": lazy_gettext("没有人超过规则允许的票数"),
    "I5": lazy_gettext("封箱后没有受理选票"),
    "I6": lazy_gettext("同一张选票总是得到同一张回执"),
    "I7": lazy_gettext("从台账重建的票箱与现在的票箱一致"),
}
_REFUSALS = {
    "malformed_ballot": lazy_gettext("选票格式不对"),
    "ballot_id_expired": lazy_gettext("选票打开超过 24 小时"),
    "ballot_id_from_future": lazy_gettext("选票时间不对"),
    "ballot_id_conflict": lazy_gettext("同一张选票改了内容"),
    "not_open_yet": lazy_gettext("还没有开始"),
    "voting_closed": lazy_gettext("已经截止"),
    "voting_paused": lazy_gettext("暂停中"),
    "outside_daily_hours": lazy_gettext("不在每天的投票时段"),
    "unknown_candidate": lazy_gettext("候选对象不存在"),
    "candidate_withdrawn": lazy_gettext("候选对象已退出"),
    "repeated_candidate": lazy_gettext("同一候选对象选了几次"),
    "too_few_choices": lazy_gettext("选得太少"),
    "too_many_choices": lazy_gettext("选得太多"),
    "too_soon": lazy_gettext("两次投票间隔太短"),
    "quota_spent": lazy_gettext("票已投完"),
    "address_limited": lazy_gettext("同一网络提交太多"),
    "too_many_requests": lazy_gettext("访问太频繁"),
    "challenge_required": lazy_gettext("需要验证"),
    "challenge_spent": lazy_gettext("验证已用过"),
    "identity_missing": lazy_gettext("没有投票凭证"),
    "identity_forged": lazy_gettext("投票凭证无效"),
    "wrong_token": lazy_gettext("确认页已失效"),
    "wrong_origin": lazy_gettext("从别的网站提交"),
    "box_unavailable": lazy_gettext("票箱没有回应"),
    "sign_in_required": lazy_gettext("没有登录"),
    "sign_in_lost": lazy_gettext("登录没有完成"),
    "sign_in_denied": lazy_gettext("没有同意登录"),
    "snapshot_visitor": lazy_gettext("微信快照页"),
    "provider_unavailable": lazy_gettext("登录服务没有回应"),
    "number_not_valid": lazy_gettext("手机号不对"),
    "code_too_soon": lazy_gettext("验证码要得太快"),
    "code_limited": lazy_gettext("验证码要得太多"),
    "code_wrong": lazy_gettext("验证码不对"),
    "code_expired": lazy_gettext("验证码过期"),
    "candidate_not_found": lazy_gettext("没有这个编号"),
    "receipt_not_found": lazy_gettext("没有这个回执号"),
    "result_not_ready": lazy_gettext("结果还没有产生"),
}
_MARKS = {
    "": lazy_gettext("没有标记"),
    "address_rate": lazy_gettext("同一网络提交较密"),
    "new_devices": lazy_gettext("同一网络新设备较多"),
    "solved": lazy_gettext("完成了验证"),
}

_DEVICES = {
    "wechat": lazy_gettext("微信里"),
    "phone": lazy_gettext("手机、平板的其他浏览器"),
    "desktop": lazy_gettext("电脑浏览器"),
    "other": lazy_gettext("不是浏览器，或没有说明"),
}


def check_name(check: Check) -> str:
    """An invariant in words."""
    return str(_CHECKS.get(check.name[:2], check.name))


def refusal_name(code: str) -> str:
    """Why something was refused, in a few characters; a code without words stands as it is."""
    return str(_REFUSALS.get(code, code))


def words_of_figures(campaign: CampaignView, figures: Figures) -> dict[str, Any]:
    """Everything the page shows: words for people, bare numbers for charts."""
    rules, box = campaign.rules, figures.box
    up = box.state == "up"
    waiting = box.waiting if up else None
    hours = [figures.hours.from_ms + n * HOUR_MS for n in range(len(figures.hours.votes))]
    minutes = [figures.minutes_from_ms + n * MINUTE_MS for n in range(len(figures.minutes))]
    awards = [(award.key, award.name) for award in rules.awards]
    counted = figures.counted
    return {
        "at": clock_time(figures.at_ms, rules),
        "warning": box_sentence(box),
        "totals": {
            "accepted": _figure(box.accepted if up else None),
            "recorded": _figure(figures.recorded),
            "waiting": _figure(waiting),
            "votes": _figure(figures.votes),
        },
        "hours": _series(gettext("小时"), gettext("票数"), [_hour(ms, rules) for ms in hours], figures.hours.votes),
        "minutes": _series(gettext("分钟"), gettext("选票数"), [_minute(ms, rules) for ms in minutes], figures.minutes),
        "areas": {
            "head": [gettext("县（市、区）"), *(name for _, name in awards)],
            "rows": [
                [county or gettext("没有地区"), *(votes.get(key, 0) for key, _ in awards)]
                for county, votes in figures.areas.items()
            ],
        },
        "refusals": {
            "head": [gettext("原因"), gettext("次数")],
            "rows": [[refusal_name(code), n] for code, n in sorted(counted.refusals.items(), key=lambda x: -x[1])],
        },
        "identities": {
            "head": [gettext("身份方式"), gettext("选票数"), gettext("票数")],
            "rows": [[str(PROVIDERS.get(name, name)), *n] for name, n in sorted(counted.identities.items(), key=_most)],
        },
        "devices": {
            "head": [gettext("用什么投票"), gettext("选票数"), gettext("票数")],
            "rows": [[str(_DEVICES.get(name, name)), *n] for name, n in sorted(counted.devices.items(), key=_most)],
        },
        "marks": {
            "head": [gettext("标记"), gettext("选票数")],
            "rows": [[str(_MARKS.get(mark, mark)), figures.marks[mark]] for mark in sorted(figures.marks)],
        },
    }


def _most(line: tuple[str, tuple[int, int]]) -> int:
    return -line[1][0]


def _series(what: str, unit: str, labels: list[str], values: Any) -> dict[str, Any]:
    return {"head": [what, unit], "rows": [[label, value] for label, value in zip(labels, values, strict=True)]}


def _figure(number: int | None) -> str:
    return "—" if number is None else f"{number:,}"


def _hour(at_ms: int, rules: RuleSet) -> str:
    return f"{rules.local(at_ms):%m-%d %H:%M}"


def _minute(at_ms: int, rules: RuleSet) -> str:
    return f"{rules.local(at_ms):%H:%M}"
