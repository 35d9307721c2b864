"""WeChat as its documentation describes web authorization: the redirect, the exchange, and its error numbers."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.peers.http import Asked, Peer, Reply

APP_ID, SECRET = "wx0123456789abcdef", "the secret of the account"


class WeChatPeer(Peer):
    """``person`` is whoever agrees next; ``errors`` are answered first, one a request."""

    def __init__(self) -> None:
        super().__init__()
        self.person: dict[str, Any] = {"openid": "o-one"}
        self.errors: list[int] = []
        self.codes: dict[str, dict[str, Any]] = {}
        self.used: set[str] = set()
        #: what a browser may have written over in the address it was sent to
        self.scope = "snsapi_base"
        #: an answer that is not one of WeChat's
        self.odd: Reply | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The settings of an application that uses this peer."""
        authorize = f"{self.url}/connect/oauth2/authorize"
        return {
            "WECHAT_APP_ID": APP_ID,
            "WECHAT_SECRET": SECRET,
            "WECHAT_API_BASE": self.url,
            "WECHAT_AUTHORIZE_URL": authorize,
        }

    def agree(self, address: str) -> str:
        """What WeChat does with the address it is sent to: silently, back to ours with a code."""
        answer = httpx.get(address)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/connect/oauth2/authorize":
            return self._authorize(asked.query)
        if asked.path == "/sns/oauth2/access_token" and asked.method == "GET":
            return self.odd or Reply(json.dumps(self._exchange(asked.query)).encode(), type="text/plain")
        return Reply(status=404)

    def _authorize(self, query: dict[str, str]) -> Reply:
        expected = ["appid", "redirect_uri", "response_type", "scope", "state"]
        state = query.get("state", "")
        fits = list(query) == expected and query["appid"] == APP_ID and query["response_type"] == "code"
        if not fits or query["scope"] != "snsapi_base" or not state.isalnum() or len(state) > 128:
            return Reply(b"10003", 400)
        code = secrets.token_hex(16)
        self.codes[code] = dict(self.person)
        back = urlencode({"code": code, "state": state})
        return Reply(status=302, headers={"Location": f"{query['redirect_uri']}?{back}"})

    def _exchange(self, query: dict[str, str]) -> dict[str, Any]:
        code = query.get("code", "")
        error = self.errors.pop(0) if self.errors else 0
        if query.get("appid") != APP_ID:
            error = 40013
        elif query.get("secret") != SECRET:
            error = 40125
        elif query.get("grant_type") != "authorization_code":
            error = 40002
        if not error:
            error = 41008 if not code else 40163 if code in self.used else 0 if code in self.codes else 40029
        if error:
            return {"errcode": error, "errmsg": f"error {error}, rid: {secrets.token_hex(4)}"}
        self.used.add(code)
        tokens = {"access_token": "a", "expires_in": 7200, "refresh_token": "r", "scope": self.scope}
        return tokens | self.codes[code]
