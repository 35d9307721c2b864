"""WeChat's share card: the signature its script wants for a page, from a ticket that the whole installation shares.

WeChat allows few tickets a day, so one is kept in Redis for all processes and nodes until shortly before it ends. What
fails here costs a picture on a card: voting does not depend on it, and nobody waits long for it.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

import httpx
import structlog
from flask import current_app
from redis.exceptions import RedisError

from voting.services.boxes import boxes

API = "https://api.weixin.qq.com"
TIMEOUT_S = 3.0
#: a ticket is good for two hours; the last minutes are left to pages that are open already
SPARE_S = 300
#: after a failure WeChat is left alone, or an outage would eat the day's allowance
PAUSE_S = 60

log = structlog.get_logger(__name__)


class NoTicket(Exception):
    """WeChat gives no ticket now; the message names the step and WeChat's error number, never a secret."""


@dataclass(frozen=True, slots=True)
class Signature:
    app_id: str
    timestamp: int
    nonce: str
    signature: str


def sign_page(url: str) -> Signature | None:
    """What ``wx.config`` needs on that page, or None where there is no account or WeChat does not answer."""
    app_id, secret = current_app.config.get("WECHAT_APP_ID"), current_app.config.get("WECHAT_SECRET")
    if not app_id or not secret:
        return None
    ticket = _shared_ticket(app_id, secret)
    if ticket is None:
        return None
    timestamp, nonce = int(time.time()), secrets.token_hex(8)
    # WeChat's own order and spelling; what stands after # is not part of it.
    plain = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url.partition('#')[0]}"
    return Signature(app_id, timestamp, nonce, sha1(plain.encode(), usedforsecurity=False).hexdigest())


def _shared_ticket(app_id: str, secret: str) -> str | None:
    client, key = boxes().client, f"wechat:{app_id}:ticket"
    try:
        kept: Any = client.get(key)
        if kept is not None:
            return kept.decode() or None
        # One asks, the others do without for a moment; an empty value says that it was tried.
        if not client.set(key, b"", nx=True, ex=PAUSE_S):
            return None
        ticket, lasts_s = _ask(app_id, secret)
        client.set(key, ticket, ex=max(1, lasts_s - SPARE_S))
        return ticket
    except (RedisError, NoTicket) as error:
        log.warning("no share card for WeChat", reason=str(error) if isinstance(error, NoTicket) else "redis")
        return None


def _ask(app_id: str, secret: str) -> tuple[str, int]:
    """A ticket and for how many seconds it is good; raises NoTicket."""
    base = current_app.config.get("WECHAT_API_BASE") or API
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
        # The stable token is the same for whoever asks; the older kind would end the one that others are using.
        body = {"grant_type": "client_credential", "appid": app_id, "secret": secret}
        token = _call(client, "token", "POST", f"{base}/cgi-bin/stable_token", json=body)["access_token"]
        query = {"access_token": token, "type": "jsapi"}
        answer = _call(client, "ticket", "GET", f"{base}/cgi-bin/ticket/getticket", params=query)
    return str(answer["ticket"]), int(answer.get("expires_in", 7200))


def _call(client: httpx.Client, step: str, method: str, url: str, **sent: Any) -> dict[str, Any]:
    try:
        answer: Any = client.request(method, url, **sent).json()
    except (httpx.HTTPError, ValueError) as error:
        raise NoTicket(f"{step}: {type(error).__name__}") from None
    wanted = "access_token" if step == "token" else "ticket"
    if not isinstance(answer, dict) or answer.get("errcode") or not answer.get(wanted):
        code = answer.get("errcode") if isinstance(answer, dict) else None
        raise NoTicket(f"{step}: errcode {code}")
    return answer
