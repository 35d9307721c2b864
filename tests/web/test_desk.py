"""The desk's door and its own rooms: signing in and out, invitations, sessions, accounts, the trail."""

from __future__ import annotations

import re

import pyotp
import pytest
from flask import Flask

from tests.web.desk import PASSWORD, Person, stranger, token_in
from voting.services.trail import check_trail, current_actor, list_entries


@pytest.fixture
def organizer(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer")


@pytest.fixture
def administrator(lite_app: Flask) -> Person:
    return Person(lite_app, "administrator").signed_in()


class TestTheDoor:
    def test_in_and_out(self, organizer: Person) -> None:
        answer = organizer.sign_in()
        assert (answer.status_code, answer.headers["Location"]) == (303, "/organizer/")
        cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("desk="))
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        home = organizer.get("/organizer/")
        assert home.status_code == 200
        assert home.headers["Cache-Control"] == "no-store"
        assert organizer.post("/organizer/sign-out").status_code == 303
        assert organizer.get("/organizer/").headers["Location"].startswith("/organizer/sign-in")

    @pytest.mark.parametrize("wrong", ["name", "password", "code"])
    def test_which_proof_was_wrong_is_not_told(self, organizer: Person, wrong: str) -> None:
        answer = organizer.sign_in(**{wrong: "nobody" if wrong == "name" else "000000"})
        assert answer.status_code == 403
        assert "账号、密码或动态验证码不对" in answer.text
        assert 'value="0000' not in answer.text, "a password is never sent back"
        assert organizer.get("/organizer/").status_code == 303

    def test_it_leads_back_to_where_somebody_wanted_to_go(self, organizer: Person) -> None:
        away = organizer.get("/organizer/trail?actor=chen").headers["Location"]
        page = organizer.get(away)
        following = re.search(r'name="next" value="([^"]+)"', page.text)
        assert following
        assert organizer.sign_in(next=following[1]).headers["Location"] == "/organizer/trail?actor=chen"

    @pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/organizer//e", "/\\evil", "/c/best"])
    def test_it_leads_nowhere_else(self, organizer: Person, to: str) -> None:
        assert organizer.sign_in(next=to).headers["Location"] == "/organizer/"

    def test_a_form_without_its_token_is_refused(self, organizer: Person) -> None:
        data = {"name": organizer.name, "password": PASSWORD, "code": organizer.digits(1)}
        assert stranger(organizer.app).post("/organizer/sign-in", data=data).status_code == 403

    def test_a_new_session_has_a_new_token(self, organizer: Person) -> None:
        organizer.client.set_cookie("desk", "planted-by-somebody-else")
        organizer.sign_in()
        cookie = organizer.client.get_cookie("desk")
        assert cookie
        assert cookie.value != "planted-by-somebody-else"

    def test_what_was_typed_survives_a_session_that_ended(self, organizer: Person) -> None:
        organizer.signed_in()
        token = token_in(organizer.get("/organizer/account"))
        organizer.client.delete_cookie("desk")
        typed = {"csrf_token": token, "old": 'a <b> & "c"', "password": "x", "again": "x"}
        page = organizer.client.post("/organizer/account/password", data=typed)
        assert page.status_code == 403
        assert "您填写的内容还在" in page.text
        kept = dict(re.findall(r'name="(kept[^"]*)" value="([^"]*)"', page.text))
        assert kept["kept:old"] == "a &lt;b&gt; &amp; &#34;c&#34;"
        kept["kept:old"] = 'a <b> & "c"'
        after = organizer.sign_in(**kept)
        assert 'action="/organizer/account/password"' in after.text
        assert "a &lt;b&gt;" in after.text
        sent = organizer.client.post("/organizer/account/password", data=typed | {"csrf_token": token_in(after)})
        assert sent.status_code == 403
        assert "账号、密码或动态验证码不对" in sent.text, "it arrived: the old password is simply wrong"


