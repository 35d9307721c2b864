"""A campaign at the desk: its page with the checklist, making a new one from a preset, throwing an empty one away."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import get_locale, gettext, lazy_gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, RadioField
from wtforms.validators import InputRequired, Regexp

from voting.rules.errors import CampaignNotFound, Refusal
from voting.services.campaigns import CampaignRefused, create_campaign, now_ms
from voting.services.drafting import discard_draft, get_dossier
from voting.services.presets import Preset, get_preset, presets
from voting.web.organizer.fields import NEEDED, text_field
from voting.web.organizer.guard import allows, bp, holder
from voting.web.organizer.wizard import STEPS
from voting.web.refusals import STATUS
from voting.web.rule_wording import brief, rules_page
from voting.web.wording import describe


class NewCampaignForm(Form):
    """What a campaign begins with; everything else has a step of its own."""

    title = text_field(lazy_gettext("活动名称"), 200, needed=True)
    slug = text_field(lazy_gettext("网址中的名称"), 64, needed=True)
    organizer_name = text_field(lazy_gettext("主办单位"), 200)
    preset = RadioField(lazy_gettext("从哪一套规则开始"), [InputRequired(NEEDED)])

    def validate_slug(self, field: Any) -> None:
        said = gettext("用 2 至 64 位小写字母、数字和横线，例如 best-2026。")
        Regexp(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]\Z", message=said)(self, field)

    def offer(self) -> NewCampaignForm:
        self.preset.choices = [(one.id, in_language(one.name)) for one in presets()]
        return self


def in_language(texts: dict[str, str]) -> str:
    """A text of a preset in the reader's language."""
    return texts["en" if str(get_locale()) == "en" else "zh"]


@bp.route("/campaigns/new", methods=["GET", "POST"])
@allows("organizer")
def new_campaign() -> BaseResponse:
    """Choose a name, an address and the rule set to begin with."""
    if request.method == "GET":
        return _new(NewCampaignForm(data={"preset": presets()[0].id}).offer())
    form = NewCampaignForm(request.form).offer()
    if not form.validate():
        return _new(form, 422)
    slug = str(form.slug.data)
    try:
        rules = get_preset(str(form.preset.data)).rules_text(now_ms())
        create_campaign(slug, str(form.title.data), rules, organizer_name=form.organizer_name.data or "")
    except CampaignRefused as refused:
        words = {
            "taken": gettext("这个网址名称已经有活动用了，请换一个。"),
            "malformed": gettext("用 2 至 64 位小写字母、数字和横线，例如 best-2026。"),
        }
        form.slug.errors = [words[refused.problem]]
        return _new(form, 409)
    return redirect(f"/organizer/campaigns/{slug}/edit/texts", 303)


def _new(form: NewCampaignForm, status: int = 200) -> BaseResponse:
    def limits(preset: Preset) -> list[str]:
        return brief(preset.rule_set(now_ms()))

    body = render_template(
        "organizer/new_campaign.html", form=form, presets=presets(), limits=limits, in_language=in_language
    )
    return Response(body, status, mimetype="text/html")


@bp.get("/campaigns/<slug>")
@allows("organizer", "auditor", "administrator")
def campaign_page(slug: str) -> BaseResponse:
    """What there is of a campaign, what it still lacks, and where each thing is done."""
    return _page(slug)


def _page(slug: str, problem: Refusal | None = None) -> BaseResponse:
    dossier = get_dossier(slug)
    findings = dossier.findings() if dossier.stage == "draft" else []
    body = render_template(
        "organizer/campaign.html",
        dossier=dossier,
        findings=findings,
        steps=STEPS,
        facts=rules_page(dossier.rules, dossier.standing),
        may_edit=dossier.stage == "draft" and holder().may("organizer"),
        sentence=describe(problem) if problem else None,
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")


@bp.post("/campaigns/<slug>/discard")
@allows("organizer")
def discard(slug: str) -> BaseResponse:
    """Throw an empty draft away."""
    try:
        discard_draft(slug)
    except CampaignNotFound:
        raise
    except Refusal as refused:
        return _page(slug, refused)
    return redirect("/organizer/", 303)
