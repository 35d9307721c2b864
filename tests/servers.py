"""The real processes: granian with two workers and recorders, on a free port, to be killed and started again.

A server is always cleaned up, workers that outlived their master included. Nothing here reaches into a process.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.world import SECRETS

ROOT = Path(__file__).resolve().parent.parent
START_S = 120.0
OURS = ("VOTING_ENV", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "VOTER_SECRET", "PUBLIC_URL", "VOTING_INSTANCE")
RECORDER = ("-m", "flask", "--app", "wsgi", "ballots", "record", "--follow")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = START_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    """The processes that a process started itself."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return sorted({int(child) for each in lists for child in each.read_text().split()})


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _runs(pid: int) -> bool:
    """Whether a process still runs; one that has ended and waits to be seen off does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@dataclass
class Server:
    """The whole system without its stores. As a context it is started, and stopped whatever happens."""

    folder: Path
    database_url: str
    redis_url: str
    recorders: int = 1
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _web: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            for _ in range(self.recorders):
                self.start_recorder()
            self.start_web()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            error.add_note(self.said())

    def _environment(self) -> dict[str, str]:
        metrics = self.folder / "metrics"
        metrics.mkdir(exist_ok=True)
        mine = {
            "VOTING_ENV": "development",
            "VOTING_INSTANCE": str(self.folder),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "TRUSTED_PROXIES": "1",
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "PYTHONUNBUFFERED": "1",
        }
        clean = {name: value for name, value in os.environ.items() if name not in OURS}
        return clean | mine | SECRETS | self.environment

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A Python program in the system's environment; what it says goes to the log."""
        with (self.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self._environment(), stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    def start_recorder(self) -> subprocess.Popen[bytes]:
        return self.start(*RECORDER)

    def start_web(self) -> None:
        """Start granian and wait until it answers."""
        self._web = self.start(
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--workers", "2", "--blocking-threads", "16", "--no-ws", "--log-level", "warning", "wsgi:app"),
        )
        web = self._web
        wait_until(lambda: web.poll() is not None or self.answers(), "the server answers")
        assert web.poll() is None, self.said()

    def answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill_web(self) -> None:
        """SIGKILL to the master and its workers, in the middle of whatever they do."""
        assert self._web is not None
        pids = children_of(self._web.pid)
        assert pids, "granian has workers of its own"
        for pid in [self._web.pid, *pids]:
            _kill(pid)
        self._web.wait(30)
        wait_until(lambda: not any(_runs(pid) for pid in pids), "the workers are gone")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A flask command, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def said(self) -> str:
        log = self.folder / "log.txt"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    def stop(self) -> None:
        for process in self._processes:
            children = children_of(process.pid) if process.poll() is None else []
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(20)
            for child in children:
                _kill(child)
        self._processes.clear()
