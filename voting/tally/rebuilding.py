"""Make a campaign's tally, quotas and remembered ids again from ballots, in place or as a shadow to compare with.

The shadow is how the box is audited: the same ballots, counted a second time by the same Lua, must give the same keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import msgpack

from voting.rules.ballot_id import CROCKFORD, ballot_id_ms
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.tally.ballot_box import BallotBox, StreamId
from voting.tally.stream import Entry, Seal, parse_entry

DERIVED = ("tally", "ids:*", "day:*", "campaign:*", "rolling:*", "last:*")
SHADOW = "shadow"
ID_KEPT_HOURS = 48
_AT_ONCE = 500
T = TypeVar("T")


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` items, none of them empty."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


@dataclass(frozen=True, slots=True)
class Recount:
    """What replaying needs of a ballot; repeats are listed in ``choices``."""

    stream_id: StreamId
    ballot_id: str
    voter_key: bytes
    receipt: str
    choices: tuple[int, ...]


def replay(box: BallotBox, ballots: Iterable[Recount], now_ms: int, shadow: bool = False) -> int:
    """Count ballots, in stream order, into the box's own keys or into its shadow; how many they were."""
    target = box.key(SHADOW) if shadow else box.prefix
    packed, total = box.layout.pack_rules(), 0
    for batch in in_batches(ballots, _AT_ONCE):
        arguments: list[Any] = []
        for b in batch:
            choices = ",".join(map(str, b.choices))
            arguments += [*b.stream_id, b.ballot_id, ballot_id_ms(b.ballot_id), b.voter_key, b.receipt, choices]
        total += int(box.run("replay", now_ms, packed, *arguments, keys=(target,)))
    return total


def clear(box: BallotBox, shadow: bool = False) -> None:
    """Remove everything that replaying makes; the stream and the candidates stay."""
    for name in DERIVED:
        for keys in in_batches(_scan(box, f"{SHADOW}:{name}" if shadow else name), _AT_ONCE):
            box.client.unlink(*keys)


def _scan(box: BallotBox, name: str) -> Iterator[bytes]:
    pattern = box.key(name).replace("[", "\\[")
    yield from box.client.scan_iter(match=pattern, count=1000)


class Shadow:
    """A second count of the same ballots beside the live one; ``close`` takes it away again."""

    def __init__(self, box: BallotBox, now_ms: int) -> None:
        self.box = box
        self.now_ms = now_ms
        clear(box, shadow=True)

    def add(self, ballots: Iterable[Recount]) -> int:
        return replay(self.box, ballots, self.now_ms, shadow=True)

    def close(self) -> None:
        clear(self.box, shadow=True)

    def names(self) -> list[bytes]:
        """The names of all keys that either side has and that do not expire for age meanwhile."""
        day = self.box.layout.local.day(self.now_ms)
        live = [name if name != "day:*" else f"day:{day}:*" for name in DERIVED]
        start, shadow_start = len(self.box.key("")), len(self.box.key(f"{SHADOW}:"))
        found = {key[start:] for name in live for key in _scan(self.box, name)}
        found |= {key[shadow_start:] for name in live for key in _scan(self.box, f"{SHADOW}:{name}")}
        return sorted(name for name in found if not self._fading(name))

    def _fading(self, name: bytes) -> bool:
        """Ids of an hour that is about to be forgotten: one side may have lost it already."""
        if not name.startswith(b"ids:"):
            return False
        hour = 0
        for char in name[4:8].decode():
            hour = hour << 5 | CROCKFORD.index(char)
        age_hours = (self.now_ms // HOUR_MS - hour) & 0xFFFFF
        return ID_KEPT_HOURS - 1 <= age_hours <= ID_KEPT_HOURS + 1

    def read(self, names: Iterable[bytes], shadow: bool) -> dict[bytes, dict[bytes, bytes]]:
        """Hashes by name, all of one instant."""
        prefix = self.box.key(f"{SHADOW}:" if shadow else "").encode()
        wanted = list(names)
        with self.box.client.pipeline(transaction=True) as pipeline:
            for name in wanted:
                pipeline.hgetall(prefix + name)
            return {name: self._normal(name, value) for name, value in zip(wanted, pipeline.execute(), strict=True)}

    def read_with_entries(
        self, names: list[bytes], after: StreamId
    ) -> tuple[dict[bytes, dict[bytes, bytes]], list[Entry | Seal]]:
        """Live hashes by name, and the entries accepted after ``after``, all of one instant."""
        with self.box.client.pipeline(transaction=True) as pipeline:
            for name in names:
                pipeline.hgetall(self.box.key("").encode() + name)
            pipeline.xrange(self.box.key("ballots"), f"({after[0]}-{after[1]}", "+")
            *hashes, entries = pipeline.execute()
        live = {name: self._normal(name, fields) for name, fields in zip(names, hashes, strict=True)}
        return live, [parse_entry(raw, fields) for raw, fields in entries]

    def _normal(self, name: bytes, fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Rolling records lose what is over only when they are touched; compare what is not over."""
        if not name.startswith(b"rolling:"):
            return fields
        kept: dict[bytes, bytes] = {}
        for field, packed in fields.items():
            flat = msgpack.unpackb(packed)
            recent = [
                (at, counts) for at, counts in zip(flat[::2], flat[1::2], strict=True) if at > self.now_ms - DAY_MS
            ]
            if recent:
                kept[field] = msgpack.packb(recent)
        return kept
