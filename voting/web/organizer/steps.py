"""The steps of the campaign wizard that are single forms: texts, time, identity, display, purpose.

A step reads its fields from a campaign (``of``), and says what a saved form changes (``changes``), by the names of
texts and of the fields of the rule set. What the rules mean is decided nowhere here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, Form, RadioField, SelectMultipleField, widgets
from wtforms.validators import InputRequired, Regexp, ValidationError

from voting.rules.campaign import RuleSet
from voting.rules.display import LONGEST_CACHE_S
from voting.web.organizer.fields import (
    NEEDED,
    UNITS,
    Choice,
    Clock,
    Moment,
    in_units,
    number_field,
    offered,
    text_field,
    unit_field,
)
from voting.web.times import minute_of_day

PROVIDERS = {
    "device": lazy_gettext("手机浏览器（不用登录）"),
    "wechat": lazy_gettext("微信"),
    "sms": lazy_gettext("短信验证码"),
    "oidc": lazy_gettext("统一身份认证"),
}
_PHONE = Regexp(r"[-0-9+() 、，,;；/转—（）]*\Z", message=lazy_gettext("请只填数字和 + - ( ) 、 转。"))


class StepForm(Form):
    """A step. ``NAMES`` are the fields of a campaign that it covers, each with the form's field that shows a fault."""

    NAMES: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def of(cls, rules: RuleSet, texts: Mapping[str, str]) -> Self:
        """The form with what a campaign says now."""
        return cls(data=cls.read(rules, texts))

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        raise NotImplementedError

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        """The campaign's fields as this valid form wants them; ``rules`` is what is saved now."""
        raise NotImplementedError

    def offer(self, providers: frozenset[str]) -> None:
        """Say what can be chosen, where that depends on the installation."""

    def blame(self, name: str, complaint: str) -> None:
        """Show what the rules refuse at the field that it came from."""
        field = self[self.NAMES.get(name, name)]
        field.errors = [*field.errors, complaint]


class TextsStep(StepForm):
    NAMES: ClassVar[Mapping[str, str]] = {
        name: name for name in ("title", "summary", "organizer_name", "contact", "enquiry_phone", "supervision_phone")
    }

    title = text_field(lazy_gettext("活动名称"), 200, needed=True)
    summary = text_field(lazy_gettext("活动简介"), 1000, lines=True)
    organizer_name = text_field(lazy_gettext("主办单位"), 200)
    enquiry_phone = text_field(lazy_gettext("咨询电话"), 64)
    supervision_phone = text_field(lazy_gettext("监督电话"), 64)
    contact = text_field(lazy_gettext("其他联系方式"), 200)

    def validate_enquiry_phone(self, field: Any) -> None:
        _PHONE(self, field)

    def validate_supervision_phone(self, field: Any) -> None:
        _PHONE(self, field)

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        return dict(texts)

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        return {name: self[name].data or "" for name in self.NAMES}


class TimeStep(StepForm):
    NAMES: ClassVar[Mapping[str, str]] = {
        "opens_at": "opens",
        "closes_at": "closes",
        "daily_hours": "hours_from",
        "time_zone": "zone",
    }

    opens = Moment(lazy_gettext("开始时间"), [InputRequired(NEEDED)])
    closes = Moment(lazy_gettext("截止时间"), [InputRequired(NEEDED)])
    daily = BooleanField(lazy_gettext("每天只在一段时间内开放投票"))
    hours_from = Clock(lazy_gettext("每天开始"))
    hours_until = Clock(lazy_gettext("每天结束"))
    zone = text_field(lazy_gettext("时区"), 64, needed=True)

    def validate_hours_from(self, field: Any) -> None:
        if self.daily.data and field.data is None and not field.errors:
            raise ValidationError(gettext("请填时刻，例如 06:00。"))

    def validate_hours_until(self, field: Any) -> None:
        if self.daily.data and field.data is None and not field.errors:
            raise ValidationError(gettext("请填时刻，例如 22:00。"))

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        hours = rules.daily_hours or (None, None)
        return {
            "opens": rules.local(rules.opens_ms),
            "closes": rules.local(rules.closes_ms),
            "daily": rules.daily_hours is not None,
            "hours_from": hours[0],
            "hours_until": hours[1],
            "zone": rules.time_zone,
        }

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        zone = str(self.zone.data)
        hours = None
        if self.daily.data:
            hours = [minute_of_day(self.hours_from.data or 0), minute_of_day(self.hours_until.data or 0)]
        return {
            "time_zone": zone,
            "opens_at": instant(self.opens.data, zone, rules.local(rules.opens_ms)),
            "closes_at": instant(self.closes.data, zone, rules.local(rules.closes_ms)),
            "daily_hours": hours,
        }


def instant(moment: datetime, zone: str, before: datetime) -> str:
    """A local time of a form with its offset; ``before`` is what the form showed."""
    found: tzinfo
    try:
        found = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # The rules refuse the zone by its name, before they look at the instant.
        found = UTC
    # A form shows minutes: a time that was left alone keeps its seconds.
    alone = moment == before.replace(second=0, microsecond=0, tzinfo=None)
    return (before if alone else moment).replace(microsecond=0, tzinfo=found).isoformat()


