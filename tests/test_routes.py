"""Every route of the application is on this list with who may use it; a new one fails here until somebody decides.

Routes that change something must refuse a request that carries no token, and one that comes from another site. The
desk's routes name their roles: every role is tried on every one of them, and so is somebody without an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.web.desk import Person, token_in
from tests.world import World
from voting.rules.roles import ROLES
from voting.web.organizer.changes import DECISION
from voting.web.organizer.guard import allowed_roles
from voting.web.organizer.stages import ACT

PUBLIC = "anybody"
OPERATORS = "anybody on the inside: the proxy does not pass it on"
ENTRANCE = "whoever is not signed in yet"
#: at the desk: the roles, words apart
EVERYBODY = " ".join(ROLES)
#: who runs campaigns, who checks, who keeps the accounts
READERS = "organizer auditor administrator"

WIZARD = "/organizer/campaigns/<slug>/edit/<any(texts, time, awards, quotas, identity, display, purpose):step>"
#: route -> methods, who may use it
ROUTES: dict[str, tuple[set[str], str]] = {
    "/": ({"GET"}, PUBLIC),
    "/c/<slug>": ({"GET"}, PUBLIC),
    "/c/<slug>/ballots": ({"POST"}, PUBLIC),
    "/c/<slug>/candidates/<int:number>": ({"GET"}, PUBLIC),
    "/c/<slug>/candidates/<int:number>/poster": ({"GET"}, PUBLIC),
    "/c/<slug>/candidates/<int:number>/poster.png": ({"GET"}, PUBLIC),
    "/c/<slug>/leaderboard": ({"GET"}, PUBLIC),
    "/c/<slug>/mine": ({"GET"}, PUBLIC),
    "/c/<slug>/nominate": ({"GET", "POST"}, PUBLIC),
    "/c/<slug>/nominations/<code>": ({"GET", "POST"}, PUBLIC),
    "/c/<slug>/result": ({"GET"}, PUBLIC),
    "/c/<slug>/review": ({"GET"}, PUBLIC),
    "/c/<slug>/rules": ({"GET"}, PUBLIC),
    "/c/<slug>/sign-in/<any(wechat, oidc):provider>": ({"GET"}, PUBLIC),
    "/c/<slug>/sign-in/forget": ({"POST"}, PUBLIC),
    "/c/<slug>/sign-in/sms": ({"GET", "POST"}, PUBLIC),
    "/c/<slug>/sign-in/sms/code": ({"POST"}, PUBLIC),
    "/banners/<name>/<int:width>.<ending>": ({"GET"}, PUBLIC),
    "/photos/<name>/<int:width>.<ending>": ({"GET"}, PUBLIC),
    "/receipts": ({"GET"}, PUBLIC),
    "/receipts/<code>": ({"GET"}, PUBLIC),
    "/screen/<slug>": ({"GET"}, PUBLIC),
    "/sign-in/<any(wechat, oidc):provider>/callback": ({"GET"}, PUBLIC),
    "/static/<path:filename>": ({"GET"}, PUBLIC),
    "/api/openapi.json": ({"GET"}, PUBLIC),
    "/api/v1/campaigns": ({"GET"}, PUBLIC),
    "/api/v1/campaigns/<slug>": ({"GET"}, PUBLIC),
    "/api/v1/campaigns/<slug>/ballot": ({"GET"}, PUBLIC),
    "/api/v1/campaigns/<slug>/ballots": ({"POST"}, PUBLIC),
    "/api/v1/campaigns/<slug>/candidates": ({"GET"}, PUBLIC),
    "/api/v1/campaigns/<slug>/challenge": ({"GET"}, PUBLIC),
    "/api/v1/campaigns/<slug>/leaderboard": ({"GET"}, PUBLIC),
    "/api/v1/campaigns/<slug>/mine": ({"GET"}, PUBLIC),
    "/api/v1/campaigns/<slug>/result": ({"GET"}, PUBLIC),
    "/api/v1/receipts/<code>": ({"GET"}, PUBLIC),
    "/api/v1/wechat/signature": ({"GET"}, PUBLIC),
    "/organizer/": ({"GET"}, EVERYBODY),
    "/organizer/account": ({"GET"}, EVERYBODY),
    "/organizer/campaigns/<slug>/candidates": ({"GET"}, "organizer reviewer auditor administrator"),
    "/organizer/campaigns/<slug>/candidates/<int:candidate_id>": ({"GET"}, "organizer reviewer auditor administrator"),
    "/organizer/campaigns/<slug>/candidates/<int:candidate_id>/edit": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/<int:candidate_id>/photo": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/<int:candidate_id>/standing": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/import": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/import/template.xlsx": ({"GET"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/import/<token>": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/import/<token>/drop": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/import/<token>/problems.xlsx": ({"GET"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/numbers": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/photos": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/photos/<token>": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/candidates/photos/<token>/drop": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/nominations": ({"GET"}, "organizer reviewer"),
    "/organizer/campaigns/<slug>/nominations/new": ({"GET", "POST"}, "reviewer"),
    "/organizer/campaigns/<slug>/nominations/settings": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/nominations/<int:nomination_id>": ({"GET"}, "organizer reviewer"),
    "/organizer/campaigns/<slug>/nominations/<int:nomination_id>/amend": ({"GET", "POST"}, "reviewer"),
    "/organizer/campaigns/<slug>/nominations/<int:nomination_id>/decide": ({"POST"}, "organizer reviewer"),
    "/organizer/account/password": ({"POST"}, EVERYBODY),
    "/organizer/account/sessions": ({"POST"}, EVERYBODY),
    "/organizer/account/sessions/<mark>": ({"POST"}, EVERYBODY),
    "/organizer/campaigns/<slug>/stages": ({"GET"}, READERS),
    f"/organizer/campaigns/<slug>/stages/{ACT}": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/changes": ({"GET"}, READERS),
    "/organizer/campaigns/<slug>/changes/new": ({"GET", "POST"}, "organizer"),
    f"/organizer/campaigns/<slug>/changes/{DECISION}": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/stop": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/watch": ({"GET"}, READERS),
    "/organizer/campaigns/<slug>/watch/audit": ({"POST"}, READERS),
    "/organizer/campaigns/<slug>/watch/figures": ({"GET"}, READERS),
    "/organizer/campaigns/<slug>/results": ({"GET"}, READERS),
    "/organizer/campaigns/<slug>/exports": ({"GET", "POST"}, READERS),
    "/organizer/accounts": ({"GET", "POST"}, "administrator"),
    "/organizer/accounts/<int:account_id>/disable": ({"POST"}, "administrator"),
    "/organizer/accounts/<int:account_id>/invitation": ({"POST"}, "administrator"),
    "/organizer/campaigns/new": ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>": ({"GET"}, "organizer auditor administrator"),
    "/organizer/campaigns/<slug>/banner": ({"POST"}, "organizer"),
    "/organizer/campaigns/<slug>/discard": ({"POST"}, "organizer"),
    WIZARD: ({"GET", "POST"}, "organizer"),
    "/organizer/campaigns/<slug>/preview": ({"GET"}, "organizer auditor administrator"),
    "/organizer/campaigns/<slug>/trial": ({"GET", "POST"}, "organizer auditor"),
    "/organizer/invitations/<token>": ({"GET", "POST"}, ENTRANCE),
    "/organizer/sign-in": ({"GET", "POST"}, ENTRANCE),
    "/organizer/sign-out": ({"POST"}, EVERYBODY),
    "/organizer/trail": ({"GET"}, "administrator organizer auditor"),
    "/organizer/trail/check": ({"GET"}, "administrator auditor"),
    "/healthz": ({"GET"}, OPERATORS),
    "/readyz": ({"GET"}, OPERATORS),
    "/metrics": ({"GET"}, OPERATORS),
}
#: rooms that need an account; nothing below them may be on the list as public
GUARDED = ("/organizer", "/judge", "/screen/setup")
SAFE = {"GET", "HEAD", "OPTIONS"}
VALUES = {"number": "1", "code": "0000000000000000", "filename": "nothing.css", "provider": "wechat"}
VALUES |= {"step": "texts", "account_id": "999", "candidate_id": "999", "mark": "0" * 16, "token": "none"}
VALUES |= {"act": "pause", "nomination_id": "999"}
VALUES |= {"act": "pause", "decision": "withdraw"}
VALUES |= {"name": "0" * 32, "width": "640", "ending": "webp"}


def rules_of(app: Flask) -> Iterator[Rule]:
    return app.url_map.iter_rules()


def address(rule: Rule, slug: str) -> str:
    """An address that the rule matches, on a campaign that exists."""
    return re.sub(r"<(?:[^<>]+:)?(\w+)>", lambda found: (VALUES | {"slug": slug})[found[1]], rule.rule)


def test_every_route_is_on_the_list(lite_app: Flask) -> None:
    found: dict[str, set[str]] = {}
    for rule in rules_of(lite_app):
        found.setdefault(rule.rule, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    assert found == {route: methods for route, (methods, _) in ROUTES.items()}


def test_rooms_that_need_an_account_are_not_public(lite_world: World) -> None:
    """A stranger gets a no, or the way to sign in; so does whoever made a cookie up."""
    for rule in rules_of(lite_world.app):
        if not rule.rule.startswith(GUARDED) or ROUTES[rule.rule][1] == ENTRANCE:
            continue
        assert ROUTES[rule.rule][1] not in (PUBLIC, OPERATORS), f"{rule.rule} is on the list as public"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            for cookie in ("", "made-up"):
                visitor = lite_world.app.test_client()
                visitor.set_cookie("desk", cookie)
                answer = visitor.open(address(rule, lite_world.slug), method=method)
                assert answer.status_code == (303 if method == "GET" else 403), (
                    f"{method} {rule.rule} lets strangers in"
                )
                if method == "GET":
                    assert answer.headers["Location"].startswith("/organizer/sign-in")


def test_every_role_meets_every_route_of_the_desk(lite_world: World) -> None:
    """The whole matrix: what the list says is what the view declares and what a request of that role meets."""
    areas = {"reviewer": "441702"}
    tried = 0
    for role in ROLES:
        person = Person(lite_world.app, role, area=areas.get(role))
        for rule in rules_of(lite_world.app):
            if not rule.rule.startswith(GUARDED):
                continue
            said = ROUTES[rule.rule][1]
            declared = allowed_roles(lite_world.app.view_functions[rule.endpoint])
            assert (declared is None) == (said == ENTRANCE), rule.rule
            if declared is None:
                continue
            assert declared == set(said.split()), f"{rule.rule} allows {sorted(declared)}"
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                token = token_in(person.signed_in().get("/organizer/account"))
                asked = {"csrf_token": token} if method == "POST" else {}
                answer = person.client.open(address(rule, lite_world.slug), method=method, data=asked)
                refused = answer.status_code == 403 and "not_permitted" in answer.text
                assert refused == (role not in declared), f"{role} {method} {rule.rule}: {answer.status}"
                tried += 1
    behind_the_door = [
        methods for route, (methods, who) in ROUTES.items() if route.startswith(GUARDED) and who != ENTRANCE
    ]
    assert tried == len(ROLES) * sum(map(len, behind_the_door)), "every role on every route, and nothing left out"


def test_whatever_changes_something_needs_a_token_and_our_own_origin(lite_world: World) -> None:
    """Without anything, with a cookie and no token, with a wrong token, and with a right one from another site."""
    voter = lite_world.voter()
    voter.paper()
    before, changing = lite_world.dump(), 0
    for rule in rules_of(lite_world.app):
        for method in (rule.methods or set()) - SAFE:
            changing += 1
            url = address(rule, lite_world.slug)
            asked = {"ballot_id": "0" * 26, "choice": lite_world.ids("c1")}
            tokens = {"headers": {"X-CSRF-Token": voter.token}, "data": asked | {"csrf_token": voter.token}}
            stranger = lite_world.app.test_client()
            answers = {
                "nothing at all": stranger.open(url, method=method),
                "a token without its cookie": stranger.open(url, method=method, **tokens),
                "a cookie without a token": voter.client.open(url, method=method, data=asked),
                "a wrong token": voter.client.open(
                    url, method=method, headers={"X-CSRF-Token": "0" * 32}, data=asked | {"csrf_token": "0" * 32}
                ),
            }
            for origin in ("https://evil.example", "null"):
                sent = {**tokens, "headers": tokens["headers"] | {"Origin": origin}}
                answers[f"from {origin}"] = voter.client.open(url, method=method, **sent)
            for what, answer in answers.items():
                assert answer.status_code == 403, f"{method} {rule.rule} with {what}: {answer.status}"
    assert changing >= 5
    assert lite_world.dump() == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_not_understood(lite_world: World, method: str) -> None:
    for rule in rules_of(lite_world.app):
        answer = lite_world.app.test_client().open(address(rule, lite_world.slug), method=method)
        assert answer.status_code in (404, 405), f"{method} {rule.rule}: {answer.status}"


def test_reading_changes_nothing(lite_world: World) -> None:
    """A link in a chat or a crawler must not vote: no GET writes to the box or the ledger."""
    before = lite_world.dump(), lite_world.sql("SELECT version FROM campaigns")
    for rule in rules_of(lite_world.app):
        if "GET" in (rule.methods or set()):
            answer = lite_world.get(f"{address(rule, lite_world.slug)}?ballot_id={'0' * 26}&choice=1")
            # 403: a sign-in that nobody began, a challenge for nobody.
            assert answer.status_code in (200, 303, 403, 404), f"{rule.rule}: {answer.status}"
            answer.close()
    assert (lite_world.dump(), lite_world.sql("SELECT version FROM campaigns")) == before
