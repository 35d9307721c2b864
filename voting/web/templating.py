"""What every template may use: assets, language, filters for numbers, times and receipt codes. No page lives here."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, urlencode

from flask import Flask, current_app, request
from flask_babel import gettext

from voting.rules.campaign import RuleSet
from voting.web import times
from voting.web.display_wording import counts_note
from voting.web.language import html_lang, init_language
from voting.web.phase_wording import can_vote, phase_name, phase_sentence
from voting.web.selection import counted, most_per_candidate
from voting.web.sharing import wechat_script
from voting.web.sign_in_wording import provider_name
from voting.web.stories import render_story
from voting.web.text_size import html_size, large_level


class AssetsNotBuilt(RuntimeError):
    """The built style sheets and scripts are missing."""


class Assets:
    """Built assets by logical name, from the manifest the build wrote: {"citizen.css": "citizen.1A2B.css"}."""

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._names: dict[str, str] = {}

    def url(self, name: str) -> str:
        """The URL of an asset; raises AssetsNotBuilt with what to do about it."""
        if not self._names:
            try:
                self._names = json.loads(self._manifest.read_text(encoding="utf-8"))
            except FileNotFoundError:
                raise AssetsNotBuilt(
                    f"{self._manifest} is missing: build the front-end assets first (python3 run.py does it)"
                ) from None
        if name not in self._names:
            raise AssetsNotBuilt(f"{name} is not in {self._manifest}: build the front-end assets again")
        # Put together by hand: a page of forty cards asks forty times, and url_for would cost it a millisecond.
        return f"{request.script_root}{current_app.static_url_path}/dist/{self._names[name]}"


def asset(name: str) -> str:
    """The URL of a built asset by its logical name, such as ``citizen.css``."""
    assets: Assets = current_app.extensions["voting-assets"]
    return assets.url(name)


def group_receipt(code: str) -> list[str]:
    """A receipt code in groups of four, as it is printed and read aloud."""
    return [code[at : at + 4] for at in range(0, len(code), 4)]


def page_with(name: str, value: str) -> str:
    """This very page with one preference changed, chosen candidates and filters kept; the home page after a POST."""
    if request.method != "GET":
        return f"/?{name}={value}"
    query = [(key, text) for key, text in request.args.items(multi=True) if key != name]
    return f"{quote(request.path)}?{urlencode([*query, (name, value)])}"


def tint(candidate_id: int) -> str:
    """One of four quiet grounds for a drawn placeholder, the same for a candidate everywhere."""
    return f"tint-{candidate_id % 4}"


def is_household(rules: RuleSet, award: str) -> bool:
    """Whether an award is about households, as its name says."""
    name = rules.award(award).name
    return "户" in name or "家庭" in name


def placeholder(rules: RuleSet, award: str) -> str:
    """The drawn picture that stands in for a photo: a house for awards of households, a centre for all others."""
    return f"img/placeholder-{'household' if is_household(rules, award) else 'centre'}.svg"


def step_words() -> dict[str, str]:
    """The words of the ＋ and － buttons, looked up once for a page of forty cards."""
    return {
        "votes_for": gettext("给 %(name)s 的票数", name="#"),
        "less": gettext("减一票"),
        "more": gettext("加一票"),
        "unit": gettext("票"),
    }


def init_templates(app: Flask) -> None:
    """Register language, filters and globals; the one call ``create_app`` makes for the pages' look."""
    init_language(app)
    assert app.static_folder is not None
    app.extensions["voting-assets"] = Assets(Path(app.static_folder) / "dist" / "manifest.json")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        number=lambda value: f"{value:,}",
        counted=counted,
        exact_time=times.exact_time,
        day_time=times.day_time,
        iso_time=times.iso_time,
        date_and_time=times.date_and_time,
        clock_time=times.clock_time,
        receipt=group_receipt,
        story=render_story,
        tint=tint,
    )
    app.jinja_env.globals.update(
        asset=asset,
        page_with=page_with,
        large_level=large_level,
        html_size=html_size,
        html_lang=html_lang,
        placeholder=placeholder,
        most_per_candidate=most_per_candidate,
        now_ms=times.now_ms,
        step_words=step_words,
        wechat_script=wechat_script,
        phase_name=phase_name,
        phase_sentence=phase_sentence,
        can_vote=can_vote,
        counts_note=counts_note,
        provider_name=provider_name,
    )
