"""What belongs to somebody else is not there: the same 404 as for what never was, and nothing happens to it."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask

from tests.spreadsheets import xlsx, zipped
from tests.storage.rows import VILLAGE
from tests.test_routes import ROUTES
from tests.web.desk import PASSWORD, Person, stranger, token_in
from tests.web.test_desk_candidates import picture
from tests.world import World, new_world, rules_text
from voting.services import accounts
from voting.services.demonstration import AREAS_FILE
from voting.services.importing import import_areas

ROOMS = {
    "import": ("a.xlsx", xlsx([("new", "新来的", VILLAGE, "90", "", "", "")])),
    "photos": ("a.zip", zipped(("1.png", picture()))),
}
NOT_FOUND = 404


@pytest.fixture
def draft(lite_app: Flask) -> World:
    return new_world(lite_app).put(rules_text(), opened=False)


@pytest.fixture
def chen(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


@pytest.fixture
def lin(lite_app: Flask) -> Person:
    return Person(lite_app, "organizer").signed_in()


def uploaded(person: Person, world: World, room: str) -> str:
    """The address of a file that waits for its confirmation."""
    name, content = ROOMS[room]
    data = {"csrf_token": token_in(person.get("/organizer/account")), "award": "centres"}
    path = f"/organizer/campaigns/{world.slug}/candidates/{room}"
    answer = person.client.post(
        path, data=data | {"file": (io.BytesIO(content), name)}, content_type="multipart/form-data"
    )
    answer.request.environ["wsgi.input"].close()
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_file_is_there_for_whoever_sent_it_and_in_its_place(
    draft: World, chen: Person, lin: Person, room: str
) -> None:
    place = uploaded(chen, draft, room)
    token, seen = place.rsplit("/", 1)[1], {"seen": str(draft.campaign().version)}
    elsewhere = new_world(draft.app).put(rules_text(), opened=False).slug
    other_room = next(each for each in ROOMS if each != room)
    wrong = [
        (lin, place),
        (chen, place.replace(f"/{draft.slug}/", f"/{elsewhere}/")),
        (chen, place.replace(f"/{room}/", f"/{other_room}/")),
        (chen, place[:-1] + ("A" if place[-1] != "A" else "B")),
        (chen, place.replace(token, "..%2f" + token)),
    ]
    for person, path in wrong:
        assert person.get(path).status_code == NOT_FOUND, path
        if "/import/" in path:
            assert person.get(f"{path}/problems.xlsx").status_code == NOT_FOUND
        for what in ("", "/drop"):
            assert person.post(path + what, seen).status_code == NOT_FOUND, path + what
    before = draft.campaign().version
    assert chen.get(place).status_code == 200, "it waits as if nobody had tried"
    assert chen.post(place, seen).status_code == 303
    assert draft.campaign().version > before


def test_a_session_is_ended_by_its_owner_alone(chen: Person, lin: Person) -> None:
    lin.signed_in()  # a second device, so that the page shows the mark of the first
    (mark,) = re.findall(r'/organizer/account/sessions/([0-9a-f]{16})"', lin.get("/organizer/account").text)
    assert chen.post(f"/organizer/account/sessions/{mark}").status_code == NOT_FOUND
    assert chen.post(f"/organizer/account/sessions/{'0' * 16}").status_code == NOT_FOUND
    assert mark in lin.get("/organizer/account").text
    assert mark not in chen.get("/organizer/account").text
    assert lin.post(f"/organizer/account/sessions/{mark}").status_code == 303
    assert mark not in lin.get("/organizer/account").text


def test_an_invitation_is_good_once_and_another_one_replaces_it(lite_app: Flask) -> None:
    administrator = Person(lite_app, "administrator").signed_in()

    def tried(token: str) -> set[int]:
        visitor = stranger(lite_app)
        page = visitor.get(f"/organizer/invitations/{token}")
        form = visitor.get("/organizer/sign-in")
        data = {"csrf_token": token_in(form), "password": PASSWORD, "again": PASSWORD, "code": "000000"}
        return {page.status_code, visitor.post(f"/organizer/invitations/{token}", data=data).status_code}

    answer = administrator.post("/organizer/accounts", {"name": "wu", "full_name": "吴", "roles": "organizer"})
    (first,) = re.findall(r"/organizer/invitations/([\w-]+)<", answer.text)
    assert NOT_FOUND not in tried(first)
    with lite_app.app_context():
        account_id = next(each.id for each in accounts.all_accounts() if each.name == "wu")
    answer = administrator.post(f"/organizer/accounts/{account_id}/invitation")
    (second,) = re.findall(r"/organizer/invitations/([\w-]+)<", answer.text)
    for gone in (first, first[:-1] + "x", "0" * 43, "-"):
        assert tried(gone) == {NOT_FOUND}, "the one before, made-up ones"
    assert NOT_FOUND not in tried(second)
    assert administrator.post(f"/organizer/accounts/{account_id}/disable").status_code == 303
    assert tried(second) == {NOT_FOUND}, "of an account that was disabled"
    for act in ("invitation", "disable"):
        assert administrator.post(f"/organizer/accounts/999999/{act}").status_code == NOT_FOUND


def test_a_disabled_account_is_out_at_once(lite_app: Flask, chen: Person) -> None:
    administrator = Person(lite_app, "administrator").signed_in()
    with lite_app.app_context():
        account_id = next(each.id for each in accounts.all_accounts() if each.name == chen.name)
    assert chen.get("/organizer/").status_code == 200
    administrator.post(f"/organizer/accounts/{account_id}/disable")
    assert chen.get("/organizer/").headers["Location"].startswith("/organizer/sign-in")
    assert chen.sign_in().status_code == 403


@pytest.mark.parametrize("area", ["441702", VILLAGE[:9], VILLAGE])
def test_a_reviewer_meets_nobody_from_elsewhere_on_any_page(lite_world: World, area: str) -> None:
    """All pages of the desk, with every filter that could be tried: the names outside the area are on none of them."""
    reviewer = Person(lite_world.app, "reviewer", area=area).signed_in()
    assert lite_world.do(import_areas, AREAS_FILE).ok
    lite_world.sql("UPDATE candidates SET area_code = '441781001001' WHERE code = 'c3' OR code = 'h3'")
    lite_world.sql("UPDATE candidates SET area_code = NULL WHERE code = 'c4'")
    lite_world.sql("UPDATE campaigns SET version = version + 1")
    everybody = lite_world.campaign().candidates
    outside = [one for one in everybody if not (one.area_code or "").startswith(area)]
    inside = [one for one in everybody if one not in outside]
    assert inside
    assert len(outside) >= 3
    asked = [
        "",
        "?area=",
        "?area=4417",
        "?area=44",
        "?area=441781",
        "?q=c3",
        f"?q={outside[0].number}",
        "?page=1&area=0",
    ]
    for route, (methods, who) in ROUTES.items():
        if "GET" not in methods or "reviewer" not in who.split() or "<int:" in route:
            continue
        for query in asked:
            page = reviewer.get(route.replace("<slug>", lite_world.slug) + query)
            # Nobody is asked to nominate here.
            assert page.status_code == (NOT_FOUND if route.endswith("/nominations/new") else 200), route
            assert not [one.name for one in outside if f"{one.name}<" in page.text], route + query
    home = f"/organizer/campaigns/{lite_world.slug}/candidates"
    for one in everybody:
        assert reviewer.get(f"{home}/{one.id}").status_code == (200 if one in inside else NOT_FOUND), one.code
    assert all(f"{one.name}<" in reviewer.get(home).text for one in inside)
