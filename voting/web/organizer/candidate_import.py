"""Candidates from a spreadsheet: upload, look at what would happen, confirm; and the blank template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired

from voting.rules.campaign import check_transition
from voting.rules.candidate_errors import UploadNotFound, UploadRefused
from voting.rules.errors import Refusal
from voting.services import uploads, work
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.importing import PROBLEMS_SHOWN, ROWS_SHOWN, ImportReport, import_candidates, preview_candidates
from voting.services.uploads import Upload
from voting.services.workbook_writing import blank_template, with_problems
from voting.web.organizer.guard import allows, bp, holder, takes
from voting.web.organizer.import_wording import cell_sentence, problem_sentence
from voting.web.refusals import STATUS
from voting.web.wording import describe

KIND = "candidates"
#: read and refused with a sentence of its own; far more than this is refused by whoever stands in front
MOST_SENT, MOST_KEPT = 80_000_000, 32_000_000
#: a progress page asks again so often
AGAIN_S = 2
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class UploadForm(Form):
    award = StringField()


class ConfirmForm(Form):
    """``seen`` is the version of the campaign that the preview was made with."""

    seen = IntegerField(validators=[InputRequired()])


def _room(slug: str) -> str:
    return f"/organizer/campaigns/{slug}/candidates/import"


@bp.get("/campaigns/<slug>/candidates/import")
@allows("organizer")
def import_form(slug: str) -> BaseResponse:
    return _form(get_campaign(slug))


def _form(campaign: CampaignView, problem: Refusal | None = None, award: str = "") -> BaseResponse:
    body = render_template(
        "organizer/candidate_import.html",
        campaign=campaign,
        award=award,
        sentence=describe(problem) if problem else None,
        most_mb=MOST_KEPT // 1_000_000,
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")


@bp.post("/campaigns/<slug>/candidates/import")
@allows("organizer")
@takes(MOST_SENT)
def upload_sheet(slug: str) -> BaseResponse:
    """Let the file wait under a name nobody can guess, and show what it would do."""
    campaign = get_campaign(slug)
    form = UploadForm(request.form)
    sent, award = request.files.get("file"), form.award.data or ""
    try:
        check_transition("import", campaign.stage)
        if sent is None or not sent.filename or award not in {each.key for each in campaign.rules.awards}:
            raise UploadRefused("none")
        upload = uploads.keep_upload(
            sent.stream, sent.filename, MOST_KEPT, account=holder().id, slug=slug, kind=KIND, award=award
        )
    except Refusal as refused:
        return _form(campaign, refused, award)
    return redirect(f"{_room(slug)}/{upload.token}", 303)


def _upload(slug: str, token: str) -> Upload:
    return uploads.find_upload(token, account=holder().id, slug=slug, kind=KIND)


@bp.get("/campaigns/<slug>/candidates/import/<token>")
@allows("organizer")
def show_import(slug: str, token: str) -> BaseResponse:
    """The preview, how far the work is, or what came of it. Raises UploadNotFound."""
    campaign, upload = get_campaign(slug), _upload(slug, token)
    state = uploads.read_state(upload)
    problem = None
    preview = None
    if state.stage in ("waiting", "refused", "failed", "silent"):
        preview = preview_candidates(slug, upload.about["award"], upload.path)
        problem = {"refused": _changed(), "failed": _failed(), "silent": _failed()}.get(state.stage)
    if state.stage == "done":
        # The list behind it is another process's, a second old at most; this one looks at once.
        forget()
    problems = preview.report.problems if preview else ()
    body = render_template(
        "organizer/candidate_import_preview.html",
        campaign=campaign,
        upload=upload,
        award=campaign.rules.award(upload.about["award"]),
        state=state,
        preview=preview,
        rows=_first_rows(preview.sheet.lines, preview.becomes) if preview and preview.sheet else [],
        problems=[(each, problem_sentence(each)) for each in problems[:PROBLEMS_SHOWN]],
        more=max(0, len(problems) - PROBLEMS_SHOWN),
        wrong_rows=len({found.row for found in problems}),
        sentence=problem,
        here=f"{_room(slug)}/{token}",
    )
    response = Response(body, mimetype="text/html")
    if state.stage == "running":
        response.headers["Refresh"] = str(AGAIN_S)
    return response


def _first_rows(lines: list[Any], becomes: dict[int, str]) -> list[tuple[int, tuple[str, ...], str]]:
    return [(line.row, line.cells, becomes.get(line.row, "")) for line in lines[:ROWS_SHOWN]]


def _changed() -> dict[str, str]:
    return {
        "title": gettext("没有导入：这期间候选对象被改动过。"),
        "next_step": gettext("下面是按最新内容重新比较的结果，请核对后再确认。"),
    }


def _failed() -> dict[str, str]:
    return {
        "title": gettext("导入中断了，一行也没有写入。"),
        "next_step": gettext("请再确认一次；还是不行，请联系管理员。"),
    }


@bp.post("/campaigns/<slug>/candidates/import/<token>")
@allows("organizer")
def confirm_import(slug: str, token: str) -> BaseResponse:
    """Import all rows or none. A second press finds the work begun."""
    upload = _upload(slug, token)
    form = ConfirmForm(request.form)
    if uploads.read_state(upload).stage != "done" and form.validate():
        if not upload.path.exists():
            raise UploadNotFound
        work.begin_work(upload, _importing(upload, form.seen.data or 0))
    return redirect(f"{_room(slug)}/{token}", 303)


def _importing(upload: Upload, seen: int) -> Callable[[work.Progress], dict[str, Any]]:
    def act(progress: work.Progress) -> dict[str, Any]:
        report: ImportReport = import_candidates(upload.slug, upload.about["award"], upload.path, progress, seen)
        if not report.ok:
            return {"refused": "problems"}
        return {"rows": report.rows, "added": report.added, "changed": report.changed, "unchanged": report.unchanged}

    return act


@bp.post("/campaigns/<slug>/candidates/import/<token>/drop")
@allows("organizer")
def drop_import(slug: str, token: str) -> BaseResponse:
    """Not this file after all."""
    upload = _upload(slug, token)
    if uploads.read_state(upload).stage != "running":
        uploads.drop_upload(upload)
    return redirect(_room(slug), 303)


@bp.get("/campaigns/<slug>/candidates/import/<token>/problems.xlsx")
@allows("organizer")
def problems_file(slug: str, token: str) -> BaseResponse:
    """The rows as they were sent, and beside each what is wrong with it."""
    upload = _upload(slug, token)
    if not upload.path.exists():
        raise UploadNotFound
    preview = preview_candidates(slug, upload.about["award"], upload.path, keep_raw=True)
    if preview.sheet is None:
        raise UploadNotFound
    # The name of the column is one of PROBLEM_COLUMNS: it is left out when the file comes back.
    words = cell_sentence, gettext("问题"), gettext("候选对象")
    marked = with_problems(preview.sheet, preview.report.problems, *words)
    return _xlsx(marked, f"{slug}-{upload.about['award']}-problems")


@bp.get("/campaigns/<slug>/candidates/import/template.xlsx")
@allows("organizer")
def import_template(slug: str) -> BaseResponse:
    return _xlsx(blank_template(get_campaign(slug).rules.awards), f"{slug}-template")


def _xlsx(content: bytes, name: str) -> BaseResponse:
    return Response(content, mimetype=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"'})
