"""The ballot box of one campaign: the atomic admission point in Redis.

Keys, all under the campaign's prefix ``{v<id>}`` so that one script may touch them together (one hash slot):

=====================  ======  ==================================================================================
``:box``               hash    epoch, window, rules, since ``changed``, pause, seal, ``last`` (its clock), ``accepted``
``:candidates``        hash    candidate id -> award, group and candidate scope, standing
``:ballots``           stream  every accepted ballot whole, in order, and the seal; group ``recorders`` reads it
``:tally``             hash    candidate id -> choices counted; a cache, made again from ledger and stream
``:ids:<hour><xx>``    hash    receipt code -> content digest and stream id; kept 48 h
``:day:<n>:<bucket>``  hash    voter -> what was used on local day n; likewise ``:campaign:`` and ``:rolling:``
``:last:<bucket>``     hash    voter -> time of the last ballot, only with a minimum interval
``:address:<hash>``    string  what one network address sent within the hour
``:solved:<digest>``   string  a solved challenge that was used; kept longer than a challenge is good for
=====================  ======  ==================================================================================

Nothing here sets or adds to a count without a ballot. When Redis is away or unsure the answer is BoxUnavailable: the
box fails closed, and the ballot id makes asking again safe.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack
from redis import Redis
from redis.exceptions import ConnectionError, OutOfMemoryError, ReadOnlyError, ResponseError, TimeoutError

from voting.rules.ballot import Ballot
from voting.rules.ballot_id import ballot_id_ms
from voting.rules.campaign import RuleSet
from voting.rules.errors import BoxUnavailable
from voting.rules.quota import Period, Place
from voting.tally.combining import Combiner
from voting.tally.layout import Layout
from voting.tally.scripts import read_library

StreamId = tuple[int, int]


@dataclass(frozen=True, slots=True)
class AddressLimits:
    """Ballots from one address: marked, and challenged, above ``hourly`` (with ``burst`` at once) or ``new_devices``,
    refused above ``refused_hourly``. Traffic only: in a model of mobile carriers these refuse at most 0.09 % of honest
    voters."""

    hourly: int = 600
    burst: int = 120
    refused_hourly: int = 6000
    new_devices: int = 60


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a ballot came from: a pseudonym of the address (8 bytes), its /24 or /64, and whether the device is new;
    when a challenge is asked of it (``campaign.CHALLENGES``), and the digest of the challenge it has solved."""

    address_hash: bytes = b""
    network: str = ""
    new_device: bool = False
    challenge: str = "off"
    solved: bytes = b""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A ballot's place in the stream; ``first`` is False when it had been accepted before."""

    stream_id: StreamId
    first: bool
    marks: str = ""

    @property
    def at_ms(self) -> int:
        return self.stream_id[0]


