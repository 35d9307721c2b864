"""The counts of a past instant, exactly: what boards show that are brought up to date daily, every so often, or not.

Why they come from the ledger and not from a copy of the tally: the tally only knows "now". A copy taken by whoever
looks first after 18:00 would hold the votes until that look, differ from what "18:00" says, and be gone with Redis.
The ledger knows when every ballot was accepted, and is append-only: counting it up to an instant gives the same answer
on every node, today and after any loss. Ballots that are accepted and not recorded yet are taken from the stream, so a
slow recorder changes nothing either. The answer is kept in Redis for all; the next one counts only what came since.
"""

from __future__ import annotations

from collections import Counter

from redis.exceptions import ConnectionError, ResponseError, TimeoutError
from sqlalchemy.exc import SQLAlchemyError

from voting.rules.errors import BoxUnavailable
from voting.services.boxes import boxes
from voting.services.catalogue import CampaignView
from voting.services.transactions import reading
from voting.storage.ballots import ballots_by_id, count_ballots, counts_by_candidate
from voting.tally import stream
from voting.tally.shown import ShownCounts, box_time_ms, claim_counting, keep_shown, read_shown
from voting.tally.stream import Entry

#: behind every ballot of a millisecond; the ledger keeps 63 bits of it
_LAST = 2**63 - 1


def counts_before(campaign: CampaignView, at_ms: int, last: ShownCounts | None) -> ShownCounts:
    """Counts of the ballots accepted before ``at_ms``; older ones, with their own time, while they cannot be had yet.

    ``last`` is what this process showed before. Raises BoxUnavailable when there is nothing at all to show.
    """
    if last is not None and last.at_ms == at_ms:
        return last
    if at_ms <= campaign.rules.opens_ms:
        return ShownCounts(at_ms, 0, {})
    client, epoch = boxes().client, campaign.epoch
    if epoch is None:
        raise BoxUnavailable("missing")
    before = last
    try:
        kept = read_shown(client, campaign.id, epoch)
        if kept is not None and kept.at_ms == at_ms:
            return kept
        before = _newest_below(at_ms, kept, last)
        # Between our clock and the box's a ballot could still be accepted before the instant.
        if box_time_ms(client) >= at_ms and (_may_count(campaign.id) or before is None):
            counts = _count(campaign, at_ms, before)
            # What another node with a faster clock kept for everybody is not replaced by something older.
            if kept is None or kept.at_ms < at_ms:
                _keep(campaign.id, epoch, counts)
            return counts
    except (ConnectionError, TimeoutError, SQLAlchemyError):
        pass  # older counts say of themselves which instant they are of
    if before is None:
        raise BoxUnavailable("unreachable")
    return before


def _may_count(campaign_id: int) -> bool:
    """Whether this process counts. A Redis that takes nothing more (full, read only) cannot say who: all do then."""
    try:
        return claim_counting(boxes().client, campaign_id)
    except ResponseError:
        return True


def _keep(campaign_id: int, epoch: str, counts: ShownCounts) -> None:
    """Keep counts for everybody, where Redis takes them; they are shown in any case."""
    try:
        keep_shown(boxes().client, campaign_id, epoch, counts)
    except ResponseError:
        pass


def _newest_below(at_ms: int, *known: ShownCounts | None) -> ShownCounts | None:
    """The latest of the known counts that others can be added to; those of a later instant are of no use."""
    below = [each for each in known if each is not None and each.at_ms < at_ms]
    return max(below, key=lambda each: each.at_ms, default=None)


def _count(campaign: CampaignView, at_ms: int, before: ShownCounts | None) -> ShownCounts:
    """Ledger and stream up to an instant, beginning where ``before`` ended."""
    upto = (at_ms - 1, _LAST)
    after = (before.at_ms - 1, _LAST) if before else None
    # The stream first: what is acknowledged by now is in the ledger that is read after it, and a ballot that is
    # recorded in between is found in both and counted once.
    waiting = _unrecorded(campaign.id, upto)
    with reading() as session:
        votes = Counter(counts_by_candidate(session, campaign.id, upto, after=after))
        ballots = count_ballots(session, campaign.id, upto, after=after)
        recorded = ballots_by_id(session, [entry.ballot_id for entry in waiting])
    for entry in waiting:
        if entry.ballot_id not in recorded and (after is None or entry.stream_id > after):
            votes.update(entry.choices)
            ballots += 1
    if before is not None:
        votes.update(before.votes)
        ballots += before.ballots
    return ShownCounts(at_ms, ballots, dict(votes))


def _unrecorded(campaign_id: int, upto: tuple[int, int]) -> list[Entry]:
    """Ballots up to a place that no recorder has acknowledged; some of them may be in the ledger already."""
    client = boxes().client
    backlog = stream.read_backlog(client, campaign_id)
    if backlog is None:
        raise BoxUnavailable("missing")
    if not backlog.waiting:
        return []
    after = backlog.delivered
    if backlog.oldest_pending is not None:
        ms, seq = backlog.oldest_pending
        after = min(after, (ms, seq - 1) if seq else (ms - 1, _LAST))
    if after >= upto:
        return []
    return [entry for entry in stream.read_range(client, campaign_id, after, upto) if isinstance(entry, Entry)]
