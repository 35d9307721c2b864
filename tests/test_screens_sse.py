"""The screens' process as it is: granian, a real Valkey, hundreds of sockets. Nothing here reaches into it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.servers import Server, free_port, wait_until
from tests.world import World, application, new_world, rules_text
from voting.services.screens import channel
from voting.tally import embedded
from voting.tally.connection import connect

SCREENS = 500
#: from the vote to the last screen
PROMPT_S = 3.0
PATIENCE_S = 20.0


@dataclass
class Stage:
    """A campaign, its Valkey and the process that streams to screens."""

    folder: Path
    valkey: embedded.EmbeddedValkey
    database_url: str
    server: Server
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        self.server.start(
            *("-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(self.port), "--no-ws"),
            *("--workers", "1", "--log-level", "warning", "--workers-kill-timeout", "2", "voting.screens:app"),
        )
        wait_until(lambda: self.status("/healthz") == 200, "the screens' process answers")

    def status(self, path: str) -> int:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    @contextmanager
    def world(self, rules: str, opened: bool = True) -> Iterator[World]:
        with application(self.database_url, self.valkey.url, self.folder) as app:
            yield new_world(app).put(rules, opened)

    def redis(self) -> Redis:
        return connect(self.valkey.url)


@pytest.fixture
def stage(tmp_path: Path, sqlite_url: str, translations: None) -> Iterator[Stage]:
    valkey = embedded.start(tmp_path / "valkey")
    server = Server(tmp_path, sqlite_url, valkey.url)
    made = Stage(tmp_path, valkey, sqlite_url, server)
    try:
        yield made
    finally:
        server.stop()
        made.valkey.stop()


@dataclass
class Screen:
    """One connection, and what it was sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes = b""

    async def event(self) -> tuple[str, str, str]:
        """The next event: name, id, data."""
        fields: dict[str, str] = {}
        while "event" not in fields:
            fields = {}
            while line := (await self.reader.readline()).decode().rstrip("\r\n"):
                name, _, value = line.partition(": ")
                fields[name] = value
            assert not self.reader.at_eof(), "the line was cut"
        return fields["event"], fields.get("id", ""), fields["data"]

    async def picture(self, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next picture that is as wanted."""
        while True:
            name, _, data = await asyncio.wait_for(self.event(), PATIENCE_S)
            if name == "picture" and wanted(found := json.loads(data)):
                return found

    async def source(self, state: str) -> None:
        """Wait until the screen is told that its data come (up) or do not (down)."""
        while (await asyncio.wait_for(self.event(), PATIENCE_S))[::2] != ("source", state):
            pass


@asynccontextmanager
async def screen(stage: Stage, slug: str, *headers: str) -> AsyncIterator[Screen]:
    # HTTP/1.0: the body comes without chunks, as it is.
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port, limit=2**22)
    lines = [f"GET /screen/{slug}/events HTTP/1.0", "Host: screens", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        yield Screen(reader, writer, head)
    finally:
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:
            pass


def counted(ballots: int) -> Callable[[Any], bool]:
    return lambda shown: bool(shown["board"]["ballots"] == ballots)


def subscribers(stage: Stage, world: World) -> tuple[int, int]:
    """Who listens to the campaign's channel, and how many connections are subscribers at all."""
    with stage.redis() as client:
        ((_, listening),) = client.pubsub_numsub(channel(world.campaign().id))
        return listening, len(client.client_list(_type="pubsub"))


def test_five_hundred_screens_cost_one_subscription_and_see_a_vote_within_three_seconds(stage: Stage) -> None:
    async def watch(world: World) -> None:
        async with asyncio.timeout(90):
            entered = [screen(stage, world.slug) for _ in range(SCREENS)]
            screens = await asyncio.gather(*(each.__aenter__() for each in entered))
            try:
                firsts = await asyncio.gather(*(each.picture() for each in screens))
                assert all(counted(0)(first) for first in firsts)
                assert subscribers(stage, world) == (1, 1)
                for ballots in (1, 2):
                    assert (await asyncio.to_thread(world.voter().cast, "c1", "h1")).status_code == 201
                    began_s = time.monotonic()
                    shown = await asyncio.gather(*(each.picture(counted(ballots)) for each in screens))
                    assert time.monotonic() - began_s < PROMPT_S
                    assert {each["board"]["votes"] for each in shown} == {2 * ballots}
                assert subscribers(stage, world) == (1, 1)
            finally:
                await asyncio.gather(*(each.__aexit__(None, None, None) for each in entered))

    stage.start()
    with stage.world(rules_text()) as world:
        wait_until(lambda: known(stage, world), "the campaign is known")
        asyncio.run(watch(world))
        # Nobody watches any more: nothing is listened to, and so nothing is published.
        # A heartbeat that nobody takes, then a silence.
        wait_until(lambda: subscribers(stage, world)[0] == 0, "the channel is given up", 60)


def known(stage: Stage, world: World) -> bool:
    """Whether the process has seen a campaign that was made after its start."""
    with socket.create_connection(("127.0.0.1", stage.port), 5) as line:
        line.sendall(f"GET /screen/{world.slug}/events HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        return line.recv(20).split()[1] == b"200"


@pytest.mark.faults
def test_a_redis_restart_brings_the_data_back_on_the_same_connection(stage: Stage) -> None:
    async def watch(world: World) -> None:
        async with screen(stage, world.slug) as one, asyncio.timeout(90):
            await one.picture(counted(0))
            await asyncio.to_thread(world.voter().cast, "c1")
            await one.picture(counted(1))
            assert stage.valkey.process is not None
            stage.valkey.process.kill()
            stage.valkey.process.wait()
            await one.source("down")
            await asyncio.sleep(2)
            stage.valkey = await asyncio.to_thread(embedded.start, stage.valkey.folder)
            await one.source("up")
            answer = await asyncio.to_thread(world.voter().cast, "c2")
            assert answer.status_code == 201
            shown = await one.picture(counted(2))
            assert shown["board"]["votes"] == 2

    stage.start()
    with stage.world(rules_text()) as world:
        wait_until(lambda: known(stage, world), "the campaign is known")
        asyncio.run(watch(world))


@pytest.mark.faults
def test_a_slow_screen_holds_up_nobody_and_is_let_go(stage: Stage) -> None:
    """Pictures far larger than any are published faster than the slow one takes them: the others get the last one."""
    many, size = 120, 100_000

    async def watch(world: World) -> None:
        name = channel(world.campaign().id)
        async with screen(stage, world.slug) as one, asyncio.timeout(90):
            await one.picture()
            slow = socket.socket()
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", stage.port))
            slow.sendall(f"GET /screen/{world.slug}/events HTTP/1.0\r\nHost: x\r\n\r\n".encode())
            with slow, stage.redis() as client:
                await asyncio.sleep(0.5)
                for number in range(many):
                    client.publish(name, json.dumps({"number": number, "padding": "x" * size}))
                    began_s = time.monotonic()
                    await one.picture(lambda shown, number=number: shown.get("number") == number)
                    assert time.monotonic() - began_s < 1, "the slow one holds up the others"
                # The slow one has not taken a byte for longer than it may: it is let go, after what was on its way.
                await asyncio.sleep(12)
                slow.settimeout(5)
                got = await asyncio.to_thread(read_to_end, slow)
                assert len(got) < many * size / 2, "what a screen does not take must not pile up"
                assert b'"number": 0,' in got
                assert f'"number": {many - 1},'.encode() not in got

    stage.start()
    with stage.world(rules_text()) as world:
        wait_until(lambda: known(stage, world), "the campaign is known")
        asyncio.run(watch(world))


def read_to_end(line: socket.socket) -> bytes:
    got = bytearray()
    while chunk := line.recv(2**20):
        got += chunk
    return bytes(got)


def test_what_a_screen_is_told_when_it_comes(stage: Stage) -> None:
    async def watch(world: World, hidden: World, draft: World) -> None:
        async with screen(stage, world.slug) as one, asyncio.timeout(60):
            assert one.head.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
            assert b"content-type: text/event-stream" in one.head.lower()
            assert b"access-control-allow-origin: *" in one.head.lower()
            first = await one.reader.readline()
            assert first.startswith(b"retry: ")
            await asyncio.to_thread(world.voter().cast, "c1")
            await one.picture(counted(1))
            # One that comes later gets the last picture at once; one that has it already does not get it again.
            async with screen(stage, world.slug) as late:
                began_s = time.monotonic()
                name, _, _ = await late.event()
                assert name == "source"
                name, last_id, data = await late.event()
                assert time.monotonic() - began_s < 0.5
                assert (name, json.loads(data)["board"]["ballots"]) == ("picture", 1)
            async with screen(stage, world.slug, f"Last-Event-ID: {last_id}") as again:
                assert (await again.event())[0] == "source"
                name, next_id, _ = await asyncio.wait_for(again.event(), PATIENCE_S)
                assert (name, next_id != last_id) == ("picture", True)
        async with screen(stage, hidden.slug) as one, asyncio.timeout(60):
            await asyncio.to_thread(hidden.voter().cast, "c1", "c2", "h1")
            for _ in range(2):
                name, _, data = await one.event()
                if name == "picture":
                    board = json.loads(data)["board"]
                    assert board.keys() == {"hidden", "final", "etag", "awards", "next"}
                    assert (board["hidden"], board["awards"]) == (True, [])
        assert stage.status(f"/screen/{draft.slug}/events") == 404
        assert stage.status("/screen/nothing/events") == 404
        assert stage.status(f"/c/{world.slug}") == 404

    stage.start()
    with stage.world(rules_text()) as world:
        hidden = new_world(world.app).put(rules_text(display="hidden"))
        draft = new_world(world.app).put(rules_text(), opened=False)
        wait_until(lambda: known(stage, hidden), "the campaigns are known")
        asyncio.run(watch(world, hidden, draft))
