"""Candidates' stories: Markdown in, a small safe set of HTML out. Nothing else may mark text as safe."""

from __future__ import annotations

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
_TAGS = {"p", "br", "em", "strong", "ul", "ol", "li", "blockquote", "a"}


@lru_cache(maxsize=512)
def render_story(text: str) -> Markup:
    """A story as paragraphs, emphasis, lists and links; anything else is taken out."""
    html = nh3.clean(
        _markdown.render(text),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https"},
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(html)
