"""People at the organizers' desk: accounts with password and six digits, and a browser that is signed in."""

from __future__ import annotations

import itertools
import re
import time
from typing import Any

import pyotp
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from voting.rules.roles import Holder, check_roles
from voting.services import accounts, desk_sessions

PASSWORD = "漠阳江畔 绿水青山 2026"
#: The real algorithm at its least cost: hundreds of people are made here, and none of them is attacked.
accounts._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_numbers = itertools.count(1)


def token_in(page: TestResponse) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page.text)
    assert found, page.text
    return found[1]


class Person:
    """Somebody with an account of their own and a phone that shows six digits."""

    def __init__(self, app: Flask, *roles: str, area: str | None = None) -> None:
        self.app, self.name = app, f"p{next(_numbers)}"
        with app.app_context():
            token = accounts.create_account(self.name, "某人", roles, area)
            self.secret = accounts.read_invitation(token).secret
            _, self.codes = accounts.accept_invitation(token, PASSWORD, self.digits())
        self.client = app.test_client()

    def digits(self, steps: int = 0) -> str:
        """What the phone shows, ``steps`` of half a minute from now."""
        return pyotp.TOTP(self.secret).at(int(time.time()) + 30 * steps)

    def sign_in(self, **others: Any) -> TestResponse:
        """Through the door, as a browser does."""
        page = self.client.get("/organizer/sign-in")
        given = {"name": self.name, "password": PASSWORD, "code": self.digits(1), "csrf_token": token_in(page)}
        return self.client.post("/organizer/sign-in", data=given | others)

    def signed_in(self) -> Person:
        """With a session that was begun without the door: quicker, for tests about what lies behind it."""
        with self.app.app_context():
            account = next(each for each in accounts.all_accounts() if each.name == self.name)
            holder = Holder(account.id, account.name, "某人", check_roles(account.roles, account.area), account.area)
            token = desk_sessions.begin_session(holder, "test", "127.0.0.1")
        secure = self.app.config["SESSION_COOKIE_SECURE"]
        self.client.set_cookie("__Host-desk" if secure else "desk", token)
        return self

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, data: dict[str, Any] | None = None, page: str = "/organizer/account") -> TestResponse:
        """Send a form with the token that ``page`` gives."""
        return self.client.post(path, data={"csrf_token": token_in(self.client.get(page))} | (data or {}))


def stranger(app: Flask) -> FlaskClient:
    return app.test_client()
