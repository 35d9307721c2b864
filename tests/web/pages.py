"""What tests of pages do again and again: read the words of a page, fill its forms, vote."""

from __future__ import annotations

import re
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from voting.services.catalogue import get_campaign

BEST = "/c/best"


def text_of(response: TestResponse) -> str:
    """What a reader sees, roughly: tags out, white space folded."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def fields_of(response: TestResponse, action: str) -> MultiDict[str, str]:
    """The hidden fields of the form with that action."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', response.text, re.DOTALL)
    assert form, f"no form for {action}"
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])
    return MultiDict([(name, unescape(value)) for name, value in hidden])


def ids(app: Flask, *numbers: int) -> list[int]:
    with app.app_context():
        return [get_campaign("best").by_number[number].id for number in numbers]


def paper_for(client: FlaskClient, *chosen: int) -> MultiDict[str, str]:
    page = client.get(f"{BEST}/review", query_string=[("choice", str(one)) for one in chosen])
    return fields_of(page, f"{BEST}/ballots")


def vote(client: FlaskClient, *chosen: int) -> TestResponse:
    return client.post(f"{BEST}/ballots", data=paper_for(client, *chosen))
