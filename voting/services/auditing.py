"""Check the promises from the stores themselves: invariants I1 to I7, with figures, while voting goes on.

Everything is compared as of one place in the stream, ``upto``: entries are read before the ledger is, so that a ballot
recorded in between is counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from redis.exceptions import ResponseError
from sqlalchemy.orm import Session

from voting.rules.errors import BoxUnavailable, StageRefused
from voting.rules.quota import Quota
from voting.rules.voter import receipt_code
from voting.services.boxes import box_of, boxes
from voting.services.casting import voter_secret
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.rebuilding import recorded_ballots
from voting.services.transactions import reading
from voting.storage.ballots import (
    ballots_by_id,
    choices_of,
    count_ballots,
    counts_by_candidate,
    iter_ballots,
    last_stream_id,
)
from voting.storage.usage import Span, voters_over
from voting.tally import stream
from voting.tally.ballot_box import StreamId, parse_stream_id
from voting.tally.rebuilding import Recount, Shadow, in_batches
from voting.tally.stream import Backlog, Entry, Seal

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: whether it holds, and the figures that say so."""

    name: str
    holds: bool
    figures: str


@dataclass(frozen=True, slots=True)
class _Instant:
    """The box as of one place in the stream."""

    tally: dict[int, int]
    accepted: int
    now_ms: int
    seal: StreamId | None
    upto: StreamId


def audit(slug: str) -> list[Check]:
    """Check I1 to I7 for a campaign whose box stands; raises BoxUnavailable when it does not."""
    forget()
    campaign = get_campaign(slug)
    if campaign.epoch is None:
        raise StageRefused("audit", campaign.stage)
    instant = _look(campaign)
    # In this order: what was acknowledged before the entries were read is in the ledger that is read after them.
    backlog = stream.read_backlog(boxes().client, campaign.id)
    entries = list(stream.read_range(boxes().client, campaign.id, upto=instant.upto))
    ballots = [entry for entry in entries if isinstance(entry, Entry)]
    with reading() as session:
        known = ballots_by_id(session, [entry.ballot_id for entry in ballots])
        waiting = [entry for entry in ballots if entry.ballot_id not in known]
        checks = [
            _every_ballot_recorded(session, campaign, instant, ballots, waiting, backlog),
            _ledger_within_stream(session, campaign, instant, entries),
            _tally_adds_up(session, campaign, instant, waiting),
            _quotas_kept(session, campaign),
            _nothing_after_seal(session, campaign, instant, ballots),
        ]
    return [*checks, *_compare_with_shadow(campaign, instant, waiting)]


def _look(campaign: CampaignView) -> _Instant:
    box = box_of(campaign.id, campaign.rules)
    with boxes().client.pipeline(transaction=True) as pipeline:
        pipeline.hgetall(box.key("tally"))
        pipeline.hmget(box.key("box"), "accepted", "last", "seal", "epoch")
        pipeline.xinfo_stream(box.key("ballots"))
        tally, (accepted, last, seal, epoch), info = pipeline.execute(raise_on_error=False)
    if epoch is None or isinstance(info, ResponseError):
        raise BoxUnavailable("missing")
    if epoch.decode() != campaign.epoch:
        raise BoxUnavailable("epoch")
    counts = {int(key): int(value) for key, value in tally.items()}
    upto = parse_stream_id(info["last-generated-id"])
    return _Instant(counts, int(accepted), int(last), parse_stream_id(seal) if seal else None, upto)


