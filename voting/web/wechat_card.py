"""The signature for WeChat's share card, and the content policy that lets its script in, where an account is set up."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, request
from pydantic import BaseModel
from werkzeug.exceptions import BadRequest, NotFound, ServiceUnavailable

from voting.services.wechat_share import sign_page
from voting.web.finished import Finished
from voting.web.limits import LOOK_UPS, limiter
from voting.web.openapi import Notes, documented
from voting.web.sharing import WECHAT_HOST, wechat_script

bp = Blueprint("wechat_card", __name__)
LONGEST_URL = 2_000


class SignedOut(BaseModel):
    """What ``wx.config`` needs, under WeChat's own names."""

    appId: str
    timestamp: int
    nonceStr: str
    signature: str


class UrlQuery(BaseModel):
    url: str


@bp.get("/api/v1/wechat/signature")
@limiter.limit(LOOK_UPS)
@documented(Notes("sharing", {200: SignedOut}, (400, 404, 429, 503), query=UrlQuery))
def signature() -> Response:
    """The signature of one of our own pages, given by its whole address without ``#…``. 404 without an account."""
    if wechat_script() is None:
        raise NotFound
    url = request.args.get("url", "")
    if len(url) > LONGEST_URL or not _ours(url):
        raise BadRequest
    signed = sign_page(url)
    if signed is None:
        raise ServiceUnavailable
    out = SignedOut(appId=signed.app_id, timestamp=signed.timestamp, nonceStr=signed.nonce, signature=signed.signature)
    return Response(out.model_dump_json(), headers={"Cache-Control": "no-store"}, mimetype="application/json")


def _ours(url: str) -> bool:
    """Whether an address is one of our pages: nobody else's pages are signed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    own = {request.host, urlsplit(current_app.config.get("PUBLIC_URL") or "").netloc} - {""}
    return parts.scheme in ("http", "https") and parts.netloc in own


def init_wechat_card(app: Flask) -> None:
    """Where an account is set up, pages may load WeChat's script; elsewhere no foreign host stands in the policy."""
    if not (app.config.get("WECHAT_APP_ID") and app.config.get("WECHAT_SECRET")):
        return

    @app.after_request
    def allow(response: Response) -> Response:
        if isinstance(response, Finished):
            return response
        policy = response.headers.get("Content-Security-Policy", "")
        if policy and WECHAT_HOST not in policy and "script-src" not in policy:
            response.headers["Content-Security-Policy"] = f"{policy}; script-src 'self' {WECHAT_HOST}"
        return response
