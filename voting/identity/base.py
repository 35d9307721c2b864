"""What every identity provider gives: a subject it vouches for, under a name that says nothing about the person."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256

SUBJECT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody a provider recognises. ``subject`` is never the provider's own name for them but a pseudonym of it;
    ``since_ms`` is when they were first seen (a device) or signed in (all others)."""

    provider: str
    subject: str
    since_ms: int


class ProviderFailed(Exception):
    """A provider gave no identity. ``refused``: it said no, and asking again the same way changes nothing; otherwise
    it is away or busy. ``why`` is for operators and carries neither secrets nor anybody's name."""

    def __init__(self, why: str, refused: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.refused = refused


def pseudonym(secret: str, provider: str, name: str) -> bytes:
    """What we keep of a provider's name for somebody (an openid, a number): 16 bytes of keyed HMAC-SHA256.

    Keyed with VOTER_SECRET, like voter keys: the same person must get the same pseudonym for as long as votes count.
    """
    return hmac.digest(secret.encode(), f"subject|{provider}|{name}".encode(), sha256)[:SUBJECT_BYTES]
