"""What voters send over the wire: plain HTTP clients, one at a time or many from processes of their own.

Standard library only, and nothing of the application: these processes see what a phone sees.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from typing import Any

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ballot_id() -> str:
    """A ULID of this moment."""
    value = int(time.time() * 1000) << 80 | random.getrandbits(80)
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -5, -5))


@dataclass(frozen=True)
class Voter:
    """A cookie and its token, as given out with the first ballot paper."""

    cookie: str
    token: str


@dataclass(frozen=True)
class Sent:
    """One request that is to be made: which voter, which ballot."""

    voter: Voter
    ballot_id: str
    choices: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 = no answer (refused, reset, cut off): the voter knows nothing."""

    sent: Sent
    status: int
    body: bytes
    at_ms: tuple[int, int]

    @property
    def accepted(self) -> bool:
        return self.status in (200, 201)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Phone:
    """One connection that is kept open, and opened again after a failure."""

    def __init__(self, port: int, slug: str) -> None:
        self.url = f"/api/v1/campaigns/{slug}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def register(self) -> Voter:
        """A new voter with the first ballot paper."""
        self.connection.request("GET", f"{self.url}/ballot")
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        return Voter(cookie, json.loads(body)["csrf_token"])

    def send(self, sent: Sent) -> Answer:
        body = json.dumps({"ballot_id": sent.ballot_id, "choices": sent.choices})
        headers = {"Cookie": sent.voter.cookie, "X-CSRF-Token": sent.voter.token, "Content-Type": "application/json"}
        before = time.time_ns() // 1_000_000
        try:
            self.connection.request("POST", f"{self.url}/ballots", body, headers)
            answer = self.connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            status, content = 0, b""
        return Answer(sent, status, content, (before, time.time_ns() // 1_000_000))

    def close(self) -> None:
        self.connection.close()


def register(port: int, slug: str, count: int) -> list[Voter]:
    """New voters, one after another."""
    phone = Phone(port, slug)
    try:
        return [phone.register() for _ in range(count)]
    finally:
        phone.close()


def _line(port: int, slug: str, work: Sequence[Sent]) -> list[Answer]:
    phone = Phone(port, slug)
    try:
        return [phone.send(each) for each in work]
    finally:
        phone.close()


def _side(port: int, slug: str, lines: Sequence[Sequence[Sent]]) -> list[Answer]:
    with ThreadPoolExecutor(len(lines)) as threads:
        return [answer for part in threads.map(_line, repeat(port), repeat(slug), lines) for answer in part]


def send_all(port: int, slug: str, work: Sequence[Sent], clients: int, processes: int = 2) -> list[Answer]:
    """Everything at once, dealt out to ``clients`` connections in ``processes``; all answers, in no order."""
    lines = [work[at::clients] for at in range(clients)]
    sides = [lines[at::processes] for at in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [answer for part in pool.map(_side, repeat(port), repeat(slug), sides) for answer in part]
