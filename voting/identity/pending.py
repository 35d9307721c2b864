"""What a browser carries between leaving for a provider and coming back: signed, short-lived, and bound to it alone.

It stands in a cookie of ours (HttpOnly), so a way back that somebody else began, or sends on, leads nowhere.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field

from itsdangerous import BadData, URLSafeTimedSerializer

GOOD_FOR_S = 900
#: browsers keep cookies up to 4,096 bytes
LONGEST = 3800


def _random() -> str:
    """WeChat takes letters and digits only, and up to 128 of them."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in under way. ``choices`` are carried so that the ballot is found again."""

    provider: str
    slug: str
    choices: tuple[int, ...] = ()
    state: str = field(default_factory=_random)
    nonce: str = field(default_factory=_random)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))


class PendingSignIns:
    """Writes and reads them."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="sign-in under way")

    def write(self, pending: Pending) -> str:
        """A cookie value. A selection too long for a cookie is left out; the sign-in itself matters more."""
        text = self._dumps(pending)
        return text if len(text) <= LONGEST else self._dumps(pending, choices=())

    def _dumps(self, pending: Pending, **instead: object) -> str:
        return str(self._serializer.dumps(asdict(pending) | instead))

    def read(self, cookie: str) -> Pending | None:
        """What was written less than a quarter of an hour ago, or None."""
        try:
            found = self._serializer.loads(cookie, max_age=GOOD_FOR_S)
            return Pending(**found | {"choices": tuple(found["choices"])})
        except (BadData, TypeError, KeyError):
            return None
