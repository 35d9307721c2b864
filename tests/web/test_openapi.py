"""The OpenAPI document: generated, true, and enough to drive the API with; schemathesis reads nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.world import Voter, World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PROBLEM = "application/problem+json"
#: what each operation may answer, apart from what any server may
DOCUMENTED = {
    ("get", "/api/v1/campaigns"): {"200"},
    ("get", "/api/v1/campaigns/{slug}"): {"200", "404"},
    ("get", "/api/v1/campaigns/{slug}/candidates"): {"200", "404", "429"},
    ("get", "/api/v1/campaigns/{slug}/leaderboard"): {"200", "304", "404", "503"},
    ("get", "/api/v1/campaigns/{slug}/result"): {"200", "404"},
    ("get", "/api/v1/campaigns/{slug}/ballot"): {"200", "403", "404", "429"},
    ("get", "/api/v1/campaigns/{slug}/challenge"): {"200", "403", "404", "429"},
    ("get", "/api/v1/campaigns/{slug}/mine"): {"200", "404", "429"},
    ("post", "/api/v1/campaigns/{slug}/ballots"): {
        *("200", "201", "400", "403", "404", "409", "413", "422", "429", "503")
    },
    ("get", "/api/v1/receipts/{code}"): {"200", "404", "429", "503"},
    ("get", "/api/v1/wechat/signature"): {"200", "400", "404", "429", "503"},
}


@pytest.fixture
def document(lite_world: World) -> dict[str, Any]:
    answer = lite_world.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = answer.json
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): each for path, item in document["paths"].items() for method, each in item.items()}


def test_it_is_openapi_3_1_and_names_every_route_of_the_api(lite_world: World, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"]
    served = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in lite_world.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }
    assert operations(document).keys() == served


def test_every_status_is_documented_with_its_kind_of_body(document: dict[str, Any]) -> None:
    found = operations(document)
    assert {key: set(each["responses"]) for key, each in found.items()} == DOCUMENTED
    for key, each in found.items():
        for status, response in each["responses"].items():
            kinds = set(response.get("content", {}))
            expected = set() if status == "304" else {PROBLEM} if int(status) >= 400 else {"application/json"}
            assert kinds == expected, (key, status)


def test_every_operation_says_what_it_does_and_how_to_vote(document: dict[str, Any]) -> None:
    for key, each in operations(document).items():
        assert each.get("summary"), key
    ballots = operations(document)["post", "/api/v1/campaigns/{slug}/ballots"]
    named = {(parameter["in"], parameter["name"]) for parameter in ballots["parameters"]}
    assert named == {("path", "slug"), ("header", "X-CSRF-Token"), ("cookie", "device")}
    assert set(ballots["requestBody"]["content"]) == {"application/json"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for reference in re.findall(r'"\$ref": "(.*?)"', json.dumps(document)):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


def wander(world: World, voter: Voter | None, change: Callable[[Case], None] = lambda case: None) -> int:
    """Requests that schemathesis makes up from the document; every answer must be as documented. How many they were."""
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", world.app)
    made = 0
    # schemathesis offers gzip, and does not unpack it from a WSGI application.
    headers = {"Accept-Encoding": "identity"} | ({"X-CSRF-Token": voter.token} if voter else {})

    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=25,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def call(case: Case) -> None:
            nonlocal made
            made += 1
            change(case)
            case.cookies = {"device": voter.cookie} if voter else {}
            case.call_and_validate(headers=headers, checks=CHECKS)

        call()
    return made


def test_strangers_who_send_anything_meet_documented_answers(lite_world: World) -> None:
    before = lite_world.dump()
    assert wander(lite_world, None) >= 100
    assert lite_world.dump() == before


def test_a_voter_who_sends_anything_meets_documented_answers(lite_world: World) -> None:
    """With a right cookie and token on the campaign that exists: the ballots themselves are made up."""
    voter = lite_world.voter()
    code = voter.cast("c1").json["receipt"]

    def on_this_campaign(case: Case) -> None:
        for name, value in (("slug", lite_world.slug), ("code", code)):
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = value

    assert wander(lite_world, voter, on_this_campaign) >= 100
    lite_world.record()
    assert lite_world.failing() == set()
