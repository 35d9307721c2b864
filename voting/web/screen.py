"""The big screen's page: its first state, drawn by the server, and what its script needs to go on. Events are not here.

The figures are those of ``services.screens``; a screen whose script fails still reloads itself and shows them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import segno
from flask import Blueprint, Response, current_app, g, make_response, render_template, request
from flask_babel import gettext, ngettext
from markupsafe import Markup

from voting.rules.campaign import Award
from voting.rules.errors import CampaignNotFound
from voting.services import catalogue, screens
from voting.services.catalogue import CampaignView
from voting.web.language import DEFAULT
from voting.web.phase_wording import phase_name
from voting.web.times import clock_time, date_and_time, now_ms

bp = Blueprint("screen", __name__)

#: rows on a screen at once: what ``?rows=`` may say
ROWS = (10, 100)
PHASES = ("upcoming", "open", "paused", "closed", "provisional", "published")


@bp.get("/screen/<slug>")
def page(slug: str) -> Response:
    """``award=`` keeps one award on the screen instead of taking turns; ``rows=100`` shows a hundred rows at once."""
    if "lang" not in request.args:
        # A hall reads Chinese unless its screen was told otherwise: the machine behind it has no say.
        g.locale = DEFAULT
    campaign = catalogue.get_campaign(slug)
    if campaign.stage == "draft":
        raise CampaignNotFound(slug)
    awards = [a for a in campaign.rules.awards if a.key == request.args.get("award")] or list(campaign.rules.awards)
    rows = 100 if request.args.get("rows") == "100" else 10
    shown = screens.picture(campaign)
    venue = _venue(campaign)
    body = render_template(
        "screen/page.html",
        campaign=campaign,
        picture=shown,
        board=shown["board"],
        award=awards[0],
        awards=awards,
        entries=_entries(shown["board"], awards[0])[:rows],
        rows=rows,
        as_of=_as_of(campaign, shown["board"]),
        venue=venue,
        venue_text="".join(urlsplit(venue)[1:3]),
        qr=_qr(venue),
        words=_words(),
        events=f"{current_app.config['SCREENS_URL']}/screen/{campaign.slug}/events",
    )
    response = make_response(body)
    response.headers["Cache-Control"] = "no-cache"
    if events_at := current_app.config["SCREENS_URL"]:
        # Events come from another port: this page, and only this, may also connect there.
        response.headers["Content-Security-Policy"] = _policy(events_at)
    return response


def _policy(events_at: str) -> str:
    return (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
        f"connect-src 'self' {events_at}"
    )


def _entries(board: dict[str, Any] | None, award: Award) -> list[dict[str, Any]]:
    """The rows of one award under the names the template uses."""
    if board is None:
        return []
    names = ("id", "number", "name", "place", "rank", "votes", "tied", "outcome")
    rows: list[list[Any]] = next((a["rows"] for a in board["awards"] if a["key"] == award.key), [])
    return [dict(zip(names, row, strict=True)) for row in rows]


def _as_of(campaign: CampaignView, board: dict[str, Any] | None) -> str:
    """The time the figures are true for; with its date when that is not today."""
    if board is None or board["hidden"]:
        return "–"
    rules, at_ms = campaign.rules, board["asOf"]
    today = rules.local(at_ms).date() == rules.local(now_ms()).date()
    return clock_time(at_ms, rules) if today else date_and_time(at_ms, rules)


def _venue(campaign: CampaignView) -> str:
    """The page a visitor opens to vote."""
    base: str = current_app.config["PUBLIC_URL"] or request.host_url.rstrip("/")
    return f"{base}/c/{campaign.slug}"


def _qr(url: str) -> Markup:
    """Dark on white with its quiet zone, without any inline style."""
    made = segno.make(url, error="m", micro=False)
    return Markup(made.svg_inline(border=3, light="#fff", dark="#1f1610", omitsize=True, svgclass="qr", lineclass=None))


def _words() -> dict[str, Any]:
    """What the script says, in the page's language."""
    return {
        "line": {
            "connecting": gettext("正在连接…"),
            "live": gettext("实时更新"),
            "lost": gettext("连接中断，正在重连；显示的是最后收到的数据"),
            "source": gettext("数据暂时没有更新；显示的是最后的数据"),
        },
        "phases": {phase: phase_name(phase) for phase in PHASES},
        "toOpening": gettext("距投票开始"),
        "toClosing": gettext("距投票截止"),
        "days": gettext("天"),
        "rank": gettext("第 {rank} 名"),
        "tied": gettext("并列"),
        "selected": gettext("入选"),
        "undecided": gettext("待定"),
        "votes": ngettext("票", "票", 2),
        "number": gettext("%(number)s 号"),
        "pages": gettext("第 {from}–{to} 位，共 {total} 位"),
        "frozen": gettext("投票末段，票数不再更新"),
        "next": gettext("下次更新 {when}"),
        "hourly": gettext("每小时票数"),
        "scan": gettext("扫码看候选对象"),
        "scanToVote": gettext("扫码看候选对象、投票"),
    }
