"""Fixtures of the browser tests: one running town for all of them, and phones of citizens to walk through it with.

Without a browser they are skipped, and fail where VOTING_REQUIRE names "browser". Each phone is a citizen with cookies
and an address of its own. Of a test that fails, pictures of its pages are kept in its temporary folder.
The fixtures are our own: pytest-playwright's come with a plugin (base_url) that runs in every test of the suite and
warns there, and here warnings are errors.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from tests.browser.chromium import launch_options, require_browser
from tests.browser.town import Town, start_town

HERE = Path(__file__).parent
PATIENCE_MS = 10_000
PHONE = {"width": 360, "height": 780}
FAILED = pytest.StashKey[bool]()
#: addresses of documentation: one for every phone, so that no limit per address meets another test
_addresses = (f"2001:db8:{number // 65536:x}:{number % 65536:x}::1" for number in itertools.count(1))

Phone = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


# For the package, not the session: Playwright's loop would stand in the way of every test after these.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, without a window."""
    require_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The running system; asking for the browser first saves starting it for nothing."""
    with start_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def phone(browser: Browser, town: Town, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Phone]:
    """``phone()`` is the page of a new citizen; arguments are those of Playwright's new_context."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def new(**options: Any) -> Page:
        given = {"base_url": town.url, "viewport": PHONE, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
        headers = {"X-Forwarded-For": next(_addresses)}
        context = browser.new_context(**(given | {"extra_http_headers": headers} | options))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        # A page that complains has a fault, whatever else it shows: script errors and what the content policy refused.
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        return context.new_page()

    yield new
    for number, context in enumerate(contexts):
        if request.node.stash.get(FAILED, False):
            for page in context.pages:
                try:
                    page.screenshot(path=tmp_path / f"page-{number}.png", full_page=True)
                except Error:  # a page that hangs has no picture
                    pass
        context.close()
    assert not faults, faults
