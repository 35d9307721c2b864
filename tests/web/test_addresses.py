"""Where a ballot comes from: made-up headers move nobody, marks come long before a no, repeats are never refused."""

from __future__ import annotations

import random
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from ulid import ULID
from werkzeug.test import TestResponse

from tests.web.attempts import check_problem
from tests.world import SECRETS, Voter, World, application, new_world, quota, rules_text
from voting.identity.device import DeviceIdentity

MANY = {"quotas": [quota("ballots", "voter", "campaign", 100_000)]}
SMALL = {"hourly": 60, "burst": 3, "refused_hourly": 6, "new_devices": 2}
Build = Callable[..., World]


@pytest.fixture
def build(sqlite_url: str, valkey_url: str, tmp_path: Path, translations: None) -> Iterator[Build]:
    """Makes a world behind some proxies, with some address limits."""
    with ExitStack() as applications:

        def make(proxies: int = 0, **limits: int) -> World:
            config = {"TRUSTED_PROXIES": proxies, "ADDRESS_LIMITS": limits}
            app: Flask = applications.enter_context(application(sqlite_url, valkey_url, tmp_path, **config))
            return new_world(app).put(rules_text(**MANY))

        yield make


def cast(
    world: World, address: str, forwarded: str | None = None, voter: Voter | None = None, ballot_id: str = ""
) -> TestResponse:
    """A ballot whose peer is ``address``, with an X-Forwarded-For header."""
    sender = voter or world.voter()
    if not sender.token:
        sender.paper()
    headers = {"X-CSRF-Token": sender.token} | ({"X-Forwarded-For": forwarded} if forwarded else {})
    body = {"ballot_id": ballot_id or str(ULID()), "choices": world.ids("c1")}
    peer = {"REMOTE_ADDR": address}
    return sender.client.post(f"{world.api}/ballots", json=body, headers=headers, environ_overrides=peer)


def buckets(world: World) -> int:
    return len(world.valkey.keys(world.key("address:*")))


def networks(world: World) -> set[str]:
    world.record()
    return {network for (network,) in world.sql("SELECT network FROM ballots")}


def marks(world: World) -> list[str]:
    """The marks of all ballots in the order in which they were accepted."""
    world.record()
    return [marks for (marks,) in world.sql("SELECT marks FROM ballots ORDER BY stream_ms, stream_seq")]


def made_up(chance: random.Random) -> str:
    """Something that a header may hold: addresses of both kinds, lists of them, ports, names, nonsense."""
    v4 = ".".join(str(chance.randrange(256)) for _ in range(4))
    v6 = ":".join(f"{chance.randrange(65536):x}" for _ in range(8))
    kinds = [
        v4,
        v6,
        f"[{v6}]:443",
        f"{v4}:80",
        f"{v4}, {v6}",
        f"{v6},{v4},10.0.0.1",
        "unknown",
        "_hidden",
        "",
        ",,,",
        "1.2.3.999",
        "a.b.c.d",
    ]
    return chance.choice(kinds)


def test_a_thousand_made_up_headers_are_one_sender(build: Build) -> None:
    world, chance = build(proxies=0), random.Random(20261101)
    voter = world.voter()
    for _ in range(1000):
        headers = {
            "Forwarded": f"for={made_up(chance)}",
            "X-Real-IP": made_up(chance),
            "X-CSRF-Token": voter.token or voter.paper()["csrf_token"],
        }
        body = {"ballot_id": str(ULID()), "choices": world.ids("c1")}
        headers["X-Forwarded-For"] = made_up(chance)
        assert voter.client.post(f"{world.api}/ballots", json=body, headers=headers).status_code == 201
    assert buckets(world) == 1
    assert networks(world) == {"127.0.0.0/24"}


@pytest.mark.parametrize(("proxies", "seen"), [(1, "203.0.113.0/24"), (2, "198.51.100.0/24")])
def test_only_what_our_own_proxies_wrote_counts(build: Build, proxies: int, seen: str) -> None:
    """The last hop behind one proxy, the one before it behind two; what stands further left may be made up."""
    world, chance = build(proxies=proxies), random.Random(proxies)
    for _ in range(50):
        front = f"{made_up(chance)}, " if chance.random() < 0.8 else ""
        assert cast(world, "127.0.0.1", f"{front}198.51.100.7, 203.0.113.9").status_code == 201
    assert buckets(world) == 1
    assert networks(world) == {seen}


def test_a_proxy_that_says_nothing_is_the_sender_itself(build: Build) -> None:
    world = build(proxies=1)
    assert cast(world, "192.0.2.1").status_code == 201
    assert networks(world) == {"192.0.2.0/24"}


@pytest.mark.parametrize(
    "header", ["unknown", "a.b.c.d", "é.b.c.d", "1.2.3.4:80", "[2001:db8::1]:80", "x" * 500, "1.2.3", "::1%lo"]
)
def test_a_proxy_that_passes_nonsense_on_harms_nobody(build: Build, header: str) -> None:
    """No address is known then: the ballot counts, and what is kept can be recorded."""
    world = build(proxies=1)
    assert cast(world, "127.0.0.1", header).status_code == 201
    assert cast(world, "127.0.0.1", "192.0.2.9").status_code == 201
    assert all(len(network) <= 43 for network in networks(world))
    assert len(marks(world)) == 2
    assert world.failing() == set()


