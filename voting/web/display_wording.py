"""How counts are shown, in sentences: when they are brought up to date, of which instant they are, and how ties stand.

What may be shown is decided in ``rules/display.py``; this only says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext

from voting.rules.campaign import RuleSet
from voting.web.times import clock_time, day_time, duration, minute_of_day, near_time

if TYPE_CHECKING:
    from voting.services.catalogue import CampaignView
    from voting.services.leaderboard import Board


def display_sentences(rules: RuleSet) -> list[str]:
    """The display mode, the freeze and the order of the list: for the rules page."""
    display = rules.display
    sentences = [_mode_sentence(rules)]
    if display.freeze_hours:
        sentences.append(gettext("截止前最后 %(n)s 小时不更新票数", n=display.freeze_hours))
    sentences.append(
        {
            "random": gettext("候选对象按随机顺序排列，每位访客看到的顺序不同，不偏向任何一个"),
            "number": gettext("候选对象按编号排列"),
            "name": gettext("候选对象按名称排列"),
            "rank": gettext("候选对象按当前排名排列"),
        }[display.order]
    )
    return sentences


def _mode_sentence(rules: RuleSet) -> str:
    display = rules.display
    if display.mode == "live":
        return gettext("票数实时更新")
    if display.mode == "cached":
        return gettext("票数每 %(time)s更新一次", time=_interval(display.every_s))
    if display.mode == "daily":
        return gettext("票数每天 %(clock)s 更新", clock=minute_of_day(display.at_minute))
    if display.until == "close":
        return gettext("投票截止前不公布票数和排名")
    return gettext("结果公布前不公布票数和排名")


def _interval(seconds: int) -> str:
    """One hour is said as an hour, not as sixty minutes."""
    if seconds % 3600 == 0:
        return gettext("%(n)s 小时", n=seconds // 3600)
    return duration(seconds)


def as_of(board: Board, rules: RuleSet) -> str:
    """The instant that the shown counts are true for: the second while they move, the day and minute otherwise."""
    return clock_time(board.as_of_ms, rules) if board.live else day_time(board.as_of_ms, rules)


def update_sentence(board: Board, campaign: CampaignView, at_ms: int) -> str:
    """Why these counts are not of this moment, and when newer ones come; empty while they are live."""
    if board.final:
        return ""
    rules = campaign.rules
    if board.hidden:
        return _hidden_sentence(board, rules, at_ms)
    if board.frozen:
        return gettext(
            "按规则，截止前最后 %(n)s 小时不再更新票数，最终票数以公示的结果为准。", n=rules.display.freeze_hours
        )
    if board.live:
        return ""
    mode = _mode_sentence(rules)
    if board.next_ms is None:
        return gettext("%(mode)s。最终票数以公示的结果为准。", mode=mode)
    return gettext("%(mode)s。下次更新：%(when)s。", mode=mode, when=near_time(board.next_ms, rules, at_ms))


def counts_note(board: Board | None, campaign: CampaignView) -> str:
    """What stands beside figures that are not of this moment, on pages that are about something else."""
    if board is None or board.live or board.final:
        return ""
    if board.hidden:
        return _mode_sentence(campaign.rules)
    return gettext("票数截至 %(when)s", when=as_of(board, campaign.rules))


def _hidden_sentence(board: Board, rules: RuleSet, at_ms: int) -> str:
    if board.next_ms is not None:
        when = near_time(board.next_ms, rules, at_ms)
        return gettext("按本次活动的规则，投票截止前不公布票数和排名。%(when)s 截止后可以查看。", when=when)
    return gettext("按本次活动的规则，结果公布前不公布票数和排名。结果公布后可以在这里查看。")


def tie_sentence(rules: RuleSet) -> str:
    """What equal votes mean, and what settles a tie across the last seat."""
    if "extend_seats" in rules.ties:
        return gettext("票数相同，名次并列。最后一个名额出现并列时，并列者全部入选。")
    return gettext("票数相同，名次并列。最后一个名额出现并列时，如实公布，待定者由主办方依规处理后再公布结果。")
