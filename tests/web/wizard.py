"""A person at the campaign wizard: reads a form as a browser does, changes some fields, and sends it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.web.desk import Person


class _Fields(HTMLParser):
    """What the form with ``marker`` among its attributes would send without a button."""

    def __init__(self, marker: str) -> None:
        super().__init__()
        self.marker, self.inside = marker, False
        self.sent: MultiDict[str, str] = MultiDict()
        self._select, self._area = "", ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self.inside = self.marker in given or self.marker in (given.get("action") or "")
        if not self.inside:
            return
        name, value = given.get("name") or "", given.get("value")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.sent.add(name, "y" if value is None and given.get("type") == "checkbox" else value or "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.sent.add(self._select, value or "")
        elif tag == "textarea":
            self._area = name
            self.sent[name] = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area:
            # Browsers leave out the line break after the opening tag.
            self.sent[self._area] = self.sent[self._area].removeprefix("\r\n").removeprefix("\n")
            self._area = ""


def fields_of(page: TestResponse, marker: str = "data-wizard") -> MultiDict[str, str]:
    """The fields of a form as they stand on a page."""
    reader = _Fields(marker)
    reader.feed(page.text)
    assert reader.sent, page.text
    return reader.sent


def complaints(page: TestResponse) -> list[str]:
    """What a page says is wrong, field by field."""
    return re.findall(r'<p class="wrong"[^>]*>([^<]+)</p>', page.text)


class Planner:
    """Somebody who works on one draft."""

    def __init__(self, person: Person, slug: str) -> None:
        self.person, self.base = person, f"/organizer/campaigns/{slug}"

    def get(self, path: str = "") -> TestResponse:
        return self.person.get(self.base + path)

    def step(self, step: str) -> MultiDict[str, str]:
        """The fields of a step as they stand there now."""
        page = self.get(f"/edit/{step}")
        assert page.status_code == 200, page.text
        return fields_of(page)

    def send(self, step: str, fields: MultiDict[str, str], **changed: Any) -> TestResponse:
        """Send a step's fields with some of them changed; None takes a field out, as unticking does."""
        sent = MultiDict(fields)
        for name, value in changed.items():
            sent.poplist(name)
            if value is not None:
                sent.setlist(name, value if isinstance(value, list) else [value])
        return self.person.client.post(f"{self.base}/edit/{step}", data=sent)

    def save(self, step: str, **changed: Any) -> TestResponse:
        return self.send(step, self.step(step), **changed)
