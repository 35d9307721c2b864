"""Puts the desk together: its rooms, and what its templates may use."""

from __future__ import annotations

from datetime import datetime
from types import ModuleType
from zoneinfo import ZoneInfo

from flask import Flask, g
from flask_babel import gettext

from voting.services.trail import Fault
from voting.web.organizer import (
    accounts,
    banner,
    campaigns,
    candidate_import,
    candidate_numbers,
    candidate_photos,
    candidates,
    changes,
    entrance,
    exports,
    nomination_call,
    nomination_sending,
    nominations,
    preview,
    records,
    result_room,
    stages,
    trial,
    watch,
    wizard,
)
from voting.web.organizer.finding_wording import STEP_NAMES, finding_sentence
from voting.web.organizer.guard import bp, desk_token
from voting.web.organizer.wording import act_name, role_name, state_name
from voting.web.sign_in_wording import provider_name

#: importing a room attaches its views to the blueprint
ROOMS: tuple[ModuleType, ...] = (entrance, accounts, records, campaigns, wizard, banner, preview, trial)
ROOMS += (candidates, candidate_import, candidate_numbers, candidate_photos)
ROOMS += (nominations, nomination_call, nomination_sending)
ROOMS += (stages, changes, watch, result_room, exports)
#: acts and sessions belong to no campaign, whose zone could be asked
ZONE = ZoneInfo("Asia/Shanghai")


def desk_time(at_ms: int) -> str:
    """Date and second of what happened at the desk."""
    return f"{datetime.fromtimestamp(at_ms / 1000, ZONE):%Y-%m-%d %H:%M:%S}"


def fault_sentence(fault: Fault) -> str:
    """What is wrong with the chain, for whoever checks it."""
    if fault.kind == "edited":
        return gettext("第 %(n)s 条的内容被改动过，或换过位置。", n=fault.number)
    if fault.kind == "removed":
        return gettext("第 %(n)s 条之前有记录被删除。", n=fault.number)
    return gettext("第 %(n)s 条之前的最后若干条记录被删除。", n=fault.number + 1)


def init_desk(app: Flask) -> None:
    """Register the desk."""
    app.jinja_env.filters.update(desk_time=desk_time, identity_name=provider_name)
    app.jinja_env.globals.update(
        desk_token=desk_token,
        desk_holder=lambda: g.get("holder"),
        role_name=role_name,
        state_name=state_name,
        act_name=act_name,
        fault_sentence=fault_sentence,
        finding_sentence=finding_sentence,
        step_name=lambda step: str(STEP_NAMES[step]),
    )
    app.register_blueprint(bp)
