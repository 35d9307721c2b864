"""The big screen in a browser: it moves without a reload, says that it is connected, and can be read from afar."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Phone
from tests.browser.town import DEMO, Town

#: No header of our own: browsers ask the other port for leave before they send it one.
PLAIN: dict[str, str] = {}
FULL_HD = {"width": 1920, "height": 1080}
#: the smallest type that carries a figure or a name
LEAST_PX = 32
SMALL_TYPE = """
least => {
  const small = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const el = node.parentElement;
    if (!node.data.trim() || !el.checkVisibility() || el.closest("svg, script, template, .ribbon")) continue;
    const px = parseFloat(getComputedStyle(el).fontSize);
    if (px < least - 0.5) small.push(`${node.data.trim().slice(0, 20)} ${px.toFixed(1)}`);
  }
  return small;
}
"""


@pytest.fixture
def screen(phone: Phone, town: Town) -> Page:
    page = phone(viewport=FULL_HD, extra_http_headers=PLAIN)
    page.goto(f"/screen/{DEMO}")
    return page


def test_a_vote_moves_it_without_a_reload(screen: Page, town: Town) -> None:
    expect(screen.locator("[data-line]")).to_have_attribute("data-line", "live")
    before = int(screen.locator("[data-total=ballots]").inner_text().replace(",", ""))
    screen.evaluate("() => { window.sameDocument = true; }")
    codes = [each.code for each in town.candidates(DEMO, "centres")[:2]]
    assert town.voter(DEMO).cast(*codes).status_code == 201
    expect(screen.locator("[data-total=ballots]")).to_have_text(f"{before + 1:,}", timeout=5000)
    assert screen.evaluate("() => window.sameDocument")


def test_it_can_be_read_from_afar_and_fits(screen: Page) -> None:
    expect(screen.locator("[data-line]")).to_have_attribute("data-line", "live")
    assert screen.evaluate(SMALL_TYPE, LEAST_PX) == []
    assert screen.evaluate("() => document.documentElement.scrollHeight - innerHeight") <= 0
    assert screen.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_4k_is_the_same_picture_twice_as_fine(phone: Phone, town: Town) -> None:
    sizes = []
    for factor in (1, 2):
        page = phone(viewport={name: factor * value for name, value in FULL_HD.items()}, extra_http_headers=PLAIN)
        page.goto(f"/screen/{DEMO}")
        sizes.append(page.locator("h1").evaluate("el => parseFloat(getComputedStyle(el).fontSize)"))
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.02)


def test_hidden_figures_are_hidden_here_too(phone: Phone, town: Town) -> None:
    page = phone(viewport=FULL_HD, extra_http_headers=PLAIN)
    page.goto("/screen/hidden")
    expect(page.locator("[data-hidden]")).to_be_visible()
    expect(page.locator("[data-totals]")).to_be_hidden()


#: an event stream that says what the test wants
OUR_STREAM = """
window.EventSource = class {
  constructor() { window.tell = (name, data) => this.heard[name]({ data: JSON.stringify(data) }); }
  heard = {};
  addEventListener(name, act) { this.heard[name] = act; }
  close() {}
};
"""
TELL = """
({ ballots, minutes }) => {
  const picture = JSON.parse(document.body.dataset.picture);
  picture.now += 60000 * minutes;
  picture.board.ballots = ballots;
  window.tell("picture", picture);
  return document.querySelector("[data-countdown-time]").textContent;
}
"""


def test_what_was_kept_from_an_hour_ago_does_not_set_the_screen_back(phone: Phone, town: Town) -> None:
    """The first event may be the last picture that anybody watched: neither its figures nor its clock are of now."""
    page = phone(viewport=FULL_HD, extra_http_headers=PLAIN)
    page.add_init_script(OUR_STREAM)
    page.goto(f"/screen/{DEMO}")
    total = page.locator("[data-total=ballots]")
    hour = page.evaluate(TELL, {"ballots": 777_777, "minutes": 1})
    expect(total).to_have_text("777,777")
    assert page.evaluate(TELL, {"ballots": 5, "minutes": -58})[:-5] == hour[:-5]
    expect(total).to_have_text("777,777")
    page.evaluate(TELL, {"ballots": 777_778, "minutes": 2})
    expect(total).to_have_text("777,778")
