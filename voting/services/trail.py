"""The audit trail: every write of a person, with before and after, chained so that a change of history shows.

Who acts is set once at the edge (``acting_as``: the desk's session, the command line) and read here, so that no service
can forget to pass it on. An entry is part of the transaction of what it tells about: both are there or neither.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from voting.services.transactions import reading
from voting.storage.trail import TrailEntry, find_entries, get_head, iter_entries, lock_head

SYSTEM = "system"
_FIRST = "0" * 64
_actor: ContextVar[str] = ContextVar("actor", default=SYSTEM)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is shown and exported."""

    number: int
    at_ms: int
    actor: str
    act: str
    campaign: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the chain at ``number``: edited, removed (something before it is missing) or cut (its end)."""

    number: int
    kind: str


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whoever acts in this block, for every entry that is written in it."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> str:
    return _actor.get()


def write_entry(
    session: Session,
    act: str,
    subject: str = "",
    campaign: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Add an entry to the transaction of the service that acts. ``act`` is a word like "campaign.open"."""
    head = lock_head(session)
    entry = TrailEntry(
        number=head.number + 1,
        at_ms=time.time_ns() // 1_000_000,
        actor=current_actor(),
        act=act,
        campaign=campaign,
        subject=subject[:200],
        before=_json(before or {}),
        after=_json(after or {}),
        reason=reason,
    )
    entry.hash = _hash(entry, head.hash)
    session.add(entry)
    head.number, head.hash = entry.number, entry.hash
    session.flush()


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only what differs, for an entry's before and after."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {n: before[n] for n in names if n in before}, {n: after[n] for n in names if n in after}


def check_trail() -> list[Fault]:
    """Walk the whole chain; no fault means that no entry was edited, removed or put elsewhere."""
    faults: list[Fault] = []
    expected, before = 1, _FIRST
    with reading() as session:
        for entry in iter_entries(session):
            if entry.number != expected:
                faults.append(Fault(entry.number, "removed"))
            elif _hash(entry, before) != entry.hash:
                faults.append(Fault(entry.number, "edited"))
            # Go on from what stands there: one fault is told once.
            expected, before = entry.number + 1, entry.hash
        head = get_head(session)
    if head != (expected - 1, before) and not (faults and faults[-1].number == expected - 1):
        faults.append(Fault(head[0], "cut"))
    return faults


def list_entries(
    campaign: str = "",
    actor: str = "",
    act: str = "",
    before: int | None = None,
    limit: int = 100,
    subject: str = "",
) -> list[Entry]:
    """Entries, newest first; ``before`` is the number to go on from."""
    with reading() as session:
        return [_view(entry) for entry in find_entries(session, campaign, actor, act, before, limit, subject)]


def all_entries() -> Iterator[Entry]:
    """Every entry from the first, for the export."""
    with reading() as session:
        for entry in iter_entries(session):
            yield _view(entry)


def _view(entry: TrailEntry) -> Entry:
    return Entry(
        entry.number,
        entry.at_ms,
        entry.actor,
        entry.act,
        entry.campaign,
        entry.subject,
        json.loads(entry.before),
        json.loads(entry.after),
        entry.reason,
        entry.hash,
    )


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _hash(entry: TrailEntry, before: str) -> str:
    fields = [entry.number, entry.at_ms, entry.actor, entry.act, entry.campaign, entry.subject]
    fields += [entry.before, entry.after, entry.reason, before]
    return sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
