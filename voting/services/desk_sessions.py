"""Browsers that are signed in at the desk: begun with a new token, found again by it, listed, ended.

Kept in the database, not in the cookie: so they can be listed and ended, all at once when a password changes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from voting.rules.account_errors import SignInNeeded
from voting.rules.address import fold_address
from voting.rules.roles import Holder
from voting.services.accounts import digest, holder_of, now_ms
from voting.services.trail import acting_as, write_entry
from voting.services.transactions import reading, writing
from voting.storage.accounts import (
    DeskSession,
    drop_old_sessions,
    drop_sessions,
    find_session,
    list_sessions,
    touch_session,
)

IDLE_MS = 60 * 60_000
LONGEST_MS = 12 * 3_600_000
#: how exactly the last use is known; it saves a write for each page
TOUCH_MS = 60_000


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session in the list its owner sees; ``mark`` names it in a form, ``current`` is the one that asks."""

    mark: str
    created_at: int
    seen_at: int
    agent: str
    network: str
    current: bool


def begin_session(holder: Holder, agent: str, address: str) -> str:
    """Sign a browser in; returns the token of its cookie, never one that was there before."""
    token, now = secrets.token_urlsafe(32), now_ms()
    folded = fold_address(address)
    with writing() as session, acting_as(holder.name):
        drop_old_sessions(session, now - IDLE_MS, now - LONGEST_MS)
        session.add(
            DeskSession(
                digest=digest(token),
                account_id=holder.id,
                created_at=now,
                seen_at=now,
                agent=agent[:120],
                network=folded.network if folded else "",
            )
        )
        write_entry(session, "session.begin", holder.name, after={"network": folded.network if folded else ""})
    return token


def find_holder(token: str, used: bool = True) -> Holder:
    """Who a token belongs to; raises SignInNeeded when it is unknown, ended, or was not used for an hour.

    ``used`` is False for what a page asks by itself: a screen left open does not keep anybody signed in.
    """
    key, now = digest(token), now_ms()
    with reading() as session:
        found = find_session(session, key)
        if found is None:
            raise SignInNeeded
        row, account = found
        over = now - row.seen_at > IDLE_MS or now - row.created_at > LONGEST_MS
        if over or account.disabled_at is not None:
            raise SignInNeeded
        holder, seen_at = holder_of(account), row.seen_at
    if used and now - seen_at > TOUCH_MS:
        with writing() as session:
            touch_session(session, key, now)
    return holder


def end_session(holder: Holder, token: str) -> None:
    """Sign out."""
    with writing() as session:
        drop_sessions(session, holder.id, only=digest(token))
        write_entry(session, "session.end", holder.name)


def end_marked(holder: Holder, mark: str) -> bool:
    """End one of the holder's own sessions, named by its mark; whether there was one."""
    with writing() as session:
        mine = [row.digest for row in list_sessions(session, holder.id) if _mark(row.digest) == mark]
        for key in mine:
            drop_sessions(session, holder.id, only=key)
            write_entry(session, "session.revoke", holder.name)
    return bool(mine)


def end_others(holder: Holder, token: str) -> int:
    """End all of the holder's sessions but this one; how many there were."""
    with writing() as session:
        ended = drop_sessions(session, holder.id, keep=digest(token))
        if ended:
            write_entry(session, "session.revoke", holder.name, after={"sessions ended": ended})
    return ended


def sessions_of(holder: Holder, token: str) -> list[SessionView]:
    """The holder's sessions, the one used last first."""
    with reading() as session:
        return [
            SessionView(_mark(r.digest), r.created_at, r.seen_at, r.agent, r.network, r.digest == digest(token))
            for r in list_sessions(session, holder.id)
            if now_ms() - r.seen_at <= IDLE_MS
        ]


def _mark(key: bytes) -> str:
    return key[:8].hex()
