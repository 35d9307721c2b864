"""One Redis subscription for all screens of a process, and the words each of them is sent as server-sent events.

There is no queue: a screen that comes back to read is told how things stand now, and what it missed is gone. Here live
the subscription and the wording of the stream; which campaigns there are, and HTTP, are screens.py's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

HEARTBEAT_S = 15.0
RETRY_MS = 2000
LONGEST_BACKOFF_S = 3.0
CONNECT_S = 2.0
#: a subscription that is silent for so long although somebody publishes every ten seconds is asked whether it lives
SILENCE_S = 12.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Audience:
    """The screens of one campaign and the last picture for them. ``wakers`` has one entry for each screen."""

    frame: bytes = b""
    id: str = ""
    wakers: set[asyncio.Event] = field(default_factory=set)

    def show(self, picture: bytes) -> None:
        """A new picture: one frame, made once, for everybody."""
        self.id = blake2b(picture, digest_size=9).hexdigest()
        self.frame = b"id: %s\nevent: picture\ndata: %s\n\n" % (self.id.encode(), picture)
        self.wake()

    def wake(self) -> None:
        for waker in self.wakers:
            waker.set()


class Hub:
    """All audiences of this process; ``run`` keeps the one subscription alive."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._audiences: dict[str, Audience] = {}
        self._pubsub: PubSub | None = None
        self.connected = False

    @property
    def screens(self) -> int:
        """How many are connected."""
        return sum(len(audience.wakers) for audience in self._audiences.values())

    # --- towards the screens ---

    async def stream(self, channel: str, last_id: str = "") -> AsyncIterator[bytes]:
        """What one screen is sent, from the first byte to its end, which only the caller decides."""
        with self._seat(channel) as (audience, waker):
            await self._join(channel, audience)
            told: bool | None = None
            parts = [b"retry: %d\n\n" % RETRY_MS]
            while True:
                waker.clear()
                # A screen is told what it does not know yet, however much has happened meanwhile.
                if told is not self.connected:
                    told = self.connected
                    parts.append(b"event: source\ndata: %s\n\n" % (b"up" if told else b"down"))
                if audience.frame and audience.id != last_id:
                    last_id = audience.id
                    parts.append(audience.frame)
                if parts:
                    yield b"".join(parts)
                try:
                    parts = []
                    async with asyncio.timeout(HEARTBEAT_S):
                        await waker.wait()
                except TimeoutError:
                    # The comment keeps proxies awake; the event tells a page that its line is not half open.
                    parts = [b": beat\nevent: beat\ndata: 1\n\n"]

    @contextmanager
    def _seat(self, channel: str) -> Iterator[tuple[Audience, asyncio.Event]]:
        audience = self._audiences.setdefault(channel, Audience())
        waker = asyncio.Event()
        audience.wakers.add(waker)
        try:
            yield audience, waker
        finally:
            audience.wakers.discard(waker)

    async def _join(self, channel: str, audience: Audience) -> None:
        """The first screen of a campaign asks for its channel; without Redis, ``run`` does so when it is back."""
        if len(audience.wakers) == 1 and self._pubsub is not None and self.connected:
            try:
                await self._pubsub.subscribe(channel)
                await self._load([channel])
            except (RedisError, OSError):
                pass  # run() meets the same error and connects again

    # --- towards Redis ---

    async def run(self) -> None:
        """Listen for ever; when the connection breaks, tell the screens and come back, ever more slowly."""
        waited_s = 0.0
        while True:
            began_s = time.monotonic()
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if time.monotonic() - began_s > LONGEST_BACKOFF_S:
                    waited_s = 0.0
                if self.connected or not waited_s:
                    log.warning("screens wait for redis", cause=type(error).__name__, screens=self.screens)
                self._tell(False)
                waited_s = min(max(0.1, waited_s * 2), LONGEST_BACKOFF_S)
                await asyncio.sleep(waited_s)

    async def _listen(self) -> None:
        self._client = Redis.from_url(
            self._url, socket_connect_timeout=CONNECT_S, socket_timeout=CONNECT_S, retry=Retry(NoBackoff(), 0)
        )
        pubsub = self._client.pubsub()
        try:
            # Without a channel there is nothing to listen to: this one is never published on.
            await pubsub.subscribe("screens:none")
            asked: set[str] = set()
            # Screens go on coming while this waits for Redis; from the last look on, they ask by themselves.
            while new := [channel for channel in self._watched() if channel not in asked]:
                await pubsub.subscribe(*new)
                await self._load(new)
                asked.update(new)
            self._pubsub = pubsub
            self._tell(True)
            await self._receive(pubsub)
        finally:
            self._pubsub = None
            await pubsub.aclose()
            await self._client.aclose()

    async def _receive(self, pubsub: PubSub) -> None:
        asked = False
        while True:
            await self._leave(pubsub)
            message = await pubsub.get_message(timeout=SILENCE_S)
            if message is None:
                if asked:
                    raise TimeoutError("the subscription is dead")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "message":
                self._show(message["channel"].decode(), message["data"])

    async def _leave(self, pubsub: PubSub) -> None:
        """Give up the channels nobody watches any more: what nobody listens to is not published."""
        empty = [channel for channel, audience in self._audiences.items() if not audience.wakers]
        for channel in empty:
            del self._audiences[channel]
        if empty:
            await pubsub.unsubscribe(*empty)

    async def _load(self, channels: list[str]) -> None:
        """The last pictures, for screens that come, or come back, between two publications."""
        if channels:
            for channel, kept in zip(channels, await self._client.mget(channels), strict=True):
                if isinstance(kept, bytes):
                    self._show(channel, kept)

    def _watched(self) -> list[str]:
        return [channel for channel, audience in self._audiences.items() if audience.wakers]

    def _show(self, channel: str, picture: bytes) -> None:
        if audience := self._audiences.get(channel):
            audience.show(picture)

    def _tell(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            for audience in self._audiences.values():
                audience.wake()
