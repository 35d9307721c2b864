"""OpenID Connect for unified government log-in: discovery, code with PKCE, nonce and state, a signed id_token, ``sub``.

By httpx and joserfc. Authlib, whose author wrote joserfc to take the place of its own JOSE part, would bring a second
HTTP client with it and give only the three requests that stand here.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from voting.identity.base import ProviderFailed

PROVIDER = "oidc"
TIMEOUT_S = 8.0
DISCOVERED_S = 3600
#: keys are fetched anew for a key id that is not known, but not for every made-up one
KEYS_APART_S = 60
#: never "none", and never a MAC: with those a public key would do as the secret
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
LEEWAY_S = 60
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(slots=True)
class _Known:
    """What the provider says of itself, and when that was read."""

    about: dict[str, Any] = field(default_factory=dict)
    about_s: float = float("-inf")
    keys: KeySet | None = None
    keys_s: float = float("-inf")


class Oidc:
    """One provider, known by its issuer."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, client: httpx.Client, scope: str) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._client = client
        self._scope = scope
        self._known = _Known()
        self._lock = Lock()

    def address(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes; raises ProviderFailed when the provider cannot be asked where that is."""
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(self._about()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def exchange(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> str:
        """The ``sub`` of the person who agreed; raises ProviderFailed."""
        about = self._about()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        headers = {"Accept": "application/json"}
        if self._client_secret:
            # Basic is what a provider that says nothing must take.
            if "client_secret_basic" in about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
                pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
                headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
            else:
                form["client_secret"] = self._client_secret
        answer = self._json("POST", str(about["token_endpoint"]), data=form, headers=headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderFailed("no id_token")
        return self._verify(token, nonce)

    def _verify(self, token: str, nonce: str) -> str:
        claims = self._decode(token)
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        now_s, expires_s, issued_s = time.time(), claims.get("exp"), claims.get("iat")
        if claims.get("iss") != self.issuer:
            raise ProviderFailed("id_token: issuer", refused=True)
        if self._client_id not in audiences or claims.get("azp", self._client_id) != self._client_id:
            raise ProviderFailed("id_token: audience", refused=True)
        if len(audiences) > 1 and "azp" not in claims:
            raise ProviderFailed("id_token: authorized party", refused=True)
        if not isinstance(expires_s, int | float) or expires_s + LEEWAY_S < now_s:
            raise ProviderFailed("id_token: expired", refused=True)
        if not isinstance(issued_s, int | float) or issued_s - LEEWAY_S > now_s:
            raise ProviderFailed("id_token: issued in the future", refused=True)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise ProviderFailed("id_token: nonce", refused=True)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise ProviderFailed("id_token: no sub", refused=True)
        return subject

    def _decode(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of the provider's keys has signed."""
        keys = self._keys(fresh=False)
        for fresh in (False, True):
            try:
                return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            except (JoseError, ValueError, TypeError) as error:
                # A key may have been changed since we read them: look once more, then it is forged.
                newer = self._keys(fresh=True) if not fresh else keys
                if newer is keys:
                    raise ProviderFailed(f"id_token: {type(error).__name__}", refused=True) from None
                keys = newer
        raise ProviderFailed("id_token: unknown key", refused=True)

    def _about(self) -> dict[str, Any]:
        """The discovery document; read again every hour, and the last one kept while the provider is away."""
        with self._lock:
            known = self._known
            if time.monotonic() - known.about_s > DISCOVERED_S:
                try:
                    about = self._json("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                    if about.get("issuer") != self.issuer or not all(isinstance(about.get(n), str) for n in NEEDED):
                        raise ProviderFailed("discovery: not of this issuer, or not complete")
                    known.about, known.about_s = about, time.monotonic()
                except ProviderFailed:
                    if not known.about:
                        raise
            return known.about

    def _keys(self, fresh: bool) -> KeySet:
        address = str(self._about()["jwks_uri"])
        with self._lock:
            known = self._known
            if known.keys is None or (fresh and time.monotonic() - known.keys_s > KEYS_APART_S):
                try:
                    known.keys = KeySet.import_key_set(self._json("GET", address))  # type: ignore[arg-type]
                except (JoseError, ValueError, TypeError, KeyError) as error:
                    raise ProviderFailed(f"keys: {type(error).__name__}") from None
                known.keys_s = time.monotonic()
            return known.keys

    def _json(self, method: str, address: str, **sent: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, address, timeout=TIMEOUT_S, **sent)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed(type(error).__name__) from None
        if not isinstance(answer, dict):
            raise ProviderFailed(f"status {response.status_code}")
        if response.status_code != 200 or "error" in answer:
            # Named by the standard (invalid_grant and the like); anything longer is not for our log.
            why = str(answer.get("error", response.status_code))[:40]
            # All others are between the provider and us: the person can do nothing about them.
            raise ProviderFailed(why, refused=why in ("invalid_grant", "access_denied"))
        return answer
