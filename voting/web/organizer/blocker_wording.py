"""What stands against opening or publishing, in words: each line that the rules give, told in Chinese or English.

The rules give English lines (the command line prints them as they are); every one of them is known here by its shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flask_babel import gettext

from voting.rules.campaign import RuleSet


def blocker_words(line: str, rules: RuleSet) -> str:
    """One line in words; a line of an unknown shape stands as it is, so that nothing is kept back."""
    for shape, words in _SHAPES:
        if found := shape.fullmatch(line):
            return words(found, rules)
    return line


def _scope(text: str, rules: RuleSet) -> str:
    """「award centres」 as its name."""
    kind, _, key = text.partition(" ")
    if kind == "award":
        return next((f"「{award.name}」" for award in rules.awards if award.key == key), key)
    if kind == "group":
        return next((f"「{group.name}」" for group in rules.groups() if group.key == key), key)
    return gettext("整张选票")


def _quota(text: str) -> str:
    found = re.fullmatch(r"quota of (\w+) per (\w+) and (\w+)", text)
    if not found:
        return text
    unit, per, period = found.groups()
    units = {"ballots": gettext("选票数"), "choices": gettext("票数")}
    scopes = {
        "voter": gettext("每人"),
        "award": gettext("每个奖项"),
        "group": gettext("每个类别"),
        "candidate": gettext("每个候选对象"),
    }
    periods = {"day": gettext("每天"), "rolling": gettext("任意 24 小时"), "campaign": gettext("整个活动期间")}
    return gettext(
        "限额（%(period)s、%(scope)s、%(unit)s）",
        period=periods.get(period, period),
        scope=scopes.get(per, per),
        unit=units.get(unit, unit),
    )


Words = Callable[[re.Match[str], RuleSet], str]
_SHAPES: list[tuple[re.Pattern[str], Words]] = [
    (re.compile(shape), words)
    for shape, words in (
        ("the window closes before it opens", lambda f, r: gettext("截止时间早于开始时间。")),
        ("the window is longer than (\\d+) days", lambda f, r: gettext("投票时间超过 %(n)s 天，请检查日期。", n=f[1])),
        ("the window is already over", lambda f, r: gettext("投票时间已经过去，请改截止时间。")),
        (
            "daily hours must begin before they end, within one day",
            lambda f, r: gettext("每天的投票时段要在同一天内，开始早于结束。"),
        ),
        ("no award", lambda f, r: gettext("还没有奖项。")),
        ("the key (.+) is used twice", lambda f, r: gettext("奖项或类别的代号 %(key)s 用了两次。", key=f[1])),
        (
            "award (.+): no candidates",
            lambda f, r: gettext("%(name)s还没有候选对象。", name=_scope(f"award {f[1]}", r)),
        ),
        (
            r"award (.+): (\d+) seats but only (\d+) candidates",
            lambda f, r: gettext(
                "%(name)s要评 %(seats)s 个，但只有 %(count)s 个候选对象。",
                name=_scope(f"award {f[1]}", r),
                seats=f[2],
                count=f[3],
            ),
        ),
        (
            "award (.+): needs at least one seat",
            lambda f, r: gettext("%(name)s至少要有 1 个名额。", name=_scope(f"award {f[1]}", r)),
        ),
        (
            r"(award .+|group .+|ballot): at least (-?\d+) and at most (.+) choices contradict each other",
            lambda f, r: gettext(
                "%(name)s：至少选 %(least)s 个与最多选 %(most)s 个矛盾。", name=_scope(f[1], r), least=f[2], most=f[3]
            ),
        ),
        (
            r"(award .+|group .+|ballot): (\d+) must be chosen but there are only (\d+) candidates",
            lambda f, r: gettext(
                "%(name)s：必选 %(least)s 个，但只有 %(count)s 个候选对象。",
                name=_scope(f[1], r),
                least=f[2],
                count=f[3],
            ),
        ),
        (
            "ballot: an empty ballot must not be allowed, set at least 1 choice",
            lambda f, r: gettext("不能允许空白选票，每张选票至少选 1 个。"),
        ),
        (
            r"ballot: (\d+) must be chosen but the awards allow fewer together",
            lambda f, r: gettext("每张选票必选 %(least)s 个，但各奖项合起来允许的更少。", least=f[1]),
        ),
        (
            r"ballot: the awards require (\d+) choices but a ballot allows (\d+)",
            lambda f, r: gettext(
                "各奖项合计必选 %(needed)s 个，但一张选票最多选 %(most)s 个。", needed=f[1], most=f[2]
            ),
        ),
        ("no quota: a voter could vote without end", lambda f, r: gettext("没有限额，一个人可以无限次投票。")),
        ("(quota of .+): is given twice", lambda f, r: gettext("%(quota)s写了两次。", quota=_quota(f[1]))),
        (
            "(quota of .+): the limit must be at least 1",
            lambda f, r: gettext("%(quota)s至少为 1。", quota=_quota(f[1])),
        ),
        (
            "(quota of .+): ballots are counted per voter only",
            lambda f, r: gettext("%(quota)s：选票数只能按每人限制。", quota=_quota(f[1])),
        ),
        (
            r"(quota of .+): (\d+) allowed but a ballot needs (\d+)",
            lambda f, r: gettext(
                "%(quota)s只允许 %(limit)s 票，但一张选票必选 %(least)s 个。",
                quota=_quota(f[1]),
                limit=f[2],
                least=f[3],
            ),
        ),
        (
            r"(quota of .+): (\d+) allowed but an award needs more on one ballot",
            lambda f, r: gettext(
                "%(quota)s只允许 %(limit)s 票，但有奖项在一张选票上必选更多。", quota=_quota(f[1]), limit=f[2]
            ),
        ),
        (r"display (.+) is not known", lambda f, r: gettext("不认识票数显示方式 %(name)s。", name=f[1])),
        (r"display: order (.+) is not known", lambda f, r: gettext("不认识排列方式 %(name)s。", name=f[1])),
        (
            r"display: cached needs every_s from 1 to (\d+)",
            lambda f, r: gettext("票数更新的间隔要在 1 到 %(most)s 秒之间。", most=f[1]),
        ),
        ("display: daily needs a time of day", lambda f, r: gettext("每天公布票数要写明几点。")),
        (
            "display: hidden until (.+) is not known",
            lambda f, r: gettext("不认识票数隐藏的期限 %(name)s。", name=f[1]),
        ),
        (
            "display: an order by rank would tell what is hidden",
            lambda f, r: gettext("票数隐藏时不能按名次排列候选对象。"),
        ),
        ("display: freeze_hours must not be negative", lambda f, r: gettext("停止更新票数的小时数不能是负数。")),
        (
            "display: what is hidden needs no freeze_hours",
            lambda f, r: gettext("票数已经隐藏，不需要再停止更新。"),
        ),
        (
            "display: frozen for the whole of the voting, say hidden instead",
            lambda f, r: gettext("停止更新的时间覆盖了整个投票期，请改为隐藏票数。"),
        ),
        ("the minimum interval must not be negative", lambda f, r: gettext("两次投票的间隔不能是负数。")),
        ("tie rule (.+) is not known", lambda f, r: gettext("不认识并列规则 %(name)s。", name=f[1])),
        (
            "online_weight: (.+) is not a percentage from 0 to 100",
            lambda f, r: gettext("网络投票的占比 %(n)s 不在 0 到 100 之间。", n=f[1]),
        ),
        ("challenge (.+) is not known", lambda f, r: gettext("不认识验证方式 %(name)s。", name=f[1])),
        ("identity (.+) is given twice", lambda f, r: gettext("身份验证方式 %(name)s 写了两次。", name=f[1])),
        (
            "identity (.+) is not available",
            lambda f, r: gettext("身份验证方式 %(name)s 在本系统还没有配置好。", name=f[1]),
        ),
        ("no identity is chosen", lambda f, r: gettext("还没有选择身份验证方式。")),
        (
            r"the box is missing but (\d+) ballots are recorded: .*",
            lambda f, r: gettext(
                "票箱不见了，但已有 %(n)s 张选票入账。请系统管理员执行 flask ledger rebuild。", n=f[1]
            ),
        ),
        ("nothing has been counted", lambda f, r: gettext("还没有清点。")),
        (
            r"ledger and tally differ for (\d+) candidates: .*",
            lambda f, r: gettext("台账与即时统计有 %(n)s 个候选对象不一致，请先核对（监看页的“核对”）。", n=f[1]),
        ),
        (
            r"award (.+): (\d+) candidates are tied across the last seat; .*",
            lambda f, r: gettext(
                "%(name)s有 %(n)s 个候选对象在末位并列，规则没有写明怎样决定。",
                name=_scope(f"award {f[1]}", r),
                n=f[2],
            ),
        ),
    )
]
