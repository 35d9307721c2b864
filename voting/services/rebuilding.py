"""Make a campaign's box again from the ledger and what is left of the stream: after a loss of Redis, or an old copy.

Admission stops first (the box key goes), everything in the stream is recorded, then the ledger is replayed, and the box
comes back under a new epoch, which the ledger knows before the first ballot can be admitted.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from voting.rules.errors import StageRefused
from voting.services.boxes import box_of, boxes
from voting.services.campaigns import places_of
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.recording import drain
from voting.services.rule_history import find_waiting
from voting.services.transactions import reading, writing
from voting.storage.ballots import iter_ballots, last_stream_id
from voting.storage.campaigns import bump_version, lock_by_slug
from voting.tally import rebuilding, stream
from voting.tally.ballot_box import StreamId
from voting.tally.rebuilding import Recount
from voting.tally.stream import Entry, Seal


@dataclass(frozen=True, slots=True)
class Rebuilt:
    ballots: int
    epoch: str
    last: StreamId | None


def recorded_ballots(campaign: CampaignView, upto: StreamId | None = None) -> Iterator[Recount]:
    """The ledger's ballots in stream order."""
    with reading() as session:
        for row, choices in iter_ballots(session, campaign.id):
            place = (row.stream_ms, row.stream_seq)
            if upto is not None and place > upto:
                return
            repeated = tuple(candidate for candidate, times in choices.items() for _ in range(times))
            yield Recount(place, row.ballot_id, row.voter_key, row.receipt, repeated)


def rebuild(slug: str, progress: Callable[[int], None] = lambda done: None) -> Rebuilt:
    """Make the box again; ballots are refused with 503 meanwhile and can be sent again afterwards."""
    forget()
    campaign = get_campaign(slug)
    if campaign.stage not in ("open", "closed", "provisional") or campaign.epoch is None:
        raise StageRefused("rebuild", campaign.stage)
    box, client = box_of(campaign.id, campaign.rules), boxes().client
    before = box.status()
    client.delete(box.key("box"))
    stream.ensure_group(client, campaign.id)
    drain(campaign)
    seal = campaign.sealed_id or (before and before.seal) or _seal_in_stream(campaign)

    box.put_candidates(places_of(campaign))
    rebuilding.clear(box)
    with reading() as session:
        last = last_stream_id(session, campaign.id)
    now_ms = max(time.time_ns() // 1_000_000, last[0] if last else 0, before.last_ms if before else 0)
    ballots = rebuilding.replay(box, _counted(recorded_ballots(campaign), progress), now_ms)

    backlog = stream.read_backlog(client, campaign.id)
    newest = max((place for place in (last, seal) if place), default=(0, 0))
    if backlog is None or backlog.last < newest:
        stream.set_last_id(client, campaign.id, newest)
    epoch = secrets.token_hex(8)
    with writing() as session:
        row = lock_by_slug(session, slug)
        row.epoch = epoch
        if (waiting := find_waiting(session, row.id)) is not None:
            # The new box has the changed rules from its first ballot on.
            waiting.in_force_ms = max(now_ms, newest[0]) + 1
        bump_version(session, row.id)
    forget()
    clock_ms = max(newest[0], before.last_ms if before else 0)
    box.open(epoch, clock_ms, ballots, campaign.paused_reason or (before.paused if before else None), seal)
    return Rebuilt(ballots, epoch, last)


def _counted(ballots: Iterator[Recount], progress: Callable[[int], None]) -> Iterator[Recount]:
    for done, ballot in enumerate(ballots, 1):
        if done % 1000 == 0:
            progress(done)
        yield ballot


def _seal_in_stream(campaign: CampaignView) -> StreamId | None:
    """A seal that was set before SQL could be told."""
    entries: Iterator[Entry | Seal] = stream.read_range(boxes().client, campaign.id)
    return next((entry.stream_id for entry in entries if isinstance(entry, Seal)), None)
