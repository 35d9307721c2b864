"""Leaderboards as pages: which rows stand on a page, figures by candidate, and the bodies kept for a second.

Ranks and votes come from ``services.leaderboard`` as they are; nothing is counted or ranked here.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from voting.rules.campaign import Award
from voting.services.catalogue import CampaignView
from voting.services.leaderboard import Board, BoardRow

FIRST_PAGE = 100
MOST_BODIES = 400


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Rows of one award on one page. ``best`` is the highest number of votes, the length of a full bar.

    ``counted``: somebody has votes; before, the order of the rows means nothing.
    """

    award: Award
    rows: list[BoardRow]
    page: int
    pages: int
    rest: int
    total: int
    size: int
    best: int
    counted: bool


def cut(board: Board, award: Award, page: int) -> BoardPage:
    """The first page holds every seat and at least 100 rows; the others go on in the same step."""
    rows = board.awards.get(award.key, [])
    size = max(FIRST_PAGE, award.seats)
    pages = max(1, -(-len(rows) // size))
    page = min(max(page, 1), pages)
    shown = rows[(page - 1) * size : page * size]
    rest = max(0, len(rows) - page * size)
    best = rows[0].votes if rows else 0
    return BoardPage(award, shown, page, pages, rest, len(rows), size, max(1, best), best > 0)


def pages_of(campaign: CampaignView, award: Award) -> int:
    """How many pages a board of the award can have, whoever stands on it."""
    return max(1, -(-campaign.search(award=award.key, size=1).total // max(FIRST_PAGE, award.seats)))


def gap_above(board: Board, row: BoardRow) -> int | None:
    """How many votes the next one above is ahead; None for whoever is first, alone or with others."""
    rows = board.awards.get(row.candidate.award, [])
    first = bisect_left(rows, -row.votes, key=lambda each: -each.votes)
    return rows[first - 1].votes - row.votes if first else None


class _Rows:
    """Rows and ranks by candidate of the newest board of each campaign: made once per snapshot, not once per page."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Board, dict[int, BoardRow], dict[int, int]]] = {}

    def _of(self, campaign: CampaignView, board: Board) -> tuple[Board, dict[int, BoardRow], dict[int, int]]:
        made = self._made.get(campaign.slug)
        if made is None or made[0] is not board:
            rows = {row.candidate.id: row for rows in board.awards.values() for row in rows}
            ranks = {id_: row.rank for id_, row in rows.items()}
            made = self._made[campaign.slug] = (board, rows, ranks)
        return made

    def rows(self, campaign: CampaignView, board: Board) -> dict[int, BoardRow]:
        return self._of(campaign, board)[1]

    def ranks(self, campaign: CampaignView, board: Board) -> dict[int, int]:
        """The very same object as long as the board is the same."""
        return self._of(campaign, board)[2]


_rows = _Rows()
rows_by_candidate, ranks_by_candidate = _rows.rows, _rows.ranks


Version = TypeVar("Version")


class Bodies(Generic[Version]):
    """Rendered pages by key, kept while their version holds. One thread renders, the others take the last body."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], tuple[Version, bytes]] = {}
        self._rendering = threading.Lock()

    def last(self, key: tuple[object, ...]) -> bytes | None:
        """The last body that was rendered, for when no newer one can be had; it names the time it is true for."""
        kept = self._kept.get(key)
        return kept[1] if kept else None

    def get(self, key: tuple[object, ...], version: Version, render: Callable[[], str]) -> tuple[Version, bytes]:
        """The body of ``key`` and the version it is: ``version``, or the one before while another thread renders.

        Whoever sends it tags it by the version it is: an old body under the new tag would be "not modified" for ever.
        """
        kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            return kept
        if not self._rendering.acquire(blocking=kept is None):
            assert kept is not None
            return kept
        try:
            kept = self._kept.get(key)
            if kept is None or kept[0] != version:
                if len(self._kept) >= MOST_BODIES:
                    self._kept.clear()
                kept = self._kept[key] = (version, render().encode())
            return kept
        finally:
            self._rendering.release()
