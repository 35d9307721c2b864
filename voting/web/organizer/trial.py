"""The rule trial: made-up ballots of made-up voters, and what the rules would say to each. Nothing is sent or kept."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import FieldList, Form, FormField
from wtforms.validators import InputRequired, ValidationError

from voting.rules.campaign import Award, RuleSet
from voting.rules.checklist import LONGEST_DAYS
from voting.rules.periods import DAY_MS, MINUTE_MS
from voting.rules.trial import Attempt, Outcome, try_out
from voting.services.campaigns import places_of
from voting.services.catalogue import CampaignView, CandidateView, get_campaign
from voting.services.drafting import Dossier, get_dossier
from voting.web.organizer.fields import NEEDED, Moment, read_rows, text_field
from voting.web.organizer.guard import allows, bp
from voting.web.wording import describe

MOST_ROWS = 40
#: candidates that are made up while there are none, of an award or group that names no number
MADE_UP, MOST_MADE_UP = 12, 300


class AttemptForm(Form):
    """One ballot of the trial."""

    who = text_field(lazy_gettext("谁"), 32, needed=True)
    at = Moment(lazy_gettext("什么时候"), [InputRequired(NEEDED)])
    numbers = text_field(lazy_gettext("选哪几号"), 2000)

    def validate_numbers(self, field: Any) -> None:
        # An empty ballot may be tried out too; anything that is not a number may not.
        if re.sub(r"[\d\s,，、;；.号]+", "", field.data or ""):
            raise ValidationError(gettext("请填编号，用空格或逗号分开，例如 1 3 5。"))

    def chosen(self) -> list[int]:
        """The numbers, repeats listed."""
        return [int(text[:9]) for text in re.findall(r"\d+", self.numbers.data or "")]


class TrialForm(Form):
    rows = FieldList(FormField(AttemptForm, default=dict), lazy_gettext("选票"), max_entries=MOST_ROWS)


@bp.get("/campaigns/<slug>/trial")
@allows("organizer", "auditor")
def trial(slug: str) -> BaseResponse:
    """An example to begin with: the same voter twice, another one once."""
    dossier = get_dossier(slug)
    campaign = _stand_in(dossier)
    # The first whole minute in which a ballot can be cast: a form knows no seconds.
    opens = dossier.rules.local(-(-dossier.rules.opens_ms // MINUTE_MS) * MINUTE_MS)
    numbers = " ".join(str(number) for number in _example(campaign))
    rows = [{"who": who, "at": opens, "numbers": numbers} for who in (gettext("甲"), gettext("甲"), gettext("乙"))]
    return _page(dossier, campaign, TrialForm(data={"rows": rows}))


@bp.post("/campaigns/<slug>/trial")
@allows("organizer", "auditor")
def run_trial(slug: str) -> BaseResponse:
    dossier = get_dossier(slug)
    campaign = _stand_in(dossier)
    form, row = read_rows(TrialForm, request.form)
    if row is not None:
        return _page(dossier, campaign, form, fresh=row)
    if not form.validate() or not _tryable(dossier.rules):
        return _page(dossier, campaign, form, status=422)
    attempts = [_attempt(campaign, entry.form) for entry in form.rows.entries]
    places = {place.candidate: place for place in places_of(campaign)}
    return _page(dossier, campaign, form, try_out(dossier.rules, places, attempts))


def _attempt(campaign: CampaignView, form: Any) -> Attempt:
    at_ms = int(form.at.data.replace(tzinfo=campaign.rules.zone).timestamp() * 1000)
    # A number that nobody has is an id that nobody has: candidates' ids are above zero.
    ids = [campaign.by_number[n].id if n in campaign.by_number else -n for n in form.chosen()]
    return Attempt(form.who.data, at_ms, tuple(ids))


def _tryable(rules: RuleSet) -> bool:
    """Whether there is a window to work in; the checklist says what is wrong with another."""
    return 0 < rules.closes_ms - rules.opens_ms <= LONGEST_DAYS * DAY_MS


def _stand_in(dossier: Dossier) -> CampaignView:
    """The campaign with its candidates, or with made-up ones while there are none."""
    campaign = replace(get_campaign(dossier.slug), rules=dossier.rules)
    if campaign.candidates:
        return campaign
    made: list[CandidateView] = []
    for award in dossier.rules.awards:
        for group, count in _made_up(award):
            for _ in range(count):
                number = len(made) + 1
                name = gettext("%(award)s候选 %(n)s", award=award.name, n=number)
                made.append(
                    CandidateView(number, number, award.key, group, str(number), name, None, (), "", "", "standing")
                )
    found = {candidate.id: candidate for candidate in made}
    return replace(campaign, candidates=tuple(made), by_id=found, by_number=found, ids=tuple(found))


def _made_up(award: Award) -> list[tuple[str | None, int]]:
    enough = min(MOST_MADE_UP, max(MADE_UP, award.seats + 1, award.limits.min + 1, (award.limits.max or 0) + 1))
    if not award.groups:
        return [(None, enough)]
    return [
        (group.key, min(MOST_MADE_UP, max(4, group.limits.min + 1, (group.limits.max or 0) + 1)))
        for group in award.groups
    ]


def _example(campaign: CampaignView) -> list[int]:
    """Numbers of as many candidates as a ballot needs, each award that insists on some served first."""
    rules = campaign.rules
    standing = [c for c in campaign.candidates if c.standing == "standing"]
    chosen = []
    for award in rules.awards:
        if not award.limits.optional:
            chosen += [c.number for c in standing if c.award == award.key][: award.limits.min]
    rest = [c.number for c in standing if c.number not in chosen]
    return chosen + rest[: max(0, max(1, rules.ballot.min) - len(chosen))]


def _page(
    dossier: Dossier,
    campaign: CampaignView,
    form: TrialForm,
    outcomes: list[Outcome] | None = None,
    fresh: str = "",
    status: int = 200,
) -> BaseResponse:
    verdicts = [
        (one, [_named(campaign, id_) for id_ in one.attempt.choices],
         describe(one.refusal, campaign, one.attempt.at_ms) if one.refusal else None)
        for one in outcomes or ()
    ]  # fmt: skip
    made_up = not dossier.candidates
    ranges = [
        (award.name, numbers[0], numbers[-1])
        for award in dossier.rules.awards
        if (numbers := sorted(c.number for c in campaign.candidates if c.award == award.key))
    ]
    body = render_template(
        "organizer/trial.html",
        dossier=dossier,
        form=form,
        fresh=fresh,
        verdicts=verdicts,
        tryable=_tryable(dossier.rules),
        made_up=made_up,
        ranges=ranges,
    )
    return Response(body, status, mimetype="text/html")


def _named(campaign: CampaignView, id_: int) -> str:
    if (candidate := campaign.by_id.get(id_)) is None:
        return gettext("%(n)s 号（没有这个编号）", n=abs(id_))
    return gettext("%(number)s 号 %(name)s", number=candidate.number, name=candidate.name)
