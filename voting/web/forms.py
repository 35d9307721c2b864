"""The shape of what citizens send: names, types and lengths. What it means is decided by services and rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import Form, IntegerField, StringField
from wtforms.validators import Length, NumberRange, Optional, Regexp

from voting.rules.ballot_id import parse_ballot_id
from voting.rules.errors import MalformedBallot
from voting.rules.voter import parse_receipt_code

MOST_CHOICES = 1000
LONGEST_ID = 10


def _trim(text: str | None) -> str:
    return " ".join(text.split()) if text else ""


class FindForm(Form):
    """Search, filter and page of the candidates' list. A field that does not fit is reported and left out."""

    q = StringField(
        filters=[_trim], validators=[Length(max=40, message=lazy_gettext("搜索词最多 40 个字，请缩短后再查找。"))]
    )
    area = StringField(filters=[_trim], validators=[Optional(), Regexp(r"[0-9]{2,12}\Z")])
    page = IntegerField(validators=[Optional(), NumberRange(1, 100_000)])
    #: the page a ＋ or － was pressed on, which is shown again
    on = IntegerField(validators=[Optional(), NumberRange(1, 100_000)])

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> FindForm:
        """A validated form; after it every field holds something that can be used."""
        form = cls(args)
        form.validate()
        if form.area.errors:
            form.area.data = ""
        if form.page.errors or form.page.data is None:
            stays = not form.on.errors and ("add" in args or "drop" in args)
            form.page.data = (form.on.data if stays else None) or 1
        return form


class ReceiptForm(Form):
    """A receipt code as people type it."""

    code = StringField(filters=[_trim], validators=[Length(max=64)])

    def parsed(self) -> str | None:
        """The code in its one spelling, or None."""
        return parse_receipt_code(self.code.data or "") if self.validate() else None


@dataclass(frozen=True, slots=True)
class SentBallot:
    """A ballot of the right shape; whether it is accepted is decided by the box."""

    ballot_id: str
    choices: tuple[int, ...]


def read_number(text: str) -> int | None:
    """A candidate id as it stands in a query or form, or None."""
    return int(text) if 0 < len(text) <= LONGEST_ID and text.isascii() and text.isdecimal() else None


def read_choices(texts: Iterable[str]) -> list[int]:
    """Candidate ids of a query, in order; what is no id is left out. Raises MalformedBallot beyond MOST_CHOICES."""
    chosen = [number for text in texts if (number := read_number(text)) is not None]
    if len(chosen) > MOST_CHOICES:
        raise MalformedBallot("choice: too many")
    return chosen


def read_ballot(form: MultiDict[str, str]) -> SentBallot:
    """A ballot sent as a form; raises MalformedBallot. No WTForms here: this is the vote's own path, kept lean."""
    ids = form.getlist("ballot_id")
    if len(ids) != 1:
        raise MalformedBallot("ballot_id: exactly one")
    texts = form.getlist("choice")
    if not texts:
        raise MalformedBallot("choice: missing")
    if len(texts) > MOST_CHOICES:
        raise MalformedBallot("choice: too many")
    choices = []
    for text in texts:
        number = read_number(text)
        if number is None:
            raise MalformedBallot("choice: not a number")
        choices.append(number)
    return SentBallot(parse_ballot_id(ids[0]), tuple(choices))
