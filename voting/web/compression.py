"""Answers made smaller on their way out: gzip for pages and JSON, for a phone on a weak network. Nothing else.

Files of dist/ are packed once, when they are built (static_files.py); the vote's answers have no body worth packing,
and its path pays one comparison here. Why not Flask-Compress: docs/decisions/0015-compression.md.
"""

from __future__ import annotations

import gzip

from flask import Flask, Request, Response, request

from voting.web.finished import Finished, hand_over

#: below this a packed answer saves no packet
WORTH_IT = 1400
#: the step at which half a millisecond more saves hardly a packet less
LEVEL = 5
MIMETYPES = frozenset({"text/html", "application/json", "application/problem+json", "image/svg+xml"})
MOST_KEPT = 64
#: A page that carries a secret beside words from the address must not change its length with them (BREACH).
SECRET = b"csrf_token"


class _Packed:
    """Packed bodies of answers that many visitors share, by the unpacked body itself.

    Boards hand out the same bytes object until the figures change: its hash is known, so looking here costs nothing.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, bytes] = {}

    def get(self, body: bytes) -> bytes:
        packed = self._kept.get(body)
        if packed is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            packed = self._kept[body] = pack(body)
        return packed


_shared = _Packed()


def pack(body: bytes) -> bytes:
    """Gzip without a time in it: the same body is always the same bytes."""
    return gzip.compress(body, LEVEL, mtime=0)


def takes_gzip(asking: Request) -> bool:
    """Whether the browser says so; ``gzip;q=0`` says no."""
    # Looked for as text first: parsing the header costs more than all the rest here.
    accepts = asking.headers.get("Accept-Encoding", "")
    return "gzip" in accepts and ("q=" not in accepts or asking.accept_encodings["gzip"] > 0)


def finish(response: Response) -> Response:
    """The last that happens to an answer; one that is kept is kept as it leaves."""
    if not isinstance(response, Finished):
        compress(response)
        hand_over(response)
    return response


def compress(response: Response) -> Response:
    """Pack what is worth it and may be packed."""
    if request.method != "GET" or response.mimetype not in MIMETYPES or response.status_code == 304:
        return response
    response.vary.add("Accept-Encoding")
    if not takes_gzip(request) or response.is_streamed or response.direct_passthrough:
        return response
    body = response.get_data()
    if len(body) < WORTH_IT or "Content-Encoding" in response.headers or SECRET in body:
        return response
    # An ETag marks what is made once for everybody; other pages belong to one visitor and are not kept.
    response.set_data(_shared.get(body) if "ETag" in response.headers else pack(body))
    response.headers["Content-Encoding"] = "gzip"
    return response


def init_compression(app: Flask) -> None:
    """Hook in; register before whatever else changes bodies after a request, so that this runs last."""
    app.after_request(finish)
