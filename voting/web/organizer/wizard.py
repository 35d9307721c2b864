"""The campaign wizard: one view for all its steps. Each reads a part of a draft, and saves that part alone.

Nothing is lost: not by a row that is added, not by a mistake, and not when somebody else saved first; whoever comes
second sees both versions and decides.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.draft_errors import CampaignFrozen, DraftChanged, PlaceInUse
from voting.rules.errors import Refusal
from voting.rules.rule_text import RuleTextError
from voting.services.banners import LONGEST_ALT, banner_mark
from voting.services.drafting import Dossier, get_dossier, save_draft, with_changes
from voting.services.identifying import configured_providers
from voting.services.metering import count_refusal
from voting.web.organizer.fields import answers, read_rows
from voting.web.organizer.guard import allows, bp
from voting.web.organizer.rows import AwardsStep, QuotasStep
from voting.web.organizer.steps import DisplayStep, IdentityStep, PurposeStep, StepForm, TextsStep, TimeStep
from voting.web.refusals import STATUS
from voting.web.rule_wording import brief, rules_page
from voting.web.wording import describe

STEPS: dict[str, type[StepForm]] = {
    "texts": TextsStep,
    "time": TimeStep,
    "awards": AwardsStep,
    "quotas": QuotasStep,
    "identity": IdentityStep,
    "display": DisplayStep,
    "purpose": PurposeStep,
}
_ROUTE = f"/campaigns/<slug>/edit/<any({', '.join(STEPS)}):step>"


@bp.get(_ROUTE)
@allows("organizer")
def edit(slug: str, step: str) -> BaseResponse:
    """A step with what stands in the draft. Raises CampaignFrozen."""
    dossier = _draft(slug)
    form = STEPS[step].of(dossier.rules, dossier.texts)
    return _page(dossier, step, form, dossier.mark(form.NAMES))


def show_step(slug: str, step: str, problem: Refusal, alt: str) -> BaseResponse:
    """A step as it is saved, with what a form beside it was refused for. Raises CampaignFrozen."""
    dossier = _draft(slug)
    form = STEPS[step].of(dossier.rules, dossier.texts)
    return _page(dossier, step, form, dossier.mark(form.NAMES), problem=problem, alt=alt)


def _draft(slug: str) -> Dossier:
    dossier = get_dossier(slug)
    if dossier.stage != "draft":
        raise CampaignFrozen(dossier.stage)
    return dossier


@bp.post(_ROUTE)
@allows("organizer")
def save(slug: str, step: str) -> BaseResponse:
    """Save the step, or only add or remove a row, or only look at the preview. Raises CampaignFrozen."""
    dossier = _draft(slug)
    form, row = read_rows(STEPS[step], request.form)
    seen = request.form.get("seen", "")
    if row is not None:
        return _page(dossier, step, form, seen, fresh=row)
    changes = _changes(form, dossier)
    if changes is None:
        return _page(dossier, step, form, seen, status=422)
    if "preview" in request.form:
        return _page(dossier, step, form, seen, changes=changes)
    try:
        save_draft(slug, changes, seen)
    except DraftChanged as refused:
        # What stands there now, beside what was typed; sending it once more is a decision.
        now = _draft(slug)
        return _page(now, step, form, now.mark(form.NAMES), problem=refused)
    except PlaceInUse as refused:
        return _page(dossier, step, form, seen, problem=refused)
    if "stay" in request.form:
        return redirect(f"/organizer/campaigns/{slug}/edit/{step}?saved=1", 303)
    return redirect(_following(slug, step), 303)


def _changes(form: StepForm, dossier: Dossier) -> dict[str, Any] | None:
    """What a form changes, if it can stand; what the rules refuse is shown at its field."""
    form.offer(configured_providers())
    if not form.validate():
        return None
    changes = form.changes(dossier.rules)
    try:
        with_changes(dossier.content, changes)
    except RuleTextError as error:
        _blame(form, str(error))
        return None
    return changes


def _blame(form: StepForm, text: str) -> None:
    found = re.match(r"[a-z_]+", text)
    name = found[0] if found and found[0] in form.NAMES else next(iter(form.NAMES))
    if name == "time_zone":
        form.blame(name, gettext("没有这个时区，请从列表中选择，例如 Asia/Shanghai。"))
    else:
        form.blame(name, gettext("规则不接受这样填写：%(why)s", why=text))


def _following(slug: str, step: str) -> str:
    names = list(STEPS)
    at = names.index(step) + 1
    return f"/organizer/campaigns/{slug}" + (f"/edit/{names[at]}" if at < len(names) else "")


def _page(
    dossier: Dossier,
    step: str,
    form: StepForm,
    seen: str,
    status: int = 200,
    fresh: str = "",
    changes: dict[str, Any] | None = None,
    problem: Refusal | None = None,
    alt: str | None = None,
) -> BaseResponse:
    """``changes`` are shown in the preview before they are saved; ``fresh`` is the row that was just added."""
    form.offer(configured_providers())
    texts, rules = with_changes(dossier.content, changes or {})
    both: list[tuple[str, str, str]] = []
    if isinstance(problem, DraftChanged):
        theirs, mine = answers(type(form).of(dossier.rules, dossier.texts)), answers(form)
        labels = list(dict.fromkeys([*theirs, *mine]))
        both = [(one, theirs.get(one, ""), mine.get(one, "")) for one in labels if theirs.get(one) != mine.get(one)]
    if problem is not None:
        count_refusal(problem.code)
        status = STATUS[type(problem)]
    body = render_template(
        "organizer/wizard.html",
        dossier=dossier,
        step=step,
        steps=STEPS,
        form=form,
        seen=seen,
        fresh=fresh,
        findings=dossier.findings(),
        both=both,
        sentence=describe(problem) if problem else None,
        texts=texts,
        rules=rules,
        unsaved=changes is not None,
        limits=brief(rules),
        facts=rules_page(rules, dossier.standing),
        banner_seen=banner_mark(dossier.banner, dossier.banner_alt),
        alt=dossier.banner_alt if alt is None else alt,
        longest_alt=LONGEST_ALT,
    )
    return Response(body, status, mimetype="text/html")
