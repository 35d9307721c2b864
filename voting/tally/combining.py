"""Calls of many threads on one round trip: whoever comes first sends what the others have brought meanwhile.

Sixteen threads that each talk to Redis give the interpreter's lock away five times a vote and wake each other all the
time; together they need one write and one read, and Redis one flush. A call waits at most for the batch under way, and
where there is only one voter there is only one call in it.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from voting.tally.scripts import Library, not_loaded

MOST_AT_ONCE = 64


class _Call:
    """One thread's call; ``ready`` is held until there is an answer, or until it is this thread's turn to send."""

    __slots__ = ("answer", "command", "leads", "ready")

    def __init__(self, command: tuple[Any, ...]) -> None:
        self.command = command
        self.answer: Any = None
        self.leads = False
        self.ready = Lock()
        self.ready.acquire()


class Combiner:
    """Combines the calls of one process to one act. Thread-safe; it has no thread of its own."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        # Taken from the pool for good: only one batch is under way at a time, and the client's own way there and back
        # (a pipeline, its stack, its connection taken, checked and put back) cost as much again as the round trip.
        self._connection: Any = None
        self._lock = Lock()
        self._waiting: list[_Call] = []
        self._under_way = False

    def call(self, library: Library, act: str, keys: tuple[str, ...], arguments: tuple[Any, ...]) -> Any:
        """As ``Library.call``; raises what Redis answered to this very call, or why the round trip failed."""
        call = _Call(library.command(act, keys, arguments))
        with self._lock:
            self._waiting.append(call)
            call.leads = not self._under_way
            self._under_way = True
        if not call.leads:
            call.ready.acquire()
        if call.leads:
            self._send_a_batch(library)
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer

    def _send_a_batch(self, library: Library) -> None:
        """Send what is waiting, our own call first among it; then the next in line sends, or nobody."""
        with self._lock:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
        try:
            answers = self._send(library, batch)
        except Exception as error:  # every call of the batch shares the fate of its round trip
            answers = [error] * len(batch)
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            if following is None:
                self._under_way = False
            else:
                following.leads = True
        if following is not None:
            following.ready.release()
        for call, answer in zip(batch, answers, strict=True):
            call.answer = answer
            call.ready.release()

    def _send(self, library: Library, batch: list[_Call]) -> list[Any]:
        answers = self._round_trip(batch)
        strangers = [call for call, answer in zip(batch, answers, strict=True) if not_loaded(answer)]
        if strangers:
            library.load(self._client)
            again = dict(zip(map(id, strangers), self._round_trip(strangers), strict=True))
            answers = [again.get(id(call), answer) for call, answer in zip(batch, answers, strict=True)]
        return answers

    def _round_trip(self, batch: list[_Call]) -> list[Any]:
        """One write and as many answers; a connection that Redis has cut is replaced once, as the client would."""
        if self._connection is None:
            self._connection = self._client.connection_pool.get_connection()
        connection = self._connection
        packed = [b"".join([part for call in batch for part in connection.pack_command(*call.command)])]

        def send_and_read() -> list[Any]:
            try:
                connection.send_packed_command(packed)
                return [_answer_on(connection) for _ in batch]
            except BaseException:
                connection.disconnect()  # answers that were not read belong to nobody else
                raise

        answers: list[Any] = connection.retry.call_with_retry(send_and_read, lambda error: None)
        return answers


def _answer_on(connection: Any) -> Any:
    """The next answer of a connection; what Redis refused is an answer too."""
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
