"""Refusals and HTTP errors become answers here and nowhere else: a page, or RFC 9457 problem details under /api/."""

from __future__ import annotations

import math
import time
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, json, render_template, request
from flask_limiter.errors import RateLimitExceeded
from werkzeug.exceptions import HTTPException

from voting.rules import (
    account_errors,
    candidate_errors,
    change_errors,
    draft_errors,
    errors,
    identity_errors,
    nomination_errors,
    stage_errors,
)
from voting.rules.errors import CampaignNotFound, MalformedBallot, Refusal
from voting.services.catalogue import CampaignView, get_campaign
from voting.services.metering import count_refusal
from voting.services.transactions import LEDGER_AWAY
from voting.web.challenges import AskedQuestion, question_for
from voting.web.forms import read_choices
from voting.web.guard import current_identity
from voting.web.wording import Sentence, describe, describe_status

log = structlog.get_logger(__name__)

#: Refusals of the election are 403: asking again changes nothing until the rules say so. 409 and 422 are about the
#: ballot itself, 503 means "unknown, ask again with the same ballot id".
API_STATUS: dict[type[Refusal], int] = {
    errors.MalformedBallot: 400,
    errors.BallotIdExpired: 409,
    errors.BallotIdFromFuture: 409,
    errors.BallotIdConflict: 409,
    errors.NotOpenYet: 403,
    errors.VotingClosed: 403,
    errors.VotingPaused: 403,
    errors.OutsideDailyHours: 403,
    errors.UnknownCandidate: 422,
    errors.CandidateWithdrawn: 422,
    errors.RepeatedCandidate: 422,
    errors.TooFewChoices: 422,
    errors.TooManyChoices: 422,
    errors.TooSoon: 403,
    errors.QuotaSpent: 403,
    errors.AddressLimited: 429,
    errors.TooManyRequests: 429,
    errors.ChallengeRequired: 403,
    errors.ChallengeSpent: 403,
    identity_errors.SignInRequired: 403,
    identity_errors.SignInLost: 403,
    identity_errors.SignInDenied: 403,
    identity_errors.SnapshotVisitor: 403,
    identity_errors.ProviderUnavailable: 503,
    identity_errors.NumberNotValid: 422,
    identity_errors.CodeTooSoon: 429,
    identity_errors.CodeLimited: 429,
    identity_errors.CodeWrong: 422,
    identity_errors.CodeExpired: 422,
    errors.IdentityMissing: 403,
    errors.IdentityForged: 403,
    errors.WrongToken: 403,
    errors.WrongOrigin: 403,
    errors.CampaignNotFound: 404,
    errors.CandidateNotFound: 404,
    errors.PhotoRefused: 422,
    errors.ReceiptNotFound: 404,
    errors.ResultNotReady: 404,
    errors.BoxUnavailable: 503,
    errors.StageRefused: 409,
    errors.NotReadyToOpen: 409,
    errors.NotReadyToPublish: 409,
}
#: what the organizers' desk and the nominators' pages say no to; no client of the API meets these
DESK_STATUS: dict[type[Refusal], int] = {
    account_errors.SignInFailed: 403,
    account_errors.AccountLocked: 429,
    account_errors.SignInNeeded: 403,
    account_errors.NotPermitted: 403,
    account_errors.InvitationInvalid: 404,
    account_errors.PasswordRefused: 422,
    account_errors.CodeRefused: 422,
    account_errors.NameRefused: 422,
    account_errors.UnknownRole: 422,
    account_errors.RolesApart: 422,
    account_errors.AreaNeeded: 422,
    account_errors.AccountNotFound: 404,
    account_errors.LastAdministrator: 409,
    draft_errors.CampaignFrozen: 409,
    draft_errors.DraftChanged: 409,
    draft_errors.BannerNeedsWords: 422,
    draft_errors.PlaceInUse: 409,
    draft_errors.DraftNotEmpty: 409,
    draft_errors.PresetNotFound: 404,
    candidate_errors.CandidateRefused: 422,
    candidate_errors.FieldsFrozen: 409,
    candidate_errors.ChangedMeanwhile: 409,
    candidate_errors.PhotoChanged: 409,
    candidate_errors.ReasonNeeded: 422,
    candidate_errors.StandsAlready: 409,
    candidate_errors.NumbersTaken: 409,
    candidate_errors.UploadRefused: 422,
    candidate_errors.UploadNotFound: 404,
    nomination_errors.NominationsNotOpen: 403,
    nomination_errors.NominationsOver: 403,
    nomination_errors.NominationNotFound: 404,
    nomination_errors.NominationRefused: 422,
    nomination_errors.NominationDecided: 409,
    nomination_errors.OwnNomination: 403,
    nomination_errors.CallRefused: 422,
    nomination_errors.NominationsWaiting: 409,
    change_errors.RuleChangeRefused: 422,
    change_errors.ChangeReasonRefused: 422,
    change_errors.AlreadyAsked: 409,
    change_errors.EarlyCloseNeedsTwo: 403,
    change_errors.BoxNotTold: 503,
    stage_errors.ChangedMeanwhile: 409,
    stage_errors.PauseReasonRefused: 422,
    stage_errors.SecondPersonNeeded: 403,
    stage_errors.NothingAsked: 409,
    stage_errors.RecordingUnfinished: 503,
    stage_errors.AuditRunning: 409,
    stage_errors.TooLongForExcel: 422,
}
STATUS = API_STATUS | DESK_STATUS
BOX_RETRY_S = 2
#: the organizers' desk has a frame of its own
DESK = "/organizer/"
#: stable codes of what the HTTP layer itself refuses
HTTP_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_entity_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_server_error",
    503: "service_unavailable",
}