def _every_ballot_recorded(
    session: Session,
    campaign: CampaignView,
    at: _Instant,
    ballots: list[Entry],
    waiting: list[Entry],
    backlog: Backlog | None,
) -> Check:
    # What is acknowledged and was never committed would be lost with the next trim.
    lost = [entry for entry in waiting if backlog and backlog.acknowledged(entry.stream_id)]
    waiting_ids = {entry.ballot_id for entry in waiting}
    damaged = 0
    recorded = count_ballots(session, campaign.id, at.upto)
    for batch in in_batches((entry for entry in ballots if entry.ballot_id not in waiting_ids), _AT_ONCE):
        ids = [entry.ballot_id for entry in batch]
        rows, choices = ballots_by_id(session, ids), choices_of(session, ids)
        for entry in batch:
            row = rows[entry.ballot_id]
            same = (row.stream_ms, row.stream_seq, row.voter_key) == (*entry.stream_id, entry.voter_key)
            damaged += not same or choices.get(entry.ballot_id) != dict(Counter(entry.choices))
    holds = at.accepted == recorded + len(waiting) and not lost and not damaged
    figures = (
        f"accepted {at.accepted} = recorded {recorded} + waiting {len(waiting)}; lost {len(lost)}, differing {damaged}"
    )
    return Check("I1 every accepted ballot is in the ledger once", holds, figures)


def _ledger_within_stream(session: Session, campaign: CampaignView, at: _Instant, entries: list[Entry | Seal]) -> Check:
    known = {entry.ballot_id for entry in entries if isinstance(entry, Entry)}
    # Older entries are trimmed once they are recorded: the ledger is compared with what the stream still holds.
    first = entries[0].stream_id if entries else at.upto
    before = (first[0], first[1] - 1)
    rows = [row for row, _ in iter_ballots(session, campaign.id, after=before)] if entries else []
    compared = [row for row in rows if (row.stream_ms, row.stream_seq) <= at.upto]
    foreign = sum(row.ballot_id not in known for row in compared)
    last = last_stream_id(session, campaign.id)
    newest = stream.read_backlog(boxes().client, campaign.id)
    ahead = bool(last and newest and last > newest.last)
    holds = foreign == 0 and not ahead and count_ballots(session, campaign.id, at.upto) <= at.accepted
    figures = f"{len(compared)} compared, {foreign} foreign; ledger {'IS' if ahead else 'not'} ahead of it"
    return Check("I2 the ledger holds nothing the box did not accept", holds, figures)


def _tally_adds_up(session: Session, campaign: CampaignView, at: _Instant, waiting: list[Entry]) -> Check:
    ledger = counts_by_candidate(session, campaign.id, at.upto)
    voided = count_ballots(session, campaign.id) - count_ballots(session, campaign.id, without_voided=True)
    pending = Counter(choice for entry in waiting for choice in entry.choices)
    candidates = ledger.keys() | at.tally.keys() | pending.keys()
    off = [c for c in candidates if at.tally.get(c, 0) != ledger.get(c, 0) + pending.get(c, 0)]
    figures = (
        f"tally {sum(at.tally.values())} = ledger {sum(ledger.values())} + waiting {pending.total()} choices over "
        f"{len(candidates)} candidates, {len(off)} differ; {voided} ballots voided (they stay in the tally)"
    )
    return Check("I3 the tally is the ledger plus what is not recorded yet, per candidate", not off, figures)


def _quotas_kept(session: Session, campaign: CampaignView) -> Check:
    local = campaign.rules.local_time()
    over = [
        sum(voters_over(session, campaign.id, quota, local, span) for quota, span in _spans(campaign, line))
        for line in range(len(campaign.rules.quotas))
    ]
    return Check(
        "I4 no voter used more than the rules allow", not any(over), f"{len(over)} quota lines, {sum(over)} exceeded"
    )


def _spans(campaign: CampaignView, line: int) -> Iterator[tuple[Quota, Span]]:
    """A quota line as it was, with the time in which ballots were judged by it: a change of rules may move its limit.

    Versions with the same limit are one: what is used is counted once.
    """
    editions = [edition for edition in campaign.history if edition.in_force_ms is not None]
    quotas = [(edition.since_ms, edition.rules.quotas[line]) for edition in editions]
    since, current = None, quotas[0][1] if quotas else campaign.rules.quotas[line]
    for from_ms, quota in quotas[1:]:
        if quota != current:
            yield current, (since, from_ms)
            since, current = from_ms, quota
    yield current, (since, None)


