"""Codes sent to a mobile number: what a sender must do, reading numbers as people type them, and the console sender.

A number is kept nowhere: a keyed hash of it names the voter, and its last digits stay in the citizen's own browser.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Protocol

import structlog

PROVIDER = "sms"
DIGITS = 6
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
log = structlog.get_logger(__name__)


class CodeSender(Protocol):
    """Delivers a code to a number of mainland China (11 digits). Raises ProviderFailed; ``refused`` when the number
    itself cannot be reached."""

    #: whether it can also call and read the code out
    can_call: bool

    def send(self, number: str, code: str, minutes: int, call: bool) -> None:
        """Send the code, or read it out over the telephone."""


class ConsoleSender:
    """For trying out: the code appears in the program's own log. Never in production (config.py sees to it)."""

    can_call = True

    def send(self, number: str, code: str, minutes: int, call: bool) -> None:
        log.warning("sign-in code (trying out, nothing was sent)", number=mask(number), code=code, call=call)


def read_mobile(text: str) -> str | None:
    """A mobile number of mainland China as people type it (+86, spaces, full width): 11 digits; None if it is none."""
    digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", text[:40]))
    digits = re.sub(r"^(\+86|0086|86(?=1\d{10}$))", "", digits)
    return digits if digits.isascii() and _MOBILE.fullmatch(digits) else None


def read_code(text: str) -> str:
    """The digits of a code as people type it."""
    return "".join(char for char in unicodedata.normalize("NFKC", text[:40]) if char in "0123456789")[:12]


def mask(number: str) -> str:
    """A number as it may be shown: 138****5678."""
    return f"{number[:3]}****{number[-4:]}"


def new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
