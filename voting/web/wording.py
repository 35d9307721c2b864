"""Refusals and HTTP errors in sentences: what happened, and what to do next. Status codes live in ``refusals.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext, lazy_gettext

from voting.rules import errors
from voting.rules.errors import Refusal
from voting.web import sign_in_wording
from voting.web.organizer import wording as desk_wording
from voting.web.rule_wording import period_words
from voting.web.times import day_time, duration, minute_of_day, near_time, now_ms

if TYPE_CHECKING:
    from voting.services.catalogue import CampaignView


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happened (``title``) and what to do next (``next_step``)."""

    title: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.title} {self.next_step}"


#: Refusals whose sentence needs no fact.
_PLAIN: dict[type[Refusal], tuple[Any, Any]] = {
    errors.MalformedBallot: (
        lazy_gettext("这张选票没有填写完整，未计票。"),
        lazy_gettext("请回到候选页重新选择，再提交一次。"),
    ),
    errors.BallotIdExpired: (
        lazy_gettext("这张选票打开已超过 24 小时，未计票。"),
        lazy_gettext("请重新打开确认页，再提交一次。您选好的候选对象还在。"),
    ),
    errors.BallotIdFromFuture: (
        lazy_gettext("这张选票的时间不对，未计票。"),
        lazy_gettext("请重新打开确认页，再提交一次。您选好的候选对象还在。"),
    ),
    errors.BallotIdConflict: (
        lazy_gettext("这张选票已经提交过，这次改动未计票。"),
        lazy_gettext("之前提交的那张有效。如需再投，请重新打开确认页。"),
    ),
    errors.UnknownCandidate: (
        lazy_gettext("选票上有一个候选对象不在本次活动中，整张选票未计票。"),
        lazy_gettext("请回到候选页重新选择。"),
    ),
    errors.IdentityMissing: (
        lazy_gettext("浏览器没有保存 Cookie，无法确认这是您的选票，未计票。"),
        lazy_gettext("请在浏览器设置中允许 Cookie，重新打开确认页，再提交一次。"),
    ),
    errors.IdentityForged: (
        lazy_gettext("浏览器中的投票凭证无效，未计票。"),
        lazy_gettext("请重新打开确认页，系统会换发新的凭证，然后再提交一次。"),
    ),
    errors.WrongToken: (
        lazy_gettext("确认页已失效，未计票。"),
        lazy_gettext("请重新打开确认页，再提交一次。您选好的候选对象还在。"),
    ),
    errors.WrongOrigin: (
        lazy_gettext("这张选票不是从本站页面提交的，未计票。"),
        lazy_gettext("请直接打开本站的投票页面投票。"),
    ),
    errors.CampaignNotFound: (
        lazy_gettext("没有找到这个活动。"),
        lazy_gettext("请检查网址，或从活动列表进入。"),
    ),
    errors.CandidateNotFound: (
        lazy_gettext("没有找到这个候选对象。"),
        lazy_gettext("请检查编号，或按名称搜索。"),
    ),
    errors.PhotoRefused: (
        lazy_gettext("这张照片不能使用。"),
        lazy_gettext("请用不超过 5 MB、2500 万像素的 JPEG、PNG 或 WebP 照片。"),
    ),
    errors.ReceiptNotFound: (
        lazy_gettext("没有找到这个回执号。"),
        lazy_gettext("请核对 16 位回执号。回执只能在投票时所用的手机和浏览器上查到。"),
    ),
    errors.ResultNotReady: (
        lazy_gettext("结果还没有产生。"),
        lazy_gettext("投票截止并清点后，会在这里公示。"),
    ),
    errors.BoxUnavailable: (
        lazy_gettext("票箱暂时没有回应，还不能确定这张选票是否已受理。"),
        lazy_gettext("请稍等片刻后重试。重复提交同一张选票只会计一次。"),
    ),
    errors.StageRefused: (
        lazy_gettext("活动当前的阶段不能这样操作。"),
        lazy_gettext("请刷新页面，查看活动的最新状态。"),
    ),
    errors.NotReadyToOpen: (
        lazy_gettext("活动还没有准备好，不能开始投票。"),
        lazy_gettext("请补齐缺少的内容后再试。"),
    ),
    errors.NotReadyToPublish: (
        lazy_gettext("结果还不能公布。"),
        lazy_gettext("请处理完未完成的事项后再试。"),
    ),
}


def _candidate_name(campaign: CampaignView | None, candidate: int) -> str:
    view = campaign.by_id.get(candidate) if campaign else None
    return gettext("%(number)s 号 %(name)s", number=view.number, name=view.name) if view else gettext("一个候选对象")


def _scope_name(campaign: CampaignView | None, scope: str, key: str) -> str:
    """What a limit is about: 「奖项名」, a group's name, or the whole ballot."""
    if campaign and scope in ("award", "group"):
        named = campaign.rules.awards if scope == "award" else campaign.rules.groups()
        for one in named:
            if one.key == key:
                return gettext("「%(name)s」", name=one.name)
    return gettext("这张选票")