def retry_after_s(refusal: Refusal, now_ms: int) -> int | None:
    """Whole seconds until the same request may be granted, where that is known."""
    if isinstance(refusal, errors.BoxUnavailable | identity_errors.ProviderUnavailable):
        return BOX_RETRY_S
    if isinstance(refusal, errors.TooManyRequests):
        return max(1, refusal.retry_s)
    at_ms = {
        errors.NotOpenYet: "opens_ms",
        errors.TooSoon: "retry_ms",
        errors.AddressLimited: "retry_ms",
        errors.QuotaSpent: "resets_ms",
        identity_errors.CodeTooSoon: "retry_ms",
        identity_errors.CodeLimited: "retry_ms",
        account_errors.AccountLocked: "until_ms",
    }.get(type(refusal))
    moment = getattr(refusal, at_ms) if at_ms else None
    return None if moment is None else max(1, math.ceil((moment - now_ms) / 1000))


def init_refusals(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(RateLimitExceeded, _limited)
    app.register_error_handler(HTTPException, _http_error)
    for away in LEDGER_AWAY:
        app.register_error_handler(away, _ledger_away)
    app.register_error_handler(Exception, _failed)


def _for_program() -> bool:
    return request.path.startswith("/api/")


def _campaign() -> CampaignView | None:
    # A call-back from a provider has no campaign in its address; the sign-in under way knows it.
    slug = (request.view_args or {}).get("slug") or g.get("about", (None,))[0]
    try:
        campaign = get_campaign(slug) if slug else None
    except Exception:  # the refusal at hand matters more than the campaign's name on its page
        return None
    return campaign if campaign and campaign.stage != "draft" else None


def _refused(refusal: Refusal) -> Response:
    status, campaign = STATUS[type(refusal)], _campaign()
    at_desk = request.path.startswith(DESK)
    count_refusal(refusal.code, campaign.slug if campaign and not at_desk else "")
    sentence = describe(refusal, campaign)
    wait_s = retry_after_s(refusal, int(time.time() * 1000))
    if _for_program():
        response = _problem(status, refusal.code, sentence, wait_s, _public_facts(refusal))
    elif at_desk:
        body = render_template("organizer/refusal.html", sentence=sentence, status=status, code=refusal.code)
        response = Response(body, status, mimetype="text/html")
    else:
        chosen = _chosen()
        body = render_template(
            "errors/refusal.html",
            refusal=refusal,
            sentence=sentence,
            status=status,
            campaign=campaign,
            chosen=chosen,
            question=_question(refusal, campaign),
        )
        response = Response(body, status, mimetype="text/html")
    if wait_s is not None:
        response.headers["Retry-After"] = str(wait_s)
    response.headers["Cache-Control"] = "no-store"
    return response


def _question(refusal: Refusal, campaign: CampaignView | None) -> AskedQuestion | None:
    """The question of a page that asks for a challenge."""
    if campaign is None or not isinstance(refusal, errors.ChallengeRequired | errors.ChallengeSpent):
        return None
    identity = current_identity(campaign)
    return question_for(campaign, identity) if identity else None


def _public_facts(refusal: Refusal) -> dict[str, Any]:
    """Facts that help a client; which store failed and why is for operators."""
    if isinstance(refusal, errors.BoxUnavailable | CampaignNotFound):
        return {}
    facts = refusal.facts()
    if isinstance(refusal, errors.QuotaSpent):
        quota = facts.pop("quota")
        facts |= {"unit": quota.unit, "per": quota.per, "period": quota.period, "limit": quota.limit}
    return facts


def _chosen() -> list[int]:
    """What the voter had chosen, so that the page can offer it again."""
    try:
        sent = [*request.args.getlist("choice"), *request.form.getlist("choice")]
        return read_choices(sent) or list(g.get("about", (None, ()))[1])
    except (MalformedBallot, HTTPException):
        return []


def _problem(
    status: int, code: str, sentence: Sentence, wait_s: int | None = None, facts: dict[str, Any] | None = None
) -> Response:
    """Problem details (RFC 9457): ``code`` is stable, ``title`` and ``detail`` are for people."""
    document: dict[str, Any] = {
        "type": f"urn:voting:problem:{code}",
        "title": sentence.title,
        "status": status,
        "detail": sentence.next_step,
        "code": code,
    }
    if wait_s is not None:
        document["retry_after"] = wait_s
    if facts:
        document["facts"] = facts
    return Response(json.dumps(document), status, mimetype="application/problem+json")


def _limited(error: RateLimitExceeded) -> Response:
    return _refused(errors.TooManyRequests(int(error.limit.limit.get_expiry()) if error.limit else 60))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status in (301, 302, 303, 307, 308):
        return Response(error.get_response().get_data(), status, dict(error.get_response().headers))
    return _answer_status(status, HTTP_CODES.get(status, "refused"), dict(error.get_headers()))


def _ledger_away(error: Exception) -> Response:
    """Pages that only the ledger can fill say so; what was sent stands in no line of the log."""
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    log.warning("the ledger does not answer", endpoint=request.endpoint, cause=type(error).__name__)
    return _answer_status(503, HTTP_CODES[503], {"Retry-After": str(BOX_RETRY_S)})


def _failed(error: Exception) -> Response:
    """Anything that nobody foresaw: one line in the log without the request's content, a calm page for the person."""
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    log.error("unforeseen error", endpoint=request.endpoint, method=request.method, exc_info=error)
    return _answer_status(500, HTTP_CODES[500], {})


def _answer_status(status: int, code: str, headers: dict[str, str]) -> Response:
    sentence = describe_status(status)
    if _for_program():
        response = _problem(status, code, sentence)
    else:
        template = "organizer/refusal.html" if request.path.startswith(DESK) else "errors/status.html"
        body = render_template(template, status=status, sentence=sentence)
        response = Response(body, status, mimetype="text/html")
    for name in ("Allow", "Retry-After"):
        if name in headers:
            response.headers[name] = headers[name]
    response.headers["Cache-Control"] = "no-store"
    return response
