"""What a page costs on a phone, measured in Chromium: bytes transferred, requests, script, and time on a weak network.

    python -m benchmarks.page_weight

Starts the demonstration (40 centres with photos, 300 households) by itself, opens every page with an empty cache on a
phone of 360×780 with two dots a pixel, and does not scroll. Bytes are what comes over the wire, headers included. The
first candidate is readable when its card has been laid out and painted, with 400 ms of delay and 400 kbit/s.
Exits with 1 when a promise about the citizen home is broken.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.chromium import launch_options
from tests.browser.pages import Stop, open_stop, standing
from tests.browser.town import DEMO, Town, start_town
from tests.servers import wait_until
from voting.services import banners, photos

PHONE = {"width": 360, "height": 780}
#: promises about the citizen home
MOST_BYTES, MOST_REQUESTS, MOST_SCRIPT, MOST_MS = 150_000, 20, 30_000, 3000
HOME = "campaign"
WEAK = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
#: Frames are drawn only after the style sheets are there, so a frame with the card laid out is one that shows it.
WATCH = """
const look = () => {
  const name = document.querySelector(".card-name, .place-name, .campaign h2, h1");
  if (name && name.getBoundingClientRect().height > 0)
    requestAnimationFrame(() => { window.readableMs = performance.now(); });
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


@dataclass
class Weight:
    """What one page cost."""

    transferred: int = 0
    requests: int = 0
    script: int = 0
    unpacked: int = 0
    readable_ms: float = 0.0


def a_photo(size: tuple[int, int]) -> bytes:
    """Clouds of noise, which pack no better than a photo of a house does."""
    bands = []
    for _ in range(3):
        band = Image.effect_noise((10, 7), 110).resize(size, Image.Resampling.BICUBIC)
        for grain, share in (((40, 25), 0.35), ((200, 125), 0.2), (size, 0.06)):
            finer = Image.effect_noise(grain, 90).resize(size, Image.Resampling.BICUBIC)
            band = Image.blend(band, finer, share)
        bands.append(band)
    out = io.BytesIO()
    Image.merge("RGB", bands).save(out, "JPEG", quality=90)
    return out.getvalue()


def with_photos(town: Town) -> None:
    """A photo for every centre, and a banner."""
    world = town.world(DEMO)
    for candidate in town.candidates(DEMO, "centres"):
        world.do(photos.store_photo, candidate.id, a_photo((800, 500)))
    # The demonstration is open already: its banner is put where the wizard would have put it.
    name = world.do(banners.prepare_banner, a_photo((1800, 600)))
    world.sql("UPDATE campaigns SET banner = :name, banner_alt = '横幅', version = version + 1 WHERE slug = :slug",
              name=name, slug=DEMO)  # fmt: skip
    home = f"{town.url}/c/{DEMO}"
    wait_until(
        lambda: httpx.get(home, trust_env=False).text.count("<picture") == 41, "the server shows all pictures", 10
    )


def measure(browser: Browser, town: Town, stop: Stop, network: dict[str, Any] | None = None) -> Weight:
    """Open a page in a browser that has never seen the site."""
    size = {"width": 1920, "height": 1080} if stop.is_screen else PHONE
    options: dict[str, Any] = {"viewport": size, "locale": "zh-CN", "is_mobile": not stop.is_screen}
    options |= {"device_scale_factor": 1 if stop.is_screen else 2}
    context: BrowserContext = browser.new_context(base_url=town.url, **options)
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        session = context.new_cdp_session(page)
        weight, kinds = Weight(), {}

        def started(event: dict[str, Any]) -> None:
            kinds[event["requestId"]] = event["type"]

        def received(event: dict[str, Any]) -> None:
            weight.unpacked += event["dataLength"]

        def finished(event: dict[str, Any]) -> None:
            weight.requests += 1
            weight.transferred += event["encodedDataLength"]
            if kinds.get(event["requestId"]) == "Script":
                weight.script += event["encodedDataLength"]

        session.on("Network.responseReceived", started)
        session.on("Network.dataReceived", received)
        session.on("Network.loadingFinished", finished)
        session.send("Network.enable")
        if network:
            session.send("Network.emulateNetworkConditions", network)
        open_stop(page, town, stop)
        # A screen's connection never ends; what comes after its first state is no part of its weight.
        page.wait_for_load_state("load" if stop.is_screen else "networkidle")
        page.wait_for_timeout(300)
        weight.readable_ms = float(page.evaluate("() => window.readableMs || 0"))
        return weight
    finally:
        context.close()


def broken(home: Weight, weak: Weight) -> list[str]:
    """The promises about the citizen home that do not hold."""
    limits = (
        ("bytes", home.transferred, MOST_BYTES),
        ("requests", home.requests, MOST_REQUESTS),
        ("bytes of script", home.script, MOST_SCRIPT),
        ("ms until the first candidate", weak.readable_ms, MOST_MS),
    )
    return [f"{value:,.0f} {name}, promised are {most:,}" for name, value, most in limits if value > most]


def main() -> int:
    """Print the table; 1 when a promise is broken."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.page_weight",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    with tempfile.TemporaryDirectory() as folder, start_town(Path(folder)) as town, sync_playwright() as playwright:
        with_photos(town)
        browser = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        print(f"{'page':22}{'transferred':>12}{'unpacked':>10}{'requests':>9}{'script':>8}{'400 ms, 400 kbit/s':>20}")
        complaints: list[str] = []
        for stop in standing(town):
            fast, weak = measure(browser, town, stop), measure(browser, town, stop, WEAK)
            print(
                f"{stop.name:22}{fast.transferred:12,}{fast.unpacked:10,}{fast.requests:9}{fast.script:8,}"
                f"{weak.readable_ms / 1000:18.2f} s",
                flush=True,
            )
            if stop.name == HOME:
                complaints = broken(fast, weak)
        browser.close()
    print("\n".join(complaints) or "The promises about the citizen home hold.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
