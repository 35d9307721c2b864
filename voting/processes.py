"""Child processes of the launcher: started, shown line by line, and stopped by their own id with all they started.

Lives here: one process and its output; nothing about which processes there are or what they do (launch.py).
There are no threads: `Children.watch` waits for output of all of them at once.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1


def say(line: str) -> None:
    """One line for the person at the terminal; a terminal that has gone away is no reason to stop stopping."""
    try:
        print(line, flush=True)
    except OSError:
        pass


def _end_with_parent() -> None:
    """Between fork and exec on Linux: a launcher that is killed outright takes its children along."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


_LIBC = ctypes.CDLL(None)
_BEFORE_EXEC = _end_with_parent if sys.platform == "linux" else None


@dataclass(slots=True)
class Child:
    """One running process in a process group of its own, so that Ctrl-C reaches it through the launcher only."""

    name: str
    process: subprocess.Popen[bytes]
    started_at: float
    unfinished: bytearray = field(default_factory=bytearray)

    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.process.poll()


class Children:
    """The processes this launcher started and has not yet seen off."""

    def __init__(self, folder: Path, environment: Mapping[str, str], lock: int) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.lock = lock
        self.running: list[Child] = []
        self.selector = selectors.DefaultSelector()

    def start(self, name: str, arguments: Sequence[str]) -> Child:
        """Start `python <arguments>`; it inherits the instance's lock, which so lasts as long as the last of them."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            pass_fds=[self.lock],
            preexec_fn=_BEFORE_EXEC,
        )
        child = Child(name, process, time.monotonic())
        self.running.append(child)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self.selector.register(process.stdout, selectors.EVENT_READ, child)
        self.note()
        return child

    def watch(self, seconds: float) -> None:
        """Show what the children say for up to so long; returns early when something was shown."""
        for key, _ in self.selector.select(seconds):
            self._show(key.data)

    def forget(self, child: Child) -> None:
        """See off a child that has ended: its last words, its own children, its entry."""
        self._show(child, last=True)
        try:
            os.killpg(child.process.pid, signal.SIGKILL)  # what it started and left behind
        except (ProcessLookupError, PermissionError):
            pass
        assert child.process.stdout is not None
        if child.process.stdout in self.selector.get_map():
            self.selector.unregister(child.process.stdout)
        child.process.stdout.close()
        self.running.remove(child)
        self.note()

    def stop(self, child: Child, grace_s: float) -> None:
        """Ask a child to end, and after `grace_s` end it."""
        if child.ended() is None:
            child.process.terminate()
        deadline = time.monotonic() + grace_s
        while child.ended() is None:
            self.watch(0.05)  # a child that cannot write cannot end
            if time.monotonic() > deadline:
                say(f"The {child.name} does not stop by itself; it is ended.")
                child.process.kill()
                child.process.wait()
        self.forget(child)

    def note(self) -> None:
        """Write who runs into the lock file, for the message of a second launcher."""
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, "".join(f"{child.name} {child.process.pid}\n" for child in self.running).encode(), 0)

    def _show(self, child: Child, last: bool = False) -> None:
        assert child.process.stdout is not None
        try:
            while chunk := os.read(child.process.stdout.fileno(), 65536):
                child.unfinished += chunk
            if not last and child.process.stdout in self.selector.get_map():
                self.selector.unregister(child.process.stdout)  # closed: nothing more will come
        except BlockingIOError:
            pass
        *lines, rest = child.unfinished.split(b"\n")
        child.unfinished = rest if not last else bytearray()
        for line in lines if not last or not rest else [*lines, rest]:
            say(f"{child.name:<8} | {line.decode('utf-8', 'replace').rstrip()}")
