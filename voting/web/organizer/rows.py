"""The steps of the campaign wizard that are lists of rows: awards with their groups, and quotas.

A row is added and removed by a button that sends the whole form, so that nothing typed is lost without script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, FieldList, Form, FormField, HiddenField
from wtforms.validators import Optional, Regexp, ValidationError

from voting.rules.campaign import Limits, RuleSet
from voting.web.organizer.fields import UNITS, Choice, in_units, number_field, offered, text_field, unit_field
from voting.web.organizer.steps import StepForm

MOST_AWARDS, MOST_GROUPS, MOST_QUOTAS = 30, 60, 20
_KEY = [Optional(), Regexp(r"[A-Za-z0-9_.-]{1,32}\Z")]


class LimitsForm(Form):
    """How many are chosen on one ballot."""

    key = HiddenField(validators=_KEY)
    name = text_field(lazy_gettext("名称"), 64, needed=True)
    least = number_field(lazy_gettext("至少选几个"), 0)
    most = number_field(lazy_gettext("最多选几个"), 1, needed=False)
    optional = BooleanField(lazy_gettext("也可以一个都不选"), default=True)

    def limits(self) -> dict[str, Any]:
        return {"min": self.least.data, "max": self.most.data, "optional": bool(self.optional.data)}

    def validate_most(self, field: Any) -> None:
        if field.data is not None and self.least.data is not None and field.data < self.least.data:
            raise ValidationError(gettext("不能少于“至少选几个”。"))


class GroupForm(LimitsForm):
    """A group of an award."""


class AwardForm(LimitsForm):
    """An award with its groups."""

    seats = number_field(lazy_gettext("评选几个"), 1)
    groups = FieldList(FormField(GroupForm, default=dict), lazy_gettext("类别"), max_entries=MOST_GROUPS)


def _row(key: str, name: str, limits: Limits) -> dict[str, Any]:
    return {"key": key, "name": name, "least": limits.min, "most": limits.max, "optional": limits.optional}


class AwardsStep(StepForm):
    NAMES: ClassVar[Mapping[str, str]] = {"awards": "awards", "ballot": "ballot_least"}

    awards = FieldList(FormField(AwardForm, default=dict), lazy_gettext("奖项"), max_entries=MOST_AWARDS)
    ballot_least = number_field(lazy_gettext("整张选票至少选几个"), 1)
    ballot_most = number_field(lazy_gettext("整张选票最多选几个"), 1, needed=False)
    repeat = BooleanField(lazy_gettext("同一张选票上，可以给同一候选对象投几票"))

    def validate_ballot_most(self, field: Any) -> None:
        if field.data is not None and self.ballot_least.data is not None and field.data < self.ballot_least.data:
            raise ValidationError(gettext("不能少于“至少选几个”。"))

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        awards = [
            _row(award.key, award.name, award.limits)
            | {"seats": award.seats, "groups": [_row(g.key, g.name, g.limits) for g in award.groups]}
            for award in rules.awards
        ]
        ballot = rules.ballot
        return {"awards": awards, "ballot_least": ballot.min, "ballot_most": ballot.max, "repeat": rules.repeat}

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        forms = [entry.form for entry in self.awards.entries]
        keys = _keys("award", (form.key.data for form in forms))
        groups = _keys("group", (entry.form.key.data for form in forms for entry in form.groups.entries))
        awards = [
            {"key": next(keys), "name": form.name.data, "seats": form.seats.data}
            | form.limits()
            | {
                "groups": [
                    {"key": next(groups), "name": entry.form.name.data} | entry.form.limits()
                    for entry in form.groups.entries
                ]
            }
            for form in forms
        ]
        ballot = {"min": self.ballot_least.data, "max": self.ballot_most.data, "repeat": bool(self.repeat.data)}
        return {"awards": awards, "ballot": ballot}


def _keys(word: str, given: Iterable[str | None]) -> Any:
    """The keys of rows in order: the one a row has, and a new one for a row without."""
    known = list(given)
    number = 0
    for key in known:
        if key:
            yield key
            continue
        number += 1
        while f"{word}-{number}" in known:
            number += 1
        yield f"{word}-{number}"


KINDS = {
    "ballots-voter": lazy_gettext("每人提交的选票"),
    "choices-voter": lazy_gettext("每人投出的票"),
    "choices-award": lazy_gettext("每人在每个奖项投出的票"),
    "choices-group": lazy_gettext("每人在每个类别投出的票"),
    "choices-candidate": lazy_gettext("每人投给同一候选对象的票"),
}
PERIODS = {
    "day": lazy_gettext("每天（0:00 至 24:00）"),
    "rolling": lazy_gettext("任意 24 小时"),
    "campaign": lazy_gettext("整个活动期间"),
}


class QuotaForm(Form):
    """One line of quota."""

    kind = Choice(lazy_gettext("限制什么"), choices=offered(KINDS))
    period = Choice(lazy_gettext("多长时间内"), choices=offered(PERIODS))
    limit = number_field(lazy_gettext("最多几次"), 1)


class QuotasStep(StepForm):
    NAMES: ClassVar[Mapping[str, str]] = {"quotas": "quotas", "interval_s": "interval"}

    quotas = FieldList(FormField(QuotaForm, default=dict), lazy_gettext("限额"), max_entries=MOST_QUOTAS)
    interval = number_field(lazy_gettext("两次投票至少间隔"), 0)
    interval_unit = unit_field(lazy_gettext("间隔的单位"))

    def validate_quotas(self, field: Any) -> None:
        seen = set()
        for entry in field.entries:
            row = (entry.form.kind.data, entry.form.period.data)
            if row in seen:
                said = gettext("上面已经有一行同样的限额，请合并成一行。")
                entry.form.kind.errors = [*entry.form.kind.errors, said]
                raise ValidationError(said)
            seen.add(row)

    @staticmethod
    def read(rules: RuleSet, texts: Mapping[str, str]) -> dict[str, Any]:
        rows = [{"kind": f"{q.unit}-{q.per}", "period": q.period, "limit": q.limit} for q in rules.quotas]
        interval, unit = in_units(rules.interval_s)
        return {"quotas": rows, "interval": interval, "interval_unit": unit}

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        quotas = []
        for entry in self.quotas.entries:
            unit, _, per = entry.form.kind.data.partition("-")
            row = {"unit": unit, "per": per, "period": entry.form.period.data, "limit": entry.form.limit.data}
            quotas.append(row)
        return {"quotas": quotas, "interval_s": (self.interval.data or 0) * UNITS[self.interval_unit.data]}
