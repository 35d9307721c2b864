"""Ballots recorded in SQL while they are admitted: the product with one recorder, and the naive counter, on PostgreSQL.

The product's rate counts the time until its last ballot is in SQL, not only until it is accepted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks import load, naive
from benchmarks.postgres import Cluster, cluster
from benchmarks.servers import process, server
from benchmarks.stand import SECRET_KEY, SLUG, Stand, stand
from benchmarks.tables import Comparison, Series, interleave
from benchmarks.voters import write_papers
from voting.services import leaderboard
from voting.services.catalogue import get_campaign

TARGET = 6
PAPERS_A_SECOND = 9_000
CLEARED_WITHIN_S = 1.0
GIVE_UP_S = 60.0
RECORDER = ["-m", "flask", "--app", "wsgi", "ballots", "record", "--follow"]

Found = tuple[list[Comparison], list[str]]


@dataclass
class Contest:
    """Both designs on one cluster, each with a database of its own."""

    cluster: Cluster
    where: Stand
    product: str
    naive: str
    papers: Path
    seconds: float
    used: int = 0
    naive_used: int = 0
    cleared_s: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def use(self) -> int:
        return int(max(1, self.seconds) * PAPERS_A_SECOND)

    def in_sql(self, name: str) -> int:
        with self.cluster.connect(name) as connection:
            row = connection.execute("SELECT count(*) FROM ballots").fetchone()
        assert row is not None
        return int(row[0])

    def naive_in_sql(self) -> int:
        return self.in_sql("naive")

    def run_product(self) -> float:
        """Ballots in SQL a second, from the first request until the last ballot is recorded."""
        before = load.settled(self.where.accepted)
        run = load.votes(self.product, self.seconds, self.papers, self.used, self.use)
        ended = time.monotonic()
        self.used += self.use
        # The clock of the backlog runs from here, also while the last answers are still on their way.
        accepted = load.settled(self.where.accepted)
        if run.errors or not run.requests <= accepted - before <= run.requests + load.CONNECTIONS:
            self.problems.append(f"product: {run.requests} answers, {run.errors} errors, {accepted - before} accepted")
        while self.in_sql("product") < accepted and time.monotonic() - ended < GIVE_UP_S:
            time.sleep(0.01)
        self.cleared_s.append(time.monotonic() - ended)
        return (accepted - before) / (run.seconds + self.cleared_s[-1])

    def run_naive(self) -> float:
        before = load.settled(self.naive_in_sql)
        run = load.votes(self.naive, self.seconds, self.papers, self.naive_used, self.use)
        self.naive_used += self.use
        recorded = load.settled(self.naive_in_sql) - before
        if run.errors or not run.requests <= recorded <= run.requests + load.CONNECTIONS:
            self.problems.append(f"naive counter: {run.requests} answers, {run.errors} errors, {recorded} in SQL")
        return run.rate

    def check(self) -> str:
        """Every ballot once, and the leaderboard's sum exactly what SQL holds."""
        with self.cluster.connect("product") as connection:
            row = connection.execute("SELECT coalesce(sum(times), 0) FROM choices").fetchone()
        assert row is not None
        ballots, votes = self.in_sql("product"), int(row[0])
        with self.where.app.app_context():
            board = leaderboard.get_board(get_campaign(SLUG))
        on_board = sum(line.votes for lines in board.awards.values() for line in lines)
        if not (ballots == board.ballots and votes == board.votes == on_board):
            self.problems.append(
                f"SQL has {ballots} ballots and {votes} votes, "
                f"but the leaderboard {board.ballots}, {board.votes} and rows with {on_board}"
            )
        slowest = max(self.cleared_s)
        if slowest > CLEARED_WITHIN_S:
            self.problems.append(f"the backlog took {slowest:.2f} s to clear (allowed: {CLEARED_WITHIN_S:g} s)")
        cleared = " ".join(f"{one:.2f}" for one in self.cleared_s)
        return f"  backlog cleared after {cleared} s; SQL {ballots:,} ballots, {votes:,} votes; board {on_board:,}"


def measure(folder: Path, seconds: float, rounds: int, say: Callable[[str], None]) -> Found:
    """The comparison; skipped, and said so, where there is no PostgreSQL."""
    say("\nStarting PostgreSQL, a recorder and the naive counter …")
    with ExitStack() as stack:
        try:
            made = stack.enter_context(cluster())
        except RuntimeError as error:
            return [], [f"SKIPPED: recorded while admitting ({error})"]
        where = stack.enter_context(stand(folder, "product", database_url=made.create("product")))
        made.create("naive")
        with made.connect("naive") as connection:
            naive.prepare(connection, [number for some in where.candidates().values() for number in some])
        conninfo = psycopg.conninfo.make_conninfo(host=str(made.folder), user="voting", dbname="naive")
        other = {"SECRET_KEY": SECRET_KEY, "NAIVE_DATABASE": conninfo}
        count = int(max(1, seconds) * PAPERS_A_SECOND) * (rounds + 1)
        contest = Contest(
            made,
            where,
            stack.enter_context(server("wsgi:app", where.environment(), where.folder, factory=False)),
            stack.enter_context(server("benchmarks.naive:create_app", other, where.folder)),
            write_papers(where.folder / "papers", where.candidates(), count),
            seconds,
        )
        stack.enter_context(process(RECORDER, where.environment(), where.folder / "recorder.log"))
        contest.run_product(), contest.run_naive()  # warms everything up; not counted
        contest.cleared_s.clear()
        ours, theirs = Series("recorded in SQL while admitting"), Series("one transaction per vote (naive)")
        interleave(rounds, [(ours, contest.run_product), (theirs, contest.run_naive)], say)
        say(contest.check())
        return [Comparison(ours.name, ours, theirs, TARGET)], contest.problems
