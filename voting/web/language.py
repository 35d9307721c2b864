"""Which language a reader gets: ``?lang=``, then the cookie, then Accept-Language; Chinese otherwise.

What was asked for in an address is kept in a cookie here, the size of the text (``text_size``) too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from flask_babel import Babel
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from voting.web import text_size
from voting.web.finished import Finished

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

DEFAULT = "zh_Hans_CN"
#: what a link or cookie says -> the locale of our translations
LOCALES = {"zh": DEFAULT, "en": "en"}
COOKIE = "lang"
YEAR_S = 31_536_000


def pick_locale() -> str:
    """The reader's locale, decided once per request."""
    found: str | None = g.get("locale")
    if found is None:
        found = g.locale = _picked()
    return found


def _picked() -> str:
    # The raw strings are looked at first: most requests name no language but in the header, and parsing costs.
    if b"lang=" in request.query_string and (asked := LOCALES.get(request.args.get("lang", ""))):
        return asked
    if "lang=" in request.headers.get("Cookie", "") and (kept := LOCALES.get(request.cookies.get(COOKIE, ""))):
        return kept
    return _of_header(request.headers.get("Accept-Language", ""))


@lru_cache(maxsize=1024)
def _of_header(header: str) -> str:
    best = parse_accept_header(header[:200], LanguageAccept).best_match(["zh-CN", "zh", "en"], "zh-CN")
    return LOCALES["en"] if best == "en" else DEFAULT


def html_lang() -> str:
    """The ``lang`` attribute of the page."""
    return "en" if pick_locale() == "en" else "zh-CN"


def reader() -> tuple[str, int]:
    """What a page's wording and size depend on: the key of whatever is kept for several readers."""
    return pick_locale(), text_size.large_level()


def _remember(response: Response) -> ResponseReturnValue:
    # The vote's path passes here too, without a query, and should pay nothing for it.
    if not request.query_string or isinstance(response, Finished):
        return response
    if b"lang=" in request.query_string and (asked := request.args.get("lang", "")) in LOCALES:
        response.set_cookie(COOKIE, asked, max_age=YEAR_S, samesite="Lax", secure=request.is_secure)
    if (level := text_size.asked_level()) is not None:
        response.set_cookie(text_size.COOKIE, str(level), max_age=YEAR_S, samesite="Lax", secure=request.is_secure)
    return response


def init_language(app: Flask) -> None:
    """Set up Flask-Babel with our picker, and remember what a reader chose."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", DEFAULT)
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    Babel(app, locale_selector=pick_locale)
    app.after_request(_remember)
