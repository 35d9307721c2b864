"""What the citizens' pages share: the campaign and award a request is about, figures, the voter's standing, caching.

No page stands here, and nothing is decided here.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, after_this_request, make_response, request

from voting.rules.campaign import Award
from voting.rules.errors import BoxUnavailable, CampaignNotFound
from voting.services import catalogue, leaderboard
from voting.services.catalogue import CampaignView
from voting.services.finding import Listing
from voting.services.leaderboard import Board
from voting.services.standing import NOTHING_USED, Standing, newcomer_standing, voter_standing
from voting.web import guard
from voting.web.boards import ranks_by_candidate, rows_by_candidate
from voting.web.language import YEAR_S
from voting.web.phase_wording import can_vote
from voting.web.selection import Selection, rooms
from voting.web.times import now_ms

SEED_COOKIE = "order"
SEED_DIGITS = 4


def public_campaign(slug: str) -> CampaignView:
    """A campaign that the public may see; raises CampaignNotFound."""
    campaign = catalogue.get_campaign(slug)
    if campaign.stage == "draft":
        raise CampaignNotFound(slug)
    return campaign


def asked_award(campaign: CampaignView) -> Award:
    """The award a page is about: the last one named (a tab overrules the field it leaves), else the first."""
    asked = request.args.getlist("award")[-1:]
    return next((award for award in campaign.rules.awards if [award.key] == asked), campaign.rules.awards[0])


def board_of(campaign: CampaignView) -> Board | None:
    """The figures, or None while they cannot be had: pages are readable and ballots possible without them."""
    try:
        return leaderboard.get_board(campaign)
    except BoxUnavailable:
        return None


def standing_of(campaign: CampaignView) -> Standing:
    """What the voter has used of the quotas, as far as it is known; only the box decides."""
    identity = guard.current_identity(campaign)
    if not can_vote(campaign, now_ms()):
        return NOTHING_USED
    if identity is None:
        return newcomer_standing(campaign)
    try:
        return voter_standing(campaign, identity)
    except BoxUnavailable:
        return NOTHING_USED


def voting_context(campaign: CampaignView, selection: Selection, award: Award) -> dict[str, Any]:
    """What the pages that offer voting have in common."""
    board, standing = board_of(campaign), standing_of(campaign)
    all_rooms = rooms(campaign.rules, selection, standing.lines)
    return {
        "campaign": campaign,
        "selection": selection,
        "award": award,
        "rooms": all_rooms,
        "room": next(room for room in all_rooms if room.award.key == award.key),
        "standing": standing,
        "board": board,
        "rows": rows_by_candidate(campaign, board) if board else {},
    }


def listing_of(campaign: CampaignView, board: Board | None) -> Listing:
    """In which order this visitor meets the candidates. Where chance decides, the same one again on every page."""
    order = campaign.rules.display.order
    if order in ("number", "name"):
        return Listing(order)
    ranks = ranks_by_candidate(campaign, board) if order == "rank" and board else None
    return Listing(order, f"{campaign.slug}|{_visitor_seed()}".encode(), ranks)


def _visitor_seed() -> str:
    """Four hexadecimal digits that the browser keeps: an order of one's own, and too few to recognise anybody by."""
    kept = request.cookies.get(SEED_COOKIE, "")
    if len(kept) == SEED_DIGITS and set(kept) <= set("0123456789abcdef"):
        return kept
    made = secrets.token_hex(SEED_DIGITS // 2)

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(SEED_COOKIE, made, YEAR_S, httponly=True, samesite="Lax", secure=request.is_secure)
        return response

    return made


def private(body: str, store: bool = True) -> Response:
    """A page that belongs to one visitor.

    Pages on the way to a ballot may be kept by this browser: going back to the review page then brings the same ballot
    id again, so that a second try is recognised as the same ballot.
    """
    response = make_response(body)
    response.headers["Cache-Control"] = "private, no-cache" if store else "no-store"
    return response
