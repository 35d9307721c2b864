"""The checklist in words: what is missing or contradictory in a draft, said so that it can be mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, lazy_gettext

from voting.rules.findings import Finding
from voting.web.organizer.steps import PROVIDERS
from voting.web.rule_wording import quota_sentence

STEP_NAMES = {
    "texts": lazy_gettext("名称和联系方式"),
    "time": lazy_gettext("时间"),
    "awards": lazy_gettext("奖项和选票"),
    "quotas": lazy_gettext("限额"),
    "identity": lazy_gettext("身份和验证"),
    "display": lazy_gettext("票数公布"),
    "purpose": lazy_gettext("作用和占比"),
    "candidates": lazy_gettext("候选对象"),
}
_PLAIN = {
    "no_title": lazy_gettext("没有活动名称"),
    "no_organizer": lazy_gettext("没有写主办单位，市民不知道是谁在评选"),
    "no_contact": lazy_gettext("没有咨询电话、监督电话或其他联系方式，市民有问题找不到人"),
    "no_supervision": lazy_gettext("没有监督电话，市民有异议不知道向谁反映"),
    "window_backwards": lazy_gettext("截止时间早于开始时间"),
    "window_over": lazy_gettext("截止时间已经过去"),
    "hours_over_midnight": lazy_gettext(
        "每天的投票时间跨过了零点，而限额按自然日计算：同一晚会算成两天。请把结束时刻改到 24:00 以前"
    ),
    "hours_backwards": lazy_gettext("每天的结束时刻要晚于开始时刻，并且在同一天内"),
    "no_award": lazy_gettext("还没有奖项"),
    "empty_ballot": lazy_gettext("整张选票至少要选 1 个，不能提交空白选票"),
    "no_quota": lazy_gettext("还没有限额：一个人可以无限次投票"),
    "interval": lazy_gettext("两次投票的间隔不能是负数"),
    "no_identity": lazy_gettext("还没有选择市民用什么身份投票"),
    "no_challenge": lazy_gettext("市民不用登录、也不做人机验证：机器刷票很容易"),
    "display_every": lazy_gettext("“隔一段时间更新”要填更新间隔，最长 24 小时"),
    "display_at": lazy_gettext("“每天定时更新”要填时刻"),
    "display_rank_hidden": lazy_gettext("投票期间不公布票数，就不能按排名排列：顺序会泄露排名"),
    "display_freeze": lazy_gettext("截止前不更新的小时数不能是负数"),
    "display_freeze_hidden": lazy_gettext("投票期间不公布票数，不需要再设截止前不更新"),
    "display_frozen_whole": lazy_gettext("整个投票期间都不更新票数：请改为“投票期间不公布”"),
    "weight": lazy_gettext("网络投票的占比要在 0 到 100 之间"),
    "no_purpose": lazy_gettext("网络投票不是全部，请写明其余部分由什么决定、结果怎样使用"),
    "quota_without_groups": lazy_gettext("有一行限额按类别计算，但奖项里没有类别，这一行不起作用"),
    "nothing_changed": lazy_gettext("没有任何改动"),
    "quota_kinds": lazy_gettext("限额只能改数量，不能增加、删除或换成别的算法：没有记录过的用量无从算起"),
    "interval_switched": lazy_gettext("已有的投票间隔可以改长短，不能新设或取消"),
    "two_days": lazy_gettext("有的限额按自然日、有的按任意 24 小时计算，市民容易弄混"),
}


def finding_sentence(found: Finding) -> str:
    """One line of the checklist."""
    if (plain := _PLAIN.get(found.code)) is not None:
        return str(plain)
    worded = _WITH_FACTS.get(found.code)
    # A code without words is still told: as the line that operators read.
    return worded(found.facts) if worded else found.text


def _whose(facts: Any) -> str:
    return gettext("「%(name)s」", name=facts["name"]) if facts["name"] else gettext("整张选票")


def _too_few(facts: Any) -> str:
    whose, least, candidates = _whose(facts), facts["least"], facts["candidates"]
    if least == facts["most"]:
        return gettext("%(whose)s必选 %(n)s 个，但只有 %(m)s 个候选对象", whose=whose, n=least, m=candidates)
    return gettext("%(whose)s至少选 %(n)s 个，但只有 %(m)s 个候选对象", whose=whose, n=least, m=candidates)


def _no_candidates(facts: Any) -> str:
    return gettext("%(whose)s还没有候选对象", whose=_whose(facts))


def _seats(facts: Any) -> str:
    return gettext(
        "%(whose)s要评选 %(n)s 个，但只有 %(m)s 个候选对象",
        whose=_whose(facts), n=facts["seats"], m=facts["candidates"],
    )  # fmt: skip


def _no_seat(facts: Any) -> str:
    return gettext("%(whose)s至少要评选 1 个", whose=_whose(facts))


def _contradict(facts: Any) -> str:
    return gettext(
        "%(whose)s至少选 %(n)s 个、最多选 %(m)s 个，互相矛盾",
        whose=_whose(facts), n=facts["least"], m=facts["most"],
    )  # fmt: skip


def _allow_fewer(facts: Any) -> str:
    return gettext("整张选票至少选 %(n)s 个，但各奖项加起来最多选 %(m)s 个", n=facts["least"], m=facts["together"])


def _require_more(facts: Any) -> str:
    return gettext("各奖项加起来至少选 %(n)s 个，但整张选票最多选 %(m)s 个", n=facts["required"], m=facts["most"])


def _below_ballot(facts: Any) -> str:
    quota = quota_sentence(facts["quota"])
    return gettext("限额“%(quota)s”小于一张选票至少要选的 %(n)s 个，谁也投不了", quota=quota, n=facts["least"])


def _below_award(facts: Any) -> str:
    quota, name = quota_sentence(facts["quota"]), facts["name"]
    return gettext(
        "限额“%(quota)s”小于「%(name)s」一张选票至少要选的 %(n)s 个", quota=quota, name=name, n=facts["least"]
    )


def _of_quota(words: Any) -> Callable[[Any], str]:
    return lambda facts: str(words) % {"quota": quota_sentence(facts["quota"])}


def _touched(facts: Any) -> str:
    return gettext(
        "投票时间共 %(hours)s 小时，却跨了 %(days)s 个自然日：按天计算的限额，每人可以用 %(days)s 次",
        hours=facts["hours"], days=facts["days"],
    )  # fmt: skip


def _provider(words: Any) -> Callable[[Any], str]:
    return lambda facts: str(words) % {"name": PROVIDERS.get(facts["provider"], facts["provider"])}


def _nominations(facts: Any) -> str:
    return gettext("还有 %(n)s 条推荐没有处理完，开始投票后就不能再采纳", n=facts["n"])


_WITH_FACTS: dict[str, Callable[[Any], str]] = {
    "too_few_candidates": _too_few,
    "no_candidates": _no_candidates,
    "seats_over_candidates": _seats,
    "no_seat": _no_seat,
    "nominations_waiting": _nominations,
    "limits_contradict": _contradict,
    "awards_allow_fewer": _allow_fewer,
    "awards_require_more": _require_more,
    "quota_below_ballot": _below_ballot,
    "quota_below_award": _below_award,
    "quota_twice": _of_quota(lazy_gettext("限额“%(quota)s”和另一行重复")),
    "quota_none": _of_quota(lazy_gettext("限额“%(quota)s”至少要是 1")),
    "quota_ballots": _of_quota(lazy_gettext("限额“%(quota)s”：选票张数只能按人计算")),
    "quota_lowered": _of_quota(lazy_gettext("限额“%(quota)s”只能提高：降低后，先投的人会比后投的人多")),
    "seats_fewer": lambda facts: gettext("「%(name)s」的名额只能增加", name=facts["name"]),
    "rule_fixed": lambda facts: gettext("规则的这一项（%(name)s）在开放投票后不能变更", name=facts["name"]),
    "days_touched": _touched,
    "window_long": lambda facts: gettext("投票时间超过 %(n)s 天，请检查年份", n=facts["days"]),
    "key_twice": lambda facts: gettext("代码 %(key)s 用了两次", key=facts["key"]),
    "identity_not_configured": _provider(lazy_gettext("选了“%(name)s”，但本系统还没有配置它，请联系技术人员")),
    "identity_twice": _provider(lazy_gettext("“%(name)s”选了两次")),
    "challenge_unknown": lambda facts: gettext("人机验证的方式“%(word)s”不存在", word=facts["word"]),
    "display_unknown": lambda facts: gettext("票数公布的设置“%(word)s”不存在", word=facts["word"]),
}
#: every code there are words for: a test holds it against what the rules say
WORDED = frozenset({*_PLAIN, *_WITH_FACTS})
