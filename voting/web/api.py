"""The JSON API under /api/v1, through the same services as the pages. Its OpenAPI document is generated from here."""

from __future__ import annotations

import json
import time

from flask import Blueprint, Flask, Response, jsonify, request
from pydantic import BaseModel, ValidationError

from voting.identity.device import PROVIDER as DEVICE
from voting.rules.errors import CampaignNotFound, IdentityMissing, MalformedBallot
from voting.rules.rule_text import write_rules
from voting.services import casting, catalogue, leaderboard, receipts
from voting.services.casting import Receipt
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.challenging import new_effort
from voting.web import guard
from voting.web.api_models import (
    AwardOut,
    BallotIn,
    BoardQuery,
    CampaignOut,
    CampaignsOut,
    CandidateOut,
    CandidatesOut,
    ChallengeOut,
    FindQuery,
    LeaderboardOut,
    PaperOut,
    ProblemOut,
    ReceiptOut,
    StandingOut,
)
from voting.web.boards import Bodies
from voting.web.challenges import read_solution
from voting.web.compression import takes_gzip
from voting.web.devices import sender_class
from voting.web.finished import Answers
from voting.web.limits import LOOK_UPS, PAPERS, SEARCHES, limiter
from voting.web.openapi import Notes, build_document, documented

bp = Blueprint("api", __name__, url_prefix="/api/v1")
MOST_ROWS = 1000
#: an answer's version: its tag, and the time it says
_bodies: Bodies[tuple[str, int]] = Bodies()
_answers = Answers()


def _campaign(slug: str) -> CampaignView:
    campaign = catalogue.get_campaign(slug)
    if campaign.stage == "draft":
        raise CampaignNotFound(slug)
    return campaign


def _send(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), mimetype="application/json")


def _campaign_out(campaign: CampaignView) -> CampaignOut:
    counts = {award.key: campaign.search(award=award.key, size=1).total for award in campaign.rules.awards}
    return CampaignOut(
        slug=campaign.slug,
        title=campaign.title,
        summary=campaign.summary,
        organizer=campaign.organizer_name,
        contact=campaign.contact,
        enquiry_phone=campaign.enquiry_phone,
        supervision_phone=campaign.supervision_phone,
        demonstration=campaign.demonstration,
        phase=campaign.phase(int(time.time() * 1000)),
        paused_reason=campaign.paused_reason,
        opens_at=campaign.rules.opens_ms,
        closes_at=campaign.rules.closes_ms,
        awards=[
            AwardOut(
                key=a.key, name=a.name, seats=a.seats, min=a.limits.min, max=a.limits.max, candidates=counts[a.key]
            )
            for a in campaign.rules.awards
        ],
        rules=json.loads(write_rules(campaign.rules)),
        rules_hash=campaign.rules_hash,
    )


def _candidate_out(c: CandidateView) -> CandidateOut:
    return CandidateOut(
        id=c.id,
        number=c.number,
        award=c.award,
        group=c.group_key,
        name=c.name,
        area=list(c.area_path),
        summary=c.summary,
        standing=c.standing,
    )


@bp.get("/campaigns")
@documented(Notes("campaigns", {200: CampaignsOut}))
def list_campaigns() -> Response:
    """Campaigns that are not drafts, newest first."""
    return _send(CampaignsOut(campaigns=[_campaign_out(each) for each in catalogue.all_campaigns()]))


@bp.get("/campaigns/<slug>")
@documented(Notes("campaigns", {200: CampaignOut}, (404,)))
def show_campaign(slug: str) -> Response:
    """One campaign with its rule set."""
    return _send(_campaign_out(_campaign(slug)))


@bp.get("/campaigns/<slug>/candidates")
@limiter.limit(SEARCHES)
@documented(Notes("campaigns", {200: CandidatesOut}, (404, 429), query=FindQuery))
def list_candidates(slug: str) -> Response:
    """Candidates by award and number, 40 at a time; ``q`` searches number, name, pinyin, initials and area.

    To read a long list, pass ``after=0`` and then each answer's ``next`` until it is null; ``page`` jumps instead.
    """
    campaign = _campaign(slug)
    args = request.args
    award, q, area = args.get("award"), args.get("q", "")[:40], args.get("area", "")[:12]
    after = args.get("after", type=int)
    found = campaign.search(award, q, area, page=args.get("page", 1, type=int))
    items, following = (found.items, None) if after is None else campaign.search_after(award, q, area, after)
    out = CandidatesOut(
        candidates=[_candidate_out(each) for each in items],
        page=found.page,
        pages=found.pages,
        total=found.total,
        next=following,
    )
    return _send(out)


