"""Identity cookies: what a browser carries so that its voter is recognised by one HMAC, without a session or a look-up.

A cookie is base64 of 16 bytes of subject, the seconds when it was made (5 bytes) and 16 bytes of HMAC-SHA256 over both;
every provider has a key of its own, so that no cookie can stand in for another's.
"""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256

from voting.identity.base import SUBJECT_BYTES, Identity
from voting.rules.errors import IdentityForged

_MAC_BYTES = 16
_TIME_BYTES = 5


class IdentityCookie:
    """Gives out and reads the cookies of one provider; a cookie older than ``days`` is nobody's any more."""

    def __init__(self, secret: str, provider: str, days: int) -> None:
        self.provider = provider
        self.days = days
        self._key = hmac.digest(secret.encode(), f"{provider} cookie".encode(), sha256)

    def write(self, subject: bytes) -> str:
        """A cookie value for a subject, from now on."""
        body = subject + int(time.time()).to_bytes(_TIME_BYTES, "big")
        return urlsafe_b64encode(body + self._mac(body)).decode().rstrip("=")

    def read(self, cookie: str) -> Identity:
        """The identity in a cookie; raises IdentityForged when this site did not issue it, or too long ago."""
        try:
            raw = urlsafe_b64decode(cookie.encode("ascii") + b"==")
        except (Base64Error, UnicodeEncodeError):
            raise IdentityForged from None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(raw) != SUBJECT_BYTES + _TIME_BYTES + _MAC_BYTES or not hmac.compare_digest(mac, self._mac(body)):
            raise IdentityForged
        made_s = int.from_bytes(body[SUBJECT_BYTES:], "big")
        if time.time() - made_s > self.days * 86_400:
            raise IdentityForged
        return Identity(self.provider, body[:SUBJECT_BYTES].hex(), made_s * 1000)

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, sha256)[:_MAC_BYTES]
