"""CSRF tokens of ballot papers: bound to one voter and one campaign, made and checked by one HMAC."""

from __future__ import annotations

import hmac
from hashlib import sha256

from voting.identity.base import Identity
from voting.rules.errors import WrongToken


class BallotTokens:
    """Makes and checks the tokens that only a page shown to a voter can carry."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"ballot token", sha256)

    def make(self, identity: Identity, slug: str) -> str:
        """The token of this voter for this campaign."""
        text = f"{slug}|{identity.provider}|{identity.subject}"
        return hmac.digest(self._key, text.encode(), sha256)[:16].hex()

    def check(self, identity: Identity, slug: str, token: str) -> None:
        """Raises WrongToken unless the token was made for the same voter and campaign."""
        if not self.fits(identity, slug, token):
            raise WrongToken

    def fits(self, identity: Identity, slug: str, token: str) -> bool:
        """Whether the token was made for this voter and campaign."""
        return hmac.compare_digest(self.make(identity, slug).encode(), token.encode("utf-8", "replace"))