@bp.get("/campaigns/<slug>/leaderboard")
@documented(Notes("campaigns", {200: LeaderboardOut, 304: None}, (404, 503), query=BoardQuery))
def show_leaderboard(slug: str) -> Response:
    """Standings, at most a second old; answers 304 to a matching If-None-Match."""
    campaign = _campaign(slug)
    board = leaderboard.get_board(campaign)
    asked = (slug, request.query_string, takes_gzip(request))
    kept = _answers.find(asked, board)
    if kept is not None:
        return kept
    _answers.keep(asked, board)
    keys = [award.key for award in campaign.rules.awards]
    key = request.args.get("award", "")
    key = key if key in keys else ""
    top = min(max(request.args.get("top", 100, type=int), 1), MOST_ROWS)
    # Weak, because the plain and the gzipped body share it.
    etag = f'W/"{board.etag}.{key}.{top}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == etag:
        return Response(status=304, headers=headers)

    def render() -> str:
        awards = {
            each: [
                StandingOut(
                    id=row.candidate.id,
                    number=row.candidate.number,
                    name=row.candidate.name,
                    rank=row.rank,
                    votes=row.votes,
                    tied=row.tied,
                    outcome=row.outcome,
                )
                for row in board.awards[each][:top]
            ]
            for each in ([key] if key else keys)
        }
        return LeaderboardOut(
            campaign=slug,
            as_of=board.as_of_ms,
            final=board.final,
            hidden=board.hidden,
            frozen=board.frozen,
            next_update=board.next_ms,
            ballots=board.ballots,
            votes=board.votes,
            voided=board.voided,
            awards=awards,
        ).model_dump_json()

    (etag, _), body = _bodies.get(("api", slug, key, top), (etag, board.as_of_ms), render)
    return Response(body, headers=headers | {"ETag": etag}, mimetype="application/json")


@bp.get("/campaigns/<slug>/ballot")
@limiter.limit(PAPERS)
@documented(Notes("voting", {200: PaperOut}, (403, 404, 429)))
def new_ballot(slug: str) -> Response:
    """A fresh ballot id and CSRF token; sets the device cookie if there is none."""
    paper = guard.new_ballot_paper(_campaign(slug))
    response = _send(PaperOut(ballot_id=paper.ballot_id, csrf_token=paper.csrf_token))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/campaigns/<slug>/challenge")
@limiter.limit(PAPERS)
@documented(Notes("voting", {200: ChallengeOut}, (403, 404, 429)))
def new_challenge(slug: str) -> Response:
    """A proof-of-work challenge for this voter and campaign, in ALTCHA's format, good for five minutes.

    Solved, it goes back as ``effort`` with a ballot: base64 of {"challenge": …, "solution": …}. It serves one ballot.
    """
    campaign = _campaign(slug)
    identity = guard.current_identity(campaign)
    if identity is None:
        raise IdentityMissing
    response = jsonify(new_effort(slug, identity))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/campaigns/<slug>/ballots")
@documented(
    Notes(
        "voting",
        {200: ReceiptOut, 201: ReceiptOut},
        (400, 403, 404, 409, 413, 422, 429, 503),
        body=BallotIn,
        carries=(
            ("header", guard.TOKEN_HEADER, "the csrf_token of GET …/ballot"),
            ("cookie", DEVICE, "the device cookie that came with it; in production __Host-device"),
        ),
    )
)
def cast(slug: str) -> Response:
    """Cast a ballot: 201 the first time, 200 with the same body for the same ballot again.

    Needs the device cookie and the X-CSRF-Token of ``GET …/ballot``. A 503 or a lost answer means "unknown": send the
    same ballot id again. ``challenge_required`` means: solve ``GET …/challenge`` and send the ballot again with it.
    """
    campaign = _campaign(slug)
    identity = guard.check_vote_request(campaign, request.headers.get(guard.TOKEN_HEADER, ""))
    if request.mimetype != "application/json":
        raise MalformedBallot("body: must be application/json")
    try:
        paper = BallotIn.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        raise MalformedBallot(_first_problem(error)) from None
    solved = read_solution(campaign, identity, paper.solution())
    address, device = guard.client_address(), sender_class()
    receipt = casting.cast_ballot(campaign, identity, paper.ballot_id, paper.choices, address, solved, device)
    return Response(_receipt_body(receipt), 201 if receipt.first else 200, mimetype="application/json")


def _first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, without repeating what was sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return f"{where[:60]}: {first['msg'][:200]}"


def _receipt_body(receipt: Receipt) -> str:
    return json.dumps(
        {
            "ballot_id": receipt.ballot_id,
            "receipt": receipt.code,
            "campaign": receipt.slug,
            "accepted_at": receipt.accepted_ms,
            "choices": receipt.choices,
            "state": "accepted",
        }
    )


@bp.get("/receipts/<code>")
@limiter.limit(LOOK_UPS)
@documented(Notes("voting", {200: ReceiptOut}, (404, 429, 503)))
def show_receipt(code: str) -> Response:
    """A ballot by its receipt code, for the voter who cast it; everybody else gets the same 404 as for no receipt."""
    found = receipts.find_receipt(code, guard.current_identities())
    response = _send(
        ReceiptOut(
            ballot_id=found.ballot_id,
            receipt=found.code,
            campaign=found.campaign.slug,
            accepted_at=found.accepted_ms,
            choices=[candidate.id for candidate in found.candidates],
            state=found.state,
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def init_api(app: Flask) -> None:
    """Register the API and its OpenAPI 3.1 document at /api/openapi.json."""
    app.register_blueprint(bp)
    made: list[dict[str, object]] = []

    @app.get("/api/openapi.json")
    def openapi() -> Response:
        if not made:
            made.append(build_document(app, bp.url_prefix or "", ProblemOut, "十佳/百佳 voting", "1.0.0"))
        return jsonify(made[0])
