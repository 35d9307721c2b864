"""Candidates at the desk: the list, and one candidate's page with its texts, standing and photo."""

from __future__ import annotations

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional, Regexp

from voting.rules.campaign import Award
from voting.rules.candidate_errors import CandidateRefused, ChangedMeanwhile, FieldProblem, PhotoChanged, UploadRefused
from voting.rules.errors import CandidateNotFound, PhotoRefused, Refusal
from voting.services.candidates import (
    EDITABLE,
    TEXTS,
    CandidateSheet,
    edit_candidate,
    put_back,
    read_candidate,
    take_off,
)
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.nomination_review import waiting_for
from voting.services.photos import MOST_BYTES, give_photo, remove_photo, store_photo
from voting.web.organizer.candidate_wording import FIELDS, field_problem
from voting.web.organizer.guard import allows, bp, holder, takes
from voting.web.refusals import STATUS
from voting.web.wording import describe

PAGE = 50
#: a story of ten thousand characters comes back to whoever typed it
LONG_FORM = 400_000


class ListForm(Form):
    """What of the list is asked for. What does not fit is left out."""

    q = StringField(filters=[lambda text: " ".join((text or "").split())], validators=[Length(max=40)])
    award = StringField(validators=[Optional(), Length(max=32)])
    area = StringField(validators=[Optional(), Regexp(r"[0-9]{2,12}\Z")])
    page = IntegerField(validators=[Optional(), NumberRange(1, 100_000)])

    def asked(self) -> dict[str, str]:
        self.validate()
        return {name: "" if self[name].errors else str(self[name].data or "") for name in ("q", "award", "area")}


class CandidateForm(Form):
    """A candidate in a draft; what is wrong with it is decided by the service, which names every field."""

    name = StringField(FIELDS["name"])
    number = StringField(FIELDS["number"])
    area_code = StringField(FIELDS["area_code"])
    group_key = SelectField(FIELDS["group_key"], validate_choice=False)
    summary = TextAreaField(FIELDS["summary"])
    story = TextAreaField(FIELDS["story"])

    def offer(self, award: Award) -> CandidateForm:
        """The form with the groups of an award."""
        self.group_key.choices = [("", "—"), *((group.key, group.name) for group in award.groups)]
        return self


class StandingForm(Form):
    """Off the list, or back on it."""

    act = StringField(validators=[Regexp(r"(?:withdraw|disqualify|return)\Z")])
    reason = StringField()


def desk_campaign(slug: str) -> CampaignView:
    """The campaign, drafts too; raises CampaignNotFound."""
    return get_campaign(slug)


@bp.get("/campaigns/<slug>/candidates")
@allows("organizer", "reviewer", "auditor", "administrator")
def list_candidates(slug: str) -> BaseResponse:
    """Fifty a page; a reviewer sees what lies in their area."""
    campaign = desk_campaign(slug)
    form = ListForm(request.args)
    asked = form.asked()
    if asked["award"] not in {award.key for award in campaign.rules.awards}:
        asked["award"] = ""
    # Without an area everything is meant; everything is not a reviewer's business.
    if not holder().sees(asked["area"] or None):
        asked["area"] = holder().area or "-"
    number = 1 if form.page.errors else form.page.data or 1
    page = campaign.search(asked["award"] or None, asked["q"], asked["area"], number, PAGE)
    body = render_template(
        "organizer/candidates.html",
        campaign=campaign,
        asked=asked,
        page=page,
        waiting=waiting_for(holder(), slug) if holder().may("organizer", "reviewer") else 0,
        areas=[line for line in campaign.areas_of(asked["award"] or None) if holder().sees(line[0])],
        withdrawn=sum(one.standing != "standing" for one in campaign.candidates) if holder().sees(None) else None,
    )
    return Response(body, mimetype="text/html")


def _own(slug: str, candidate_id: int) -> tuple[CampaignView, CandidateSheet]:
    """The candidate, if there is one and it is this account's business. Raises CandidateNotFound."""
    campaign = desk_campaign(slug)
    sheet = read_candidate(slug, candidate_id)
    if not holder().sees(sheet.values["area_code"] or None):
        raise CandidateNotFound(candidate_id)
    return campaign, sheet


