"""Whether this machine can do its work: Redis, SQL, every open campaign's box, and how far recording is behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from voting.rules.errors import BoxUnavailable
from voting.services.boxes import box_of, boxes
from voting.services.catalogue import all_campaigns
from voting.services.metering import holds_counts_back
from voting.services.transactions import reading
from voting.tally.stream import read_backlog


@dataclass(frozen=True, slots=True)
class Readiness:
    """``boxes`` maps a campaign to "up", "missing" or "epoch"; ``lag`` to ballots accepted and not recorded.

    A campaign that holds its counts back has no lag here: it is a number of ballots.
    """

    redis: bool
    sql: bool
    boxes: dict[str, str]
    lag: dict[str, int]

    @property
    def ready(self) -> bool:
        return self.redis and self.sql and all(state == "up" for state in self.boxes.values())

    def as_dict(self) -> dict[str, Any]:
        return {"ready": self.ready, "redis": self.redis, "sql": self.sql, "boxes": self.boxes, "lag": self.lag}


def readiness() -> Readiness:
    """Ask every part once."""
    try:
        with reading() as session:
            session.execute(text("SELECT 1"))
        sql = True
        campaigns = [view for view in all_campaigns() if view.stage == "open"]
    except SQLAlchemyError:
        sql, campaigns = False, []
    states: dict[str, str] = {}
    lag: dict[str, int] = {}
    try:
        redis = bool(boxes().client.ping())
        for view in campaigns:
            status = box_of(view.id, view.rules).status()
            states[view.slug] = "missing" if status is None else "up" if status.epoch == view.epoch else "epoch"
            if not holds_counts_back(view):
                backlog = read_backlog(boxes().client, view.id)
                lag[view.slug] = backlog.lag if backlog else 0
    except (BoxUnavailable, RedisError):
        redis = False
    return Readiness(redis, sql, states, lag)
