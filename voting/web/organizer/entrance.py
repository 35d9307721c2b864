"""The door of the desk: signing in and out, and the link with which an invited person sets password and six digits."""

from __future__ import annotations

import io

import segno
from flask import Response, redirect, render_template, request
from flask_babel import lazy_gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from voting.rules.account_errors import AccountLocked, CodeRefused, PasswordRefused, SignInFailed
from voting.rules.errors import Refusal
from voting.services import accounts, desk_sessions
from voting.services.metering import count_refusal
from voting.web import guard as citizens
from voting.web.limits import CODES, limiter
from voting.web.organizer.guard import (
    KEPT,
    KEPT_PATH,
    allows,
    bp,
    entrance,
    forget_session,
    holder,
    keep_session,
    session_token,
    takes,
    token_of,
)
from voting.web.refusals import STATUS
from voting.web.wording import describe

#: what the token of an entrance's form is bound to, beside the browser
ROOM = "organizer"
HOME = "/organizer/"
_NEEDED = lazy_gettext("请填写这一项。")


class SignInForm(Form):
    """Name, password, and six digits or a code on paper."""

    name = StringField(lazy_gettext("账号"), [InputRequired(_NEEDED), Length(max=64)])
    password = PasswordField(lazy_gettext("密码"), [InputRequired(_NEEDED), Length(max=200)])
    code = StringField(lazy_gettext("动态验证码"), [InputRequired(_NEEDED), Length(max=16)])


class InvitationForm(Form):
    """A password, twice, and the six digits that prove the telephone was set up."""

    password = PasswordField(lazy_gettext("新密码"), [InputRequired(_NEEDED), Length(max=200)])
    again = PasswordField(
        lazy_gettext("再输入一次"),
        [InputRequired(_NEEDED), EqualTo("password", lazy_gettext("两次输入的密码不一样。"))],
    )
    code = StringField(lazy_gettext("动态验证码"), [InputRequired(_NEEDED), Length(max=16)])


@bp.route("/sign-in", methods=["GET", "POST"])
@entrance
@takes(1_000_000, 1_000_000)
@limiter.limit(CODES, methods=["POST"])
def sign_in() -> BaseResponse:
    """Both proofs at once: which of them was wrong is not told."""
    form = SignInForm(request.form)
    kept = [(name.removeprefix(KEPT), text) for name, text in request.form.items(multi=True) if name.startswith(KEPT)]
    path = _inside(request.form.get(KEPT_PATH, ""))
    following = _inside(request.values.get("next", "")) or HOME
    if request.method == "GET":
        return _page("organizer/sign_in.html", form=SignInForm(), kept=[], next=following)
    citizens.check_form(ROOM)
    problem: Refusal | None = None
    if form.validate():
        try:
            found = accounts.prove(form.name.data or "", form.password.data or "", form.code.data or "")
        except (SignInFailed, AccountLocked) as refused:
            problem = refused
        else:
            token = desk_sessions.begin_session(found, request.user_agent.string, citizens.client_address())
            response = _go_on(token, kept, path) if path and kept else redirect(following, 303)
            keep_session(response, token)
            return response
    return _page(
        "organizer/sign_in.html", _count(problem), form=form, kept=kept, kept_path=path, next=following, problem=problem
    )


def _go_on(token: str, kept: list[tuple[str, str]], path: str) -> BaseResponse:
    """The form that was interrupted, to be looked at and sent once more: nothing is done without a second press."""
    return _page("organizer/go_on.html", kept=kept, kept_path=path, token=token_of(token))


@bp.post("/sign-out")
@allows("administrator", "organizer", "reviewer", "judge", "auditor")
def sign_out() -> BaseResponse:
    desk_sessions.end_session(holder(), session_token())
    response = redirect("/organizer/sign-in", 303)
    forget_session(response)
    return response


@bp.route("/invitations/<token>", methods=["GET", "POST"])
@entrance
@limiter.limit(CODES, methods=["POST"])
def invitation(token: str) -> BaseResponse:
    """Set password and six digits; the codes on paper are shown once. Raises InvitationInvalid."""
    if request.method == "POST":
        citizens.check_form(ROOM)
    setup = accounts.read_invitation(token)
    form, problem = InvitationForm(request.form), None
    if request.method == "POST" and form.validate():
        try:
            name, codes = accounts.accept_invitation(token, form.password.data or "", form.code.data or "")
        except (PasswordRefused, CodeRefused) as refused:
            problem = refused
        else:
            return _page("organizer/recovery_codes.html", name=name, codes=codes)
    return _page(
        "organizer/invitation.html", _count(problem), form=form, setup=setup, qr=_qr(setup.uri), problem=problem
    )


def _count(problem: Refusal | None) -> int:
    """The status of a page that shows a refusal in its form; a refusal is counted wherever it is shown."""
    if problem is None:
        return 200 if request.method == "GET" else 422
    count_refusal(problem.code)
    return STATUS[type(problem)]


def _page(template: str, status: int = 200, **given: object) -> BaseResponse:
    problem = given.get("problem")
    sentence = describe(problem) if isinstance(problem, Refusal) else None
    body = render_template(template, sentence=sentence, entrance_token=citizens.form_token(ROOM), **given)
    return Response(body, status, mimetype="text/html")


def _inside(path: str) -> str:
    """An address of the desk's own, or nothing: a link must not lead elsewhere after signing in."""
    return path if path.startswith(HOME) and "//" not in path and "\\" not in path else ""


def _qr(text: str) -> Markup:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        border=2,
        dark="#1f1610",
        light="#fff",
        omitsize=True,
        svgclass="qr",
    )
    return Markup(out.getvalue().decode())
