"""The order of candidates on pages: one of each visitor's own and stable, or what the rule set says."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from tests.world import World, rules_text


def names_on(client: FlaskClient, world: World) -> list[str]:
    page = client.get(f"/c/{world.slug}?award=households").text
    return re.findall(r'<span class="card-name">([^<]*)</span>', page)


def test_every_visitor_has_an_order_of_their_own_and_keeps_it(lite_app: Flask) -> None:
    world = World(lite_app, "order-random").put(rules_text(display={"mode": "live", "order": "random"}))
    client = lite_app.test_client()
    first = names_on(client, world)
    cookie = client.get_cookie("order")
    assert cookie is not None
    assert re.fullmatch("[0-9a-f]{4}", cookie.value)
    assert all(names_on(client, world) == first for _ in range(3))
    orders = set()
    for seed in ("0000", "0001", "0002", "0003"):
        other = lite_app.test_client()
        other.set_cookie("order", seed)
        orders.add(tuple(names_on(other, world)))
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(first)}
    odd = lite_app.test_client()
    odd.set_cookie("order", "<script>")
    assert sorted(names_on(odd, world)) == sorted(first)


def test_by_number_and_by_rank_are_the_same_for_everybody(lite_app: Flask) -> None:
    by_number = World(lite_app, "order-number").put(rules_text(display={"mode": "live", "order": "number"}))
    client = lite_app.test_client()
    names = names_on(client, by_number)
    assert names == [f"候选{code}" for code in ("h1", "h2", "h3", "h4", "h5", "h6", "h7", "w1")]
    assert client.get_cookie("order") is None
    by_rank = World(lite_app, "order-rank").put(rules_text(display={"mode": "live", "order": "rank"}))
    for chosen in (("h6",), ("h6", "h2"), ("h6", "h2", "h4")):
        assert by_rank.voter().cast(*chosen).status_code == 201
    assert names_on(client, by_rank)[:3] == ["候选h6", "候选h2", "候选h4"]
