"""Which browser drives the pages, and how it is started: the machine's own Chromium, nothing is downloaded for it."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Alone with our pages: no sandbox (tests may run as root), no calls home, nothing that comes between.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=direct://",
]


def find_chromium() -> str | None:
    """The path of the browser, or None where there is none; VOTING_CHROMIUM names another one."""
    return next(filter(None, map(shutil.which, (os.environ.get("VOTING_CHROMIUM", ""), *NAMES))), None)


def require_browser() -> None:
    """Skip loudly where there is no browser; fail where VOTING_REQUIRE names "browser"."""
    if find_chromium() is None:
        if "browser" in os.environ.get("VOTING_REQUIRE", ""):
            pytest.fail("VOTING_REQUIRE asks for a browser, and there is no Chromium on PATH")
        pytest.skip("NO BROWSER: the walks were not tested; install chromium to run them")


def launch_options() -> dict[str, object]:
    """What Playwright's ``launch`` is given."""
    path = find_chromium()
    assert path is not None, f"no browser: install one of {', '.join(NAMES)}"
    return {"executable_path": path, "args": ARGUMENTS}
