"""A crawler over every page: the content policy is strict everywhere, and no page has anything in it that it refuses.

It follows every link and visits every address the application knows, in both languages and both sizes. What a browser
reports of its own while pages are used is caught in tests/browser (conftest.py).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.web.pages import BEST, ids, paper_for, vote

#: what can stand in an address, by the name of its part
PARTS = {"slug": "best", "number": "3", "code": "0000000000000000", "provider": "wechat", "version": "1"}
PARTS |= {"token": "none", "mark": "0" * 16, "account_id": "1", "candidate_id": "1", "step": "texts", "act": "pause"}
PARTS |= {"nomination_id": "1"}
#: read by machines, or (the last) made by the static build
NO_PAGES = ("/api/", "/healthz", "/readyz", "/metrics", "/static/", "/photos/", "/banners/")
REFUSED = ("'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "data:", "*", "http:", "https:", "blob:")
NEEDED = {"default-src": "'self'", "base-uri": "'none'", "object-src": "'none'", "frame-ancestors": "'none'"}
#: attributes that name what a page loads; the rest is only followed
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("iframe", "src"), ("video", "src")}
VARIANTS = ("", "lang=en", "large=1")


class Page(HTMLParser):
    """What a page links to, and what in it a strict policy would refuse."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        # Data for a script is no script.
        if tag == "style" or (tag == "script" and "src" not in given and given.get("type") != "application/json"):
            self.inline.append(f"<{tag}> with text of its own")
        for name, value in attributes:
            if name == "style" or re.fullmatch(r"on[a-z]+", name):
                self.inline.append(f"<{tag} {name}={value!r}>")
            if name in ("href", "src", "action", "formaction") and value:
                if value.lower().startswith(("javascript:", "data:")):
                    self.inline.append(f"<{tag} {name}={value!r}>")
                # The address of record is only named, and always whole.
                loaded = (tag, name) in LOADED and given.get("rel") != "canonical"
                if loaded and urlsplit(value).netloc:
                    self.inline.append(f"<{tag} {name}={value!r}> comes from another host")
                self.links.add(value)

    handle_startendtag = handle_starttag


def policy_of(answer: TestResponse) -> dict[str, list[str]]:
    directives = [part.split() for part in answer.headers.get("Content-Security-Policy", "").split(";")]
    return {words[0]: words[1:] for words in directives if words}


def complaints(path: str, answer: TestResponse) -> Iterator[str]:
    policy = policy_of(answer)
    for name, value in NEEDED.items():
        if policy.get(name) != [value]:
            yield f"{path}: {name} is {policy.get(name)}"
    for name, values in policy.items():
        for value in values:
            if value in REFUSED:
                yield f"{path}: {name} allows {value}"
    for each in Page(answer.text).inline:
        yield f"{path}: {each}"


def filled(rule: Rule) -> str:
    """An address for a rule; a part nobody knows a value for fails the test."""
    assert rule.arguments <= PARTS.keys(), f"say in PARTS what can stand in {rule.rule}"
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda part: PARTS[part[1]], rule.rule)


def with_variant(path: str, variant: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{variant}" if variant else path


def crawl(client: FlaskClient, starts: list[str]) -> dict[str, TestResponse]:
    """Every page that can be reached from here, once for each address without its words."""
    seen: set[tuple[str, frozenset[str]]] = set()
    pages: dict[str, TestResponse] = {}
    waiting = deque(starts)
    while waiting:
        path = waiting.popleft()
        parts = urlsplit(path)
        # The same page with other candidates ticked is the same page.
        kind = frozenset(name.split("=")[0] for name in parts.query.split("&")) - {"choice"}
        where = re.sub(r"/candidates/\d+", "/candidates/#", parts.path)
        if parts.netloc or (where, kind) in seen or where.startswith(NO_PAGES):
            continue
        seen.add((where, kind))
        answer = client.get(path)
        if answer.location:
            waiting.append(urljoin(path, answer.location))
        if answer.mimetype == "text/html":
            pages[path] = answer
            waiting.extend(urljoin(path, link) for link in sorted(Page(answer.text).links))
        answer.close()
    return pages


def test_no_page_needs_more_than_a_strict_policy(client: FlaskClient, web_app: Flask, open_slug: str) -> None:
    second = paper_for(client, *ids(web_app, 1, 2))
    receipt = vote(client, *ids(web_app, 1, 2)).location
    rules = [rule for rule in web_app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = [filled(rule) for rule in rules if not rule.rule.startswith(NO_PAGES)]
    chosen = "&".join(f"choice={one}" for one in ids(web_app, 1, 3, 101))
    paths += ["/", receipt, f"{BEST}/review?{chosen}", "/c/nowhere", "/nothing"]
    pages = crawl(client, [with_variant(path, variant) for variant in VARIANTS for path in paths])
    refusal = client.post(f"{BEST}/ballots", data=second)
    assert refusal.status_code == 403
    pages["POST ballots, refused"] = refusal
    assert len(pages) > 3 * len(rules) / 2, sorted(pages)
    found = [each for path, answer in pages.items() for each in complaints(path, answer)]
    assert found == []


def test_the_crawler_would_notice() -> None:
    bad = '<p style="x"><a onclick="y" href="javascript:z">a</a><script>1</script><style>b</style><img src="//cdn/x">'
    assert len(Page(bad).inline) == 6
    good = '<script src="/a.js"></script><script type="application/json">{}</script><img src="/x.png">'
    assert Page(good).inline == []
