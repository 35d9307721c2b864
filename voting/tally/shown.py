"""The counts of a past instant as they are shown, kept for all workers and nodes beside the campaign's box.

One string key, ``{v<id>}:shown``, and ``{v<id>}:showing``, which one process holds while it counts. Both are a cache:
the counts of a past instant follow from ledger and stream, and are made again from them when the key is gone. No ballot
is admitted or counted here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from redis import Redis

#: long enough to count a large ledger once; when its holder died, the next one counts
CLAIM_MS = 60_000


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """Choices by candidate id and the ballots they came from, of all ballots accepted before ``at_ms``."""

    at_ms: int
    ballots: int
    votes: dict[int, int]


def _key(campaign: int, name: str) -> str:
    return f"{{v{campaign}}}:{name}"


def read_shown(client: Redis, campaign: int, epoch: str) -> ShownCounts | None:
    """What was kept last; None when there is nothing, or it was kept under another life of the box."""
    text: Any = client.get(_key(campaign, "shown"))
    if text is None:
        return None
    kept = json.loads(text)
    if kept["epoch"] != epoch:
        return None
    return ShownCounts(kept["at_ms"], kept["ballots"], {int(key): votes for key, votes in kept["votes"].items()})


def keep_shown(client: Redis, campaign: int, epoch: str, counts: ShownCounts) -> None:
    """Keep counts for everybody, and let go of the claim."""
    document = {"epoch": epoch, "at_ms": counts.at_ms, "ballots": counts.ballots, "votes": counts.votes}
    with client.pipeline(transaction=True) as pipeline:
        pipeline.set(_key(campaign, "shown"), json.dumps(document, separators=(",", ":")))
        pipeline.delete(_key(campaign, "showing"))
        pipeline.execute()


def claim_counting(client: Redis, campaign: int) -> bool:
    """Whether this process is the one that counts now; the claim lapses by itself."""
    return bool(client.set(_key(campaign, "showing"), "1", nx=True, px=CLAIM_MS))


def box_time_ms(client: Redis) -> int:
    """The clock that ballots are accepted by."""
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000