def _nothing_after_seal(session: Session, campaign: CampaignView, at: _Instant, ballots: list[Entry]) -> Check:
    seal = at.seal or campaign.sealed_id
    if seal is None:
        return Check("I5 nothing was accepted after the seal", True, "not sealed yet")
    late = sum(entry.stream_id > seal for entry in ballots)
    recorded = count_ballots(session, campaign.id) - count_ballots(session, campaign.id, seal)
    agree = campaign.sealed_id in (None, seal)
    figures = f"seal {seal[0]}-{seal[1]}; {late} later in the stream, {recorded} later in the ledger"
    return Check("I5 nothing was accepted after the seal", late == 0 and recorded == 0 and agree, figures)


def _compare_with_shadow(campaign: CampaignView, at: _Instant, waiting: list[Entry]) -> tuple[Check, Check]:
    """Count everything again beside the live box and compare; what voters changed meanwhile is compared once more."""
    box = box_of(campaign.id, campaign.rules)
    shadow = Shadow(box, at.now_ms)
    try:
        # Read before the ledger was, so a ballot may be in both: it is counted where it stands in the ledger.
        missing = {entry.ballot_id: entry for entry in waiting}
        shadow.add(_merged(campaign, at.upto, missing))
        names = shadow.names()
        fields: dict[bytes, int] = {}
        suspects: list[bytes] = []
        for batch in in_batches(names, _AT_ONCE):
            live, again = shadow.read(batch, shadow=False), shadow.read(batch, shadow=True)
            fields |= {name: len(live[name]) for name in batch}
            suspects += [name for name in batch if live[name] != again[name]]
        differing = _still_differing(campaign, shadow, suspects, at.upto) if suspects else []
    finally:
        shadow.close()
    ids = sum(count for name, count in fields.items() if name.startswith(b"ids:"))
    bad_ids = [name for name in differing if name.startswith(b"ids:")]
    bad_others = len(differing) - len(bad_ids)
    return (
        Check(
            "I6 the same ballot id gives the same receipt",
            not bad_ids,
            f"{ids} remembered ids, {len(bad_ids)} hashes differ",
        ),
        Check(
            "I7 a rebuilt box equals the live one",
            not bad_others,
            f"{sum(fields.values()) - ids} counts and usage records, {bad_others} hashes differ",
        ),
    )


def _merged(campaign: CampaignView, upto: StreamId, missing: dict[str, Entry]) -> Iterator[Recount]:
    """Ledger and unrecorded entries in stream order: unrecorded ones may lie between recorded ones."""
    rest = sorted((_as_recount(campaign, entry) for entry in missing.values()), key=lambda ballot: ballot.stream_id)
    at = 0
    for ballot in recorded_ballots(campaign, upto):
        while at < len(rest) and rest[at].stream_id <= ballot.stream_id:
            if rest[at].stream_id != ballot.stream_id:
                yield rest[at]
            at += 1
        yield ballot
    yield from rest[at:]


def _as_recount(campaign: CampaignView, entry: Entry) -> Recount:
    code = receipt_code(voter_secret(), campaign.id, entry.ballot_id)
    return Recount(entry.stream_id, entry.ballot_id, entry.voter_key, code, entry.choices)


def _still_differing(campaign: CampaignView, shadow: Shadow, suspects: list[bytes], upto: StreamId) -> list[bytes]:
    """Of the hashes that differ, those that still do when the ballots accepted meanwhile are counted too.

    The live hashes and the new entries are read in one instant, so what differs now really differs.
    """
    live, fresh = shadow.read_with_entries(suspects, upto)
    shadow.add(_as_recount(campaign, entry) for entry in fresh if isinstance(entry, Entry))
    again = shadow.read(suspects, shadow=True)
    return [name for name in suspects if live[name] != again[name]]
