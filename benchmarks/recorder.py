"""The recorder alone, on a stream that is already full, against a loop that commits once per vote."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from ulid import ULID

from benchmarks.postgres import cluster
from benchmarks.stand import SLUG, VOTER_SECRET, Stand, stand
from benchmarks.tables import Comparison, Series, interleave
from benchmarks.voters import pick
from voting.rules.voter import receipt_code
from voting.services.boxes import boxes
from voting.services.catalogue import get_campaign
from voting.services.recording import Recorder
from voting.storage.database import db
from voting.tally.stream import stream_key

TARGET = 12
#: the loop is so much slower that fewer votes tell its rate
PART_FOR_LOOP = 10


def ballots(candidates: dict[str, list[int]], count: int) -> Iterator[dict[Any, Any]]:
    """Stream entries exactly as cast.lua writes them."""
    chance = secrets.SystemRandom()
    for number in range(count):
        network = f"113.{number >> 8 & 255}.{number & 255}.0/24"
        chosen = ",".join(map(str, pick(candidates, 3, chance)))
        voter, address = secrets.token_bytes(16), secrets.token_bytes(8)
        yield {"b": str(ULID()), "v": voter, "c": chosen, "a": address, "n": network, "m": ""}


def fill(where: Stand, count: int) -> None:
    """Put ballots into the stream without the box: here only the recorder is of interest."""
    client, key = boxes().client, stream_key(get_campaign(SLUG).id)
    entries = ballots(where.candidates(), count)
    for _ in range(0, count, 1000):
        with client.pipeline(transaction=False) as pipeline:
            for entry in islice(entries, 1000):
                pipeline.xadd(key, entry)
            pipeline.execute()


def run_recorder(where: Stand, count: int) -> float:
    """Ballots a second: read from the stream, committed, acknowledged."""
    with where.app.app_context():
        fill(where, count)
        recorder = Recorder()
        started = time.perf_counter()
        recorded = 0
        while step := recorder.step(0):
            recorded += step
        taken = time.perf_counter() - started
    if recorded != count:
        raise RuntimeError(f"{recorded} of {count} ballots were recorded")
    return count / taken


def run_loop(where: Stand, count: int) -> float:
    """Votes a second by the bare driver, each in a transaction of its own: two statements and a commit."""
    with where.app.app_context(), db.engine.connect() as connection:
        # Nothing but the votes: the bare driver, outside any transaction of SQLAlchemy's.
        raw = connection.connection.driver_connection
        campaign = get_campaign(SLUG).id
        postgres = isinstance(raw, psycopg.Connection)
        commit_one = _commit_one_postgres if postgres else _commit_one_sqlite
        rows = [(number, entry) for number, entry in enumerate(ballots(where.candidates(), count))]
        place = time.time_ns() // 1_000_000
        started = time.perf_counter()
        for number, entry in rows:
            code = receipt_code(VOTER_SECRET.encode(), campaign, entry["b"])
            ballot = (entry["b"], campaign, place, number, entry["v"], code, entry["n"], entry["a"], entry["m"])
            commit_one(raw, ballot, [int(candidate) for candidate in entry["c"].split(",")])
        return count / (time.perf_counter() - started)


BALLOT = (
    "INSERT INTO ballots "
    "(ballot_id, campaign_id, stream_ms, stream_seq, voter_key, receipt, network, address_hash, marks) VALUES ({})"
)


def _commit_one_postgres(raw: Any, ballot: tuple[Any, ...], chosen: list[int]) -> None:
    with raw.transaction():
        raw.execute(BALLOT.format(", ".join(["%s"] * 9)), ballot)
        raw.execute(
            "INSERT INTO choices (ballot_id, candidate_id, times) SELECT %s, unnest(%s::int[]), 1", (ballot[0], chosen)
        )


def _commit_one_sqlite(raw: Any, ballot: tuple[Any, ...], chosen: list[int]) -> None:
    raw.execute("BEGIN IMMEDIATE")
    raw.execute(BALLOT.format(", ".join("?" * 9)), ballot)
    raw.executemany(
        "INSERT INTO choices (ballot_id, candidate_id, times) VALUES (?, ?, 1)", [(ballot[0], one) for one in chosen]
    )
    raw.execute("COMMIT")


def measure(folder: Path, rounds: int, count: int, say: Callable[[str], None]) -> tuple[list[Comparison], list[str]]:
    """Both databases; PostgreSQL is skipped, and said so, where it is missing."""
    say("\nFilling streams for the recorder …")
    comparisons: list[Comparison] = []
    problems: list[str] = []
    with ExitStack() as stack:
        stands = {"SQLite": stack.enter_context(stand(folder, "recorder-sqlite"))}
        try:
            url = stack.enter_context(cluster()).create("recorder")
            stands["PostgreSQL"] = stack.enter_context(stand(folder, "recorder-postgres", database_url=url))
        except RuntimeError as error:
            problems.append(f"SKIPPED: the recorder on PostgreSQL ({error})")
        measures: list[tuple[Series, Callable[[], float]]] = []
        for name, where in stands.items():
            ours, theirs = Series(f"recorder, {name}"), Series(f"one commit per vote, {name}")
            measures += [
                (ours, partial(run_recorder, where, count)),
                (theirs, partial(run_loop, where, count // PART_FOR_LOOP)),
            ]
            comparisons.append(Comparison(ours.name, ours, theirs, TARGET))
        interleave(rounds, measures, say)
    return comparisons, problems
