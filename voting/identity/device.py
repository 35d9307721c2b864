"""The device cookie: a random name for this browser, signed, with the time it was given out.

It recognises a browser, not a person: clearing cookies makes a new voter. Campaigns that need more choose another
provider; here the address windows and later screening carry the rest.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256

from voting.identity.base import Identity
from voting.rules.errors import IdentityForged, WrongToken

PROVIDER = "device"
COOKIE_DAYS = 400
_NAME_BYTES = 16
_MAC_BYTES = 16


class DeviceIdentity:
    """Gives out and reads device cookies, and the CSRF tokens bound to them.

    A cookie is base64 of 16 random bytes, the seconds when it was made (5 bytes) and 16 bytes of HMAC-SHA256 over both.
    """

    def __init__(self, secret: str) -> None:
        self._cookie_key = hmac.digest(secret.encode(), b"device cookie", sha256)
        self._token_key = hmac.digest(secret.encode(), b"ballot token", sha256)

    def issue(self) -> str:
        """A new cookie value."""
        name = secrets.token_bytes(_NAME_BYTES) + int(time.time()).to_bytes(5, "big")
        return urlsafe_b64encode(name + self._mac(name)).decode().rstrip("=")

    def read(self, cookie: str) -> Identity:
        """The identity in a cookie; raises IdentityForged when this site did not issue it."""
        try:
            raw = urlsafe_b64decode(cookie.encode("ascii") + b"==")
        except (Base64Error, UnicodeEncodeError):
            raise IdentityForged from None
        name, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(raw) != _NAME_BYTES + 5 + _MAC_BYTES or not hmac.compare_digest(mac, self._mac(name)):
            raise IdentityForged
        return Identity(PROVIDER, name[:_NAME_BYTES].hex(), int.from_bytes(name[_NAME_BYTES:], "big") * 1000)

    def csrf_token(self, identity: Identity, slug: str) -> str:
        """A token that only a page shown to this identity for this campaign can carry."""
        return hmac.digest(self._token_key, f"{slug}|{identity.subject}".encode(), sha256)[:16].hex()

    def check_csrf(self, identity: Identity, slug: str, token: str) -> None:
        """Raises WrongToken unless the token was made by ``csrf_token`` for the same identity and campaign."""
        if not hmac.compare_digest(self.csrf_token(identity, slug).encode(), token.encode("utf-8", "replace")):
            raise WrongToken

    def _mac(self, name: bytes) -> bytes:
        return hmac.digest(self._cookie_key, name, sha256)[:_MAC_BYTES]
