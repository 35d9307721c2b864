"""The device cookie: a random name for this browser, signed, with the time it was given out.

It recognises a browser, not a person: clearing cookies makes a new voter. Campaigns that need more choose another
provider; here the address windows, the challenge and later screening carry the rest.
"""

from __future__ import annotations

import secrets

from voting.identity.base import SUBJECT_BYTES
from voting.identity.cookies import IdentityCookie

PROVIDER = "device"
COOKIE_DAYS = 400


class DeviceIdentity(IdentityCookie):
    """Gives out and reads device cookies."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret, PROVIDER, COOKIE_DAYS)

    def issue(self) -> str:
        """A cookie value for a browser never seen before."""
        return self.write(secrets.token_bytes(SUBJECT_BYTES))
