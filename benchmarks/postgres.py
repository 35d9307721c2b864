"""A PostgreSQL cluster of our own from the system's programs, on a unix socket, as durable as it is by default."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

START_TIMEOUT_S = 60.0


def find_programs() -> Path | None:
    """The folder of initdb and postgres: the one in PATH, or else the newest installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name.split(".")[0]), default=None)


class Cluster:
    """A running cluster in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def connect(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user="voting", dbname=name, autocommit=True)

    def create(self, name: str) -> str:
        """A new database; its SQLAlchemy URL."""
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://voting@/{name}?host={self.folder}"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start one, stop it afterwards and remove its folder. Raises RuntimeError where there is no PostgreSQL."""
    programs = find_programs()
    if programs is None:
        raise RuntimeError("neither PATH nor /usr/lib/postgresql has initdb and postgres")
    # Not inside our own scratch folder: root gives the cluster to another user, who could not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="votingpg"))
    server: subprocess.Popen[bytes] | None = None
    try:
        user = _as_user(folder)
        data = str(folder / "data")
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "voting", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **user,
        )
        options = {"listen_addresses": "", "unix_socket_directories": str(folder), "max_connections": "120"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *arguments],
                stdout=log,
                stderr=log,
                cwd=folder,
                process_group=0,
                **user,
            )
        made = Cluster(folder)
        _wait(made, server)
        yield made
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # "fast": ends the connections, then the server
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _as_user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root; somebody else owns the cluster then."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL cannot run as root, and there is no user postgres or nobody")


def _wait(made: Cluster, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            made.connect("postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{(made.folder / 'log').read_text()}")
