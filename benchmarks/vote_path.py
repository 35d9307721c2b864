"""The vote's way under load, against what it is to be compared with: `python -m benchmarks.vote_path`.

The real server over HTTP, load from processes of their own (wrk), every variant on the same granian configuration, all
of them up at once and driven in turn, round after round; medians, and the median of each round's ratio.
Parts: votes (full vote, abuse controls, durability), boards, recorded (with PostgreSQL), recorder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import load, recorded, recorder
from benchmarks.servers import server
from benchmarks.slow_disk import slow_flush
from benchmarks.stand import SLUG, Stand, scratch_folder, stand
from benchmarks.tables import Comparison, Series, interleave, machine, show
from benchmarks.voters import write_papers

SLOW_FLUSH_MS = 2.0
#: papers prepared for each second of load; a run that needs more is told apart by its counts
PAPERS_A_SECOND = 9_000
NAMES = {
    "empty": "empty Flask handler (GET)",
    "empty-post": "empty Flask handler (the same POST)",
    "full": "full vote, appendfsync always",
    "bare": "vote without its abuse controls",
    "everysec": "full vote, appendfsync everysec",
    "slow": f"full vote, always, {SLOW_FLUSH_MS:g} ms flush",
    "slow-everysec": f"full vote, everysec, {SLOW_FLUSH_MS:g} ms flush",
    "board": "leaderboard page, 100 candidates",
    "board-api": "leaderboard API, 100 candidates",
    "board-rendered": "leaderboard page, rendered per request",
    "board-api-rendered": "leaderboard API, written per request",
}
#: measured, against, least ratio, aim
PAIRS: tuple[tuple[str, str, float, float | None], ...] = (
    ("full", "empty", 0.35, 0.45),
    ("full", "empty-post", 0.35, 0.45),
    ("full", "bare", 0.85, None),
    ("full", "everysec", 0.6, None),
    ("slow", "slow-everysec", 0.6, None),
    ("board", "empty", 0.8, None),
    ("board-api", "empty", 0.8, None),
    ("board", "board-rendered", 10, None),
    ("board-api", "board-api-rendered", 10, None),
)
#: what every browser says; an answer that is kept compressed may be sent so
BROWSER = {"Accept-Encoding": "gzip, deflate, br", "Accept-Language": "zh-CN,zh;q=0.9"}
PAGE = f"/c/{SLUG}/leaderboard?award=households"
API = f"/api/v1/campaigns/{SLUG}/leaderboard?award=households&top=100"


def say(line: str) -> None:
    print(line, flush=True)


@dataclass
class Ballots:
    """The prepared papers of one stand, each used once, and what its box makes of them."""

    where: Stand
    papers: Path
    seconds: float
    used: int = 0
    problems: list[str] = field(default_factory=list)

    def vote(self, base: str) -> float:
        """Accepted ballots a second; every answer must have been a 201."""
        use = int(max(1, self.seconds) * PAPERS_A_SECOND)
        before = load.settled(self.where.accepted)
        run = load.votes(base, self.seconds, self.papers, self.used, use)
        accepted = load.settled(self.where.accepted) - before
        self.used += use
        # Those that were on their way when the time was over are accepted and have no answer.
        if run.errors or not run.requests <= accepted <= run.requests + load.CONNECTIONS:
            self.problems.append(f"{self.where.name}: {run.requests} answers, {run.errors} errors, {accepted} accepted")
        return run.rate


@dataclass
class Field:
    """Everything that is up while votes and boards are measured."""

    folder: Path
    stack: ExitStack
    seconds: float
    rounds: int
    wanted: set[str]
    problems: list[str] = field(default_factory=list)
    ballots: list[Ballots] = field(default_factory=list)

    def wants(self, *names: str) -> bool:
        return bool(self.wanted & set(names))

    def build(self) -> list[tuple[Series, Callable[[], float]]]:
        """Start what is wanted; the measures by name."""
        measures: dict[str, Callable[[], float]] = {}
        always = self.stand("always")
        if self.wants("empty", "empty-post"):
            empty = self.serve("benchmarks.apps:empty", always)
            measures["empty"] = lambda: self.get(empty + "/")
            if self.wants("empty-post"):
                measures["empty-post"] = lambda: self.post_to(empty, always)
        ballots = self.prepare(always, 3 if self.wants("bare") else 2)
        if self.wants("full", "board", "board-api"):
            full = self.serve("wsgi:app", always)
            measures["full"] = lambda: ballots.vote(full)
            measures["board"] = lambda: self.get(full + PAGE)
            measures["board-api"] = lambda: self.get(full + API)
        if self.wants("bare"):
            bare = self.serve("benchmarks.apps:without_controls", always)
            measures["bare"] = lambda: ballots.vote(bare)
        if self.wants("board-rendered", "board-api-rendered"):
            rendered = self.serve("benchmarks.apps:without_kept_boards", always)
            measures["board-rendered"] = lambda: self.get(rendered + PAGE)
            measures["board-api-rendered"] = lambda: self.get(rendered + API)
        if self.wants("everysec"):
            measures["everysec"] = self.other("everysec", "everysec", None)
        if self.wants("slow", "slow-everysec"):
            slow = slow_flush(self.folder, SLOW_FLUSH_MS)
            if slow is None:
                self.problems.append("SKIPPED: there is no C compiler, so the slow flush was not measured")
            else:
                measures["slow"] = self.other("slow", "always", slow)
                measures["slow-everysec"] = self.other("slow-everysec", "everysec", slow)
        return [(Series(NAMES[name]), measures[name]) for name in NAMES if name in measures and name in self.wanted]

    def stand(self, name: str, appendfsync: str = "always", environment: dict[str, str] | None = None) -> Stand:
        return self.stack.enter_context(stand(self.folder, name, appendfsync, environment))

    def serve(self, target: str, where: Stand) -> str:
        return self.stack.enter_context(server(target, where.environment(), where.folder, factory=target != "wsgi:app"))

    def prepare(self, where: Stand, runs_a_round: int = 1) -> Ballots:
        count = int(max(1, self.seconds) * PAPERS_A_SECOND) * (self.rounds + 1) * runs_a_round
        ballots = Ballots(where, write_papers(where.folder / "papers", where.candidates(), count), self.seconds)
        self.ballots.append(ballots)
        return ballots

    def other(self, name: str, appendfsync: str, environment: dict[str, str] | None) -> Callable[[], float]:
        """Votes on a stand of their own."""
        where = self.stand(name, appendfsync, environment)
        ballots, base = self.prepare(where), self.serve("wsgi:app", where)
        return lambda: ballots.vote(base)

    def get(self, url: str) -> float:
        run = load.get(url, self.seconds, BROWSER)
        if run.errors:
            self.problems.append(f"{url}: {run.errors} of {run.requests} answers were errors")
        return run.rate

    def post_to(self, base: str, where: Stand) -> float:
        papers = where.folder / "papers"
        run = load.votes(base, self.seconds, papers, 0, int(max(1, self.seconds) * PAPERS_A_SECOND))
        if run.errors:
            self.problems.append(f"the empty handler: {run.errors} errors")
        return run.rate


def votes_and_boards(folder: Path, seconds: float, rounds: int, wanted: set[str]) -> tuple[list[Comparison], list[str]]:
    """Everything that needs no PostgreSQL and no recorder."""
    with ExitStack() as stack:
        field_ = Field(folder, stack, seconds, rounds, wanted)
        say("Starting Valkeys and servers, preparing ballots …")
        measures = field_.build()
        for _, measure in measures:
            measure()  # warms every process up; not counted
        interleave(rounds, measures, say)
        of_name = {series.name: series for series, _ in measures}
        problems = field_.problems + [problem for ballots in field_.ballots for problem in ballots.problems]
    found = []
    for measured, against, target, aim in PAIRS:
        one, other = of_name.get(NAMES[measured]), of_name.get(NAMES[against])
        if one is not None and other is not None:
            found.append(Comparison(one.name, one, other, target, aim))
    return found, problems


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.vote_path", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2, help="of load for each measure, whole (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: 5)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 1 second: to see that everything works")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(NAMES)}, recorded, recorder")
    options = parser.parse_args(arguments)
    known = {*NAMES, "recorded", "recorder"}
    wanted = set(filter(None, options.only.split(","))) or known
    if wanted - known:
        parser.error(f"unknown: {', '.join(sorted(wanted - known))}")
    seconds, rounds = (1.0, 2) if options.quick else (options.seconds, options.rounds)
    say(f"{machine()}\nload from {load.tool()}; {rounds} rounds of {seconds:g} s\n")
    started, comparisons, problems = time.monotonic(), [], list[str]()
    with scratch_folder() as folder:
        for part, run in (
            (set(NAMES), lambda: votes_and_boards(folder, seconds, rounds, wanted & set(NAMES))),
            ({"recorded"}, lambda: recorded.measure(folder, seconds, min(rounds, 3), say)),
            ({"recorder"}, lambda: recorder.measure(folder, min(rounds, 3), 5_000 if options.quick else 20_000, say)),
        ):
            if wanted & part:
                found, wrong = run()
                comparisons += found
                problems += wrong
    show(comparisons)
    for problem in problems:
        print(f"\n{problem}", file=sys.stderr)
    say(f"\n{time.monotonic() - started:.0f} s")
    return 1 if any(not problem.startswith("SKIPPED") for problem in problems) else 0


if __name__ == "__main__":
    sys.exit(main())
