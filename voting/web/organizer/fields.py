"""Fields of the desk's forms: numbers, instants, times of day and texts, with complaints a person can act on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, FieldList, Form, FormField, IntegerField, SelectField, StringField, widgets
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    StopValidation,
    ValidationError,
)

from voting.web.times import minute_of_day

NEEDED = lazy_gettext("请填写这一项。")
MOST = 1_000_000
T = TypeVar("T", bound=Form)
#: the name of a row of a list, or of a row of a list in a row
_ROW = re.compile(r"[a-z]+-\d+(?:-[a-z]+-\d+)?")
#: units of a length of time, in seconds
UNITS = {"s": 1, "m": 60, "h": 3600}


def clean(text: str | None) -> str:
    """One line without what cannot be seen: databases refuse some of it, and people cannot find it."""
    return " ".join(_visible(text or "").split())


def clean_lines(text: str | None) -> str:
    """As ``clean``, keeping line breaks."""
    return "\n".join(line.strip() for line in _visible(text or "").splitlines()).strip()


def _visible(text: str) -> str:
    return "".join(each for each in text if each in "\n\r\t" or unicodedata.category(each)[0] != "C")


def text_field(label: Any, most: int, needed: bool = False, lines: bool = False) -> Any:
    """A text of at most so many characters."""
    validators: list[Any] = [DataRequired(NEEDED)] if needed else [Optional()]
    validators.append(Length(max=most, message=lazy_gettext("最多 %(max)d 个字。")))
    widget = widgets.TextArea() if lines else widgets.TextInput()
    return StringField(label, validators, filters=[clean_lines if lines else clean], widget=widget)


def number_field(label: Any, least: int, most: int = MOST, needed: bool = True) -> Any:
    """A whole number within bounds."""
    said = lazy_gettext("请填 %(min)s 至 %(max)s 之间的整数。")
    return Number(label, [InputRequired(NEEDED) if needed else Optional(), NumberRange(least, most, said)])


class OneComplaint(Field):
    """What cannot be read at all is told once, not a second time by what wanted to check it."""

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:
            raise StopValidation


class Number(OneComplaint, IntegerField):
    """A whole number; also one of full-width digits."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if text:
            try:
                self.data = int(text[:12])
            except ValueError:
                raise ValueError(gettext("请填整数。")) from None


class Moment(OneComplaint, StringField):
    """Date and minute on the local clock, without a zone."""

    data: Any
    widget = widgets.DateTimeLocalInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data:%Y-%m-%dT%H:%M}" if isinstance(self.data, datetime) else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        moment: datetime | None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is not None or not 2000 <= moment.year <= 2100:
            raise ValueError(gettext("请填日期和时间，例如 2026-11-01 09:00。"))
        self.data = moment.replace(second=0, microsecond=0)


class Clock(OneComplaint, StringField):
    """A time of day in minutes after midnight; 24:00 is the end of the day."""

    data: Any

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return minute_of_day(self.data) if isinstance(self.data, int) else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = valuelist[0].strip().replace("：", ":") if valuelist else ""
        if not text:
            return
        hour, _, minute = text.partition(":")
        if not (hour.isdecimal() and minute.isdecimal() and len(hour) <= 2 and len(minute) == 2):
            raise ValueError(gettext("请填时刻，例如 06:00。"))
        self.data = int(hour) * 60 + int(minute)
        if int(minute) > 59 or self.data > 24 * 60:
            raise ValueError(gettext("请填 00:00 至 24:00 之间的时刻。"))


class Choice(SelectField):
    """One of some words."""

    def pre_validate(self, form: Any) -> None:
        if self.data not in {value for value, *_ in self.iter_choices()}:
            raise ValidationError(gettext("请从列表中选择。"))


def offered(words: Mapping[str, Any]) -> Callable[[], list[tuple[str, str]]]:
    """Words to choose from, said in the language of whoever reads them."""
    return lambda: [(value, str(said)) for value, said in words.items()]


def unit_field(label: Any) -> Any:
    """The unit of a length of time."""
    words = {"s": lazy_gettext("秒"), "m": lazy_gettext("分钟"), "h": lazy_gettext("小时")}
    return Choice(label, choices=offered(words))


def in_units(seconds: int) -> tuple[int, str]:
    """A length of time in the largest unit that keeps it whole."""
    for unit in ("h", "m"):
        if seconds and seconds % UNITS[unit] == 0:
            return seconds // UNITS[unit], unit
    return seconds, "s" if seconds else "m"


def read_rows(kind: type[T], sent: MultiDict[str, str]) -> tuple[T, str | None]:
    """The form that was sent, with a row more or less where one of these buttons was pressed.

    Beside it the name of the new row, "" where none came, and None where no such button was pressed. A button that
    leads nowhere changes nothing, and above all saves nothing. A row is taken away before the form is read, because
    reading numbers rows anew.
    """
    if (gone := sent.get("remove")) is not None:
        kept = MultiDict(sent)
        if _ROW.fullmatch(gone):
            kept = MultiDict([(name, text) for name, text in sent.items(multi=True) if not name.startswith(f"{gone}-")])
        return kind(kept), ""
    form = kind(sent)
    if (more := sent.get("add")) is None:
        return form, None
    rows = _rows(form, more)
    if rows is None or len(rows.entries) >= (rows.max_entries or 0):
        return form, ""
    return form, str(rows.append_entry().name)


def _rows(form: Form, name: str) -> FieldList | None:
    for field in form:
        if isinstance(field, FieldList):
            if field.name == name:
                return field
            for entry in field.entries:
                if isinstance(entry, FormField) and (found := _rows(entry.form, name)) is not None:
                    return found
    return None


def answers(form: Form, path: str = "") -> dict[str, str]:
    """Every field by its label, as somebody reads it: to show two versions side by side."""
    found: dict[str, str] = {}
    for field in form:
        label = f"{path}{field.label.text}"
        if isinstance(field, FieldList):
            for at, entry in enumerate(field.entries, 1):
                found |= answers(entry.form, f"{label} {at} · ")
        elif field.type != "HiddenField":
            found[label] = _answer(field)
    return found


def _answer(field: Any) -> str:
    if isinstance(field, BooleanField):
        return gettext("是") if field.data else gettext("否")
    if choices := getattr(field, "choices", None):
        chosen = field.data if isinstance(field.data, list) else [field.data]
        return "、".join(str(words) for value, words in choices if value in chosen)
    return str(field._value())
