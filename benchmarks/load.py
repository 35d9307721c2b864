"""Load from processes of their own: wrk with a Lua script, or a small pool of Python clients where wrk is missing.

Lives here: sending requests as fast as they are answered, and what came back. What is sent is made in voters.py.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.stand import ROOT, SLUG

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64
THREADS = 2
SETTLE_S = 10.0
COOKIE = "__Host-device"
BALLOTS = f"/api/v1/campaigns/{SLUG}/ballots"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of load brought; ``errors`` are answers other than success, and broken connections."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return (self.requests - self.errors) / self.seconds


def settled(count: Callable[[], int]) -> int:
    """A count that has stopped growing: what was on its way when the load ended is still being answered."""
    last, deadline = count(), time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        time.sleep(0.1)
        now = count()
        if now == last:
            break
        last = now
    return last


def tool() -> str:
    """What makes the load on this machine."""
    if shutil.which("wrk"):
        return "wrk"
    return "a pool of Python clients: wrk is not installed, so the load takes much of the machine itself"


def get(url: str, seconds: float, headers: dict[str, str] | None = None) -> Run:
    """The same GET again and again."""
    if not shutil.which("wrk"):
        return _python_clients(url, seconds, None)
    given = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
    return _wrk(url, seconds, HERE / "report.lua", given, [])


def votes(base: str, seconds: float, papers: Path, skip: int, use: int) -> Run:
    """Ballots from the file, ``use`` lines after the first ``skip``; each is meant to be sent once."""
    if not shutil.which("wrk"):
        return _python_clients(base + BALLOTS, seconds, (papers, skip, use))
    # wrk loads one script only; both of ours are put into one file beside the papers.
    script = papers.with_suffix(".lua")
    script.write_text((HERE / "vote.lua").read_text("utf-8") + (HERE / "report.lua").read_text("utf-8"), "utf-8")
    return _wrk(base + BALLOTS, seconds, script, [], [str(papers), str(skip), str(use), BALLOTS, COOKIE, base])


def _wrk(url: str, seconds: float, script: Path, options: list[str], arguments: list[str]) -> Run:
    # wrk counts whole seconds only; a fraction is enough for trying a program out.
    whole = max(1, round(seconds))
    command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{whole}s", "--timeout", "10s", *options]
    command += ["-s", str(script), url, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=whole + 60)
    line = next((line for line in done.stdout.splitlines() if line.startswith("figures ")), None)
    if line is None:
        raise RuntimeError(f"wrk did not finish: {done.stdout}{done.stderr}")
    requests, duration_us, *errors, p50_us, p99_us = map(int, line.split()[1:])
    return Run(requests, duration_us / 1e6, sum(errors), p50_us / 1000, p99_us / 1000)


def _python_clients(url: str, seconds: float, ballots: tuple[Path, int, int] | None) -> Run:
    """Four processes of sixteen threads; their figures are added."""
    address = urlsplit(url)
    here = f"{address.path}?{address.query}" if address.query else address.path
    common = [str(address.hostname), str(address.port), here, str(seconds), *(map(str, ballots or ()))]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.client", str(number), *common],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(4)
    ]
    lines = [process.communicate(timeout=seconds + 60)[0].split() for process in processes]
    requests, errors = sum(int(line[0]) for line in lines), sum(int(line[1]) for line in lines)
    return Run(requests, seconds, errors, max(float(line[2]) for line in lines), max(float(line[3]) for line in lines))
