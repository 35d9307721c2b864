"""Rule sets in sentences: what citizens read about the rules is made here from the data, so that the two must agree.

No rule is decided here; refusals are worded in ``wording.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext

from voting.rules.campaign import Award, Limits, RuleSet
from voting.rules.quota import Quota
from voting.web.display_wording import display_sentences, tie_sentence
from voting.web.times import duration, full_time, minute_of_day


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the rules page: a name and its sentences."""

    name: str
    sentences: tuple[str, ...]


def period_words(period: str) -> str:
    """The period of a quota line as an adverb."""
    if period == "day":
        return gettext("每天")
    if period == "rolling":
        return gettext("任意 24 小时内")
    return gettext("整个活动期间")


def quota_sentence(quota: Quota) -> str:
    """One quota line, as a limit on one voter."""
    period, limit = period_words(quota.period), quota.limit
    if quota.unit == "ballots":
        return gettext("%(period)s每人最多提交 %(limit)s 张选票", period=period, limit=limit)
    if quota.per == "voter":
        return gettext("%(period)s每人最多投 %(limit)s 票", period=period, limit=limit)
    if quota.per == "award":
        return gettext("%(period)s每个奖项最多投 %(limit)s 票", period=period, limit=limit)
    if quota.per == "group":
        return gettext("%(period)s每个类别最多投 %(limit)s 票", period=period, limit=limit)
    return gettext("%(period)s给同一候选对象最多投 %(limit)s 票", period=period, limit=limit)


def _limits_sentence(name: str, limits: Limits) -> str | None:
    least, most = limits.min, limits.max
    if most is not None and least == most:
        words = gettext("「%(name)s」要选满 %(most)s 个", name=name, most=most)
    elif least > 1 and most is not None:
        words = gettext("「%(name)s」要选 %(least)s 至 %(most)s 个", name=name, least=least, most=most)
    elif least > 1 or (least == 1 and not limits.optional):
        words = gettext("「%(name)s」至少选 %(least)s 个", name=name, least=least)
        if most is not None:
            words = gettext("「%(name)s」要选 %(least)s 至 %(most)s 个", name=name, least=least, most=most)
    elif most is not None:
        return gettext("「%(name)s」一次最多选 %(most)s 个", name=name, most=most)
    else:
        return None
    if limits.optional:
        return gettext("%(sentence)s，也可以一个都不选", sentence=words)
    return words


def _ballot_sentence(limits: Limits) -> str | None:
    least, most = limits.min, limits.max
    if most is not None and least == most:
        return gettext("每张选票要选满 %(most)s 个", most=most)
    if least > 1 and most is not None:
        return gettext("每张选票要选 %(least)s 至 %(most)s 个", least=least, most=most)
    if least > 1:
        return gettext("每张选票至少选 %(least)s 个", least=least)
    if most is not None:
        return gettext("每张选票最多选 %(most)s 个", most=most)
    return None


def _says_more(limits: Limits, tightest: int | None) -> bool:
    """Whether a limit adds anything to a quota that every reader has already been told."""
    if limits.min > 1 or (limits.min == 1 and not limits.optional):
        return True
    return limits.max is not None and (tightest is None or limits.max < tightest)


def _tightest(rules: RuleSet, per: Iterable[str]) -> int | None:
    return min((q.limit for q in rules.quotas if q.unit == "choices" and q.per in per), default=None)


def _limits_sentences(rules: RuleSet, everything: bool) -> list[str]:
    found: list[str | None] = []
    per_award = _tightest(rules, ("award", "voter"))
    across = _tightest(rules, ("voter",))
    if across is None and per_award is not None:
        across = per_award * len(rules.awards)
    if (
        everything
        or rules.ballot.min > 1
        or (rules.ballot.max is not None and (across is None or rules.ballot.max < across))
    ):
        found.append(_ballot_sentence(rules.ballot))
    for award in rules.awards:
        if everything or _says_more(award.limits, per_award):
            found.append(_limits_sentence(award.name, award.limits))
        for group in award.groups:
            if everything or _says_more(group.limits, _tightest(rules, ("group",))):
                found.append(_limits_sentence(group.name, group.limits))
    return [sentence for sentence in found if sentence]


def brief(rules: RuleSet) -> list[str]:
    """Every limit a citizen can run into, stated before the first tap; what follows from another line is left out."""
    sentences = [quota_sentence(quota) for quota in rules.quotas]
    sentences += _limits_sentences(rules, everything=False)
    if rules.interval_s:
        sentences.append(gettext("两次投票至少间隔 %(time)s", time=duration(rules.interval_s)))
    if rules.daily_hours:
        sentences.append(_hours_sentence(rules.daily_hours))
    return sentences


def _hours_sentence(hours: tuple[int, int]) -> str:
    return gettext("每天 %(start)s 至 %(end)s 可以投票", start=minute_of_day(hours[0]), end=minute_of_day(hours[1]))


