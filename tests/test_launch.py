"""The launcher as a person meets it: it starts everything, brings back what falls, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

import config
from voting import checks
from voting.tally import embedded

pytestmark = pytest.mark.faults
OURS = ("VOTING_ENV", "VOTING_INSTANCE", "SECRET_KEY", "VOTER_SECRET", "DATABASE_URL", "REDIS_URL")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def alive(pid: int) -> bool:
    """Whether a process still runs; one that has ended and waits to be seen off does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(condition, seconds: float = 180.0) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class Running:
    """A launcher started on an instance folder of its own."""

    def __init__(self, instance: Path, *options: str, **environment: str) -> None:
        self.instance = instance
        self.port = free_port()
        self.output = instance.parent / f"output-{self.port}.txt"
        clean = {name: value for name, value in os.environ.items() if name not in OURS}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "voting.launch", "--port", str(self.port), *options],
                cwd=config.ROOT,
                env=clean | {"VOTING_INSTANCE": str(instance)} | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until_up(self) -> None:
        wait_until(lambda: "is running" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def pid_of(self, name: str) -> int:
        found = re.search(rf"^{name} (\d+)$", (self.instance / "running.lock").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(180)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "阳江 投票"
    yield folder
    if embedded.is_running(folder):
        embedded.start(folder).stop(even_if_found=True)


def refused(instance: Path, *options: str, **environment: str) -> str:
    """What a launcher says that does not start; its last line is the one sentence."""
    launcher = Running(instance, *options, **environment)
    assert launcher.process.wait(180) == 1
    assert "Traceback" not in launcher.said()
    assert not embedded.is_running(instance)
    return launcher.said().splitlines()[-1]


def test_a_whole_life(instance: Path) -> None:
    launcher = Running(instance)
    try:
        launcher.wait_until_up()
        with urllib.request.urlopen(f"http://127.0.0.1:{launcher.port}/healthz", timeout=10) as answer:
            assert answer.status == 200
        assert f"http://127.0.0.1:{launcher.port}/c/yangjiang-2026/leaderboard" in launcher.said()
        assert "/organizer/" in launcher.said()
        assert "flask --app wsgi account create" in launcher.said()

        # A second one keeps its hands off, also when asked to throw the votes away.
        second = Running(instance, "--fresh")
        assert second.process.wait(180) == 1
        assert "already running" in second.said()

        # A recorder that dies is started again.
        recorder = launcher.pid_of("recorder")
        os.kill(recorder, signal.SIGKILL)
        wait_until(lambda: launcher.pid_of("recorder") not in (0, recorder))
        assert "The recorder stopped (exit code -9)" in launcher.said()

        # So is Valkey, with what it kept.
        valkey = embedded.start(instance)
        with redis.Redis.from_url(valkey.url) as client:
            client.set("kept", "yes")
            os.kill(client.info("server")["process_id"], signal.SIGKILL)
        wait_until(lambda: "started again with everything it kept" in launcher.said())
        with redis.Redis.from_url(embedded.start(instance).url) as client:
            assert client.get("kept") == b"yes"
            processes = [client.info("server")["process_id"]]

        # Ctrl-C: everything ends, in order and without an error.
        processes += [launcher.pid_of("server"), launcher.pid_of("recorder")]
        assert all(alive(pid) for pid in processes)
        assert launcher.stop() == 0
        assert not any(alive(pid) for pid in processes)
        assert not embedded.is_running(instance)
        assert "Traceback" not in launcher.said()
    finally:
        launcher.process.kill()
        launcher.process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child's life to its parent's")
def test_a_launcher_that_is_killed_leaves_only_valkey_and_the_next_one_takes_it_over(instance: Path) -> None:
    first = Running(instance)
    first.wait_until_up()
    processes = [first.pid_of("server"), first.pid_of("recorder")]
    first.stop(signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in processes))
    assert embedded.is_running(instance)

    second = Running(instance)
    try:
        second.wait_until_up()
        assert second.stop(signal.SIGTERM) == 0
        assert not embedded.is_running(instance)
    finally:
        second.process.kill()
        second.process.wait()


def test_a_server_that_dies_takes_everything_along(instance: Path) -> None:
    launcher = Running(instance)
    try:
        launcher.wait_until_up()
        recorder = launcher.pid_of("recorder")
        os.kill(launcher.pid_of("server"), signal.SIGKILL)
        assert launcher.process.wait(180) == 1
        assert launcher.said().splitlines()[-1].startswith("The server stopped unexpectedly (exit code -9)")
        assert not alive(recorder)
        assert not embedded.is_running(instance)
    finally:
        launcher.process.kill()
        launcher.process.wait()


def test_an_unreachable_redis_is_one_sentence_without_its_password(instance: Path) -> None:
    said = refused(instance, REDIS_URL=f"redis://:geheim@127.0.0.1:{free_port()}/0")
    assert said.startswith("REDIS_URL (redis://***@127.0.0.1:")
    assert "geheim" not in said


def test_an_unreachable_database_is_one_sentence_without_its_password(instance: Path) -> None:
    said = refused(instance, DATABASE_URL=f"postgres://voting:geheim@127.0.0.1:{free_port()}/voting")
    assert said.startswith("DATABASE_URL (postgresql+psycopg://***@127.0.0.1:")
    assert "geheim" not in said


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite3", "mysql://a/b", "nonsense"])
def test_a_database_that_cannot_be_used_is_one_sentence(instance: Path, url: str) -> None:
    assert refused(instance, DATABASE_URL=url).startswith(f"DATABASE_URL ({url}) cannot be used")


def test_a_file_that_is_no_database_is_one_sentence(instance: Path) -> None:
    instance.mkdir()
    (instance / "voting.sqlite3").write_text("not a database, and long enough to be seen as none " * 40)
    assert "file is not a database" in refused(instance)


def test_fresh_does_not_touch_what_is_kept_elsewhere(instance: Path) -> None:
    said = refused(instance, "--fresh", DATABASE_URL="postgres://voting@127.0.0.1/voting")
    assert "--fresh only throws away the demo" in said


def test_an_instance_that_cannot_be_written_to_is_one_sentence(instance: Path) -> None:
    instance.write_text("a file in its place")
    given = {"SECRET_KEY": "k", "VOTER_SECRET": "v"}
    assert "cannot be written to" in refused(instance, **given)


def test_production_without_its_secrets_is_one_sentence(instance: Path) -> None:
    assert refused(instance, VOTING_ENV="production").startswith("Production does not start without SECRET_KEY")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:p@ss/w@box:6379/0", "redis://***@box:6379/0"),
        ("postgresql+psycopg://u:p?w@db/x?sslmode=require", "postgresql+psycopg://***@db/x"),
        ("redis://box/0?password=geheim", "redis://box/0"),
        ("sqlite:////tmp/x.sqlite3", "sqlite:////tmp/x.sqlite3"),
    ],
)
def test_no_password_is_ever_shown(url: str, shown: str) -> None:
    assert checks.without_password(url) == shown
