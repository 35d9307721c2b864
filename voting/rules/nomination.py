"""Nominations: when they may be sent and by whom, the states they go through, and what must not stand in them.

What becomes public when a nomination is accepted must hold no telephone, identity number or house number: a household
is named by its village at most.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from voting.rules.campaign import Stage, check_transition
from voting.rules.candidate_errors import FieldProblem
from voting.rules.errors import StageRefused
from voting.rules.findings import Finding
from voting.rules.nomination_errors import (
    NominationDecided,
    NominationNotFound,
    NominationsNotOpen,
    NominationsOver,
)

State = Literal["sent", "returned", "accepted", "declined"]
STATES: tuple[State, ...] = get_args(State)
#: anybody with the link, or the reviewer of an area at the desk
Sender = Literal["public", "desk"]
LONGEST_CONDITIONS = 2000

#: what is done with a nomination -> (states it is possible in, state it leads to)
ACTS: Mapping[str, tuple[tuple[State, ...], State]] = {
    "return": (("sent",), "returned"),
    "decline": (("sent", "returned"), "declined"),
    "accept": (("sent",), "accepted"),
    "amend": (("returned",), "sent"),
}
#: acts that are told to the nominator with a reason
WITH_REASON = ("return", "decline")

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[0-9]{9,11}")
#: an identity number, a telephone, a number that follows a road, a lane or a village
_PRIVATE = (
    re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])"),
    re.compile(r"(?<![0-9])1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])"),
    re.compile(r"(?<![0-9])0[0-9]{2,3}[ -]?[0-9]{7,8}(?![0-9])"),
    re.compile(r"[路街巷弄里村组队屯坊寨苑区] *[0-9]{1,5}(?:-[0-9]{1,5})? *(?:号|號|室|栋|幢|单元)"),
    re.compile(r"门牌"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A campaign's call for nominations: ``opens_ms <= t < closes_ms``, for some awards, from some senders."""

    opens_ms: int
    closes_ms: int
    public: bool = False
    desk: bool = False
    awards: tuple[str, ...] = ()
    conditions: str = ""

    def takes(self, sender: Sender) -> bool:
        return self.public if sender == "public" else self.desk


def check_call(call: Call | None, stage: Stage, sender: Sender, now_ms: int) -> Call:
    """The call, if this sender may send a nomination now.

    Raises NominationNotFound (nothing is said of a draft that takes none), NominationsNotOpen or NominationsOver.
    """
    if call is None or not call.takes(sender):
        raise NominationNotFound
    check_reviewing(stage, call)
    if now_ms < call.opens_ms:
        raise NominationsNotOpen(call.opens_ms)
    if now_ms >= call.closes_ms:
        raise NominationsOver(call.closes_ms)
    return call


def check_reviewing(stage: Stage, call: Call | None) -> None:
    """Candidates are added to drafts only. Raises NominationsOver."""
    try:
        check_transition("nominate", stage)
    except StageRefused:
        raise NominationsOver(call.closes_ms if call else 0) from None


def next_state(act: str, state: State) -> State:
    """The state an act leads to; raises NominationDecided when it is not possible any more."""
    possible, following = ACTS[act]
    if state not in possible:
        raise NominationDecided
    return following


def acts_in(state: State) -> tuple[str, ...]:
    """What can be done in a state."""
    return tuple(act for act, (possible, _) in ACTS.items() if state in possible)


def call_problems(call: Call, awards: Collection[str]) -> tuple[FieldProblem, ...]:
    """What is wrong with a call; ``awards`` are the keys of the campaign."""
    found = []
    if call.closes_ms <= call.opens_ms:
        found.append(FieldProblem("closes", "order"))
    if not set(call.awards) <= set(awards):
        found.append(FieldProblem("awards", "choose"))
    elif not call.awards and (call.public or call.desk):
        found.append(FieldProblem("awards", "empty"))
    if len(call.conditions) > LONGEST_CONDITIONS:
        found.append(FieldProblem("conditions", "long", str(LONGEST_CONDITIONS)))
    return tuple(found)


def waiting_findings(counts: Mapping[str, int]) -> list[Finding]:
    """What an organizer should know before opening: nobody can be accepted afterwards. ``counts`` are by state."""
    left = counts.get("sent", 0) + counts.get("returned", 0)
    if not left:
        return []
    text = f"{left} nominations are not decided; nobody is accepted after opening"
    return [Finding("nominations_waiting", "candidates", text, {"n": left}, blocks=False)]


def read_telephone(text: str) -> str | None:
    """A telephone number of mainland China as people type it, mobile or with its area code: its digits, or None."""
    digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", text[:40]))
    digits = re.sub(r"^(?:\+86|0086|86(?=1[0-9]{10}$))", "", digits)
    fits = digits.isascii() and (_MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits))
    return digits if fits else None


def find_private(text: str) -> str | None:
    """The first thing in a text that must not become public, as it stands there (in plain digits), or None."""
    plain = unicodedata.normalize("NFKC", text)
    for pattern in _PRIVATE:
        if found := pattern.search(plain):
            return found[0]
    return None
