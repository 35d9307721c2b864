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

from itsdangerous import BadSignature, Signer

from voting.identity.base import Identity
from voting.rules.errors import IdentityForged, WrongToken

PROVIDER = "device"
COOKIE_DAYS = 400
_NAME_BYTES = 16


class DeviceIdentity:
    """Gives out and reads device cookies, and the CSRF tokens bound to them."""

    def __init__(self, secret: str) -> None:
        # Derived once: the signer would otherwise derive its key anew for every vote.
        key = hmac.digest(secret.encode(), b"device cookie", sha256)
        self._signer = Signer(key, key_derivation="none", digest_method=sha256)
        self._token_key = hmac.digest(secret.encode(), b"ballot token", sha256)

    def issue(self) -> str:
        """A new cookie value: base64 of 16 random bytes and the seconds now, signed."""
        raw = secrets.token_bytes(_NAME_BYTES) + int(time.time()).to_bytes(5, "big")
        return self._signer.sign(urlsafe_b64encode(raw)).decode()

    def read(self, cookie: str) -> Identity:
        """The identity in a cookie; raises IdentityForged when this site did not issue it."""
        try:
            raw = urlsafe_b64decode(self._signer.unsign(cookie.encode("ascii")))
        except (BadSignature, Base64Error, UnicodeEncodeError):
            raise IdentityForged from None
        name, since_s = raw[:_NAME_BYTES], int.from_bytes(raw[_NAME_BYTES:], "big")
        return Identity(PROVIDER, name.hex(), since_s * 1000, cookie)

    def csrf_token(self, identity: Identity, slug: str) -> str:
        """A token that only a page shown to this identity for this campaign can carry."""
        return hmac.digest(self._token_key, f"{slug}|{identity.token_base}".encode(), sha256)[:16].hex()

    def check_csrf(self, identity: Identity, slug: str, token: str) -> None:
        """Raises WrongToken unless the token was made by ``csrf_token`` for the same identity and campaign."""
        if not hmac.compare_digest(self.csrf_token(identity, slug).encode(), token.encode("utf-8", "replace")):
            raise WrongToken
