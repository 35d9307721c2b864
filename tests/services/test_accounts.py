"""Accounts of the desk: invited, signed in by password and six digits, locked, ended; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from flask import Flask

from voting.rules import account_errors as errors
from voting.rules.roles import Holder
from voting.services import accounts, desk_sessions
from voting.services.trail import check_trail, list_entries

PASSWORD = "漠阳江畔 绿水青山 2026"


class Person:
    """Somebody with an authenticator application."""

    def __init__(self, name: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name, self.clock, self.monkeypatch = name, 1_800_000_000.0, monkeypatch
        self.totp = pyotp.TOTP(accounts.read_invitation(token).secret)
        self.later(0)
        _, self.codes = accounts.accept_invitation(token, PASSWORD, self.digits())

    def later(self, seconds: float) -> None:
        """Time passes, for the six digits only."""
        self.clock += seconds
        self.monkeypatch.setattr("voting.services.accounts.time.time", lambda: self.clock)

    def digits(self) -> str:
        return self.totp.at(int(self.clock))

    def sign_in(self, password: str = PASSWORD, code: str | None = None) -> Holder:
        self.later(30)
        return accounts.prove(self.name, password, self.digits() if code is None else code)


@pytest.fixture
def person(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Person:
    """An organizer who has accepted an invitation."""
    with app.app_context():
        return Person("chen", accounts.create_account("Chen", "陈主任", ["organizer"]), monkeypatch)


def test_an_invitation_is_good_once(app: Flask, person: Person) -> None:
    with app.app_context():
        token = accounts.create_account("li", "李", ["auditor"])
        setup = accounts.read_invitation(token)
        assert setup.uri.startswith("otpauth://totp/")
        code = pyotp.TOTP(setup.secret).at(int(person.clock))
        with pytest.raises(errors.PasswordRefused) as weak:
            accounts.accept_invitation(token, "123456789012", code)
        assert set(weak.value.problems) >= {"too_plain", "too_common"}
        with pytest.raises(errors.CodeRefused):
            accounts.accept_invitation(token, PASSWORD, "000000")
        name, codes = accounts.accept_invitation(token, PASSWORD, code)
        assert (name, len(codes), len(set(codes))) == ("li", 10, 10)
        for again in (
            lambda: accounts.read_invitation(token),
            lambda: accounts.accept_invitation(token, PASSWORD, code),
        ):
            with pytest.raises(errors.InvitationInvalid):
                again()
        with pytest.raises(errors.InvitationInvalid):
            accounts.read_invitation("made up")


def test_signing_in_needs_both_and_the_digits_are_good_once(app: Flask, person: Person) -> None:
    with app.app_context():
        assert person.sign_in().roles == {"organizer"}
        used = person.digits()
        with pytest.raises(errors.SignInFailed):
            accounts.prove("chen", PASSWORD, used)
        with pytest.raises(errors.SignInFailed):
            person.sign_in(password="wrong")
        with pytest.raises(errors.SignInFailed):
            person.sign_in(code="")
        with pytest.raises(errors.SignInFailed):
            accounts.prove("nobody", PASSWORD, used)
        assert person.sign_in().name == "chen"


def test_a_code_on_paper_stands_in_once(app: Flask, person: Person) -> None:
    with app.app_context():
        assert person.sign_in(code=person.codes[0].upper()).name == "chen"
        with pytest.raises(errors.SignInFailed):
            person.sign_in(code=person.codes[0])
        assert person.sign_in(code=person.codes[1]).name == "chen"
        assert [entry.act for entry in list_entries(act="account.recover")] == ["account.recover"] * 2


def test_five_failures_lock_also_for_the_right_password(app: Flask, person: Person) -> None:
    with app.app_context():
        for _ in range(4):
            with pytest.raises(errors.SignInFailed):
                person.sign_in(password="wrong")
        with pytest.raises(errors.AccountLocked) as locked:
            person.sign_in(password="wrong")
        assert locked.value.until_ms > accounts.now_ms() + 14 * 60_000
        with pytest.raises(errors.AccountLocked):
            person.sign_in()
        assert [each.state for each in accounts.all_accounts()] == ["locked"]
        assert list_entries(act="account.lock")[0].subject == "chen"


def test_guesses_side_by_side_are_all_counted(app: Flask, person: Person) -> None:
    """Twelve at once do not get twelve tries: the fifth locks."""

    def guess(number: int) -> str:
        with app.app_context():
            try:
                accounts.prove("chen", f"guess {number}", "000000")
            except (errors.SignInFailed, errors.AccountLocked) as refused:
                return refused.code
            return "in"

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(guess, range(12)))
    assert answers.count("desk_sign_in_failed") == 4
    assert answers.count("account_locked") == 8


def test_a_success_forgives_earlier_failures(app: Flask, person: Person) -> None:
    with app.app_context():
        for _ in range(2):
            for _ in range(4):
                with pytest.raises(errors.SignInFailed):
                    person.sign_in(password="wrong")
            assert person.sign_in()


def test_sessions_are_listed_and_ended(app: Flask, person: Person) -> None:
    with app.app_context():
        holder = person.sign_in()
        tokens = [desk_sessions.begin_session(holder, f"browser {n}", "113.77.8.9") for n in range(3)]
        assert len(set(tokens)) == 3
        views = desk_sessions.sessions_of(holder, tokens[0])
        assert [view.current for view in views].count(True) == 1
        assert {view.network for view in views} == {"113.77.8.0/24"}
        other = next(view for view in views if not view.current)
        assert desk_sessions.end_marked(holder, other.mark)
        assert not desk_sessions.end_marked(holder, other.mark)
        assert desk_sessions.end_others(holder, tokens[0]) == 1
        assert desk_sessions.find_holder(tokens[0]) == holder
        for ended in tokens[1:]:
            with pytest.raises(errors.SignInNeeded):
                desk_sessions.find_holder(ended)
        desk_sessions.end_session(holder, tokens[0])
        with pytest.raises(errors.SignInNeeded):
            desk_sessions.find_holder(tokens[0])


@pytest.mark.parametrize("passed", ["IDLE_MS", "LONGEST_MS"])
def test_a_session_ends_by_itself(app: Flask, person: Person, monkeypatch: pytest.MonkeyPatch, passed: str) -> None:
    with app.app_context():
        token = desk_sessions.begin_session(person.sign_in(), "", "")
        monkeypatch.setattr(desk_sessions, passed, -1)
        with pytest.raises(errors.SignInNeeded):
            desk_sessions.find_holder(token)


def test_another_password_ends_the_other_sessions(app: Flask, person: Person) -> None:
    with app.app_context():
        holder = person.sign_in()
        here, there = (desk_sessions.begin_session(holder, "", "") for _ in range(2))
        with pytest.raises(errors.SignInFailed):
            accounts.change_password(holder.id, "wrong", "漠阳江畔 春暖花开 2027", accounts.digest(here))
        with pytest.raises(errors.PasswordRefused):
            accounts.change_password(holder.id, PASSWORD, "short", accounts.digest(here))
        accounts.change_password(holder.id, PASSWORD, "漠阳江畔 春暖花开 2027", accounts.digest(here))
        assert desk_sessions.find_holder(here) == holder
        with pytest.raises(errors.SignInNeeded):
            desk_sessions.find_holder(there)
        assert person.sign_in(password="漠阳江畔 春暖花开 2027") == holder


def test_a_disabled_account_is_out_at_once(app: Flask, person: Person) -> None:
    with app.app_context():
        holder = person.sign_in()
        token = desk_sessions.begin_session(holder, "", "")
        accounts.disable_account(holder.id)
        with pytest.raises(errors.SignInNeeded):
            desk_sessions.find_holder(token)
        with pytest.raises(errors.SignInFailed):
            person.sign_in()
        assert accounts.all_accounts()[0].state == "disabled"


def test_the_last_administrator_stays(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        first = Person("root", accounts.create_account("root", "管理员", ["administrator"]), monkeypatch)
        holder = first.sign_in()
        with pytest.raises(errors.LastAdministrator):
            accounts.disable_account(holder.id)
        with pytest.raises(errors.LastAdministrator):
            accounts.change_roles(holder.id, ["judge"])
        Person("second", accounts.create_account("second", "管理员", ["administrator"]), monkeypatch)
        accounts.change_roles(holder.id, ["judge"])
        assert {each.name: each.roles for each in accounts.all_accounts()}["root"] == ("judge",)


@pytest.mark.parametrize(
    ("name", "roles", "area", "refusal"),
    [
        ("x", ["organizer"], None, errors.NameRefused),
        ("chen", ["organizer"], None, errors.NameRefused),
        ("<b>", ["organizer"], None, errors.NameRefused),
        ("wang", ["organizer", "auditor"], None, errors.RolesApart),
        ("wang", ["administrator", "organizer"], None, errors.RolesApart),
        ("wang", ["king"], None, errors.UnknownRole),
        ("wang", [], None, errors.UnknownRole),
        ("wang", ["reviewer"], None, errors.AreaNeeded),
    ],
)
def test_accounts_that_cannot_be(
    app: Flask, person: Person, name: str, roles: list[str], area: str | None, refusal: type[errors.Refusal]
) -> None:
    with app.app_context():
        with pytest.raises(refusal):
            accounts.create_account(name, "某人", roles, area)
        assert [each.name for each in accounts.all_accounts()] == ["chen"]
        assert check_trail() == []


def test_no_secret_is_kept_as_it_is(app: Flask, person: Person) -> None:
    from voting.storage.database import db

    with app.app_context():
        token = desk_sessions.begin_session(person.sign_in(), "", "")
        secrets = [PASSWORD, person.totp.secret, token, *(code.replace("-", "") for code in person.codes)]
        for table in ("accounts", "recovery_codes", "desk_sessions", "invitations", "trail"):
            kept = repr(db.session.connection().exec_driver_sql(f"SELECT * FROM {table}").fetchall())
            assert not [secret for secret in secrets if secret in kept], table
