"""The citizens' pages around a ballot: review, casting, receipts. Thin: services know, templates say.

No SQL and no Redis call stands here, and the path of the vote does one thing only.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.errors import BoxUnavailable
from voting.rules.identity_errors import SignInRequired
from voting.services import casting, receipts
from voting.web import guard
from voting.web.challenges import asked_at_once, question_for, read_solution
from voting.web.devices import sender_class
from voting.web.forms import ReceiptForm, read_ballot
from voting.web.limits import LOOK_UPS, PAPERS, limiter
from voting.web.my_votes import left_lines
from voting.web.pages import asked_award, private, public_campaign, voting_context
from voting.web.phase_wording import can_vote
from voting.web.rule_wording import brief
from voting.web.selection import problem_of, read_selection
from voting.web.sign_in import ways_in
from voting.web.times import now_ms
from voting.web.wording import describe

bp = Blueprint("voting", __name__)


@bp.get("/c/<slug>/review")
@limiter.limit(PAPERS)
def review(slug: str) -> Response:
    """The last look before the ballot is sent: who is chosen, what the rules say, and a fresh ballot paper."""
    campaign = public_campaign(slug)
    selection = read_selection(campaign, request.args)
    award = asked_award(campaign)
    problem = problem_of(campaign, selection) if selection.chosen else None
    context = voting_context(campaign, selection, award)
    again = selection.over(context["standing"])
    paper, ways, question = None, [], None
    if selection.chosen and problem is None and not again and can_vote(campaign, now_ms()):
        try:
            paper = guard.new_ballot_paper(campaign)
            question = question_for(campaign, paper.identity) if asked_at_once(campaign, paper.identity) else None
        except SignInRequired:
            ways = ways_in(campaign, selection.ids)
    return private(
        render_template(
            "citizen/review.html",
            **context,
            again=again,
            paper=paper,
            ways=ways,
            question=question,
            problem=describe(problem, campaign) if problem else None,
            limits=brief(campaign.rules),
        )
    )


@bp.post("/c/<slug>/ballots")
def cast(slug: str) -> BaseResponse:
    """A ballot sent as a plain form. One round trip to the box, no SQL, no session; a refusal speaks for itself."""
    campaign = public_campaign(slug)
    identity = guard.check_vote_request(campaign)
    sent = read_ballot(request.form)
    solved = read_solution(campaign, identity, request.form)
    address, device = guard.client_address(), sender_class()
    receipt = casting.cast_ballot(campaign, identity, sent.ballot_id, sent.choices, address, solved, device)
    return redirect(f"/receipts/{receipt.code}", 303)


@bp.get("/receipts")
def receipt_search() -> BaseResponse | str:
    """Where a receipt code is typed in."""
    form = ReceiptForm(request.args)
    code = form.parsed()
    if code:
        return redirect(url_for("voting.receipt", code=code), 303)
    return render_template("citizen/receipt_search.html", form=form, asked=bool(form.code.data))


@bp.get("/receipts/<code>")
@limiter.limit(LOOK_UPS)
def receipt(code: str) -> Response:
    """What happened to one ballot: for the browser that cast it, and nobody else."""
    try:
        found = receipts.find_receipt(code, guard.current_identities())
    except BoxUnavailable as error:
        raise ServiceUnavailable from error
    lines = left_lines(found.campaign)
    return private(
        render_template("citizen/receipt.html", receipt=found, campaign=found.campaign, lines=lines), store=False
    )
