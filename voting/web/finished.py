"""Answers that have been on their way out before: every hook has had its say, and they go out again as they are.

A leaderboard is asked for by everybody, every few seconds. Rendering it is the smaller part of the work: headers put
together, looked at and packed again would cost more than everything else a request costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Response, g, request

#: what an answer depends on beside what it was made from: the address, the reader, whether it may be packed
Asked = tuple[object, ...]
Hook = TypeVar("Hook", bound=Callable[[Response], object])
MOST_KEPT = 400
LONGEST_QUERY = 80


class Finished(Response):
    """A complete answer; hooks that would add to it let it pass."""


@dataclass(frozen=True, slots=True)
class _Kept:
    source: object
    body: bytes
    headers: list[tuple[str, str]]
    etag: str


class Answers:
    """The last whole answers of one view by what was asked, each as long as its source is the very same object."""

    def __init__(self) -> None:
        self._kept: dict[Asked, _Kept] = {}

    def find(self, asked: Asked, source: object) -> Response | None:
        """The answer that was made from this very source: again, or as "not modified"."""
        kept = self._kept.get(asked)
        if kept is None or kept.source is not source:
            return None
        if request.headers.get("If-None-Match") == kept.etag:
            return Finished(status=304, headers=kept.headers)
        return Finished(kept.body, headers=kept.headers)

    def keep(self, asked: Asked, source: object) -> None:
        """Keep the answer of this request when it is done, if everybody may have it."""
        # Odd addresses are answered, not kept: nobody can fill our memory with them.
        if len(request.query_string) <= LONGEST_QUERY:
            g.keep_finished = (self, asked, source)

    def take(self, asked: Asked, source: object, response: Response) -> None:
        if response.status_code != 200 or "Set-Cookie" in response.headers:
            return
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        headers = [(name, text) for name, text in response.headers if name != "Content-Length"]
        self._kept[asked] = _Kept(source, response.get_data(), headers, response.headers.get("ETag", ""))


def hand_over(response: Response) -> None:
    """Called last of all that happens to an answer."""
    if (keeping := g.pop("keep_finished", None)) is not None:
        answers, asked, source = keeping
        answers.take(asked, source, response)