@bp.get("/campaigns/<slug>/candidates/<int:candidate_id>")
@allows("organizer", "reviewer", "auditor", "administrator")
def show_candidate(slug: str, candidate_id: int) -> BaseResponse:
    return _page(slug, candidate_id)


def _page(
    slug: str,
    candidate_id: int,
    form: CandidateForm | None = None,
    problem: Refusal | None = None,
    preview: bool = False,
    reason: str = "",
) -> BaseResponse:
    campaign, sheet = _own(slug, candidate_id)
    award = campaign.rules.award(sheet.award)
    shown = form or CandidateForm(data=sheet.values)
    problems = problem.problems if isinstance(problem, CandidateRefused) else ()
    body = render_template(
        "organizer/candidate.html",
        campaign=campaign,
        sheet=sheet,
        award=award,
        form=shown.offer(award),
        # After a clash the form carries what is true now: pressing again is a decision.
        clash=sheet.values if isinstance(problem, ChangedMeanwhile) else None,
        # A photo that came second waits here; one that should go is asked for again.
        photo_sent=problem.sent if isinstance(problem, PhotoChanged) else None,
        preview=preview,
        reason=reason,
        sentence=describe(problem) if problem else None,
        wrong={found.field: field_problem(FieldProblem(*found)) for found in problems},
        draft=campaign.stage == "draft",
        writes=holder().may("organizer"),
        path=_area_path(campaign, candidate_id),
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")


def _area_path(campaign: CampaignView, candidate_id: int) -> tuple[str, ...]:
    view = campaign.by_id.get(candidate_id)
    return view.area_path if view else ()


@bp.post("/campaigns/<slug>/candidates/<int:candidate_id>/edit")
@allows("organizer")
@takes(LONG_FORM, LONG_FORM)
def save_candidate(slug: str, candidate_id: int) -> BaseResponse:
    """Save, or show the story as it will look; what was typed comes back with every refusal."""
    campaign, sheet = _own(slug, candidate_id)
    # Fields that are not shown once voting was opened come from the candidate itself.
    fields = EDITABLE if campaign.stage == "draft" else TEXTS
    typed = {**sheet.values, **{name: request.form[name] for name in EDITABLE if name in request.form}}
    form = CandidateForm(data=typed)
    if "preview" in request.form:
        return _page(slug, candidate_id, form, preview=True)
    try:
        given = {name: typed[name] for name in EDITABLE if name in fields or name in request.form}
        edit_candidate(slug, candidate_id, request.form.get("seen", ""), given)
    except CandidateNotFound:
        raise
    except Refusal as refused:
        return _page(slug, candidate_id, form, refused)
    return _done(slug, candidate_id)


@bp.post("/campaigns/<slug>/candidates/<int:candidate_id>/standing")
@allows("organizer")
def set_standing(slug: str, candidate_id: int) -> BaseResponse:
    """Withdraw, disqualify or put back, in a draft."""
    _own(slug, candidate_id)
    form = StandingForm(request.form)
    try:
        if form.validate() and form.act.data == "return":
            put_back(slug, candidate_id)
        else:
            take_off(slug, candidate_id, form.reason.data or "", form.act.data == "disqualify")
    except Refusal as refused:
        return _page(slug, candidate_id, problem=refused, reason=form.reason.data or "")
    return _done(slug, candidate_id)


@bp.post("/campaigns/<slug>/candidates/<int:candidate_id>/photo")
@allows("organizer")
@takes(4 * MOST_BYTES)
def set_candidate_photo(slug: str, candidate_id: int) -> BaseResponse:
    """Store a photo, or take it away; one that came second waits until its sender has seen the other."""
    _own(slug, candidate_id)
    try:
        seen = request.form.get("seen", "")
        if "remove" in request.form:
            remove_photo(candidate_id, seen)
        elif "sent" in request.form:
            give_photo(candidate_id, request.form["sent"], seen)
        else:
            sent = request.files.get("photo")
            content = sent.read(MOST_BYTES + 1) if sent else b""
            if not content:
                raise UploadRefused("none")
            store_photo(candidate_id, content, seen)
    except (UploadRefused, PhotoRefused, PhotoChanged) as refused:
        return _page(slug, candidate_id, problem=refused)
    return _done(slug, candidate_id)


def _done(slug: str, candidate_id: int) -> BaseResponse:
    forget()
    return redirect(f"/organizer/campaigns/{slug}/candidates/{candidate_id}?done=1", 303)