@dataclass(frozen=True, slots=True)
class BoxStatus:
    epoch: str
    last_ms: int
    accepted: int
    paused: str | None
    seal: StreamId | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The tally of one instant: choices by candidate id, and the ballots they came from."""

    votes: dict[int, int]
    ballots: int
    last_ms: int


def parse_stream_id(text: bytes | str) -> StreamId:
    ms, _, seq = (text.decode() if isinstance(text, bytes) else text).partition("-")
    return int(ms), int(seq)


class BallotBox:
    """One campaign's box. Thread-safe; cheap to keep, not cheap to make (it works out the campaign's local time)."""

    def __init__(
        self,
        client: Redis,
        campaign: int,
        rules: RuleSet,
        address_limits: AddressLimits = AddressLimits(),
        replaced_scripts: Mapping[str, str] | None = None,
        combiner: Combiner | None = None,
    ) -> None:
        """``client`` is shared by all threads; with a ``combiner`` their ballots go out together."""
        self.client = client
        self._combiner = combiner
        self.campaign = campaign
        self.prefix = f"{{v{campaign}}}"
        self.layout = Layout(rules)
        limits = address_limits
        self._address_limits = (limits.hourly, limits.burst, limits.refused_hourly, limits.new_devices)
        self._library = read_library(replaced_scripts)

    def key(self, name: str) -> str:
        """The full name of one of the campaign's keys."""
        return f"{self.prefix}:{name}"

    def run(self, name: str, *arguments: Any, keys: tuple[str, ...] = ()) -> Any:
        """Run an act; raises BoxUnavailable when Redis is away, full or unsure."""
        try:
            if name == "cast" and self._combiner is not None:
                return self._combiner.call(self._library, name, (self.prefix,), arguments)
            return self._library.call(self.client, name, (self.prefix, *keys), arguments)
        except (ConnectionError, TimeoutError):
            raise BoxUnavailable("unreachable") from None
        except OutOfMemoryError:
            raise BoxUnavailable("full") from None
        except ReadOnlyError:
            raise BoxUnavailable("read_only") from None
        except ResponseError as error:
            # A disk that cannot be written to answers MISCONF to every write: nothing was accepted.
            if str(error).startswith("MISCONF"):
                raise BoxUnavailable("disk") from None
            raise

    def put_candidates(self, places: Iterable[Place]) -> None:
        """Write the candidates, in chunks; admits nothing yet."""
        items = list(self.layout.pack_places(places))
        with self.client.pipeline(transaction=False) as pipeline:
            pipeline.delete(self.key("candidates"))
            for at in range(0, len(items), 1000):
                pipeline.hset(self.key("candidates"), mapping=dict(items[at : at + 1000]))
            pipeline.execute()

    def open(
        self, epoch: str, last_ms: int = 0, accepted: int = 0, paused: str | None = None, seal: StreamId | None = None
    ) -> bool:
        """Put the box up; False when one already stands. The last four are for a box made again."""
        rules = self.layout.rules
        sealed = "" if seal is None else f"{seal[0]}-{seal[1]}"
        packed = self.layout.pack_rules()
        opened = self.run(
            "open", epoch, rules.opens_ms, rules.closes_ms, packed, last_ms, accepted, paused or "", sealed
        )
        return bool(opened)

    def cast(
        self, epoch: str, ballot: Ballot, receipt: str, sender: Sender = Sender(), app_ms: int | None = None
    ) -> Accepted:
        """Accept a ballot, durably, or raise the Refusal that says why not; one round trip.

        ``app_ms`` is the caller's clock (default: now): a caller that is over 2 s apart from Redis is not believed.
        """
        answer = self.run(
            "cast",
            epoch,
            int(time.time() * 1000) if app_ms is None else app_ms,
            ballot.ballot_id,
            ballot_id_ms(ballot.ballot_id),
            ballot.voter_key,
            receipt,
            ",".join(map(str, ballot.choices)),
            sender.address_hash,
            sender.network,
            "1" if sender.new_device else "0",
            *self._address_limits,
            sender.challenge,
            sender.solved,
        )
        outcome = answer[0]
        if outcome == b"accepted":
            return Accepted((answer[1], answer[2]), True, answer[3].decode())
        if outcome == b"seen":
            return Accepted((answer[1], answer[2]), False)
        raise self.layout.refusal(answer)

    def change(self, replaced: str, epoch: str) -> int:
        """Take over the rules of this object under a new epoch, and admit nothing under the replaced one any more.

        From which ms on, by the box's clock; the same again when it has them already, 0 when it does not know.
        """
        since = self.run("change", replaced, epoch, self.layout.rules.closes_ms, self.layout.pack_rules())
        if since is None or since == -1:
            raise BoxUnavailable("missing" if since is None else "epoch")
        return int(since)

    def pause(self, reason: str) -> None:
        """Admit nothing until resumed; the reason is public."""
        self._set_pause(reason or "-")

    def resume(self) -> None:
        self._set_pause("")

    def _set_pause(self, reason: str) -> None:
        if not self.run("pause", reason):
            raise BoxUnavailable("missing")

    def seal(self) -> StreamId:
        """Close the box for good; the seal's place in the stream. Sealing again gives the same."""
        seal = self.run("seal")
        if seal is None:
            raise BoxUnavailable("missing")
        return parse_stream_id(seal)

    def status(self) -> BoxStatus | None:
        """What the box says of itself; None when there is no box."""
        epoch, last, accepted, paused, seal = self._read_box("epoch", "last", "accepted", "paused", "seal")
        if epoch is None:
            return None
        reason = paused.decode() if paused else None
        return BoxStatus(epoch.decode(), int(last), int(accepted), reason, parse_stream_id(seal) if seal else None)

    def counts(self) -> Counts:
        """The tally, all of one instant; raises BoxUnavailable."""
        try:
            with self.client.pipeline(transaction=True) as pipeline:
                pipeline.hgetall(self.key("tally"))
                pipeline.hmget(self.key("box"), "accepted", "last")
                tally, (accepted, last) = pipeline.execute()
        except (ConnectionError, TimeoutError):
            raise BoxUnavailable("unreachable") from None
        if accepted is None:
            raise BoxUnavailable("missing")
        return Counts({int(key): int(count) for key, count in tally.items()}, int(accepted), int(last))

    def usage(self, voter_key: bytes, now_ms: int) -> list[dict[str, int]]:
        """What a voter has used, for each quota line of the rules (``Layout.lines_of``); one round trip."""
        quotas = self.layout.rules.quotas
        periods: list[Period] = list(dict.fromkeys(quota.period for quota in quotas))
        records = self._usage_records(voter_key, periods, now_ms)
        used = {
            period: self.layout.usage_in(period, msgpack.unpackb(packed) if packed else [], now_ms)
            for period, packed in zip(periods, records, strict=True)
        }
        return [self.layout.lines_of(quota, used[quota.period]) for quota in quotas]

    def _usage_records(self, voter_key: bytes, periods: list[Period], now_ms: int) -> list[bytes | None]:
        bucket, field = voter_key[:2].hex(), voter_key[2:10]
        names = [f"day:{self.layout.local.day(now_ms)}" if period == "day" else period for period in periods]
        try:
            with self.client.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.hget(self.key(f"{name}:{bucket}"), field)
                records: list[bytes | None] = pipeline.execute()
        except (ConnectionError, TimeoutError):
            raise BoxUnavailable("unreachable") from None
        return records

    def place_of_receipt(self, code: str) -> StreamId | None:
        """Where the ballot of a receipt code stands in the stream, while the box remembers its id (48 h)."""
        try:
            known: Any = self.client.hget(self.key(f"ids:{code[:6]}"), code[6:])
        except (ConnectionError, TimeoutError):
            raise BoxUnavailable("unreachable") from None
        return None if known is None else (int.from_bytes(known[16:22], "big"), int.from_bytes(known[22:], "big"))

    def _read_box(self, *fields: str) -> list[Any]:
        try:
            values: list[Any] = self.client.hmget(self.key("box"), fields)
        except (ConnectionError, TimeoutError):
            raise BoxUnavailable("unreachable") from None
        return values
