"""WeChat's JS-SDK as its documentation describes it: the stable token, the jsapi ticket, and its error numbers."""

from __future__ import annotations

import json
from typing import Any

from tests.peers.http import Asked, Peer, Reply

APP_ID, SECRET = "wx0123456789abcdef", "the secret of the account"
TOKEN, TICKET = "the-access-token", "the-jsapi-ticket"


class WeChatJsPeer(Peer):
    """``errors`` are answered first, one a request."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[int] = []

    def answer(self, asked: Asked) -> Reply:
        if self.errors:
            return self._say({"errcode": self.errors.pop(0), "errmsg": "a message that repeats what was sent"})
        if asked.path == "/cgi-bin/stable_token" and asked.method == "POST":
            sent = json.loads(asked.body)
            if sent != {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}:
                return self._say({"errcode": 40125, "errmsg": "invalid appsecret"})
            return self._say({"access_token": TOKEN, "expires_in": 7200})
        if asked.path == "/cgi-bin/ticket/getticket" and asked.query.get("type") == "jsapi":
            if asked.query.get("access_token") != TOKEN:
                return self._say({"errcode": 40001, "errmsg": "invalid credential"})
            return self._say({"errcode": 0, "errmsg": "ok", "ticket": TICKET, "expires_in": 7200})
        return Reply(b"not found", 404, "text/plain")

    def _say(self, answer: dict[str, Any]) -> Reply:
        return Reply(json.dumps(answer).encode())
