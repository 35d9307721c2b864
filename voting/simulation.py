"""Simulated voters for a demonstration: real ballots over HTTP, at a modest rate, so that the boards move.

They use the public API as any phone would, and vote only in campaigns that say of themselves that they are a
demonstration. Nothing here reaches the box or the database by another way.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from types import FrameType
from typing import Any, NoReturn

import httpx

#: ballots a second; below the 6,000 an hour at which one address is refused, since all of them come from this machine
RATE = 1.5
REFRESH_S = 60.0
PATIENCE_S = 5.0


class Crowd:
    """Voters with a few favourites among the candidates, so that the ranking has a shape."""

    def __init__(self, base_url: str, seed: int | None) -> None:
        self.base_url = base_url.rstrip("/") + "/api/v1"
        self.random = random.Random(seed)
        self.weights: dict[int, float] = {}
        self.refreshed_s = float("-inf")
        self.campaigns: list[dict[str, Any]] = []
        self.candidates: dict[tuple[str, str], list[int]] = {}

    def vote_once(self) -> str | None:
        """One new voter casts one ballot; the receipt, or None when there is nothing to vote for or it was refused."""
        with httpx.Client(base_url=self.base_url, timeout=PATIENCE_S) as phone:
            if time.monotonic() - self.refreshed_s > REFRESH_S:
                self._look_around(phone)
            if not self.campaigns:
                return None
            campaign = self.random.choice(self.campaigns)
            slug = campaign["slug"]
            choices = [c for award in campaign["awards"] for c in self._favourites(slug, award)]
            paper = phone.get(f"/campaigns/{slug}/ballot").raise_for_status().json()
            ballot = {"ballot_id": paper["ballot_id"], "choices": choices}
            answer = phone.post(
                f"/campaigns/{slug}/ballots", json=ballot, headers={"X-CSRF-Token": paper["csrf_token"]}
            )
            if answer.status_code in (200, 201):
                return str(answer.json()["receipt"])
            self.refreshed_s = float("-inf")
            return None

    def _look_around(self, phone: httpx.Client) -> None:
        """Open demonstration campaigns and their candidates; all others are left alone."""
        campaigns = phone.get("/campaigns").raise_for_status().json()["campaigns"]
        self.campaigns = [each for each in campaigns if each["demonstration"] and each["phase"] == "open"]
        for campaign in self.campaigns:
            for award in campaign["awards"]:
                self.candidates[campaign["slug"], award["key"]] = self._all_of(phone, campaign["slug"], award["key"])
        self.refreshed_s = time.monotonic()

    def _all_of(self, phone: httpx.Client, slug: str, award: str) -> list[int]:
        found: list[int] = []
        page = pages = 1
        while page <= pages and len(found) < 400:
            part = phone.get(f"/campaigns/{slug}/candidates", params={"award": award, "page": page}).raise_for_status()
            found += [c["id"] for c in part.json()["candidates"] if c["standing"] == "standing"]
            page, pages = page + 1, part.json()["pages"]
        for candidate in found:
            self.weights.setdefault(candidate, self.random.paretovariate(1.3))
        return found

    def _favourites(self, slug: str, award: dict[str, Any]) -> list[int]:
        known = self.candidates[slug, award["key"]]
        wished = max(award["min"], self.random.choice((1, 2, 3, 3, 5)))
        most = min(award["max"] or wished, len(known), wished)
        return sorted(known, key=lambda c: self.random.random() ** (1 / self.weights[c]), reverse=True)[:most]


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def main(arguments: list[str] | None = None) -> None:
    """Vote until stopped."""
    parser = argparse.ArgumentParser(prog="voting.simulation", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--base-url", default="http://127.0.0.1:8000")
    parser.add_argument("--rate", type=float, default=RATE, help="ballots a second")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--ballots", type=int, default=0, help="stop after so many; 0 = go on")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    crowd, cast, said_s = Crowd(options.base_url, options.seed), 0, float("-inf")
    while not options.ballots or cast < options.ballots:
        try:
            receipt = crowd.vote_once()
            cast += receipt is not None
        except httpx.HTTPError as error:
            receipt = None
            print(f"no answer ({type(error).__name__}); trying again", flush=True)
        if time.monotonic() - said_s > REFRESH_S:
            said_s = time.monotonic()
            print(f"{cast} ballots cast by simulated voters", flush=True)
        time.sleep(crowd.random.expovariate(options.rate) if receipt else 1.0)


if __name__ == "__main__":
    main()
