"""Many photos at once: a zip, what of it matches which candidate, and the confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField
from wtforms.validators import InputRequired

from voting.rules.candidate_errors import ChangedMeanwhile, UploadNotFound, UploadRefused
from voting.rules.errors import Refusal
from voting.services import uploads, work
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.photo_batches import MOST_FILES, MOST_ZIP, Match, match_photos, store_matching
from voting.services.uploads import Upload
from voting.web.organizer.candidate_wording import photo_problem
from voting.web.organizer.guard import allows, bp, holder, takes
from voting.web.refusals import STATUS
from voting.web.wording import describe

KIND = "photos"
MOST_SENT = 2 * MOST_ZIP
AGAIN_S = 2


class ConfirmForm(Form):
    """``seen`` is the version of the campaign whose numbers were matched."""

    seen = IntegerField(validators=[InputRequired()])


def _room(slug: str) -> str:
    return f"/organizer/campaigns/{slug}/candidates/photos"


@bp.get("/campaigns/<slug>/candidates/photos")
@allows("organizer")
def photos_form(slug: str) -> BaseResponse:
    return _form(get_campaign(slug))


def _form(campaign: CampaignView, problem: Refusal | None = None) -> BaseResponse:
    body = render_template(
        "organizer/candidate_photos.html",
        campaign=campaign,
        sentence=describe(problem) if problem else None,
        most_mb=MOST_ZIP // 1_000_000,
        most_files=MOST_FILES,
        without=sum(one.photo is None for one in campaign.candidates),
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")


@bp.post("/campaigns/<slug>/candidates/photos")
@allows("organizer")
@takes(MOST_SENT)
def upload_photos(slug: str) -> BaseResponse:
    """Let the zip wait; one that cannot be used is refused at once."""
    campaign, sent = get_campaign(slug), request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise UploadRefused("none")
        upload = uploads.keep_upload(sent.stream, sent.filename, MOST_ZIP, account=holder().id, slug=slug, kind=KIND)
        try:
            match_photos(upload.path, {})
        except UploadRefused:
            uploads.drop_upload(upload)
            raise
    except Refusal as refused:
        return _form(campaign, refused)
    return redirect(f"{_room(slug)}/{upload.token}", 303)


def _upload(slug: str, token: str) -> Upload:
    return uploads.find_upload(token, account=holder().id, slug=slug, kind=KIND)


@bp.get("/campaigns/<slug>/candidates/photos/<token>")
@allows("organizer")
def show_photos(slug: str, token: str) -> BaseResponse:
    """What belongs to whom, how far the work is, or what came of it. Raises UploadNotFound."""
    campaign, upload = get_campaign(slug), _upload(slug, token)
    state = uploads.read_state(upload)
    matches: list[Match] = []
    if state.stage in ("waiting", "refused", "failed", "silent"):
        forget()
        campaign = get_campaign(slug)
        matches = match_photos(upload.path, campaign.by_number)
    if state.stage == "done":
        forget()
    fitting = [match for match in matches if not match.problem]
    left = [(match.file, photo_problem(match.problem)) for match in matches if match.problem]
    if state.outcome and "left" in state.outcome:
        left = [(file, photo_problem(problem)) for file, problem in state.outcome["left"]]
    matched = {match.candidate.id for match in fitting if match.candidate}
    body = render_template(
        "organizer/candidate_photos_preview.html",
        campaign=campaign,
        upload=upload,
        state=state,
        fitting=fitting,
        left=left,
        without=sum(one.photo is None and one.id not in matched for one in campaign.candidates),
        sentence=_problem(state),
        here=f"{_room(slug)}/{token}",
    )
    response = Response(body, mimetype="text/html")
    if state.stage == "running":
        response.headers["Refresh"] = str(AGAIN_S)
    return response


def _problem(state: uploads.State) -> Any:
    if state.stage == "refused":
        return describe(ChangedMeanwhile())
    if state.stage in ("failed", "silent"):
        return {
            "title": gettext("处理中断了，一张照片也没有换。"),
            "next_step": gettext("请再确认一次；还是不行，请联系管理员。"),
        }
    return None


@bp.post("/campaigns/<slug>/candidates/photos/<token>")
@allows("organizer")
def confirm_photos(slug: str, token: str) -> BaseResponse:
    """Store what matches. A second press finds the work begun."""
    upload = _upload(slug, token)
    form = ConfirmForm(request.form)
    if uploads.read_state(upload).stage != "done" and form.validate():
        if not upload.path.exists():
            raise UploadNotFound
        work.begin_work(upload, _storing(upload, get_campaign(slug), form.seen.data or 0))
    return redirect(f"{_room(slug)}/{token}", 303)


def _storing(upload: Upload, campaign: CampaignView, seen: int) -> Callable[[work.Progress], dict[str, Any]]:
    def act(progress: work.Progress) -> dict[str, Any]:
        if campaign.version != seen:
            raise ChangedMeanwhile
        stored, left = store_matching(upload.slug, upload.path, campaign.by_number, seen, progress)
        return {"stored": stored, "left": [(match.file, match.problem) for match in left]}

    return act


@bp.post("/campaigns/<slug>/candidates/photos/<token>/drop")
@allows("organizer")
def drop_photos(slug: str, token: str) -> BaseResponse:
    """Not this zip after all."""
    upload = _upload(slug, token)
    if uploads.read_state(upload).stage != "running":
        uploads.drop_upload(upload)
    return redirect(_room(slug), 303)