def _identity_sentences(rules: RuleSet) -> tuple[str, ...]:
    sentences = []
    if "device" in rules.identity:
        sentences.append(
            gettext("不用注册。投票次数按手机浏览器计算：请用同一部手机的同一个浏览器投票，并允许保存 Cookie。")
        )
        if rules.challenge == "always":
            sentences.append(gettext("提交选票时自动验证一次，防止机器刷票。"))
        elif rules.challenge == "on_challenge":
            sentences.append(gettext("同一网络短时间内投票的人多时，提交前会请您多做一次验证，不影响计票。"))
    if "wechat" in rules.identity:
        sentences.append(gettext("用微信投票：提交选票时由微信确认身份，投票次数按微信用户计算，不用关注任何公众号。"))
    if "sms" in rules.identity:
        sentences.append(gettext("用手机号投票：提交选票前用短信验证码确认，投票次数按手机号计算。"))
    if "oidc" in rules.identity:
        sentences.append(gettext("用统一身份认证投票：提交选票前登录一次，投票次数按实名用户计算。"))
    if len(rules.identity) > 1:
        sentences.append(gettext("以上方式任选一种，没有哪一种多得票数；票数按所用的方式分别计算，请每人只用一种。"))
    return tuple(sentences)


def _purpose_sentences(rules: RuleSet) -> tuple[str, ...]:
    """What the online vote weighs, and what its outcome is used for: both are public."""
    sentences = []
    if rules.online_weight == 100:
        sentences.append(gettext("名次由网络投票决定"))
    elif rules.online_weight == 0:
        sentences.append(gettext("网络投票只供参考，不计入评选结果"))
    else:
        sentences.append(
            gettext(
                "网络投票占评选结果的 %(weight)s%%，其余 %(rest)s%% 由其他评审环节决定",
                weight=rules.online_weight,
                rest=100 - rules.online_weight,
            )
        )
    return (*sentences, *([rules.purpose] if rules.purpose else []))


def _privacy_sentences(rules: RuleSet) -> tuple[str, ...]:
    """What is kept of a voter, as the ballot box and the ledger keep it."""
    asked = {"wechat": gettext("微信标识"), "sms": gettext("手机号"), "oidc": gettext("实名身份")}
    named = [words for provider, words in asked.items() if provider in rules.identity]
    sentences = [gettext("不收集姓名、住址和身份证号")]
    if named:
        what = gettext("、").join(named)
        sentences.append(gettext("%(what)s只在投票时用来确认身份，不保存原文", what=what))
    return (
        *sentences,
        gettext("每张选票只保存一个由密钥算出的投票人编码，用来核对投票次数，无法还原成任何人"),
        gettext("网络地址只保存到网段（IPv4 前 24 位，IPv6 前 64 位）和一个无法还原的编码，用来识别异常投票"),
        gettext("公布的内容不含任何个人信息"),
    )


def award_sentence(award: Award, candidates: int) -> str:
    """Seats and field of an award."""
    return gettext(
        "「%(name)s」从 %(candidates)s 个候选对象中选出 %(seats)s 个",
        name=award.name, candidates=f"{candidates:,}", seats=award.seats,
    )  # fmt: skip


def rules_page(rules: RuleSet, candidates_of: dict[str, int]) -> list[Fact]:
    """The whole rule set, in the order citizens ask: when, who, what, how much, what then."""
    window = gettext(
        "%(opens)s 开始，%(closes)s 截止（%(zone)s时间）",
        opens=full_time(rules.opens_ms, rules),
        closes=full_time(rules.closes_ms, rules),
        zone=zone_words(rules.time_zone),
    )
    when = [window] + ([_hours_sentence(rules.daily_hours)] if rules.daily_hours else [])
    repeat = (
        gettext("同一张选票上，可以给同一候选对象投几票")
        if rules.repeat
        else gettext("同一张选票上，同一候选对象只能选一次")
    )
    amounts = [quota_sentence(quota) for quota in rules.quotas]
    amounts += [gettext("两次投票至少间隔 %(time)s", time=duration(rules.interval_s))] if rules.interval_s else []
    if any(quota.period == "day" for quota in rules.quotas):
        amounts.append(gettext("“每天”指当地时间 0:00 至 24:00"))
    return [
        Fact(gettext("投票时间"), tuple(when)),
        Fact(gettext("评选什么"), tuple(award_sentence(a, candidates_of.get(a.key, 0)) for a in rules.awards)),
        Fact(gettext("网络投票的作用"), _purpose_sentences(rules)),
        Fact(gettext("谁可以投"), _identity_sentences(rules)),
        Fact(gettext("可以投多少"), tuple(amounts)),
        Fact(gettext("怎样填选票"), (*_limits_sentences(rules, everything=True), repeat)),
        Fact(
            gettext("怎样计票"),
            (
                gettext(
                    "一张选票上每选一个候选对象，计一票。每一票都来自一张真实的选票，没有任何途径可以直接改动票数。"
                ),
                gettext("按票数从多到少排名。"),
                tie_sentence(rules),
            ),
        ),
        Fact(gettext("票数怎样公布"), tuple(display_sentences(rules))),
        Fact(
            gettext("怎样保证公正"),
            (
                gettext("每张选票都有回执号，凭回执号可以随时查到这张选票。"),
                gettext("同一网络短时间内投票过多会被标记核查；只作废查实的异常选票，不会自动取消候选对象的资格。"),
                gettext("不设任何投票奖励，转发和关注不会多得票数。"),
                gettext(
                    "截止后封存票箱，依据逐张选票重新清点，先公示、后公布。经核实的异常选票会作废并说明原因，不会删除。"
                ),
            ),
        ),
        Fact(
            gettext("个人信息"),
            _privacy_sentences(rules),
        ),
    ]


def zone_words(name: str) -> str:
    """A time zone as people call it."""
    return gettext("北京") if name == "Asia/Shanghai" else name
