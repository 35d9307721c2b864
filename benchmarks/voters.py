"""Ballots of voters who have never voted: device cookie, token, address and body, as a file that load processes read.

The product's own code makes cookies and tokens: nothing about a ballot is checked less than for a real phone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ulid import ULID

from benchmarks.stand import SECRET_KEY, SLUG
from voting.identity.device import DeviceIdentity
from voting.identity.tokens import BallotTokens

#: One vote in ten comes from one of these few addresses (a carrier, a school), the others from homes of two voters.
SHARED_ADDRESSES = 50
SHARED_PART = 0.1
PER_HOME = 2


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything that one vote needs to be sent."""

    cookie: str
    token: str
    address: str
    body: str

    def line(self) -> str:
        return f"{self.cookie} {self.token} {self.address} {self.body}\n"


def addresses(chance: random.Random) -> Iterator[str]:
    """The sender of each vote: IPv4 addresses, some of them shared by many."""
    number = 0
    while True:
        if chance.random() < SHARED_PART:
            yield f"100.64.0.{chance.randrange(SHARED_ADDRESSES)}"
        else:
            home = number // PER_HOME
            number += 1
            yield f"113.{home >> 16 & 255}.{home >> 8 & 255}.{home & 255}"


def pick(candidates: dict[str, list[int]], count: int, chance: random.Random) -> list[int]:
    """``count`` different candidates, from every award in turn."""
    awards = list(candidates.values())
    picked: set[int] = set()
    while len(picked) < count:
        picked.add(chance.choice(awards[len(picked) % len(awards)]))
    return sorted(picked)


def papers(candidates: dict[str, list[int]], count: int, per_ballot: int = 3) -> Iterator[Paper]:
    """Ballots of that many new voters, each with an id of its own."""
    devices, tokens, chance = DeviceIdentity(SECRET_KEY), BallotTokens(SECRET_KEY), random.Random("voters")
    for _, address in zip(range(count), addresses(chance), strict=False):
        cookie = devices.issue()
        token = tokens.make(devices.read(cookie), SLUG)
        chosen = ",".join(map(str, pick(candidates, per_ballot, chance)))
        yield Paper(cookie, token, address, f'{{"ballot_id":"{ULID()}","choices":[{chosen}]}}')


def write_papers(path: Path, candidates: dict[str, list[int]], count: int) -> Path:
    """One ballot a line."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(paper.line() for paper in papers(candidates, count))
    return path
