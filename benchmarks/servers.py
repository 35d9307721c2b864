"""The servers that are compared: granian, always with the same settings, on a free port of this machine's loopback.

Lives here: starting them, knowing when they answer, and ending them. Which applications there are: apps.py, naive.py.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.stand import ROOT

WORKERS, BLOCKING_THREADS = 2, 16
#: as voting/launch.py starts the product's server
GRANIAN = (
    *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--workers", str(WORKERS)),
    *("--blocking-threads", str(BLOCKING_THREADS), "--no-ws", "--log-level", "error"),
)
START_TIMEOUT_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(target: str, environment: dict[str, str], folder: Path, factory: bool = True) -> Iterator[str]:
    """Its base URL, once it answers; ended with all its workers afterwards."""
    with running(target, environment, folder, factory) as (base, _):
        yield base


@contextmanager
def running(target: str, environment: dict[str, str], folder: Path, factory: bool = True) -> Iterator[tuple[str, int]]:
    """As ``server``, with the number of the process whose children the workers are."""
    port = free_port()
    command = [*GRANIAN, "--port", str(port), *(["--factory"] if factory else []), target]
    with process(command, environment, folder / f"server-{port}.log") as started:
        base = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(base + "/healthz"):
            if started.poll() is not None or time.monotonic() > deadline:
                log = (folder / f"server-{port}.log").read_text("utf-8", "replace")
                raise RuntimeError(f"{target} did not start:\n{log[-2000:]}")
            time.sleep(0.1)
        yield base, started.pid


@contextmanager
def process(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python <arguments>` from the project's folder, in a process group of its own; ended with all it started."""
    settings = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ} | environment
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        try:
            os.killpg(started.pid, signal.SIGKILL)  # workers that a killed parent left behind
        except ProcessLookupError:
            pass


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
