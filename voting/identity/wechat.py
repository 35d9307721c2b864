"""WeChat official accounts: ``snsapi_base``, which asks nothing of the person and tells us who it is, nothing more.

The identity comes only from our own server's exchange of the code, never from the page: an openid that a page sends
is how every vote robot works. The name is the unionid when WeChat gives one, else the openid of this account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from voting.identity.base import ProviderFailed
from voting.rules.identity_errors import SnapshotVisitor

PROVIDER = "wechat"
AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"
API = "https://api.weixin.qq.com"
TIMEOUT_S = 5.0
SCOPE = "snsapi_base"
#: system busy and the like: WeChat says to ask again
BUSY = {-1, 45009, 45011}
#: the code was answered before, or is none: the call-back came twice, or somebody made it up
CODE_USED = {40029, 40163, 41008, 42003}


class CodeUsed(ProviderFailed):
    """The code was exchanged before: the first call-back knows who it is."""


@dataclass(frozen=True, slots=True)
class WeChat:
    """One official account. ``api`` and ``authorize`` are WeChat's own addresses outside tests."""

    app_id: str
    secret: str
    client: httpx.Client
    api: str = API
    authorize: str = AUTHORIZE

    def address(self, redirect_uri: str, state: str) -> str:
        """Where the browser goes; WeChat wants the parameters in this order and the fragment at the end."""
        query = {
            "appid": self.app_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": SCOPE,
            "state": state,
        }
        return f"{self.authorize}?{urlencode(query)}#wechat_redirect"

    def exchange(self, code: str) -> str:
        """The name WeChat knows the person by; raises SnapshotVisitor, CodeUsed or ProviderFailed."""
        answer = self._ask(code)
        if answer.get("errcode") in BUSY:
            answer = self._ask(code)
        error = answer.get("errcode", 0)
        if error in CODE_USED:
            raise CodeUsed(f"errcode {error}", refused=True)
        if error:
            # The message may repeat what was sent; the number says it all.
            raise ProviderFailed(f"errcode {error}")
        if answer.get("is_snapshotuser") == 1:
            raise SnapshotVisitor
        # The browser may have asked for another scope than we did, and some give the unionid where ours does not: the
        # same person under a second name.
        if SCOPE not in str(answer.get("scope", SCOPE)).split(","):
            raise ProviderFailed("another scope", refused=True)
        name = answer.get("unionid") or answer.get("openid")
        if not isinstance(name, str) or not name:
            raise ProviderFailed("no openid")
        return name

    def _ask(self, code: str) -> dict[str, Any]:
        query = {"appid": self.app_id, "secret": self.secret, "code": code, "grant_type": "authorization_code"}
        try:
            response = self.client.get(f"{self.api}/sns/oauth2/access_token", params=query, timeout=TIMEOUT_S)
            # Sent as text/plain, whatever the documentation says of it.
            answer = response.json() if response.status_code == 200 else None
        except (httpx.HTTPError, ValueError) as error:
            # Not the error's own text: it holds the address, and the address holds the secret.
            raise ProviderFailed(type(error).__name__) from None
        if not isinstance(answer, dict):
            raise ProviderFailed(f"status {response.status_code}")
        return answer


def in_wechat(user_agent: str) -> bool:
    """Whether a page is shown inside WeChat: elsewhere its authorization page only says to open WeChat."""
    return "MicroMessenger" in user_agent
