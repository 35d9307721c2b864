"""The citizens' pages: campaigns, candidates, voting, leaderboard, rules, receipts. Thin: services know, templates say.

No SQL and no Redis call stands here, and the path of the vote does one thing only.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.campaign import Award
from voting.rules.errors import BoxUnavailable, CampaignNotFound, CandidateNotFound
from voting.services import casting, catalogue, leaderboard, receipts
from voting.services.casting import LeftLine
from voting.services.catalogue import CampaignView
from voting.services.leaderboard import Board
from voting.web import guard
from voting.web.boards import Answer, Answers, Bodies, cut, rows_by_candidate
from voting.web.forms import FindForm, ReceiptForm, read_ballot
from voting.web.language import pick_locale
from voting.web.limits import LOOK_UPS, PAPERS, SEARCHES, limiter
from voting.web.phase_wording import can_vote
from voting.web.rule_wording import brief, quota_sentence, rules_page
from voting.web.selection import Selection, problem_of, read_selection, rooms
from voting.web.times import clock_time, now_ms
from voting.web.wording import describe

bp = Blueprint("citizen", __name__)
_bodies = Bodies()
_answers = Answers()
HTML = "text/html; charset=utf-8"


def _campaign(slug: str) -> CampaignView:
    """A campaign that the public may see."""
    campaign = catalogue.get_campaign(slug)
    if campaign.stage == "draft":
        raise CampaignNotFound(slug)
    return campaign


def _award(campaign: CampaignView) -> Award:
    """The award a page is about: the last one named (a tab overrules the field it leaves), else the first."""
    asked = request.args.getlist("award")[-1:]
    return next((award for award in campaign.rules.awards if [award.key] == asked), campaign.rules.awards[0])


def _page_number() -> int:
    text = request.args.get("page", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _board(campaign: CampaignView) -> Board | None:
    """The figures, or None while they cannot be had: pages are readable and ballots possible without them."""
    try:
        return leaderboard.get_board(campaign)
    except BoxUnavailable:
        return None


def _standing(campaign: CampaignView) -> list[LeftLine]:
    """What the voter has used of the quotas, as far as it is known; only the box decides."""
    identity = guard.current_identity()
    if identity is None or not can_vote(campaign, now_ms()):
        return []
    try:
        return casting.voter_standing(campaign, identity)
    except BoxUnavailable:
        return []


def _common(campaign: CampaignView, selection: Selection, award: Award) -> dict[str, Any]:
    """What the pages that offer voting share."""
    board = _board(campaign)
    all_rooms = rooms(campaign.rules, selection, _standing(campaign))
    return {
        "campaign": campaign,
        "selection": selection,
        "award": award,
        "rooms": all_rooms,
        "room": next(room for room in all_rooms if room.award.key == award.key),
        "board": board,
        "rows": rows_by_candidate(campaign, board) if board else {},
    }


def _private(body: str, store: bool = True) -> Response:
    """A page that belongs to one visitor.

    Pages on the way to a ballot may be kept by this browser: going back to the review page then brings the same ballot
    id again, so that a second try is recognised as the same ballot.
    """
    response = make_response(body)
    response.headers["Cache-Control"] = "private, no-cache" if store else "no-store"
    return response


@bp.get("/")
def home() -> str:
    """All campaigns that are not drafts."""
    return render_template("citizen/home.html", campaigns=catalogue.all_campaigns())


@bp.get("/c/<slug>")
@limiter.limit(SEARCHES, exempt_when=lambda: not request.args.get("q"))
def campaign_page(slug: str) -> Response:
    """Candidates to look at and choose from."""
    campaign, form = _campaign(slug), FindForm.read(request.args)
    award = _award(campaign)
    areas = campaign.areas_of(award.key)
    if "clear" in request.args:
        form.q.data = form.area.data = ""
    area = next((code for code, _, _ in areas if code == form.area.data), "")
    q = "" if form.q.errors else form.q.data or ""
    found = campaign.search(award=award.key, q=q, area=area, page=form.page.data or 1)
    elsewhere = []
    if q and not found.total:
        others = [other for other in campaign.rules.awards if other.key != award.key]
        elsewhere = [(other, campaign.search(award=other.key, q=q, size=1).total) for other in others]
    selection = read_selection(campaign, request.args)
    return _private(
        render_template(
            "citizen/campaign.html",
            **_common(campaign, selection, award),
            found=found,
            form=form,
            areas=areas,
            area=area,
            q=q,
            elsewhere=[(other, total) for other, total in elsewhere if total],
            limits=brief(campaign.rules),
            carried=selection.carried({candidate.id for candidate in found.items}),
        )
    )


@bp.get("/c/<slug>/candidates/<int:number>")
def candidate_page(slug: str, number: int) -> Response:
    """One candidate: story, votes, rank, and the button to choose."""
    campaign = _campaign(slug)
    candidate = campaign.by_number.get(number)
    if candidate is None:
        raise CandidateNotFound(number)
    selection = read_selection(campaign, request.args)
    award = campaign.rules.award(candidate.award)
    return _private(
        render_template("citizen/candidate.html", **_common(campaign, selection, award), candidate=candidate)
    )


@bp.get("/c/<slug>/review")
@limiter.limit(PAPERS)
def review(slug: str) -> Response:
    """The last look before the ballot is sent: who is chosen, what the rules say, and a fresh ballot paper."""
    campaign = _campaign(slug)
    selection = read_selection(campaign, request.args)
    award = _award(campaign)
    problem = problem_of(campaign, selection) if selection.chosen else None
    paper = None
    if selection.chosen and problem is None and can_vote(campaign, now_ms()):
        paper = guard.new_ballot_paper(campaign)
    return _private(
        render_template(
            "citizen/review.html",
            **_common(campaign, selection, award),
            paper=paper,
            problem=describe(problem, campaign) if problem else None,
            limits=brief(campaign.rules),
        )
    )


@bp.post("/c/<slug>/ballots")
def cast(slug: str) -> BaseResponse:
    """A ballot sent as a plain form. One round trip to the box, no SQL, no session; a refusal speaks for itself."""
    campaign = _campaign(slug)
    identity = guard.check_vote_request(slug)
    sent = read_ballot(request.form)
    receipt = casting.cast_ballot(campaign, identity, sent.ballot_id, sent.choices, guard.client_address())
    return redirect(f"/receipts/{receipt.code}", 303)


@bp.get("/c/<slug>/leaderboard")
def leaderboard_page(slug: str) -> Response:
    """The ranking of one award; ``part=rows`` gives the rows alone. The same for every visitor, so kept and shared."""
    campaign, locale = _campaign(slug), pick_locale()
    asked = (slug, request.query_string, locale)
    try:
        board = leaderboard.get_board(campaign)
    except BoxUnavailable as error:
        last = _bodies.last(_board_key(campaign, locale))
        if last is None:
            raise ServiceUnavailable from error
        return Response(last, headers={"Cache-Control": "no-store", "Content-Type": HTML})
    answer = _answers.find(asked, board)
    if answer is None:
        answer = _board_answer(campaign, board, locale)
        _answers.keep(asked, answer)
    if request.headers.get("If-None-Match") == answer.etag:
        return Response(status=304, headers=answer.headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(answer.packed, headers={**answer.headers, "Content-Encoding": "gzip"})
    return Response(answer.body, headers=answer.headers)


def _board_key(campaign: CampaignView, locale: str) -> tuple[object, ...]:
    part = "rows" if request.args.get("part") == "rows" else "page"
    return campaign.slug, part, _award(campaign).key, _page_number(), locale


def _board_answer(campaign: CampaignView, board: Board, locale: str) -> Answer:
    """Render once per snapshot. The tag leaves out the time: counts that did not change are "not modified"."""
    key = _board_key(campaign, locale)
    award = _award(campaign)
    as_of = clock_time(board.as_of_ms, campaign.rules)
    shape = quote("-".join(str(part) for part in key[1:]))
    # Weak, because the plain and the gzipped body share it.
    etag = f'W/"{board.etag}-{campaign.version}-{campaign.phase(now_ms())}-{shape}"'

    def render() -> str:
        shown = cut(board, award, _page_number())
        return render_template(
            f"citizen/board_{key[1]}.html", campaign=campaign, board=board, cut=shown, award=award, as_of=as_of
        )

    headers = {
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding, Accept-Language, Cookie",
        "X-Counts-As-Of": as_of,
        "Content-Type": HTML,
    }
    return Answer.of(board, etag, _bodies.get(key, (etag, as_of), render), headers)


@bp.get("/c/<slug>/rules")
def rules(slug: str) -> str:
    """The rules in words, made from the rule set itself."""
    campaign = _campaign(slug)
    counts = {award.key: campaign.search(award=award.key, size=1).total for award in campaign.rules.awards}
    return render_template("citizen/rules.html", campaign=campaign, facts=rules_page(campaign.rules, counts))


@bp.get("/receipts")
def receipt_search() -> BaseResponse | str:
    """Where a receipt code is typed in."""
    form = ReceiptForm(request.args)
    code = form.parsed()
    if code:
        return redirect(url_for("citizen.receipt", code=code), 303)
    return render_template("citizen/receipt_search.html", form=form, asked=bool(form.code.data))


@bp.get("/receipts/<code>")
@limiter.limit(LOOK_UPS)
def receipt(code: str) -> Response:
    """What happened to one ballot: for the browser that cast it, and nobody else."""
    try:
        found = receipts.find_receipt(code, guard.current_identity())
    except BoxUnavailable as error:
        raise ServiceUnavailable from error
    lines = [
        (quota_sentence(line.quota), line, next((a for a in found.campaign.rules.awards if a.key == line.award), None))
        for line in _standing(found.campaign)
        if line.quota.per != "candidate"
    ]
    return _private(
        render_template("citizen/receipt.html", receipt=found, campaign=found.campaign, lines=lines), store=False
    )
