"""The phase a campaign is in, as a chip and as a sentence, and whether its pages offer voting at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext

from voting.rules.errors import OutsideDailyHours
from voting.web.times import day_time, minute_of_day, time_left

if TYPE_CHECKING:
    from voting.services.catalogue import CampaignView


def phase_name(phase: str) -> str:
    """The phase in a few characters."""
    names = {
        "draft": gettext("筹备中"),
        "upcoming": gettext("即将开始"),
        "open": gettext("正在投票"),
        "paused": gettext("投票暂停"),
        "closed": gettext("投票已截止"),
        "provisional": gettext("结果公示中"),
        "published": gettext("结果已公布"),
    }
    return names[phase]


def outside_hours(campaign: CampaignView, at_ms: int) -> OutsideDailyHours | None:
    """The refusal a ballot would meet outside the daily hours, to say it before anybody taps."""
    hours = campaign.rules.daily_hours
    if hours is None:
        return None
    local = campaign.rules.local(at_ms)
    return None if hours[0] <= local.hour * 60 + local.minute < hours[1] else OutsideDailyHours(*hours)


def can_vote(campaign: CampaignView, at_ms: int) -> bool:
    """Whether pages offer voting; the ballot box alone decides."""
    return campaign.phase(at_ms) == "open" and outside_hours(campaign, at_ms) is None


def phase_sentence(campaign: CampaignView, at_ms: int) -> str:
    """The one sentence about time that a page of this campaign must say."""
    phase, rules = campaign.phase(at_ms), campaign.rules
    if phase == "upcoming":
        return gettext("投票将于 %(when)s 开始。", when=day_time(rules.opens_ms, rules))
    if phase == "open":
        outside = outside_hours(campaign, at_ms)
        if outside is not None:
            start, end = minute_of_day(outside.from_minute), minute_of_day(outside.until_minute)
            return gettext("现在不在每天的投票时间内，请在每天 %(start)s 至 %(end)s 投票。", start=start, end=end)
        left = time_left(rules.closes_ms - at_ms)
        return gettext("投票截止 %(when)s，还剩 %(left)s。", when=day_time(rules.closes_ms, rules), left=left)
    if phase == "paused":
        if campaign.paused_reason:
            return gettext("投票暂停：%(reason)s。恢复后可以继续投票。", reason=campaign.paused_reason.rstrip("。."))
        return gettext("投票暂停，恢复后可以继续投票。")
    if phase == "closed":
        closed = min(rules.closes_ms, campaign.sealed_at or rules.closes_ms)
        return gettext("投票已于 %(when)s 截止，正在统计。", when=day_time(closed, rules))
    if phase == "provisional":
        return gettext("初步结果正在公示。如有异议，请联系主办方。")
    if phase == "published":
        return gettext("投票已结束，结果已经公布。")
    return gettext("活动正在筹备。")
