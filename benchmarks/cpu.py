"""CPU time of every process for one request under load: `python -m benchmarks.cpu`. Linux only.

The rate of a busy machine says little; CPU time per request changes less, and shows where it goes: the server's
workers, Valkey, the load process itself. Compared are the empty handler, the full vote and the leaderboard.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.servers import server
from benchmarks.stand import Stand, scratch_folder, stand
from benchmarks.tables import machine
from benchmarks.vote_path import API, BROWSER, PAGE, PAPERS_A_SECOND
from benchmarks.voters import write_papers

COLUMNS = ("µs of CPU a request", "server, user", "server, system", "Valkey", "server + Valkey", "load process", "rate")
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """µs a request."""

    server_user: float
    server_system: float
    valkey: float
    load: float
    rate: float


def tree(pid: int) -> list[int]:
    """A process and all it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text("ascii").split():
            found += tree(int(child))
    return found


def spent(pids: list[int]) -> tuple[float, float]:
    """User and system µs of some processes so far."""
    user = system = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        user, system = user + int(fields[11]) * TICK_US, system + int(fields[12]) * TICK_US
    return user, system


def of_ended() -> float:
    """µs of all processes of ours that have ended: the load's."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (ended.ru_utime + ended.ru_stime) * 1e6


def watch(servers: list[int], valkey: int, run: Callable[[], load.Run]) -> Cpu:
    """Run a load and see who spent what."""
    before, valkey_before, load_before = spent(servers), sum(spent([valkey])), of_ended()
    done = run()
    after, valkey_after = spent(servers), sum(spent([valkey]))
    user, system = (late - early for late, early in zip(after, before, strict=True))
    valkey_spent, load_spent, count = valkey_after - valkey_before, of_ended() - load_before, done.requests
    return Cpu(user / count, system / count, valkey_spent / count, load_spent / count, done.rate)


def measure(folder: Path, where: Stand, seconds: float, rounds: int) -> dict[str, list[Cpu]]:
    """Every way of asking, round after round."""
    assert where.valkey.process is not None
    use = int(max(1, seconds) * PAPERS_A_SECOND)
    file = write_papers(folder / "papers", where.candidates(), use * (rounds + 1))
    samples: dict[str, list[Cpu]] = {}
    with ExitStack() as stack:
        mine = set(tree(os.getpid()))
        empty = stack.enter_context(server("benchmarks.apps:empty", where.environment(), folder))
        of_empty = [pid for pid in tree(os.getpid()) if pid not in mine]
        mine |= set(of_empty)
        full = stack.enter_context(server("wsgi:app", where.environment(), folder, factory=False))
        of_full = [pid for pid in tree(os.getpid()) if pid not in mine]
        for number in range(rounds + 1):
            skip = number * use
            plan: dict[str, tuple[list[int], Callable[[], load.Run]]] = {
                "empty Flask handler": (of_empty, lambda: load.get(empty + "/", seconds, BROWSER)),
                "full vote": (of_full, lambda skip=skip: load.votes(full, seconds, file, skip, use)),  # type: ignore[misc]
                "leaderboard page": (of_full, lambda: load.get(full + PAGE, seconds, BROWSER)),
                "leaderboard API": (of_full, lambda: load.get(full + API, seconds, BROWSER)),
            }
            for name, (servers, run) in plan.items():
                found = watch(servers, where.valkey.process.pid, run)
                if number:  # the first round warms up
                    samples.setdefault(name, []).append(found)
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cpu", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="of load for each measure, whole (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: 5)")
    options = parser.parse_args()
    print(machine())
    with scratch_folder() as folder, stand(folder, "cpu") as where:
        samples = measure(folder, where, options.seconds, options.rounds)
    print(f"\n| {' | '.join(COLUMNS)} |\n|---{'|--:' * (len(COLUMNS) - 1)}|")
    for name, found in samples.items():
        user, system, valkey, tool, rate = (
            statistics.median(getattr(each, part) for each in found)
            for part in ("server_user", "server_system", "valkey", "load", "rate")
        )
        print(
            f"| {name} | {user:.0f} | {system:.0f} | {valkey:.0f} | {user + system + valkey:.0f} "
            f"| {tool:.0f} | {rate:,.0f} /s |"
        )


if __name__ == "__main__":
    main()
