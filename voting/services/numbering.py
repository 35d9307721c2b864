"""Numbers for all candidates of an award at once: by draw, by area or by name. Only in a draft.

A draw can be repeated by anybody: whoever has the smaller SHA-256 of "seed:code" comes first. Every draw, its seed
included, stays in the trail.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Literal

from voting.rules.campaign import check_transition
from voting.rules.candidate_errors import ChangedMeanwhile, NumbersTaken
from voting.services.spelling import sort_key
from voting.services.trail import Entry, list_entries, write_entry
from voting.services.transactions import writing
from voting.storage.campaigns import bump_version, lock_by_slug
from voting.storage.candidates import list_candidates, release_numbers, set_numbers
from voting.storage.database import AnyRow

Method = Literal["draw", "area", "name"]
ACT = "candidates.number"


def new_seed() -> str:
    """A seed where nobody brought one from a public draw."""
    return secrets.token_hex(8)


def number_candidates(slug: str, award: str, method: Method, seed: str, first: int, seen: int) -> int:
    """Number the candidates of an award from ``first`` on; how many there are.

    ``seen`` is the campaign's version on the page with the button. Raises StageRefused, ChangedMeanwhile, NumbersTaken.
    """
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_transition("number", campaign.stage)
        if seen != campaign.version:
            raise ChangedMeanwhile
        everyone = list_candidates(session, campaign.id)
        mine = [row for row in everyone if row.award == award]
        wanted = range(first, first + len(mine))
        others = [row.number for row in everyone if row.award != award and row.number in wanted]
        if others:
            raise NumbersTaken(others[0])
        after = in_order(mine, method, seed)
        release_numbers(session, [row.id for row in mine])
        set_numbers(session, [(row.id, number) for row, number in zip(after, wanted, strict=True)])
        told = {"method": method, "seed": seed if method == "draw" else "", "first": first, "candidates": len(mine)}
        before = {"order": order_digest(mine), "first": mine[0].number if mine else 0}
        write_entry(session, ACT, award, slug, before=before, after=told | {"order": order_digest(after)})
        bump_version(session, campaign.id)
        return len(mine)


def in_order(rows: Sequence[AnyRow], method: Method, seed: str = "") -> list[AnyRow]:
    """Rows in the order in which they get their numbers."""
    keys: dict[Method, Any] = {
        "draw": lambda row: (draw_key(seed, row.code), row.code),
        # Codes sort counties, towns and villages; those without an area come last.
        "area": lambda row: (row.area_code is None, row.area_code or "", sort_key(row.name), row.code),
        "name": lambda row: (sort_key(row.name), row.code),
    }
    return sorted(rows, key=keys[method])


def draw_key(seed: str, code: str) -> str:
    return sha256(f"{seed}:{code}".encode()).hexdigest()


def order_digest(rows: Sequence[AnyRow]) -> str:
    """A fingerprint of an order: the codes, one in a line."""
    return sha256("\n".join(row.code for row in rows).encode()).hexdigest()[:16]


def earlier_numberings(slug: str) -> list[Entry]:
    """What was numbered before, newest first: a draw that is repeated until it pleases shows here."""
    return list_entries(campaign=slug, act=ACT, limit=10)
