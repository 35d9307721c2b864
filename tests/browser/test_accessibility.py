"""Every page in normal, large and dark mode: axe finds nothing, targets are big enough, nothing runs out of the screen.

Contrast is part of axe's rules and is measured from the colours that are painted. Targets are measured here: WCAG asks
24 px, we promise 44, and 60 in large mode; a link in running text may be as high as its line.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser.conftest import Phone
from tests.browser.pages import NO_PAGE, NO_PAGES, STOPS, Stop, open_stop
from tests.browser.town import DEMO, Town
from tests.browser.walks import receipt_of

TARGETS = "a[href], button, input:not([type=hidden]), select, summary, textarea"
#: Measures what a finger can hit: the control, or the label or card that stands for it; running text is left out. What
#: is larger than its box (a link spread over its card) is found by touching around its middle.
MEASURE = """
([selector, least]) => {
  const seen = (box) => box.width > 1 && box.height > 1;
  const inText = (el) => el.tagName === "A" && getComputedStyle(el).display === "inline"
    && el.parentElement.textContent.trim().length > el.textContent.trim().length + 4;
  const touched = (el) => {
    el.scrollIntoView({ block: "center", inline: "center" });
    const box = el.getBoundingClientRect(), reach = least / 2 - 1;
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    return [[0, -reach], [0, reach], [-reach, 0], [reach, 0]].every(([dx, dy]) => {
      const hit = document.elementFromPoint(x + dx, y + dy);
      return hit && (el === hit || el.contains(hit));
    });
  };
  const small = [];
  for (const el of document.querySelectorAll(selector)) {
    if (el.closest("[hidden]") || el.matches(".skip, [tabindex='-1']")) continue;
    const target = el.labels && el.labels.length ? [...el.labels, el] : [el];
    const boxes = target.map((one) => one.getBoundingClientRect()).filter(seen);
    if (!boxes.length || inText(el)) continue;
    const best = boxes.reduce((a, b) => (Math.min(a.width, a.height) > Math.min(b.width, b.height) ? a : b));
    if ((best.height < least - 0.5 || best.width < least - 0.5) && !touched(el))
      small.push(`${el.tagName}.${el.className} "${el.textContent.trim().slice(0, 20)}" `
        + `${best.width.toFixed(0)}×${best.height.toFixed(0)}`);
  }
  return [...new Set(small)];
}
"""
#: WeChat's font scale and the browser's own
SCALES = ("", "130%", "200%")
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds, in a line each; evaluated, not added as a script, so that our content policy stays in force."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, Any] = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = page.evaluate("options => axe.run(options)", options)
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {node['target']} {node['html'][:160]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def faults(page: Page, mode: str, stop: Stop) -> list[str]:
    """All that is wrong with a page in one mode, by light and by dark and with larger type."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")  # nothing is measured in mid-air
    found = violations(page)
    if not stop.is_screen:
        found += page.evaluate(MEASURE, [TARGETS, 60 if mode == "large" else 44])
    # A screen measures its type by itself; the desk is a desk, with a browser that zooms.
    for scale in SCALES[: 1 if stop.is_screen or stop.is_desk else None]:
        page.evaluate("scale => { document.documentElement.style.fontSize = scale; }", scale)
        wider = page.evaluate(OVERFLOW)
        found += [f"{wider} px wider than the phone with type of {scale or 'its own size'}"] if wider > 0 else []
    page.evaluate("() => { document.documentElement.style.fontSize = ''; }")
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {each}" for each in violations(page, "color-contrast", "link-in-text-block")]
    return [f"{mode}: {each}" for each in found]


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.name)
def test_everyone_can_use_it(phone: Phone, town: Town, stop: Stop) -> None:
    page = phone(**({"viewport": {"width": 1920, "height": 1080}} if stop.is_screen else {}))
    found = []
    for mode in ("normal",) if stop.is_screen or stop.is_desk else ("normal", "large"):
        open_stop(page, town, stop, large=mode == "large")
        found += faults(page, mode, stop)
    assert found == []


def test_every_page_is_listed(town: Town) -> None:
    listed = {stop.rule for stop in STOPS}
    pages = {
        rule.rule
        for rule in town.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.rule.startswith(NO_PAGES) and not rule.rule.endswith(NO_PAGE)
    }
    assert pages - listed == set(), "pages that no check looks at: add them to tests/browser/pages.py"


def press_until(page: Page, selector: str, most: int = 120) -> None:
    """Press Tab until the focus is there."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"Tab does not lead to {selector}")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_keyboard_alone_is_enough(phone: Phone, script: bool) -> None:
    """From the skip link to the receipt with Tab, Space and Enter, and the focus can be seen on the way."""
    page = phone(java_script_enabled=script)
    page.goto(f"/c/{DEMO}")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    before = page.locator(".card").first.screenshot()
    press_until(page, "[name=choice]")
    assert page.locator(".card").first.screenshot() != before, "the place of the focus can be seen"
    page.keyboard.press("Space")
    assert page.locator("input[type=checkbox]:checked").count() == 1
    press_until(page, "[formaction$='/review']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review?**")
    press_until(page, "form[data-ballot] button")
    page.keyboard.press("Enter")
    receipt_of(page)
