"""Who is at the desk, and may they: the session's cookie, the roles a view allows, and the token of every form.

A form whose session is over is not lost: what was typed goes with the sign-in and comes back for sending again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.account_errors import NotPermitted, SignInNeeded
from voting.rules.errors import WrongToken
from voting.rules.roles import Holder, Role
from voting.services import desk_sessions
from voting.services.trail import acting_as
from voting.web.guard import check_origin, cookie_name, form_token

View = TypeVar("View", bound=Callable[..., Any])

bp = Blueprint("organizer", __name__, url_prefix="/organizer")
TOKEN_FIELD = "csrf_token"
#: names of fields that are carried through a sign-in
KEPT, KEPT_PATH = "kept:", "kept_path"
FILE_LOST = "file_lost"
LONGEST_KEPT = 60_000
PIECES = 256 * 1024
_COOKIE = "desk"


def allows(*roles: Role) -> Callable[[View], View]:
    """Declare whose view this is; a view that declares nothing opens for nobody."""

    def declare(view: View) -> View:
        view.desk_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return declare


def takes(whole: int, fields: int = PIECES, keeps: bool = False) -> Callable[[View], View]:
    """Let a view be sent more than a short form: ``whole`` bytes with its files, ``fields`` of them outside files.

    With ``keeps`` a long text beside a file is kept when the session is over; the file is not, and FILE_LOST says so.
    """
    # The parser takes 64 KB at a time and holds what may be half a boundary against the same limit.
    fields = max(fields, PIECES)

    def declare(view: View) -> View:
        view.desk_takes = (whole, fields)  # type: ignore[attr-defined]
        view.desk_keeps = keeps  # type: ignore[attr-defined]
        return view

    return declare


def entrance(view: View) -> View:
    """A view for whoever is not signed in yet; it checks its own token."""
    view.desk_entrance = True  # type: ignore[attr-defined]
    return view


def by_itself(view: View) -> View:
    """A view that pages ask every few seconds, without anybody doing anything."""
    view.desk_by_itself = True  # type: ignore[attr-defined]
    return view


def allowed_roles(view: Callable[..., Any]) -> frozenset[Role] | None:
    """The roles of a view: none for an entrance."""
    roles: frozenset[Role] = getattr(view, "desk_roles", frozenset())
    return None if getattr(view, "desk_entrance", False) else roles


def holder() -> Holder:
    """Whoever is signed in; only inside a view that is not an entrance."""
    found: Holder = g.holder
    return found


def session_token() -> str:
    """The token of this browser's cookie, empty without one."""
    return request.cookies.get(cookie_name(current_app, _COOKIE), "")


def desk_token() -> str:
    """The token of the forms of this session."""
    return token_of(session_token())


def token_of(session: str) -> str:
    """The token of the forms of a session, also of one that has just begun."""
    key = hmac.digest(str(current_app.config["SECRET_KEY"]).encode(), b"desk form", sha256)
    return hmac.digest(key, session.encode(), sha256)[:16].hex()


def keep_session(response: BaseResponse, token: str) -> None:
    """Give the browser its session; it ends with the browser."""
    response.set_cookie(
        cookie_name(current_app, _COOKIE),
        token,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )


def forget_session(response: BaseResponse) -> None:
    response.delete_cookie(
        cookie_name(current_app, _COOKIE), httponly=True, secure=bool(current_app.config["SESSION_COOKIE_SECURE"])
    )


@bp.before_request
def _check() -> BaseResponse | None:
    """Every request passes here before its view. Raises NotPermitted, WrongOrigin or WrongToken."""
    view = current_app.view_functions[request.endpoint or ""]
    if hasattr(view, "desk_takes"):
        # Before anything reads the body, and for this view alone.
        request.max_content_length, request.max_form_memory_size = view.desk_takes
    roles = allowed_roles(view)
    if roles is None:
        return None
    try:
        g.holder = desk_sessions.find_holder(session_token(), used=not hasattr(view, "desk_by_itself"))
    except SignInNeeded:
        return _sign_in_first(getattr(view, "desk_keeps", False))
    if not holder().may(*roles):
        raise NotPermitted
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        check_origin()
        if not hmac.compare_digest(request.form.get(TOKEN_FIELD, "").encode(), desk_token().encode()):
            raise WrongToken
    g.acting = acting_as(holder().name)
    g.acting.__enter__()
    return None


@bp.teardown_request
def _leave(error: BaseException | None) -> None:
    # Threads are used again for other people's requests.
    if acting := g.pop("acting", None):
        acting.__exit__(None, None, None)


@bp.after_request
def _private(response: Response) -> Response:
    """Nothing of the desk stays in a cache or a search engine."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _sign_in_first(keeps: bool) -> BaseResponse:
    """To the sign-in and back; what was typed is carried along, beside files only where the view ``keeps`` it."""
    here = request.full_path.rstrip("?")
    if request.method == "GET":
        return redirect(f"/organizer/sign-in?{urlencode({'next': here})}", 303)
    # Files are not read for somebody who is not signed in; most of the time the fields beside them are few.
    with_files = (request.content_type or "").startswith("multipart/")
    form = MultiDict[str, str]() if with_files and not keeps else request.form
    kept = [(name, text) for name, text in form.items(multi=True) if name != TOKEN_FIELD]
    if with_files and keeps:
        with_files = any(file.filename for file in request.files.values())
        kept += [(FILE_LOST, "1")] if with_files else []
    if sum(len(text) for _, text in kept) > LONGEST_KEPT:
        kept = []
    page = render_template(
        "organizer/sign_in.html",
        form=None,
        kept=kept,
        kept_path=here,
        lost_files=with_files,
        # Back to the page on which the file was chosen.
        next=urlsplit(request.referrer or "").path if with_files else "",
        entrance_token=form_token("organizer"),
    )
    return Response(page, 403, mimetype="text/html")
