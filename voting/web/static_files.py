"""Built files of dist/ as browsers get them: packed beforehand where that helps, kept for ever by their hashed names.

In production nginx may serve the folder itself (``gzip_static on``); this is the same for everybody else.
"""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask, Response, request, send_from_directory

from voting.web.compression import takes_gzip

YEAR_S = 31_536_000
#: esbuild's and our own hashes: eight capitals and digits before the ending, such as citizen.MJNBG57E.css
HASHED = re.compile(r"dist/(.+/)?[^/]+\.[0-9A-Z]{8}\.\w+")
PACKED = ".gz"


def init_static_files(app: Flask) -> None:
    """Take the place of Flask's own view of the static folder; the address and its name stay."""
    folder = Path(app.static_folder or "")

    def static(filename: str) -> Response:
        packed = takes_gzip(request) and f"{filename}{PACKED}"
        kept_for_ever = HASHED.fullmatch(filename) is not None
        max_age = YEAR_S if kept_for_ever else None
        if packed and (folder / packed).is_file():
            response = send_from_directory(folder, packed, mimetype=_mimetype(filename), max_age=max_age)
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = send_from_directory(folder, filename, max_age=max_age)
        if kept_for_ever:
            response.cache_control.immutable = True
            response.vary.add("Accept-Encoding")
        return response

    app.view_functions["static"] = static


def _mimetype(filename: str) -> str:
    """By its ending; the list is short so that no machine's own list of types has a say."""
    return MIMETYPES.get(Path(filename).suffix, "application/octet-stream")


MIMETYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
}
