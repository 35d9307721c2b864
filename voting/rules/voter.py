"""Pseudonyms: from an identity to a voter key, and from a ballot to its receipt code. Keyed, never reversible."""

from __future__ import annotations

import hmac
from base64 import b32encode
from hashlib import sha256

from voting.rules.ballot_id import CROCKFORD, ballot_id_ms
from voting.rules.periods import HOUR_MS

VOTER_KEY_BYTES = 16
_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", CROCKFORD.encode())


def voter_key(secret: bytes, campaign: int, provider: str, subject: str) -> bytes:
    """The voter's pseudonym in one campaign: 16 bytes of HMAC-SHA256 over provider and subject."""
    return hmac.digest(secret, f"voter|{campaign}|{provider}|{subject}".encode(), sha256)[:VOTER_KEY_BYTES]


def address_hash(secret: bytes, campaign: int, address: str) -> bytes:
    """A pseudonym of a network address in one campaign, 8 bytes; the address itself is not kept."""
    return hmac.digest(secret, f"address|{campaign}|{address}".encode(), sha256)[:8]


def receipt_code(secret: bytes, campaign: int, ballot_id: str) -> str:
    """A ballot's receipt: 16 Crockford characters, 4 of them the hour of the ballot id, 12 (60 bits) keyed.

    The hour lets the box forget ids by age; the keyed part makes a receipt impossible to guess from a ballot id.
    """
    hour = ballot_id_ms(ballot_id) // HOUR_MS & 0xFFFFF
    digest = hmac.digest(secret, f"receipt|{campaign}|{ballot_id}".encode(), sha256)
    number = hour << 60 | int.from_bytes(digest[:8], "big") >> 4
    return b32encode(number.to_bytes(10, "big")).translate(_TO_CROCKFORD).decode()


def parse_receipt_code(text: str) -> str | None:
    """A receipt code as people type it (spaces, dashes, lower case, O for 0, I and L for 1); None if it is none."""
    folded = "".join(char for char in text.upper() if not char.isspace() and char not in "-‐–—_.")
    folded = folded.translate(str.maketrans("OIL", "011"))
    return folded if len(folded) == 16 and set(folded) <= set(CROCKFORD) else None
