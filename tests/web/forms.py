"""Every form of a page as a browser would send it: where to, with which fields, and by which buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from werkzeug.datastructures import MultiDict


@dataclass
class PageForm:
    """``buttons`` are name and value of those that have a name."""

    action: str
    method: str
    fields: MultiDict[str, str] = field(default_factory=MultiDict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.found: list[PageForm] = []
        self._form: PageForm | None = None
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = PageForm(given.get("action") or self.page, given.get("method", "get").lower())
            self.found.append(self._form)
        form, name, value = self._form, given.get("name", ""), given.get("value", "")
        if form is None:
            return
        if tag == "input" and name and given.get("type") != "file":
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                form.fields.add(name, value)
        elif tag == "button" and name:
            form.buttons.append((name, value))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = value
        elif tag == "textarea":
            self._area = name
            form.fields[name] = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


def forms_of(path: str, html: str) -> list[PageForm]:
    """The forms of the page at ``path``."""
    reader = _Reader(path)
    reader.feed(html)
    return reader.found
