"""The form of a nomination, the same for citizens and at the desk: its fields, and reading what came with it.

What is wrong with a text is decided by the service; a photo is taken in here, because browsers send it only once.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import request
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, HiddenField, StringField, TextAreaField

from voting.rules.campaign import Award
from voting.rules.candidate_errors import FieldProblem
from voting.rules.errors import PhotoRefused
from voting.rules.nomination_errors import NominationRefused
from voting.services.nominating import ABOUT, CONTACT, Sent, new_code
from voting.services.photos import MOST_BYTES, find_photo, prepare_photo
from voting.web.nomination_wording import LABELS

#: a photo that is too large should still be refused in words; fields beside it, each character three bytes
MOST_SENT, MOST_FIELDS = 4 * MOST_BYTES, 256 * 1024
#: so many awards and groups are shown as dots, more as a list to open
MOST_DOTS = 8


class NominationForm(Form):
    """``place`` is an award's key, or award/group; ``code`` makes a form that is sent twice one nomination."""

    place = StringField(LABELS["place"])
    name = StringField(LABELS["name"])
    area_code = HiddenField(LABELS["area_code"])
    summary = TextAreaField(LABELS["summary"])
    story = TextAreaField(LABELS["story"])
    nominator = StringField(LABELS["nominator"])
    telephone = StringField(LABELS["telephone"])
    consent = BooleanField(LABELS["consent"])
    photo = HiddenField(LABELS["photo"])
    no_photo = BooleanField()
    code = HiddenField()
    seen = HiddenField()

    @classmethod
    def fresh(cls, area: str = "", **values: str) -> NominationForm:
        return cls(data={"code": new_code(), "area_code": area, **values})

    @classmethod
    def of(cls, values: dict[str, str], photo: str | None, seen: int) -> NominationForm:
        """The form with what was sent earlier, to be amended."""
        place = "/".join(part for part in (values["award"], values["group_key"]) if part)
        return cls(data={**values, "place": place, "photo": photo or "", "seen": str(seen)})

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> NominationForm:
        """What was typed; a photo is named only if there is one of that name."""
        form = cls(sent)
        if form.no_photo.data or find_photo(form.photo.data or "", 360, "webp") is None:
            form.photo.data = ""
        return form

    def take_photo(self) -> None:
        """Store the photo that came with the form, and keep its name in it. Raises NominationRefused."""
        file = request.files.get("file")
        content = file.read(MOST_BYTES + 1) if file else b""
        if content:
            try:
                self.photo.data = prepare_photo(content)
            except PhotoRefused:
                raise NominationRefused((FieldProblem("photo", "photo"),)) from None
        elif request.form.get("file_lost"):
            # The session was over when it was sent: a nomination is not taken without the photo it came with.
            raise NominationRefused((FieldProblem("photo", "lost"),))

    def sent(self) -> Sent:
        """The form as the service takes it."""
        award, _, group = (self.place.data or "").partition("/")
        values = {name: self[name].data or "" for name in (*ABOUT, *CONTACT) if name in self}
        values |= {"award": award, "group_key": group}
        return Sent(values, self.photo.data or None, bool(self.consent.data))

    def carried(self) -> list[tuple[str, str]]:
        """Everything but the area, for a page in between."""
        texts = [(field.name, str(field.data)) for field in self if field.data and field.name != "area_code"]
        return [(name, "1" if name in ("consent", "no_photo") else text) for name, text in texts]


def places_of(awards: Sequence[Award]) -> list[tuple[str, str]]:
    """What can be nominated for: awards, or the groups of an award that has some."""
    found = []
    for award in awards:
        found += [(f"{award.key}/{group.key}", f"{award.name} · {group.name}") for group in award.groups]
        found += [] if award.groups else [(award.key, award.name)]
    return found


def take_files() -> None:
    """Let this request be as large as a nomination with its photo; before anything reads the body."""
    request.max_content_length, request.max_form_memory_size = MOST_SENT, MOST_FIELDS
