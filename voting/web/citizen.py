"""The citizens' pages for reading: campaigns, candidates, leaderboard, rules. Thin: services know, templates say.

No SQL and no Redis call stands here. Review, ballots and receipts are in ``voting.py``.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import ServiceUnavailable

from voting.rules.errors import BoxUnavailable, CandidateNotFound
from voting.services import catalogue, leaderboard
from voting.services.catalogue import CampaignView
from voting.services.leaderboard import Board
from voting.web.boards import Bodies, cut, gap_above, pages_of
from voting.web.change_wording import notices
from voting.web.compression import takes_gzip
from voting.web.display_wording import as_of, tie_sentence, update_sentence
from voting.web.finished import Answers
from voting.web.forms import FindForm
from voting.web.language import reader
from voting.web.limits import SEARCHES, limiter
from voting.web.pages import asked_award, listing_of, private, public_campaign, voting_context
from voting.web.rule_wording import brief, rules_page
from voting.web.selection import read_selection
from voting.web.sharing import Share
from voting.web.times import now_ms

bp = Blueprint("citizen", __name__)
#: a page's version: its tag, and the time it says
_bodies: Bodies[tuple[str, str]] = Bodies()
_answers = Answers()
VARY = "Accept-Encoding, Accept-Language, Cookie"
HTML = "text/html; charset=utf-8"


def _page_number() -> int:
    text = request.args.get("page", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


@bp.get("/")
def home() -> str:
    """All campaigns that are not drafts."""
    return render_template("citizen/home.html", campaigns=catalogue.all_campaigns())


@bp.get("/c/<slug>")
@limiter.limit(SEARCHES, exempt_when=lambda: not request.args.get("q"))
def campaign_page(slug: str) -> Response:
    """Candidates to look at and choose from."""
    campaign, form = public_campaign(slug), FindForm.read(request.args)
    award = asked_award(campaign)
    areas = campaign.areas_of(award.key)
    if "clear" in request.args:
        form.q.data = form.area.data = ""
    area = next((code for code, _, _ in areas if code == form.area.data), "")
    q = "" if form.q.errors else form.q.data or ""
    selection = read_selection(campaign, request.args)
    context = voting_context(campaign, selection, award)
    listing = listing_of(campaign, context["board"])
    found = campaign.search(award=award.key, q=q, area=area, page=form.page.data or 1, listing=listing)
    elsewhere = []
    if q and not found.total:
        others = [other for other in campaign.rules.awards if other.key != award.key]
        elsewhere = [(other, campaign.search(award=other.key, q=q, size=1).total) for other in others]
    again = selection.over(context["standing"])
    # Repeats have no boxes that could stand for them.
    ticked = set() if campaign.rules.repeat else {candidate.id for candidate in found.items}
    return private(
        render_template(
            "citizen/campaign.html",
            **context,
            again=again,
            share=Share.of_campaign(campaign),
            found=found,
            form=form,
            areas=areas,
            area=area,
            q=q,
            elsewhere=[(other, total) for other, total in elsewhere if total],
            limits=brief(campaign.rules),
            carried=[one for one in selection.carried(ticked) if one not in again],
        )
    )


@bp.get("/c/<slug>/candidates/<int:number>")
def candidate_page(slug: str, number: int) -> Response:
    """One candidate: story, votes, rank, and the button to choose."""
    campaign = public_campaign(slug)
    candidate = campaign.by_number.get(number)
    if candidate is None:
        raise CandidateNotFound(number)
    selection = read_selection(campaign, request.args)
    award = campaign.rules.award(candidate.award)
    context = voting_context(campaign, selection, award)
    row, board = context["rows"].get(candidate.id), context["board"]
    return private(
        render_template(
            "citizen/candidate.html",
            **context,
            candidate=candidate,
            gap=gap_above(board, row) if campaign.rules.display.gap and board and row else None,
            share=Share.of_candidate(campaign, candidate),
        )
    )


@bp.get("/c/<slug>/leaderboard")
def leaderboard_page(slug: str) -> Response:
    """The ranking of one award; ``part=rows`` gives the rows alone. The same for every visitor, so kept and shared."""
    campaign, who = public_campaign(slug), reader()
    asked = (slug, request.query_string, who, takes_gzip(request))
    try:
        board = leaderboard.get_board(campaign)
    except BoxUnavailable as error:
        last = _bodies.last(_board_key(campaign, who))
        if last is None:
            raise ServiceUnavailable from error
        return Response(last, headers={"Cache-Control": "no-store", "Content-Type": HTML})
    kept = _answers.find(asked, board)
    if kept is not None:
        return kept
    _answers.keep(asked, board)
    return _board_answer(campaign, board, who)


def _board_key(campaign: CampaignView, who: tuple[str, int]) -> tuple[object, ...]:
    part = "rows" if request.args.get("part") == "rows" else "page"
    award = asked_award(campaign)
    # Made-up pages are the last one: nobody has a page rendered that nobody can see.
    page = min(_page_number(), pages_of(campaign, award))
    return campaign.slug, part, award.key, page, *who


def _board_answer(campaign: CampaignView, board: Board, who: tuple[str, int]) -> Response:
    """Render once per snapshot. The tag leaves out the time: counts that did not change are "not modified"."""
    key = _board_key(campaign, who)
    award = asked_award(campaign)
    at_ms = now_ms()
    words = as_of(board, campaign.rules)
    shape = quote("-".join(str(part) for part in key[1:]))
    # The page says "today": what it says is another thing tomorrow.
    when = f"{campaign.phase(at_ms)}-{campaign.rules.local(at_ms).day}"
    # Weak, because the plain and the gzipped body share it.
    etag = f'W/"{board.etag}-{campaign.version}-{when}-{shape}"'

    def render() -> str:
        shown = cut(board, award, min(_page_number(), pages_of(campaign, award)))
        return render_template(
            f"citizen/board_{key[1]}.html",
            campaign=campaign,
            board=board,
            cut=shown,
            award=award,
            as_of=words,
            updates=update_sentence(board, campaign, at_ms),
            ties=tie_sentence(campaign.rules),
        )

    (etag, words), body = _bodies.get(key, (etag, words), render)
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": VARY, "Content-Type": HTML}
    if board.live:
        # Counts that did not change are true for a later time: said to a page that keeps its rows. Digits only.
        headers["X-Counts-As-Of"] = words
    if request.headers.get("If-None-Match") == etag:
        return Response(status=304, headers=headers)
    return Response(body, headers=headers)


@bp.get("/c/<slug>/rules")
def rules(slug: str) -> str:
    """The rules in words, made from the rule set itself."""
    campaign = public_campaign(slug)
    counts = {award.key: campaign.search(award=award.key, size=1).total for award in campaign.rules.awards}
    return render_template(
        "citizen/rules.html",
        campaign=campaign,
        facts=rules_page(campaign.rules, counts),
        notices=notices(campaign.history),
    )