def _not_open_yet(refusal: errors.NotOpenYet, campaign: CampaignView | None, _at_ms: int) -> Sentence:
    if campaign is None:
        return Sentence(gettext("投票还没有开始。"), gettext("请等投票开始后再来。"))
    when = day_time(refusal.opens_ms, campaign.rules)
    return Sentence(gettext("投票还没有开始。"), gettext("%(when)s 开始投票，届时再来。", when=when))


def _closed(refusal: errors.VotingClosed, campaign: CampaignView | None, _at_ms: int) -> Sentence:
    ranking = gettext("感谢参与。您可以查看排行榜，等候结果公示。")
    if campaign is None:
        return Sentence(gettext("投票已经截止，未计票。"), ranking)
    return Sentence(
        gettext("投票已于 %(when)s 截止，未计票。", when=day_time(refusal.closed_ms, campaign.rules)), ranking
    )


def _paused(refusal: errors.VotingPaused, _campaign: CampaignView | None, _at_ms: int) -> Sentence:
    if refusal.reason:
        title = gettext("投票暂停：%(reason)s", reason=refusal.reason)
    else:
        title = gettext("投票暂停。")
    return Sentence(title, gettext("恢复后再来提交即可，您选好的候选对象还在。"))


def _outside_hours(refusal: errors.OutsideDailyHours, _campaign: CampaignView | None, _at_ms: int) -> Sentence:
    start, end = minute_of_day(refusal.from_minute), minute_of_day(refusal.until_minute)
    return Sentence(
        gettext("现在不在每天的投票时间内，未计票。"),
        gettext("请在每天 %(start)s 至 %(end)s 投票。", start=start, end=end),
    )


def _withdrawn(refusal: errors.CandidateWithdrawn, campaign: CampaignView | None, _at_ms: int) -> Sentence:
    who = _candidate_name(campaign, refusal.candidate)
    return Sentence(
        gettext("%(who)s 已退出评选，整张选票未计票。", who=who), gettext("请回到候选页去掉它，再提交一次。")
    )


def _repeated(refusal: errors.RepeatedCandidate, campaign: CampaignView | None, _at_ms: int) -> Sentence:
    who = _candidate_name(campaign, refusal.candidate)
    return Sentence(
        gettext("%(who)s 在这张选票上选了不止一次，整张选票未计票。", who=who),
        gettext("同一候选对象只能选一次，请修改后再提交。"),
    )


def _too_few(refusal: errors.TooFewChoices, campaign: CampaignView | None, _at_ms: int) -> Sentence:
    scope = _scope_name(campaign, refusal.scope, refusal.key)
    return Sentence(
        gettext("%(scope)s至少选 %(least)s 个，现在选了 %(chosen)s 个。",
                scope=scope, least=refusal.least, chosen=refusal.chosen),
        gettext("请再选 %(more)s 个。", more=refusal.least - refusal.chosen),
    )  # fmt: skip


def _too_many(refusal: errors.TooManyChoices, campaign: CampaignView | None, _at_ms: int) -> Sentence:
    scope = _scope_name(campaign, refusal.scope, refusal.key)
    return Sentence(
        gettext("%(scope)s最多选 %(most)s 个，现在选了 %(chosen)s 个。",
                scope=scope, most=refusal.most, chosen=refusal.chosen),
        gettext("请去掉 %(less)s 个。", less=refusal.chosen - refusal.most),
    )  # fmt: skip


def _too_soon(refusal: errors.TooSoon, campaign: CampaignView | None, at_ms: int) -> Sentence:
    title = gettext("离上一次投票太近，未计票。")
    if campaign is None:
        return Sentence(title, gettext("请稍后再投。"))
    return Sentence(title, gettext("%(when)s 后可再投。", when=near_time(refusal.retry_ms, campaign.rules, at_ms)))


def _spent_of(refusal: errors.QuotaSpent, campaign: CampaignView | None) -> str:
    """Which quota line is spent, as the subject of a sentence."""
    quota = refusal.quota
    period = gettext("今天") if quota.period == "day" else period_words(quota.period)
    if quota.per == "candidate":
        key = int(refusal.key) if refusal.key.isdecimal() else 0
        return gettext("%(period)s给 %(who)s 的票", period=period, who=_candidate_name(campaign, key))
    if quota.per in ("award", "group"):
        return gettext("%(period)s%(scope)s的票", period=period, scope=_scope_name(campaign, quota.per, refusal.key))
    return gettext("%(period)s的票", period=period)


