"""Accounts: one's own (sessions, password) and, for administrators, everybody's. Thin."""

from __future__ import annotations

from flask import Response, redirect, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, PasswordField, SelectMultipleField, StringField, widgets
from wtforms.validators import EqualTo, InputRequired, Length, Optional, Regexp

from voting.rules.account_errors import AccountNotFound
from voting.rules.errors import Refusal
from voting.rules.roles import ROLES
from voting.services import accounts, desk_sessions
from voting.web.organizer.guard import allows, bp, holder, session_token
from voting.web.organizer.wording import role_name
from voting.web.refusals import STATUS
from voting.web.wording import describe

EVERYBODY = ROLES
_NEEDED = lazy_gettext("请填写这一项。")


class PasswordForm(Form):
    """Another password for whoever is signed in."""

    old = PasswordField(lazy_gettext("现在的密码"), [InputRequired(_NEEDED), Length(max=200)])
    password = PasswordField(lazy_gettext("新密码"), [InputRequired(_NEEDED), Length(max=200)])
    again = PasswordField(
        lazy_gettext("再输入一次"),
        [InputRequired(_NEEDED), EqualTo("password", lazy_gettext("两次输入的密码不一样。"))],
    )


class AccountForm(Form):
    """A new account, or other roles for one. Fields that are not here cannot be written."""

    name = StringField(lazy_gettext("账号"), [InputRequired(_NEEDED), Length(max=64)])
    full_name = StringField(lazy_gettext("姓名"), [InputRequired(_NEEDED), Length(max=64)])
    roles = SelectMultipleField(
        lazy_gettext("职责"), widget=widgets.ListWidget(prefix_label=False), option_widget=widgets.CheckboxInput()
    )
    area = StringField(
        lazy_gettext("审核地区（统计区划代码）"),
        [Optional(), Regexp(r"[0-9]{2,12}\Z", message=lazy_gettext("请填 2 至 12 位数字。"))],
    )

    def offer(self) -> AccountForm:
        """The form with the roles in words."""
        self.roles.choices = [(role, role_name(role)) for role in ROLES]
        return self


@bp.get("/account")
@allows(*EVERYBODY)
def own_account() -> BaseResponse:
    return _own(PasswordForm())


def _own(form: PasswordForm, problem: Refusal | None = None, done: str = "", status: int = 200) -> BaseResponse:
    body = render_template(
        "organizer/account.html",
        form=form,
        sessions=desk_sessions.sessions_of(holder(), session_token()),
        sentence=describe(problem) if problem else None,
        done=done,
    )
    return Response(body, STATUS[type(problem)] if problem else status, mimetype="text/html")


@bp.post("/account/password")
@allows(*EVERYBODY)
def change_password() -> BaseResponse:
    form = PasswordForm(request.form)
    if not form.validate():
        return _own(form, status=422)
    try:
        keep = accounts.digest(session_token())
        accounts.change_password(holder().id, form.old.data or "", form.password.data or "", keep)
    except Refusal as refused:
        return _own(form, refused)
    return _own(PasswordForm(), done=gettext("密码已修改，其他设备上的登录已退出。"))


@bp.post("/account/sessions/<mark>")
@allows(*EVERYBODY)
def end_session(mark: str) -> BaseResponse:
    if not desk_sessions.end_marked(holder(), mark):
        raise NotFound
    return redirect("/organizer/account", 303)


@bp.post("/account/sessions")
@allows(*EVERYBODY)
def end_other_sessions() -> BaseResponse:
    desk_sessions.end_others(holder(), session_token())
    return redirect("/organizer/account", 303)


@bp.get("/accounts")
@allows("administrator")
def list_accounts() -> BaseResponse:
    return _all(AccountForm())


def _all(form: AccountForm, problem: Refusal | None = None, link: str = "", status: int = 200) -> BaseResponse:
    body = render_template(
        "organizer/accounts.html",
        form=form.offer(),
        accounts=accounts.all_accounts(),
        sentence=describe(problem) if problem else None,
        link=link,
    )
    return Response(body, STATUS[type(problem)] if problem else status, mimetype="text/html")


@bp.post("/accounts")
@allows("administrator")
def create_account() -> BaseResponse:
    form = AccountForm(request.form).offer()
    if not form.validate():
        return _all(form, status=422)
    try:
        token = accounts.create_account(
            form.name.data or "", form.full_name.data or "", form.roles.data or (), form.area.data or None
        )
    except Refusal as refused:
        return _all(form, refused)
    return _all(AccountForm(), link=_link(token))


@bp.post("/accounts/<int:account_id>/invitation")
@allows("administrator")
def invite_again(account_id: int) -> BaseResponse:
    return _all(AccountForm(), link=_link(accounts.invite_again(account_id)))


@bp.post("/accounts/<int:account_id>/disable")
@allows("administrator")
def disable_account(account_id: int) -> BaseResponse:
    try:
        accounts.disable_account(account_id)
    except AccountNotFound:
        raise
    except Refusal as refused:
        return _all(AccountForm(), refused)
    return redirect("/organizer/accounts", 303)


def _link(token: str) -> str:
    return f"{request.host_url}organizer/invitations/{token}"
