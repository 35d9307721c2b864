"""Exports: each a form that names what and in which format, answered with a file that was made on disk, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import cast
from urllib.parse import quote

from flask import Response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as BaseResponse
from werkzeug.wsgi import wrap_file
from wtforms import Form, StringField
from wtforms.validators import AnyOf

from voting.rules.errors import Refusal
from voting.services import exporting
from voting.services.catalogue import CampaignView, get_campaign
from voting.services.exporting import Kind
from voting.services.metering import count_refusal
from voting.services.spreadsheets import MIME, MOST_EXCEL_ROWS, Cell, Format, write_table
from voting.web.organizer.guard import allows, bp
from voting.web.organizer.result_wording import outcome_name
from voting.web.organizer.wording import act_name
from voting.web.refusals import STATUS
from voting.web.times import exact_time, now_ms
from voting.web.wording import describe

Rows = Iterator[Sequence[Cell]]
NAMES = {
    "candidates": lazy_gettext("候选对象"),
    "standings": lazy_gettext("名次"),
    "ballots": lazy_gettext("选票（不含身份）"),
    "trail": lazy_gettext("操作记录"),
}


class ExportForm(Form):
    """What is wanted."""

    kind = StringField(validators=[AnyOf(list(NAMES))])
    form = StringField(validators=[AnyOf(list(MIME))])


@bp.get("/campaigns/<slug>/exports")
@allows("organizer", "auditor", "administrator")
def show_exports(slug: str) -> BaseResponse:
    return _page(get_campaign(slug))


@bp.post("/campaigns/<slug>/exports")
@allows("organizer", "auditor", "administrator")
def export(slug: str) -> BaseResponse:
    """Make the file and send it; a form, so that no link can do it."""
    campaign, asked = get_campaign(slug), ExportForm(request.form)
    if not asked.validate():
        return _page(campaign, status=422)
    kind, form = cast(Kind, asked.kind.data), cast(Format, asked.form.data)
    head, rows, widths = _TABLES[kind](campaign)
    try:
        file, count = write_table(form, str(NAMES[kind]), head, rows, widths)
    except Refusal as refused:
        return _page(campaign, refused)
    exporting.record_export(slug, kind, form, count)
    size = file.seek(0, 2)
    file.seek(0)
    answer = Response(wrap_file(request.environ, file), mimetype=MIME[form], direct_passthrough=True)
    answer.call_on_close(file.close)
    answer.content_length = size
    name = f"{campaign.title}-{NAMES[kind]}-{datetime.now(campaign.rules.zone):%Y%m%d-%H%M}.{form}"
    answer.headers["Content-Disposition"] = f"attachment; filename={slug}-{kind}.{form}; filename*=UTF-8''{quote(name)}"
    return answer


def _page(campaign: CampaignView, problem: Refusal | None = None, status: int = 200) -> BaseResponse:
    if problem is not None:
        count_refusal(problem.code)
    body = render_template(
        "organizer/exports.html",
        campaign=campaign,
        phase=campaign.phase(now_ms()),
        names=NAMES,
        most=MOST_EXCEL_ROWS,
        sentence=describe(problem, campaign) if problem else None,
        room="exports",
    )
    return Response(body, STATUS[type(problem)] if problem else status, mimetype="text/html")


def _candidates(campaign: CampaignView) -> tuple[list[str], Rows, list[int]]:
    head = [gettext("奖项"), gettext("类别"), gettext("编号"), gettext("代码"), gettext("名称")]
    head += [gettext("县（市、区）"), gettext("镇（街道）"), gettext("村（社区）"), gettext("区划代码")]
    head += [gettext("状态"), gettext("简介"), gettext("事迹")]
    awards = {award.key: award.name for award in campaign.rules.awards}
    groups = {group.key: group.name for group in campaign.rules.groups()}
    standing = {"standing": gettext("参选"), "withdrawn": gettext("已退出")}

    def rows() -> Rows:
        for one in campaign.candidates:
            place = [*one.area_path[:3], "", "", ""][:3]
            yield [
                *(awards.get(one.award, one.award), groups.get(one.group_key or "", one.group_key), one.number),
                *(one.code, one.name, *place, one.area_code, standing.get(one.standing, one.standing)),
                *(one.summary, one.story),
            ]

    return head, rows(), [16, 10, 8, 14, 28, 12, 12, 18, 14, 8, 40, 60]


def _standings(campaign: CampaignView) -> tuple[list[str], Rows, list[int]]:
    head = [gettext("奖项"), gettext("名次"), gettext("编号"), gettext("名称"), gettext("地区"), gettext("票数")]
    head += [gettext("并列"), gettext("结果"), gettext("依据")]
    awards = {award.key: award.name for award in campaign.rules.awards}

    def rows() -> Rows:
        for line in exporting.standing_lines(campaign):
            one = line.candidate
            basis = gettext("清点第 %(n)s 版", n=line.version) if line.version else gettext("即时统计，未清点")
            yield [
                *(awards.get(one.award, one.award), line.rank, one.number, one.name, " ".join(one.area_path)),
                *(line.votes, gettext("并列") if line.tied else "", outcome_name(line.outcome), basis),
            ]

    return head, rows(), [16, 8, 8, 28, 30, 10, 8, 14, 18]


def _ballots(campaign: CampaignView) -> tuple[list[str], Rows, list[int]]:
    head = [gettext("日期"), gettext("有效"), gettext("作废理由"), *(award.name for award in campaign.rules.awards)]
    places = {award.key: place for place, award in enumerate(campaign.rules.awards)}
    words = {True: gettext("有效"), False: gettext("作废")}

    def rows() -> Rows:
        for line in exporting.ballot_lines(campaign):
            chosen: list[list[str]] = [[] for _ in places]
            for candidate, times in sorted(line.choices.items(), key=lambda x: campaign.by_id[x[0]].number):
                one = campaign.by_id[candidate]
                chosen[places[one.award]].append(f"{one.number}" if times == 1 else f"{one.number}×{times}")
            valid = line.void_reason is None
            yield [f"{line.day:%Y-%m-%d}", words[valid], line.void_reason, *("、".join(part) for part in chosen)]

    return head, rows(), [12, 8, 24, *(30 for _ in places)]


def _trail(campaign: CampaignView) -> tuple[list[str], Rows, list[int]]:
    head = [gettext("序号"), gettext("时间"), gettext("操作人"), gettext("操作"), gettext("对象"), gettext("改动前")]
    head += [gettext("改动后"), gettext("理由"), gettext("校验值")]

    def rows() -> Rows:
        for one in exporting.trail_lines(campaign):
            before, after = ("\n".join(f"{k}: {v}" for k, v in part.items()) for part in (one.before, one.after))
            yield [
                *(one.number, exact_time(one.at_ms, campaign.rules), one.actor, act_name(one.act), one.subject),
                *(before, after, one.reason, one.hash),
            ]

    return head, rows(), [8, 22, 14, 18, 20, 40, 40, 30, 20]


_TABLES: dict[Kind, Callable[[CampaignView], tuple[list[str], Rows, list[int]]]] = {
    "candidates": _candidates,
    "standings": _standings,
    "ballots": _ballots,
    "trail": _trail,
}
