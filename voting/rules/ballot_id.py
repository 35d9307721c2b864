"""Ballot ids are ULIDs (https://github.com/ulid/spec): 48 bits of time, 80 random; they carry their own age."""

from __future__ import annotations

from voting.rules.errors import BallotIdExpired, BallotIdFromFuture, MalformedBallot
from voting.rules.periods import DAY_MS, MINUTE_MS

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Crockford's digits as Python's int() knows them for base 32
_BASE_32 = str.maketrans(CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
_DIGITS = frozenset(CROCKFORD)

OLDEST_MS = DAY_MS
AHEAD_MS = 5 * MINUTE_MS


def parse_ballot_id(text: object) -> str:
    """A ballot id in its one canonical spelling; raises MalformedBallot."""
    if not isinstance(text, str) or len(text) != 26 or not text.isascii():
        raise MalformedBallot("ballot_id: 26 characters")
    folded = text.upper()
    if folded[0] > "7" or not _DIGITS.issuperset(folded):
        raise MalformedBallot("ballot_id: not a ULID")
    return folded


def ballot_id_ms(ballot_id: str) -> int:
    """The time a canonical ballot id carries, epoch ms."""
    return int(ballot_id[:10].translate(_BASE_32), 32)


def check_age(ballot_id: str, now_ms: int) -> None:
    """Refuse an id that is over 24 h old or more than 5 min ahead: it could no longer be recognised as a repeat."""
    made_ms = ballot_id_ms(ballot_id)
    if made_ms < now_ms - OLDEST_MS:
        raise BallotIdExpired
    if made_ms > now_ms + AHEAD_MS:
        raise BallotIdFromFuture
