"""What load balancers and operators read: alive, ready, and figures that Prometheus accepts."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import Server
from tests.world import SECRETS, World, application, new_world, rules_text


def test_alive_says_nothing_about_the_stores(tmp_path: Path, sqlite_url: str) -> None:
    with application(sqlite_url, f"unix://{tmp_path}/nothing.sock", tmp_path) as app:
        assert app.test_client().get("/healthz").status_code == 200


def test_ready_when_every_part_answers(lite_world: World) -> None:
    answer = lite_world.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "ready": True,
        "redis": True,
        "sql": True,
        "boxes": {lite_world.slug: "up"},
        "lag": {lite_world.slug: 0},
    }
    assert lite_world.voter().cast("c1").status_code == 201
    assert lite_world.get("/readyz").json["lag"] == {lite_world.slug: 1}
    lite_world.record()
    assert lite_world.get("/readyz").json["lag"] == {lite_world.slug: 0}


def test_not_ready_without_a_box_or_with_another_one(lite_world: World) -> None:
    lite_world.valkey.hset(lite_world.key("box"), "epoch", "another")
    answer = lite_world.get("/readyz")
    assert (answer.status_code, answer.json["boxes"]) == (503, {lite_world.slug: "epoch"})
    lite_world.valkey.delete(lite_world.key("box"))
    answer = lite_world.get("/readyz")
    assert (answer.status_code, answer.json["boxes"]) == (503, {lite_world.slug: "missing"})


def test_not_ready_without_redis(tmp_path: Path, sqlite_url: str) -> None:
    with application(sqlite_url, f"unix://{tmp_path}/nothing.sock", tmp_path) as app:
        answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["redis"], answer.json["sql"]) == (503, False, True)


@pytest.mark.usefixtures("translations")
def test_figures_of_all_workers_add_up_and_no_family_stands_twice(
    tmp_path: Path, sqlite_url: str, valkey_url: str
) -> None:
    with application(sqlite_url, valkey_url, tmp_path, SECRET_KEY=SECRETS["SECRET_KEY"]) as app:
        world = new_world(app).put(rules_text())
        cast = 6
        with Server(tmp_path, sqlite_url, valkey_url, recorders=0) as server, httpx.Client(trust_env=False) as phone:
            base = f"http://127.0.0.1:{server.port}"
            for _ in range(cast):
                phone.cookies.clear()
                paper = phone.get(f"{base}{world.api}/ballot").json()
                ballot = {"ballot_id": paper["ballot_id"], "choices": world.ids("c1")}
                token = {"X-CSRF-Token": paper["csrf_token"]}
                assert phone.post(f"{base}{world.api}/ballots", json=ballot, headers=token).status_code == 201
            phone.get(f"{base}/metrics")
            families = list(text_string_to_metric_families(phone.get(f"{base}/metrics").text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    values = {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}
    assert values["voting_ballots_total", world.slug, "accepted"] == cast
    assert values["voting_box_accepted", world.slug] == cast
    assert values["voting_recording_lag", world.slug] == cast
    assert values["voting_box_up", world.slug] == 1
