"""What a vote costs in the memory of Redis: `python -m benchmarks.memory [--voters 40000]`.

Real ballots through the real box, then MEMORY USAGE of every key, sorted by what the key is for. Quota records live in
65,536 hashes, so their price depends on how full those are: the voters measured here are put into so many of the hashes
that each is as full as it would be with 400,000 or 2.6 million voters a day. Ballot ids are spread over a day.
"""

from __future__ import annotations

import argparse
import random
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from redis import Redis
from ulid import ULID

from benchmarks.stand import SLUG, VOTER_SECRET, Stand, scratch_folder, stand
from benchmarks.tables import machine
from benchmarks.voters import PER_HOME, pick
from voting.rules.ballot import Ballot
from voting.rules.campaign import RuleSet
from voting.rules.quota import Quota
from voting.rules.voter import receipt_code
from voting.services.boxes import boxes
from voting.services.campaigns import places_of
from voting.services.catalogue import get_campaign
from voting.tally.ballot_box import BallotBox, Sender
from voting.tally.stream import GROUP, stream_key

BUCKETS = 65_536
DAY_S = 86_400
ONE_A_DAY = (Quota("ballots", "voter", "day", 1),)
COLUMNS = (
    *("rules and ballot", "voters a day", "quota, a voter and day", "fullest hash", "stream, a ballot"),
    *("+ while unacknowledged", "id, a ballot", "address, a ballot", "together"),
)
#: what a key is for, by its name behind the campaign's prefix
KINDS = {
    "quota": re.compile(rb"(day:.*|campaign|rolling|last):"),
    "ids": re.compile(rb"ids:"),
    "address": re.compile(rb"address:"),
    "stream": re.compile(rb"ballots$"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One rule set and way of voting, at one size of the electorate."""

    name: str
    population: int
    choices: int
    quotas: tuple[Quota, ...] | None = None


CASES = (
    Case("demo rules, 3 choices", 400_000, 3),
    Case("demo rules, 3 choices", 2_600_000, 3),
    Case("demo rules, 10 choices", 400_000, 10),
    Case("demo rules, 10 choices", 2_600_000, 10),
    Case("one ballot a day, 3 choices", 400_000, 3, ONE_A_DAY),
    Case("one ballot a day, 3 choices", 2_600_000, 3, ONE_A_DAY),
)


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes for each voter (who cast one ballot), by kind; ``pending``: more for a ballot given to a recorder."""

    of_kind: dict[str, float]
    pending: float
    longest_bucket: int


def voter_keys(case: Case, voters: int) -> list[bytes]:
    """Keys that fill some buckets as the whole population would fill all."""
    buckets = max(1, round(BUCKETS * voters / case.population))
    return [random.randrange(buckets).to_bytes(2, "big") + secrets.token_bytes(14) for _ in range(voters)]


def fill(box: BallotBox, case: Case, voters: int, candidates: dict[str, list[int]]) -> None:
    """One ballot of each voter, two from each address, ids made throughout the last day."""
    chance, now_s, address = random.Random(case.name), time.time(), b""
    for number, key in enumerate(voter_keys(case, voters)):
        ballot_id = str(ULID.from_timestamp(now_s - chance.random() * DAY_S * 0.97))
        ballot = Ballot(ballot_id, key, tuple(pick(candidates, case.choices, chance)))
        if number % PER_HOME == 0:
            address = secrets.token_bytes(8)
        network = f"113.{number >> 9 & 255}.{number >> 1 & 255}.0/24"
        code = receipt_code(VOTER_SECRET.encode(), box.campaign, ballot_id)
        box.cast("memory", ballot, code, Sender(address, network, new_device=True))


def weigh(client: Redis, prefix: str, voters: int) -> tuple[dict[str, float], int]:
    """Bytes a voter by kind of key, all keys of the box counted whole; and the most records in one quota hash."""
    total: Counter[str] = Counter()
    longest = 0
    before = len(prefix) + 1
    names = list(client.scan_iter(f"{prefix}:*", count=5000))
    for start in range(0, len(names), 2000):
        piece = names[start : start + 2000]
        kinds = [next((kind for kind, form in KINDS.items() if form.match(name[before:])), "other") for name in piece]
        with client.pipeline(transaction=False) as pipeline:
            for name, kind in zip(piece, kinds, strict=True):
                pipeline.memory_usage(name, samples=0)
                if kind == "quota":
                    pipeline.hlen(name)
            answers = iter(pipeline.execute())
        for kind in kinds:
            total[kind] += next(answers)
            if kind == "quota":
                longest = max(longest, next(answers))
    return {kind: size / voters for kind, size in total.items()}, longest


def measure(where: Stand, case: Case, voters: int, number: int) -> Bytes:
    """Fill a box of its own, weigh it, and remove it."""
    view, client = get_campaign(SLUG), boxes().client
    rules: RuleSet = view.rules if case.quotas is None else replace(view.rules, quotas=case.quotas)
    box = BallotBox(client, number, rules)
    box.put_candidates(places_of(view))
    box.open("memory")
    fill(box, case, voters, where.candidates())
    of_kind, longest = weigh(client, box.prefix, voters)
    # Given to a recorder and not acknowledged: an entry in the group's list, and one in the consumer's.
    stream = stream_key(number)
    client.xreadgroup(GROUP, "memory", {stream: ">"}, count=voters)
    usage: Any = client.memory_usage(stream, samples=0)
    client.flushall()
    return Bytes(of_kind, int(usage) / voters - of_kind["stream"], longest)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voters", type=int, default=40_000, help="voters measured in each case (default: 40000)")
    parser.add_argument("--quick", action="store_true", help="4,000 voters: to see that everything works")
    options = parser.parse_args(arguments)
    voters = 4_000 if options.quick else options.voters
    print(f"{machine()}\n{voters:,} voters measured in each case, one ballot each\n")
    print(f"| {' | '.join(COLUMNS)} |\n|---{'|--:' * (len(COLUMNS) - 1)}|")
    with scratch_folder() as folder, stand(folder, "memory", appendfsync="everysec") as where, where.app.app_context():
        where.candidates()
        for number, case in enumerate(CASES, 1001):
            found = measure(where, case, voters, number)
            kind = found.of_kind
            print(
                f"| {case.name} | {case.population:,} | {kind['quota']:.1f} B | {found.longest_bucket} "
                f"| {kind['stream']:.1f} B | {found.pending:.1f} B | {kind['ids']:.1f} B | {kind['address']:.1f} B "
                f"| {sum(kind.values()) - kind['other']:.0f} B |",
                flush=True,
            )


if __name__ == "__main__":
    main()
