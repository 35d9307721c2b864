"""大字版, the pages in large type: ``?large=``, then the cookie, says how large.

0 is off; 1, 2 and 3 are 22, 26 and 30 px. The style sheet does the rest (css/large.css); it hangs on the attribute that
``html_size`` gives the page.
"""

from __future__ import annotations

from flask import g, request
from markupsafe import Markup

COOKIE = "large"
LEVELS = 3


def large_level() -> int:
    """How large this reader wants the text, decided once per request."""
    found: int | None = g.get("large_level")
    if found is None:
        found = g.large_level = _picked()
    return found


def asked_level() -> int | None:
    """What this very request asks for, or None."""
    # The raw query is looked at first: most requests, the vote among them, ask for nothing.
    if b"large=" not in request.query_string:
        return None
    return _level(request.args.get(COOKIE, ""))


def _picked() -> int:
    asked = asked_level()
    if asked is not None:
        return asked
    if "large=" not in request.headers.get("Cookie", ""):
        return 0
    return _level(request.cookies.get(COOKIE, "")) or 0


def _level(text: str) -> int | None:
    return int(text) if len(text) == 1 and "0" <= text <= str(LEVELS) else None


def html_size() -> Markup | str:
    """The attribute of ``<html>`` that switches large type on; nothing in the ordinary size."""
    level = large_level()
    return Markup(f' data-large="{level}"') if level else ""
