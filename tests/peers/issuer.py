"""An OpenID provider: discovery, keys, code with PKCE, and id_tokens that can be spoilt in every way that matters."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlencode

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.peers.http import Asked, Peer, Reply

CLIENT_ID, CLIENT_SECRET = "voting", "secret: with/odd+letters"


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


class Issuer(Peer):
    """``person`` is the ``sub`` of whoever agrees next; ``claims`` overrule those of the next id_tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.person = "citizen-1"
        self.claims: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        self.key = new_key("one")
        self.published = [self.key]
        self.signer = ""
        self.denies = False
        self.status = 200
        self.codes: dict[str, dict[str, str]] = {}

    @property
    def config(self) -> dict[str, Any]:
        return {"OIDC_ISSUER": self.url, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET}

    def agree(self, address: str) -> str:
        """What the provider does when the person agrees, or does not."""
        answer = httpx.get(address)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def answer(self, asked: Asked) -> Reply:
        if self.status != 200:
            return Reply(b"<h1>maintenance</h1>", self.status, "text/html")
        if asked.path == "/.well-known/openid-configuration":
            return self._json(self._discovery())
        if asked.path == "/keys":
            keys = KeySet(self.published)
            return self._json(keys.as_dict(private=False))
        if asked.path == "/authorize":
            return self._authorize(asked.query)
        if asked.path == "/token" and asked.method == "POST":
            return self._token(asked)
        return Reply(status=404)

    def _json(self, document: Any, status: int = 200) -> Reply:
        return Reply(json.dumps(document).encode(), status)

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?theme=gov",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
        } | self.about

    def _authorize(self, query: dict[str, str]) -> Reply:
        needed = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"}
        assert needed <= query.keys(), query
        assert query["code_challenge_method"] == "S256"
        assert query["theme"] == "gov"
        answer = {"state": query["state"]}
        if self.denies:
            answer |= {"error": "access_denied"}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = query | {"sub": self.person}
            answer |= {"code": code, "iss": self.url}
        return Reply(status=302, headers={"Location": f"{query['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, asked: Asked) -> Reply:
        form, given = asked.form, asked.headers.get("authorization", "")
        pair = b64decode(given.removeprefix("Basic ")).decode() if given else ":"
        client, _, secret = (unquote(part) for part in pair.partition(":"))
        if not given:
            client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if (client, secret) != (CLIENT_ID, CLIENT_SECRET):
            return self._json({"error": "invalid_client"}, 401)
        asked_for = self.codes.pop(form.get("code", ""), None)
        if asked_for is None or asked_for["redirect_uri"] != form.get("redirect_uri"):
            return self._json({"error": "invalid_grant"}, 400)
        verifier = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if not hmac.compare_digest(verifier, asked_for["code_challenge"]):
            return self._json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "sub": asked_for["sub"], "aud": CLIENT_ID, "iat": now, "exp": now + 300}
        claims |= {"nonce": asked_for["nonce"]} | self.claims
        token = self._sign({name: value for name, value in claims.items() if value is not None})
        return self._json({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def _sign(self, claims: dict[str, Any]) -> str:
        if self.signer == "nobody":
            parts = [
                urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)
            ]
            return ".".join([*parts, ""])
        if self.signer == "mac with the public key":
            body = ".".join(
                urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                for part in ({"alg": "HS256", "kid": "one"}, claims)
            )
            mac = hmac.digest(self.key.as_pem(private=False), body.encode(), sha256)
            return f"{body}.{urlsafe_b64encode(mac).decode().rstrip('=')}"
        key = new_key("one") if self.signer == "somebody else" else self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
