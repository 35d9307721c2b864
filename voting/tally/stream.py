"""The stream of accepted ballots as the recorder sees it: read, claim, acknowledge, and what is not recorded yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from voting.tally.ballot_box import StreamId, parse_stream_id

GROUP = "recorders"


class StreamDamaged(Exception):
    """The stream holds, or has lost, something that must not be skipped. The message says what, and for whom."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted ballot as it was admitted."""

    stream_id: StreamId
    ballot_id: str
    voter_key: bytes
    choices: tuple[int, ...]
    address_hash: bytes
    network: str
    marks: str


@dataclass(frozen=True, slots=True)
class Seal:
    """The end of the campaign's ballots; ``accepted`` is how many stand before it."""

    stream_id: StreamId
    accepted: int


def stream_key(campaign: int) -> str:
    return f"{{v{campaign}}}:ballots"


def _text(stream_id: StreamId) -> str:
    return f"{stream_id[0]}-{stream_id[1]}"


def parse_entry(raw_id: bytes, fields: dict[bytes, bytes]) -> Entry | Seal:
    """An entry of the stream; raises StreamDamaged when it is neither a ballot nor a seal."""
    stream_id = parse_stream_id(raw_id)
    try:
        if b"close" in fields:
            return Seal(stream_id, int(fields[b"close"]))
        choices = tuple(int(text) for text in fields[b"c"].split(b","))
        return Entry(
            stream_id,
            fields[b"b"].decode("ascii"),
            fields[b"v"],
            choices,
            fields[b"a"],
            fields[b"n"].decode("ascii"),
            fields[b"m"].decode("ascii"),
        )
    except (KeyError, ValueError) as error:
        raise StreamDamaged(f"entry {_text(stream_id)} is not a ballot: {error!r}; fields {sorted(fields)}") from None


def read_new(
    client: Redis, campaigns: Sequence[int], consumer: str, count: int, block_ms: int
) -> dict[int, list[Entry | Seal]]:
    """Entries that no recorder has been given yet, by campaign; waits up to ``block_ms`` (0 = does not wait)."""
    streams: dict[Any, Any] = {stream_key(campaign): ">" for campaign in campaigns}
    answer: Any = client.xreadgroup(GROUP, consumer, streams, count=count, block=block_ms or None)
    of_key = {stream_key(campaign).encode(): campaign for campaign in campaigns}
    return {of_key[key]: [parse_entry(raw, fields) for raw, fields in entries] for key, entries in answer or []}


def read_own(client: Redis, campaign: int, consumer: str, count: int) -> list[Entry | Seal]:
    """Entries this recorder was given and did not acknowledge: what an interruption left in its hands."""
    answer: Any = client.xreadgroup(GROUP, consumer, {stream_key(campaign): "0"}, count=count)
    entries = answer[0][1] if answer else []
    lost = [raw.decode() for raw, fields in entries if not fields]
    if lost:
        raise StreamDamaged(f"entries were trimmed before they were recorded: {', '.join(lost[:5])}")
    return [parse_entry(raw, fields) for raw, fields in entries]


def claim(client: Redis, campaign: int, consumer: str, idle_ms: int, count: int) -> list[Entry | Seal]:
    """Take over entries that another recorder was given and did not acknowledge for ``idle_ms``.

    Raises StreamDamaged when the stream was trimmed below what is acknowledged: such ballots are gone from Redis, and
    going on would hide it.
    """
    found: list[Entry | Seal] = []
    cursor: bytes | str = "0-0"
    while True:
        answer: Any = client.xautoclaim(stream_key(campaign), GROUP, consumer, idle_ms, cursor, count=count)
        cursor, entries = answer[0], answer[1]
        if len(answer) > 2 and answer[2]:
            lost = ", ".join(raw.decode() for raw in answer[2][:5])
            raise StreamDamaged(f"entries were trimmed before they were recorded: {lost}")
        found += [parse_entry(raw, fields) for raw, fields in entries]
        if cursor in (b"0-0", "0-0") or len(found) >= count:
            return found


def acknowledge(client: Redis, campaign: int, stream_ids: Sequence[StreamId]) -> None:
    """Tell the group that these are committed."""
    if stream_ids:
        client.xack(stream_key(campaign), GROUP, *map(_text, stream_ids))


def read_range(
    client: Redis, campaign: int, after: StreamId | None = None, upto: StreamId | None = None, count: int = 2000
) -> Iterator[Entry | Seal]:
    """Everything still in the stream with ``after < id <= upto``, in order."""
    start = f"({_text(after)}" if after else "-"
    end = _text(upto) if upto else "+"
    while True:
        entries: Any = client.xrange(stream_key(campaign), start, end, count=count)
        for raw, fields in entries:
            yield parse_entry(raw, fields)
        if len(entries) < count:
            return
        start = f"({entries[-1][0].decode()}"


def find_entry(client: Redis, campaign: int, stream_id: StreamId) -> Entry | None:
    """The ballot at that place, if it has not been trimmed."""
    entries: Any = client.xrange(stream_key(campaign), _text(stream_id), _text(stream_id))
    found = parse_entry(*entries[0]) if entries else None
    return found if isinstance(found, Entry) else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the recorders are. ``oldest_pending``: the first entry given to one and not acknowledged;
    ``undelivered``: entries given to none, None when Redis cannot tell."""

    length: int
    last: StreamId
    delivered: StreamId
    pending: int
    oldest_pending: StreamId | None
    undelivered: int | None

    @property
    def waiting(self) -> bool:
        """Whether anything is not acknowledged yet."""
        return self.pending > 0 or self.delivered < self.last

    @property
    def lag(self) -> int:
        """Entries that are not acknowledged yet; all that the stream holds when Redis cannot tell."""
        return self.pending + (self.length if self.undelivered is None else self.undelivered)

    def acknowledged(self, stream_id: StreamId) -> bool:
        """Whether everything up to and with this place is acknowledged, and so must be in the ledger."""
        return stream_id < self.oldest_pending if self.oldest_pending else stream_id <= self.delivered


def read_backlog(client: Redis, campaign: int) -> Backlog | None:
    """The state of the stream and its group; None when there is no stream."""
    key = stream_key(campaign)
    try:
        info: Any = client.xinfo_stream(key)
        groups: Any = client.xinfo_groups(key)
        summary: Any = client.xpending(key, GROUP)
    except ResponseError:
        return None
    oldest = summary["min"]
    return Backlog(
        info["length"],
        parse_stream_id(info["last-generated-id"]),
        parse_stream_id(groups[0]["last-delivered-id"]),
        summary["pending"],
        parse_stream_id(oldest) if oldest else None,
        groups[0].get("lag"),
    )


def ensure_group(client: Redis, campaign: int) -> None:
    """Make the stream and its group when they are not there; the group starts before the first entry."""
    try:
        client.xgroup_create(stream_key(campaign), GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def set_last_id(client: Redis, campaign: int, last: StreamId) -> None:
    """Make an empty stream go on after ``last``, and count everything up to it as delivered."""
    client.execute_command("XSETID", stream_key(campaign), _text(last))  # type: ignore[no-untyped-call]
    client.xgroup_setid(stream_key(campaign), GROUP, _text(last))
