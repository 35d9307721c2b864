"""The form for changing rules after opening: the fields that may be changed, and no other.

What a change must not do is decided by the rules (``rules/changes.py``); fields forged beside these are not read.
"""

from __future__ import annotations

import json
from typing import Any, Self

from flask_babel import lazy_gettext
from wtforms import IntegerField
from wtforms.validators import InputRequired, Optional

from voting.rules.campaign import RuleSet
from voting.rules.rule_text import write_rules
from voting.services.rule_changes import LONGEST_REASON
from voting.web.organizer.fields import NEEDED, UNITS, Moment, in_units, number_field, text_field, unit_field
from voting.web.organizer.steps import DisplayStep, IdentityStep, PurposeStep, TimeStep, instant
from voting.web.rule_wording import quota_sentence
from voting.web.times import minute_of_day


class ChangeForm(DisplayStep):
    """Made for one campaign by ``form_for``: quota limits and seats have a field for each line and award."""

    version = IntegerField(validators=[InputRequired()])
    seen = IntegerField(validators=[Optional()])
    closes = Moment(lazy_gettext("截止时间"), [InputRequired(NEEDED)])
    # Fields of the wizard's steps, taken over as they are.
    daily: Any = TimeStep.daily
    hours_from: Any = TimeStep.hours_from
    hours_until: Any = TimeStep.hours_until
    challenge: Any = IdentityStep.challenge
    purpose: Any = PurposeStep.purpose
    reason = text_field(lazy_gettext("公开的理由"), LONGEST_REASON, needed=True, lines=True)

    validate_hours_from = TimeStep.validate_hours_from
    validate_hours_until = TimeStep.validate_hours_until

    @classmethod
    def of_rules(cls, rules: RuleSet) -> Self:
        """The form with the rules in force."""
        time, texts = TimeStep.read(rules, {}), {"challenge": rules.challenge, "purpose": rules.purpose}
        data = DisplayStep.read(rules, {}) | time | texts
        data |= {f"limit_{at}": quota.limit for at, quota in enumerate(rules.quotas)}
        data |= {f"seats_{at}": award.seats for at, award in enumerate(rules.awards)}
        data["interval"], data["interval_unit"] = in_units(rules.interval_s)
        return cls(data=data)

    def limits(self, rules: RuleSet) -> list[Any]:
        """The fields of the quota limits."""
        return [self[f"limit_{at}"] for at in range(len(rules.quotas))]

    def seats(self, rules: RuleSet) -> list[Any]:
        """The fields of the awards' seats."""
        return [self[f"seats_{at}"] for at in range(len(rules.awards))]

    def changes(self, rules: RuleSet) -> dict[str, Any]:
        """Fields of the canonical rule set as this valid form wants them."""
        now = json.loads(write_rules(rules))
        hours = None
        if self.daily.data:
            hours = [minute_of_day(self.hours_from.data or 0), minute_of_day(self.hours_until.data or 0)]
        closes = instant(self.closes.data, rules.time_zone, rules.local(rules.closes_ms))
        wanted = {"closes_at": closes, "daily_hours": hours, "challenge": self.challenge.data}
        wanted |= DisplayStep.changes(self, rules) | {"purpose": self.purpose.data or ""}
        wanted["quotas"] = [
            quota | {"limit": field.data} for quota, field in zip(now["quotas"], self.limits(rules), strict=True)
        ]
        wanted["awards"] = [
            award | {"seats": field.data} for award, field in zip(now["awards"], self.seats(rules), strict=True)
        ]
        if "interval" in self:
            wanted["interval_s"] = (self["interval"].data or 0) * UNITS[self["interval_unit"].data]
        return wanted


def form_for(rules: RuleSet) -> type[ChangeForm]:
    """The form of a campaign with these rules."""
    fields: dict[str, Any] = {}
    for at, quota in enumerate(rules.quotas):
        fields[f"limit_{at}"] = number_field(quota_sentence(quota), 1)
    for at, award in enumerate(rules.awards):
        fields[f"seats_{at}"] = number_field(award.name, 1)
    if rules.interval_s:
        fields["interval"] = number_field(lazy_gettext("两次投票最少间隔"), 1)
        fields["interval_unit"] = unit_field(lazy_gettext("间隔的单位"))
    return type("ChangeFormOfCampaign", (ChangeForm,), fields)
