"""Numbers for a whole award: by draw with a seed that stays in the trail, by area or by name."""

from __future__ import annotations

from typing import cast

from flask import Response, redirect, render_template, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from voting.rules.errors import Refusal
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.numbering import Method, earlier_numberings, new_seed, number_candidates
from voting.web.organizer.candidate_wording import METHODS
from voting.web.organizer.guard import allows, bp
from voting.web.refusals import STATUS
from voting.web.wording import describe


class NumberForm(Form):
    """Which award, how, and from which number on."""

    award = SelectField(lazy_gettext("奖项"))
    method = RadioField(lazy_gettext("方法"), default="draw")
    seed = StringField(
        lazy_gettext("抽签种子"),
        filters=[lambda text: " ".join((text or "").split())],
        validators=[Length(max=100, message=lazy_gettext("最多 100 个字。"))],
    )
    first = IntegerField(
        lazy_gettext("起始编号"),
        validators=[NumberRange(1, 9_000_000, lazy_gettext("请填 1 至 9000000 的整数。"))],
        default=1,
    )
    seen = IntegerField(validators=[InputRequired()])

    def offer(self, campaign: CampaignView) -> NumberForm:
        """The form with the awards of a campaign and the methods in words."""
        self.method.choices = [(method, str(words)) for method, words in METHODS.items()]
        self.award.choices = [(award.key, award.name) for award in campaign.rules.awards]
        return self


@bp.get("/campaigns/<slug>/candidates/numbers")
@allows("organizer")
def numbers_form(slug: str) -> BaseResponse:
    campaign = get_campaign(slug)
    return _page(campaign, NumberForm(award=request.args.get("award"), seed=new_seed()).offer(campaign))


def _page(campaign: CampaignView, form: NumberForm, problem: Refusal | None = None, status: int = 200) -> BaseResponse:
    body = render_template(
        "organizer/candidate_numbers.html",
        campaign=campaign,
        form=form,
        methods=METHODS,
        earlier=earlier_numberings(campaign.slug),
        sentence=describe(problem) if problem else None,
    )
    return Response(body, STATUS[type(problem)] if problem else status, mimetype="text/html")


@bp.post("/campaigns/<slug>/candidates/numbers")
@allows("organizer")
def set_numbers(slug: str) -> BaseResponse:
    campaign = get_campaign(slug)
    form = NumberForm(request.form).offer(campaign)
    if not form.validate():
        return _page(campaign, form, status=422)
    try:
        number_candidates(
            slug,
            form.award.data or "",
            cast(Method, form.method.data),
            form.seed.data or new_seed(),
            form.first.data or 1,
            form.seen.data or 0,
        )
    except Refusal as refused:
        forget()
        return _page(get_campaign(slug), form, refused)
    forget()
    return redirect(f"/organizer/campaigns/{slug}/candidates/numbers?award={form.award.data}&done=1", 303)
