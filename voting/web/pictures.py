"""Pictures of candidates: stored photos, the poster and the page around it. Drawing and storing are services."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, send_file, url_for
from flask_babel import gettext
from werkzeug.exceptions import ServiceUnavailable

from voting.rules.errors import CandidateNotFound
from voting.services.banners import find_banner
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.photos import find_photo
from voting.services.posters import PostersBusy, PosterWords, get_poster
from voting.web.language import pick_locale
from voting.web.limits import POSTERS, limiter
from voting.web.pages import public_campaign
from voting.web.sharing import Share, public_url
from voting.web.templating import is_household

bp = Blueprint("pictures", __name__)
YEAR_S = 31_536_000
BUSY_RETRY_S = 2
MIMETYPES = {"webp": "image/webp", "jpg": "image/jpeg"}


def _candidate(slug: str, number: int) -> tuple[CampaignView, CandidateView]:
    campaign = public_campaign(slug)
    candidate = campaign.by_number.get(number)
    if candidate is None:
        raise CandidateNotFound(number)
    return campaign, candidate


@bp.get("/photos/<name>/<int:width>.<ending>")
def photo(name: str, width: int, ending: str) -> Response:
    """A stored photo; its name is made from its content, so it may be kept for ever."""
    path = find_photo(name, width, ending)
    if path is None:
        abort(404)
    response = send_file(path, mimetype=MIMETYPES[ending], max_age=YEAR_S)
    response.cache_control.immutable = True
    return response


@bp.get("/banners/<name>/<int:width>.<ending>")
def banner(name: str, width: int, ending: str) -> Response:
    """A stored banner; kept for ever, as photos are."""
    path = find_banner(name, width, ending)
    if path is None:
        abort(404)
    response = send_file(path, mimetype=MIMETYPES[ending], max_age=YEAR_S)
    response.cache_control.immutable = True
    return response


@bp.get("/c/<slug>/candidates/<int:number>/poster")
def poster_page(slug: str, number: int) -> str:
    """The poster with a word on how to save it."""
    campaign, candidate = _candidate(slug, number)
    picture = url_for("pictures.poster", slug=slug, number=number, v=f"{campaign.version}-{pick_locale()}")
    share = Share.of_candidate(campaign, candidate)
    return render_template("citizen/poster.html", campaign=campaign, candidate=candidate, picture=picture, share=share)


@bp.get("/c/<slug>/candidates/<int:number>/poster.png")
@limiter.limit(POSTERS)
def poster(slug: str, number: int) -> Response:
    """The poster in the reader's language. It says nothing of votes, whatever the campaign shows."""
    campaign, candidate = _candidate(slug, number)
    if candidate.standing != "standing":
        abort(404)
    words = PosterWords(
        title=campaign.title,
        award=campaign.rules.award(candidate.award).name,
        number=f"{candidate.number:02}",
        name=candidate.name,
        area=" · ".join(candidate.area_path),
        slogan=candidate.summary,
        invitation=gettext("扫码了解候选对象"),
        organizer=gettext("主办：%(name)s", name=campaign.organizer_name) if campaign.organizer_name else "",
        notice=gettext("演示活动：候选对象与票数均为演示数据") if campaign.demonstration else "",
        address=public_url(f"/c/{slug}/candidates/{number}"),
    )
    household = is_household(campaign.rules, candidate.award)
    try:
        path = get_poster(f"{campaign.id}-{campaign.version}", words, candidate.photo, household, candidate.id)
    except PostersBusy as busy:
        raise ServiceUnavailable(retry_after=BUSY_RETRY_S) from busy
    response = send_file(path, mimetype="image/png", max_age=3600, download_name=f"{slug}-{number}.png")
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response
