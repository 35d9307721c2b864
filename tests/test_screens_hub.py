"""The one subscription of the screens, at the moments at which it comes and goes. A real Valkey; no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis import Redis

from voting.screens_hub import Hub

CHANNEL = "screens:7"
PAUSE_MS = 600
PATIENCE_S = 5.0


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Hub]:
    hub = Hub(url)
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(hub: Hub, part: bytes) -> None:
    """Read as a screen does until that part comes."""
    stream = hub.stream(CHANNEL)
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for sent in stream:
                if part in sent:
                    return
    finally:
        await stream.aclose()


def test_a_screen_that_comes_while_the_hub_connects_is_told_all_the_same(valkey: Redis, valkey_url: str) -> None:
    """After a restart of the hub all screens come back at once, and some of them in this very moment."""

    async def play() -> None:
        valkey.set(CHANNEL, b"kept")
        valkey.client_pause(PAUSE_MS)
        async with running(valkey_url) as hub:
            await asyncio.sleep(PAUSE_MS / 3000)
            assert not hub.connected
            await until(hub, b"data: kept")
            assert hub.connected
            newer = asyncio.create_task(until(hub, b"data: newer"))
            await asyncio.sleep(0.1)
            assert await asyncio.to_thread(valkey.publish, CHANNEL, b"newer") == 1
            await newer

    asyncio.run(play())


def test_a_channel_is_given_up_and_taken_again(valkey: Redis, valkey_url: str) -> None:
    async def play() -> None:
        valkey.set(CHANNEL, b"kept")
        async with running(valkey_url) as hub:
            for _ in range(3):
                await until(hub, b"data: kept")
                # The next message lets the hub look around: nobody watches any more.
                await asyncio.to_thread(valkey.publish, CHANNEL, b"nobody sees this")
                await asyncio.sleep(0.05)
            assert hub.screens == 0

    asyncio.run(play())