def test_an_ipv6_line_is_its_64(build: Build) -> None:
    world = build(proxies=1)
    for host in (":1", "ffff:ffff:ffff:ffff", "8000::1", "0:0:0:9"):
        assert cast(world, "127.0.0.1", f"2001:DB8:1:2:{host}").status_code == 201
    assert buckets(world) == 1
    assert cast(world, "127.0.0.1", "2001:db8:1:3::1").status_code == 201
    assert buckets(world) == 2
    assert networks(world) == {"2001:db8:1:2::/64", "2001:db8:1:3::/64"}


def test_an_ipv4_address_in_ipv6_clothes_is_the_same(build: Build) -> None:
    """A listener for both kinds hands IPv4 over like that: not one bucket for all of it, and not two for one phone."""
    world = build(proxies=1)
    for address in ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"):
        assert cast(world, "127.0.0.1", address).status_code == 201
    assert buckets(world) == 1
    assert cast(world, "127.0.0.1", "::ffff:192.0.2.8").status_code == 201
    assert buckets(world) == 2
    assert networks(world) == {"192.0.2.0/24"}


def test_the_ledger_keeps_no_address(build: Build) -> None:
    world = build(proxies=1)
    cast(world, "127.0.0.1", "192.0.2.77")
    world.record()
    ((kept, network),) = world.sql("SELECT address_hash, network FROM ballots")
    assert (len(bytes(kept)), network) == (8, "192.0.2.0/24")
    everything = b"".join(key + (world.valkey.dump(key) or b"") for key in world.valkey.keys("*"))
    assert b"192.0.2.77" not in everything


def test_marks_come_first_then_a_no_and_repeats_are_always_answered(build: Build) -> None:
    world = build(proxies=1, **SMALL | {"new_devices": 100})
    voter = world.voter()
    sent = [str(ULID()) for _ in range(7)]
    answers = [cast(world, "127.0.0.1", "192.0.2.1", voter, each) for each in sent]
    assert [answer.status_code for answer in answers] == [201] * 6 + [429]
    problem = check_problem(answers[6], 429, "address_limited")
    assert 3590 < problem["retry_after"] <= 3600
    assert marks(world) == [""] * 3 + ["address_rate"] * 3
    for each, answer in zip(sent[:6], answers, strict=False):
        again = cast(world, "127.0.0.1", "192.0.2.1", voter, each)
        assert (again.status_code, again.data) == (200, answer.data)
    # Nobody else is touched, and the refused ballot can be sent from another line.
    assert cast(world, "127.0.0.1", "192.0.2.2").status_code == 201
    assert cast(world, "127.0.0.1", "192.0.2.2", voter, sent[6]).status_code == 201
    assert marks(world)[6:] == ["", ""]
    assert world.failing() == set()


def test_refused_ballots_do_not_use_up_the_line(build: Build) -> None:
    """A voter who has nothing left and tries on costs the neighbours nothing."""
    world = build(proxies=1, **SMALL)
    world = new_world(world.app).put(rules_text(quotas=[quota("ballots", "voter", "campaign", 1)]))
    voter = world.voter()
    assert cast(world, "127.0.0.1", "192.0.2.1", voter).status_code == 201
    for _ in range(10):
        assert cast(world, "127.0.0.1", "192.0.2.1", voter).json["code"] == "quota_spent"
    assert cast(world, "127.0.0.1", "192.0.2.1").status_code == 201


def old_cookie(hours: float) -> str:
    """A device cookie as it was given out so many hours ago."""
    name = ULID().bytes + int(time.time() - hours * 3600).to_bytes(5, "big")
    return urlsafe_b64encode(name + DeviceIdentity(SECRETS["SECRET_KEY"])._mac(name)).decode().rstrip("=")


def test_many_new_devices_on_one_line_are_marked(build: Build) -> None:
    """Devices of the last hour with their first ballot; an old one, or one that votes again, is not new."""
    world = build(proxies=1, **SMALL | {"burst": 100, "refused_hourly": 100})
    voters = [world.voter() for _ in range(4)]
    old = world.voter()
    old.client.set_cookie("device", old_cookie(hours=1.1))
    given = old.cookie
    old.paper()
    assert old.cookie == given, "it is one of ours"
    for voter in (voters[0], voters[0], voters[1], old, voters[2], voters[0], voters[3]):
        assert cast(world, "127.0.0.1", "192.0.2.1", voter).status_code == 201
    assert marks(world) == ["", "", "", "", "new_devices", "", "new_devices"]
    assert cast(world, "127.0.0.1", "192.0.2.9").status_code == 201
    assert marks(world)[-1] == ""


def test_both_marks_stand_together(build: Build) -> None:
    world = build(proxies=1, hourly=60, burst=1, refused_hourly=100, new_devices=1)
    for _ in range(2):
        assert cast(world, "127.0.0.1", "192.0.2.1").status_code == 201
    assert marks(world) == ["", "address_rate,new_devices"]


def test_the_generous_defaults(build: Build) -> None:
    """120 at once pass without a mark; more than 60 new devices within the hour do not."""
    world = build(proxies=1)
    voter = world.voter()
    for _ in range(125):
        assert cast(world, "127.0.0.1", "192.0.2.1", voter).status_code == 201
    # One more is earned every six seconds; a slow machine may earn a few on the way.
    assert marks(world)[:120] == [""] * 120
    assert marks(world)[-1] == "address_rate"
    world = new_world(world.app).put(rules_text(**MANY))
    for _ in range(61):
        assert cast(world, "127.0.0.1", "192.0.2.1").status_code == 201
    world.record()
    rows = world.sql(
        "SELECT marks FROM ballots WHERE campaign_id = :id ORDER BY stream_ms, stream_seq", id=world.campaign().id
    )
    assert rows == [("",)] * 60 + [("new_devices",)]
