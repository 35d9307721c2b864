"""The process of the big screens: it streams events to hundreds, and publishes what they show. No page lives here.

An ASGI application of its own, because a stream that lasts for hours would hold one of the web server's threads:

    granian --interface asgi --workers 1 --workers-kill-timeout 2 voting.screens:app

It answers GET /screen/<slug>/events and /healthz; a proxy sends the first of them here (docs/decisions).
"""

from __future__ import annotations

import asyncio
import re
import resource
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import structlog
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from voting.rules.errors import BoxUnavailable
from voting.screens_hub import Hub
from voting.services import screens
from voting.services.catalogue import all_campaigns

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]

#: looked at more often than screens move, so that a vote is on every screen within three seconds
STEP_S = 0.5
LONGEST_WAIT_S = 3.0
#: a screen that takes nothing for so long is let go; it comes back by itself and gets the newest picture
SLOW_S = 10.0
MOST_SCREENS = 4000
_PATH = re.compile(r"/screen/([A-Za-z0-9_-]{1,64})/events")

STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    # Anybody may read what every visitor sees; no cookie is looked at. Needed where the pages have another port.
    (b"access-control-allow-origin", b"*"),
]

log = structlog.get_logger(__name__)


class Screens:
    """The ASGI application. ``flask`` makes the application whose services are asked for the pictures."""

    def __init__(self, flask: Callable[[], Flask]) -> None:
        self._make_flask = flask
        self._known: dict[str, str] = {}
        self._stopping = threading.Event()
        self._hub: Hub | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    # --- life ---

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> None:
        """Make the application, begin to listen and to publish."""
        _allow_many_connections()
        app = self._make_flask()
        self._hub = Hub(app.config["REDIS_URL"])
        self._tasks.append(asyncio.create_task(self._hub.run()))
        # A thread of its own, and no executor: the process must be able to end while Redis lets it wait.
        threading.Thread(target=self._publish, args=(app,), name="publisher", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        for task in self._tasks:
            task.cancel()

    def _publish(self, app: Flask) -> None:
        publisher, waited_s = screens.Publisher(), 0.0
        while not self._stopping.wait(waited_s or STEP_S):
            try:
                with app.app_context():
                    self._known = {campaign.slug: screens.channel(campaign.id) for campaign in all_campaigns()}
                    publisher.step()
                if waited_s:
                    log.info("screens are published again")
                waited_s = 0.0
            except (RedisError, SQLAlchemyError, BoxUnavailable) as error:
                if not waited_s:
                    log.warning("screens are not published", cause=type(error).__name__)
                waited_s = min(max(STEP_S, waited_s * 2), LONGEST_WAIT_S)
            except Exception:
                log.exception("a picture could not be made")
                waited_s = LONGEST_WAIT_S

    # --- one request ---

    async def _answer(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        assert self._hub is not None
        if scope["path"] == "/healthz":
            await _say(send, 200, b"ok\n")
            return
        found = _PATH.fullmatch(scope["path"])
        channel = self._known.get(found[1]) if found and scope["method"] == "GET" else None
        if not self._known:
            await _say(send, 503, b"not ready\n")
        elif channel is None:
            await _say(send, 404, b"not found\n")
        elif self._hub.screens >= MOST_SCREENS:
            await _say(send, 503, b"too many screens\n")
        else:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            last_id = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
            await _stream(self._hub, channel, last_id, receive, send)


async def _stream(hub: Hub, channel: str, last_id: str, receive: Receive, send: Send) -> None:
    """Send until the screen goes, or takes nothing any more."""
    gone = asyncio.create_task(_wait_until_gone(receive))
    stream = hub.stream(channel, last_id)
    sending = asyncio.create_task(_send_all(stream, send))
    try:
        await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (gone, sending):
            task.cancel()
        await asyncio.gather(gone, sending, return_exceptions=True)


async def _send_all(stream: Any, send: Send) -> None:
    try:
        async for part in stream:
            # Not wait_for: before Python 3.12 it may swallow the cancellation of a screen that has gone.
            async with asyncio.timeout(SLOW_S):
                await send({"type": "http.response.body", "body": part, "more_body": True})
    finally:
        await stream.aclose()


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"access-control-allow-origin", b"*")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _allow_many_connections() -> None:
    """A screen is an open file; the usual soft limit of 1,024 would be reached first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_SCREENS if hard == resource.RLIM_INFINITY else min(2 * MOST_SCREENS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _flask() -> Flask:
    from voting.app import create_app

    return create_app()


app = Screens(_flask)