def _quota_spent(refusal: errors.QuotaSpent, campaign: CampaignView | None, at_ms: int) -> Sentence:
    left = max(0, refusal.quota.limit - refusal.used)
    what = _spent_of(refusal, campaign)
    if left:
        facts = {"what": what, "left": left, "asked": refusal.asked}
        title = gettext("%(what)s还可投 %(left)s 票，这次选了 %(asked)s 票，未计票。", **facts)
        less = refusal.asked - left
        return Sentence(title, gettext("请去掉 %(less)s 个再提交。您选好的候选对象还在。", less=less))
    title = gettext("%(what)s已投完。", what=what)
    if refusal.resets_ms is None or campaign is None:
        return Sentence(title, gettext("本次活动的票已全部用完，感谢参与。"))
    if refusal.resets_ms >= campaign.rules.closes_ms:
        return Sentence(title, gettext("投票截止前不能再投，感谢参与。"))
    when = near_time(refusal.resets_ms, campaign.rules, at_ms)
    if refusal.quota.per == "candidate":
        return Sentence(title, gettext("请去掉它再提交，%(when)s 后可再投。", when=when))
    return Sentence(title, gettext("%(when)s 后可再投。", when=when))


def _address_limited(refusal: errors.AddressLimited, campaign: CampaignView | None, at_ms: int) -> Sentence:
    title = gettext("您所在的网络一小时内提交的选票太多，未计票。")
    if campaign is None:
        return Sentence(title, gettext("请换用手机流量，或稍后再试。"))
    when = near_time(refusal.retry_ms, campaign.rules, at_ms)
    return Sentence(title, gettext("请换用手机流量，或 %(when)s 后再试。您选好的候选对象还在。", when=when))


def _too_many_requests(refusal: errors.TooManyRequests, _campaign: CampaignView | None, _at_ms: int) -> Sentence:
    return Sentence(gettext("访问太频繁了。"), gettext("请等 %(time)s 再试。", time=duration(max(1, refusal.retry_s))))


_WITH_FACTS: dict[type[Refusal], Callable[[Any, CampaignView | None, int], Sentence]] = {
    errors.NotOpenYet: _not_open_yet,
    errors.VotingClosed: _closed,
    errors.VotingPaused: _paused,
    errors.OutsideDailyHours: _outside_hours,
    errors.CandidateWithdrawn: _withdrawn,
    errors.RepeatedCandidate: _repeated,
    errors.TooFewChoices: _too_few,
    errors.TooManyChoices: _too_many,
    errors.TooSoon: _too_soon,
    errors.QuotaSpent: _quota_spent,
    errors.AddressLimited: _address_limited,
    errors.TooManyRequests: _too_many_requests,
}


def describe(refusal: Refusal, campaign: CampaignView | None = None, at_ms: int | None = None) -> Sentence:
    """A refusal as a citizen reads it at ``at_ms`` (now); ``campaign`` gives names and the local time."""
    with_facts = _WITH_FACTS.get(type(refusal))
    if with_facts is not None:
        return with_facts(refusal, campaign, now_ms() if at_ms is None else at_ms)
    if type(refusal) in sign_in_wording.WITH_FACTS:
        return Sentence(*sign_in_wording.WITH_FACTS[type(refusal)](refusal))
    if type(refusal) in desk_wording.WITH_FACTS:
        return Sentence(*desk_wording.WITH_FACTS[type(refusal)](refusal))
    if type(refusal) in sign_in_wording.WITH_TIME:
        return Sentence(*sign_in_wording.WITH_TIME[type(refusal)](refusal, now_ms() if at_ms is None else at_ms))
    title, next_step = (_PLAIN | sign_in_wording.PLAIN | desk_wording.PLAIN)[type(refusal)]
    return Sentence(str(title), str(next_step))


_STATUS: dict[int, tuple[Any, Any]] = {
    400: (lazy_gettext("这个请求无法理解。"), lazy_gettext("请返回上一页再试一次。")),
    403: (lazy_gettext("这个页面不对您开放。"), lazy_gettext("请从首页重新进入。")),
    404: (lazy_gettext("没有找到这个页面。"), lazy_gettext("请检查网址，或从首页进入。")),
    405: (lazy_gettext("这个网址不能这样访问。"), lazy_gettext("请从首页重新进入。")),
    413: (lazy_gettext("提交的内容太大。"), lazy_gettext("请减少内容后再提交。")),
    414: (lazy_gettext("网址太长。"), lazy_gettext("请从首页重新进入。")),
    415: (lazy_gettext("提交的格式不对。"), lazy_gettext("请从首页重新进入。")),
    429: (lazy_gettext("访问太频繁了。"), lazy_gettext("请稍等片刻再试。")),
    500: (lazy_gettext("系统出了问题，我们已经记录下来。"), lazy_gettext("请稍后再试。已经拿到回执号的选票不受影响。")),
    503: (lazy_gettext("系统正忙或正在维护。"), lazy_gettext("请稍后再试。已经拿到回执号的选票不受影响。")),
}


def describe_status(status: int) -> Sentence:
    """An HTTP error as a citizen reads it."""
    title, next_step = _STATUS.get(status) or _STATUS[500 if status >= 500 else 400]
    return Sentence(str(title), str(next_step))