class Several(SelectMultipleField):
    """Boxes to tick."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        if not set(self.data or ()) <= {value for value, *_ in self.iter_choices()}:
            raise ValidationError(gettext("请从列表中选择。"))


class One(RadioField):
    """One of several, all in view."""

    def pre_validate(self, form: Any) -> None:
        if self.data not in {value for value, *_ in self.iter_choices()}:
            raise ValidationError(gettext("请从列表中选择。"))


class IdentityStep(StepForm):
    NAMES: ClassVar[Mapping[str, str]] = {"identity": "identity", "challenge": "challenge"}

    identity = Several(lazy_gettext("市民用什么身份投票"), choices=offered(PROVIDERS))
    challenge = One(
        lazy_gettext("手机浏览器投票时的人机验证"),
        choices=offered(
            {
                "always": lazy_gettext("每次都验证"),
                "on_challenge": lazy_gettext("同一网络投票多时才验证"),
                "off": lazy_gettext("不验证"),
            }
        ),
    )

    def validate_identity(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(gettext("请至少选择一种。"))

    def offer(self, providers: frozenset[str]) -> None:
        missing = gettext("（本系统尚未配置）")
        self.identity.choices = [
            (name, f"{words}{'' if name in providers else missing}") for name, words in PROVIDERS.items()
        ]

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        return {"identity": list(rules.identity), "challenge": rules.challenge}

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        # The first one decides where several could: those that stay keep their place.
        chosen = set(self.identity.data or ())
        stay = [name for name in rules.identity if name in chosen]
        come = [name for name in PROVIDERS if name in chosen and name not in stay]
        return {"identity": stay + come, "challenge": self.challenge.data}


class DisplayStep(StepForm):
    NAMES: ClassVar[Mapping[str, str]] = {"display": "mode", "ties": "extend"}

    mode = One(
        lazy_gettext("投票期间票数怎样公布"),
        choices=offered(
            {
                "live": lazy_gettext("实时更新"),
                "cached": lazy_gettext("隔一段时间更新"),
                "daily": lazy_gettext("每天定时更新"),
                "hidden": lazy_gettext("投票期间不公布"),
            }
        ),
    )
    every = number_field(lazy_gettext("更新间隔"), 1, LONGEST_CACHE_S, needed=False)
    every_unit = unit_field(lazy_gettext("更新间隔的单位"))
    at = Clock(lazy_gettext("每天更新的时刻"))
    until = Choice(
        lazy_gettext("不公布到什么时候"),
        choices=offered({"close": lazy_gettext("投票截止"), "published": lazy_gettext("结果公布")}),
    )
    freeze_hours = number_field(lazy_gettext("截止前几小时不更新票数"), 0, 10_000)
    order = Choice(
        lazy_gettext("候选对象的排列顺序"),
        choices=offered(
            {
                "random": lazy_gettext("随机，每位访客不同"),
                "number": lazy_gettext("按编号"),
                "name": lazy_gettext("按名称"),
                "rank": lazy_gettext("按当前排名"),
            }
        ),
    )
    gap = BooleanField(lazy_gettext("在候选对象页显示与上一名的票差"))
    extend = BooleanField(lazy_gettext("最后一个名额并列时，并列者全部入选"))

    def validate(self, extra_validators: Any = None) -> bool:
        """An interval may be left out, but not where it is the point."""
        fits = super().validate(extra_validators)
        if self.mode.data == "cached" and self.every.data is None and not self.every.errors:
            self.blame("every", str(NEEDED))
            return False
        return fits

    def validate_every(self, field: Any) -> None:
        long = (field.data or 0) * UNITS.get(self.every_unit.data, 1)
        if self.mode.data == "cached" and long > LONGEST_CACHE_S:
            raise ValidationError(gettext("最长 24 小时；更长请选“每天定时更新”。"))

    def validate_at(self, field: Any) -> None:
        if self.mode.data == "daily" and (field.data is None or field.data >= 24 * 60):
            raise ValidationError(gettext("请填时刻，例如 18:00。"))

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        display = rules.display
        every, unit = in_units(display.every_s)
        return {
            "mode": display.mode,
            "every": every or None,
            "every_unit": unit,
            "at": display.at_minute if display.mode == "daily" else None,
            "until": display.until,
            "freeze_hours": display.freeze_hours,
            "order": display.order,
            "gap": display.gap,
            "extend": "extend_seats" in rules.ties,
        }

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        mode = self.mode.data
        display: dict[str, Any] = {"mode": mode, "freeze_hours": self.freeze_hours.data, "order": self.order.data}
        display["gap"] = bool(self.gap.data)
        if mode == "cached":
            display["every_s"] = (self.every.data or 0) * UNITS[self.every_unit.data]
        elif mode == "daily":
            display["at"] = minute_of_day(self.at.data or 0)
        elif mode == "hidden":
            display["until"] = self.until.data
        others = [tie for tie in rules.ties if tie != "extend_seats"]
        return {"display": display, "ties": [*(["extend_seats"] if self.extend.data else []), *others]}


class PurposeStep(StepForm):
    NAMES: ClassVar[Mapping[str, str]] = {"online_weight": "online_weight", "purpose": "purpose"}

    online_weight = number_field(lazy_gettext("网络投票占评选结果的百分之几"), 0, 100)
    purpose = text_field(lazy_gettext("结果怎样使用，其余部分由什么决定"), 500, lines=True)

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        return {"online_weight": rules.online_weight, "purpose": rules.purpose}

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        return {"online_weight": self.online_weight.data, "purpose": self.purpose.data or ""}