class TestInvitations:
    def test_the_way_in(self, administrator: Person) -> None:
        made = administrator.post(
            "/organizer/accounts",
            {"name": "wang", "full_name": "王<主任>", "roles": "organizer"},
            "/organizer/accounts",
        )
        link = re.search(r"http://localhost(/organizer/invitations/[\w-]+)", made.text)
        assert link, made.text
        visitor = stranger(administrator.app)
        page = visitor.get(link[1])
        assert "王&lt;主任&gt;" in page.text
        assert "<svg" in page.text
        secret = re.search(r'class="copyable">([A-Z2-7]{32})<', page.text)
        assert secret
        form = {"password": PASSWORD, "again": PASSWORD, "csrf_token": token_in(page)}
        wrong = visitor.post(link[1], data=form | {"code": "000000"})
        assert wrong.status_code == 422
        assert "动态验证码不对" in wrong.text
        unlike = visitor.post(link[1], data=form | {"again": "other", "code": pyotp.TOTP(secret[1]).now()})
        assert "两次输入的密码不一样" in unlike.text
        weak = visitor.post(link[1], data=form | {"password": "short", "again": "short", "code": "1"})
        assert "至少 12 个字符" in weak.text
        done = visitor.post(link[1], data=form | {"code": pyotp.TOTP(secret[1]).now()})
        assert len(re.findall(r"<code>[0-9a-f]{5}-[0-9a-f]{5}</code>", done.text)) == 10
        assert visitor.get(link[1]).status_code == 404

    def test_an_account_that_cannot_be_is_refused_in_its_form(self, administrator: Person) -> None:
        answer = administrator.post(
            "/organizer/accounts",
            {"name": "wang", "full_name": "王", "roles": ["organizer", "auditor"]},
            "/organizer/accounts",
        )
        assert answer.status_code == 422
        assert "一个账号不能同时是监督员、组织者" in answer.text
        assert 'value="wang"' in answer.text, "nothing typed is lost"

    def test_the_last_administrator_cannot_lock_everybody_out(self, administrator: Person) -> None:
        page = administrator.get("/organizer/accounts").text
        own = re.search(r"/organizer/accounts/(\d+)/disable", page)
        assert own
        answer = administrator.post(f"/organizer/accounts/{own[1]}/disable")
        assert answer.status_code == 409
        assert "最后一个管理员" in answer.text
        assert administrator.post("/organizer/accounts/9999/disable").status_code == 404


class TestOwnAccount:
    def test_other_devices_are_signed_out(self, organizer: Person) -> None:
        organizer.signed_in()
        first = organizer.client.get_cookie("desk")
        organizer.signed_in()
        page = organizer.get("/organizer/account")
        marks = re.findall(r"/organizer/account/sessions/([0-9a-f]{16})", page.text)
        assert len(marks) == 1
        assert organizer.post(f"/organizer/account/sessions/{marks[0]}").status_code == 303
        assert organizer.post(f"/organizer/account/sessions/{marks[0]}").status_code == 404
        assert first
        organizer.client.set_cookie("desk", first.value)
        assert organizer.get("/organizer/").status_code == 303

    def test_nobody_ends_the_session_of_somebody_else(self, lite_app: Flask, organizer: Person) -> None:
        organizer.signed_in()
        other = Person(lite_app, "organizer").signed_in()
        other.signed_in()
        mark = re.findall(r"/organizer/account/sessions/([0-9a-f]{16})", other.get("/organizer/account").text)[0]
        assert organizer.post(f"/organizer/account/sessions/{mark}").status_code == 404

    def test_the_password_is_changed(self, organizer: Person) -> None:
        organizer.signed_in()
        new = "漠阳江畔 春暖花开 2027"
        form = {"old": PASSWORD, "password": new, "again": new}
        assert "密码已修改" in organizer.post("/organizer/account/password", form).text
        assert organizer.post("/organizer/account/password", form).status_code == 403
        assert organizer.sign_in(password=new).status_code == 303


class TestTheTrail:
    def test_it_shows_who_did_what(self, lite_app: Flask, administrator: Person) -> None:
        administrator.post(
            "/organizer/accounts", {"name": "wang", "full_name": "王", "roles": "judge"}, "/organizer/accounts"
        )
        page = administrator.get("/organizer/trail?act=account.create").text
        assert page.index("wang") < page.index(f"<td>{administrator.name}</td>") + 10_000
        with lite_app.app_context():
            newest = list_entries(act="account.create")[0]
            assert (newest.actor, newest.subject) == (administrator.name, "wang")
            assert newest.after == {"area": "", "roles": "judge"}
            assert check_trail() == []
        assert "首尾相接" in administrator.get("/organizer/trail/check").text

    def test_nothing_found_is_said(self, administrator: Person) -> None:
        assert "没有符合条件的记录" in administrator.get("/organizer/trail?actor=nobody").text
        assert administrator.get("/organizer/trail?before=x&act=" + "x" * 100).status_code == 200

    def test_an_actor_does_not_stick_to_the_thread(self, lite_app: Flask, administrator: Person) -> None:
        administrator.get("/organizer/")
        with lite_app.app_context():
            assert current_actor() == "system"
