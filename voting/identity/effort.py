"""Proof of work, ALTCHA's second version: a phone shows that it computed for a moment, while its owner was reading.

Bound to campaign and device, good for five minutes; that a solution is used once is the ballot box's business, for
the library itself accepts the same one twice. Checking costs one HMAC: the key the phone has to find is signed too.
"""

from __future__ import annotations

import secrets
import time
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import altcha

from voting.identity.base import Identity, pseudonym

ALGORITHM = "PBKDF2/SHA-256"
GOOD_FOR_S = 300
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Cost:
    """``rounds`` of hashing for one guess, and between which figures the right guess lies: 0.1 s on a good phone, a
    second on a poor one, and 0.2 ms to make."""

    rounds: int = 500
    least: int = 150
    most: int = 300


@dataclass(frozen=True, slots=True)
class Solved:
    """What came of a challenge: ``digest`` names the solved challenge, or is empty and ``problem`` says "expired" or
    "wrong". Both are empty when nothing was sent."""

    digest: bytes = b""
    problem: str = ""


NOTHING = Solved()


class Effort:
    """Makes challenges and checks their solutions."""

    def __init__(self, secret: str, cost: Cost = Cost()) -> None:
        self._secret = secret
        self._keys = (f"{secret}|challenge", f"{secret}|solution")
        self._cost = cost

    def ask(self, slug: str, identity: Identity) -> dict[str, Any]:
        """A fresh challenge for one voter and campaign, as ALTCHA's workers read it."""
        challenge = altcha.create_challenge(
            ALGORITHM,
            self._cost.rounds,
            counter=secrets.choice(range(self._cost.least, self._cost.most)),
            expires_at=int(time.time()) + GOOD_FOR_S,
            data={"for": self._bound_to(slug, identity)},
            hmac_secret=self._keys[0],
            hmac_key_secret=self._keys[1],
        )
        return challenge.to_dict()

    def check(self, slug: str, identity: Identity, payload: str) -> Solved:
        """What a payload is worth: base64 of JSON with the challenge as it was given out and its solution."""
        if len(payload) > LONGEST:
            return Solved(problem="wrong")
        try:
            sent = altcha.Payload.from_base64(payload)
            challenge, found = (
                sent.challenge,
                altcha.verify_solution(sent, self._keys[0], hmac_key_secret=self._keys[1]),
            )
        except (Base64Error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Solved(problem="wrong")
        if found.expired:
            return Solved(problem="expired")
        if not found.verified or challenge.parameters.data != {"for": self._bound_to(slug, identity)}:
            return Solved(problem="wrong")
        # By the challenge, not by what was sent: one solution can be written down in many ways.
        return Solved(sha256(str(challenge.signature).encode()).digest()[:16])

    def _bound_to(self, slug: str, identity: Identity) -> str:
        """Voter and campaign in a form that tells a reader nothing: the cookie's own name stays in the cookie."""
        return pseudonym(self._secret, "effort", f"{slug}|{identity.provider}|{identity.subject}").hex()
