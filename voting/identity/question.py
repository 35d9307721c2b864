"""The text challenge, for phones that cannot compute: a small question in words, signed, answered by typing a number.

No picture and no sound, so that every reader and every aid can use it; it works without script. Bound like the proof
of work, good for nine minutes because people are slower. The answer stands in no page: it is under the signature.
"""

from __future__ import annotations

import hmac
import secrets
import time
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256

from voting.identity.base import Identity
from voting.identity.effort import Solved

GOOD_FOR_S = 540
LONGEST = 100
_TIME_BYTES, _NONCE_BYTES, _MAC_BYTES = 5, 8, 16
_DIGITS = {char: str(number) for number, char in enumerate("零一二三四五六七八九")} | {"〇": "0", "两": "2"}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: ``kind`` is "sum", "difference" or "larger" of two numbers; ``token`` goes back with the answer."""

    kind: str
    one: int
    other: int
    token: str


class Questions:
    """Makes questions and checks answers."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"question", sha256)

    def ask(self, slug: str, identity: Identity) -> Question:
        """A fresh question for one voter and campaign."""
        kind = secrets.choice(("sum", "difference", "larger"))
        if kind == "larger":
            one, other = secrets.SystemRandom().sample(range(11, 100), 2)
            answer = max(one, other)
        elif kind == "sum":
            one, other = secrets.randbelow(8) + 2, secrets.randbelow(8) + 2
            answer = one + other
        else:
            one, other = secrets.randbelow(9) + 11, secrets.randbelow(8) + 2
            answer = one - other
        body = (int(time.time()) + GOOD_FOR_S).to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_NONCE_BYTES)
        token = urlsafe_b64encode(body + self._mac(slug, identity, body, answer)).decode().rstrip("=")
        return Question(kind, one, other, token)

    def check(self, slug: str, identity: Identity, token: str, answer: str) -> Solved:
        """What an answer is worth."""
        number = read_number(answer)
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"==") if len(token) <= LONGEST else b""
        except (Base64Error, UnicodeEncodeError):
            raw = b""
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(raw) != _TIME_BYTES + _NONCE_BYTES + _MAC_BYTES or number is None:
            return Solved(problem="wrong")
        if not hmac.compare_digest(mac, self._mac(slug, identity, body, number)):
            return Solved(problem="wrong")
        if int.from_bytes(body[:_TIME_BYTES], "big") < time.time():
            return Solved(problem="expired")
        return Solved(sha256(body).digest()[:16])

    def _mac(self, slug: str, identity: Identity, body: bytes, answer: int) -> bytes:
        about = f"|{answer}|{slug}|{identity.provider}|{identity.subject}"
        return hmac.digest(self._key, body + about.encode(), sha256)[:_MAC_BYTES]


def read_number(text: str) -> int | None:
    """A number up to 99 as people type it: 12, １２ or 十二; None if it is none."""
    typed = "".join(unicodedata.normalize("NFKC", text[:20]).split()).strip("。.")
    if "十" in typed:
        tens, _, ones = typed.partition("十")
        typed = f"{_DIGITS.get(tens, tens) or 1}{_DIGITS.get(ones, ones) or 0}"
    else:
        typed = "".join(_DIGITS.get(char, char) for char in typed)
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 3 else None
