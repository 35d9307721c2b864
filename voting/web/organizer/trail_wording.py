"""An entry of the audit trail as lines to read: which field was what, and what it is now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext

from voting.services.trail import Entry
from voting.web.organizer.candidate_wording import FIELDS
from voting.web.organizer.import_wording import listed

#: what of a text is shown; the export has all of it
LONGEST = 80
#: what a row of a table was goes by the row itself
_UNNAMED = "rows_changed"
_NAMES = FIELDS | {
    "title": lazy_gettext("活动名称"),
    "organizer_name": lazy_gettext("主办单位"),
    "contact": lazy_gettext("其他联系方式"),
    "enquiry_phone": lazy_gettext("咨询电话"),
    "supervision_phone": lazy_gettext("监督电话"),
    "rules": lazy_gettext("规则"),
    "rules_hash": lazy_gettext("规则指纹"),
    "awards": lazy_gettext("奖项"),
    "groups": lazy_gettext("类别"),
    "seats": lazy_gettext("评选几个"),
    "min": lazy_gettext("至少选几个"),
    "max": lazy_gettext("最多选几个"),
    "optional": lazy_gettext("也可以一个都不选"),
    "ballot": lazy_gettext("整张选票"),
    "quotas": lazy_gettext("限额"),
    "limit": lazy_gettext("最多"),
    "opens_at": lazy_gettext("开始时间"),
    "closes_at": lazy_gettext("截止时间"),
    "daily_hours": lazy_gettext("每天的投票时间"),
    "time_zone": lazy_gettext("时区"),
    "identity": lazy_gettext("身份"),
    "challenge": lazy_gettext("人机验证"),
    "display": lazy_gettext("票数公布"),
    "photo": lazy_gettext("照片"),
    "standing": lazy_gettext("参评状态"),
    "reason": lazy_gettext("理由"),
    "roles": lazy_gettext("职责"),
    "area": lazy_gettext("地区"),
    "rows": lazy_gettext("行数"),
    "added": lazy_gettext("新增"),
    "changed": lazy_gettext("更新"),
    "new_numbers": lazy_gettext("新的编号"),
    "new_codes": lazy_gettext("新的代码"),
    "listed": lazy_gettext("最多列出"),
    "digest": lazy_gettext("全部改动的指纹"),
    "level": lazy_gettext("级别"),
    "parent": lazy_gettext("上级代码"),
}

_ORDER = {name: place for place, name in enumerate(_NAMES)}


@dataclass(frozen=True, slots=True)
class Change:
    """One field; ``before`` or ``after`` is None where the entry does not have it."""

    name: str
    before: str | None
    after: str | None


def changes_of(entry: Entry) -> list[Change]:
    """Every field that differs, those inside of others too: of a rule set only what was changed in it."""
    before, after = dict(_leaves(entry.before)), dict(_leaves(entry.after))
    differing = [
        path for path in {**before, **after} if path not in before or path not in after or before[path] != after[path]
    ]
    # What is about the whole comes before what is inside of it.
    differing.sort(key=lambda path: (len(path) > 1, _ORDER.get(path[0], len(_ORDER)) if len(path) == 1 else 0))
    return [Change(_place(path), _told(before, path), _told(after, path)) for path in differing]


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, str) and value.startswith("{"):
        value = _parsed(value)
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        for place, each in enumerate(value, 1):
            marks = _marks(each)
            rest = {name: inner for name, inner in each.items() if name not in marks}
            yield from _leaves(rest, (*path, listed([str(mark) for mark in marks.values()]) or str(place)))
    else:
        yield path, value


def _parsed(text: str) -> Any:
    """A rule set that was kept as its text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _marks(each: Mapping[str, Any]) -> dict[str, Any]:
    """What tells one of a list from the others, wherever it stands: its key, or else every word of it."""
    if "key" in each:
        return {"key": each["key"]}
    return {name: inner for name, inner in each.items() if isinstance(inner, str)}


def _place(path: tuple[str, ...]) -> str:
    return " › ".join(str(_NAMES.get(name, name)) for name in path if name != _UNNAMED)


def _told(leaves: Mapping[tuple[str, ...], Any], path: tuple[str, ...]) -> str | None:
    if path not in leaves:
        return None
    value = leaves[path]
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    if value is None or value in ("", []):
        return "—"
    text = listed([str(each) for each in value]) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else gettext("%(text)s……（共 %(n)s 个字）", text=text[:LONGEST], n=len(text))
