"""Starts and watches everything one machine needs: Valkey, the database, server, recorder, screens, simulated voters.

Lives here: which processes there are, in which order they start and stop, and what a person is told about it.
Must not live here: how a process is handled (processes.py) or what the programs do.
run.py calls it as `python -m voting.launch`; with a process manager, start the same programs from its unit files.
"""

import argparse
import fcntl
import io
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Any

from config import ROOT, load_config
from voting.checks import LaunchError, answers, check_database, check_port, check_redis, free_port_above
from voting.processes import Child, Children, say
from voting.tally import embedded

START_TIMEOUT_S = 120.0
MOST_RESTARTS = 5
HEALTHY_AFTER_S = 60.0

#: what may end and be started again while all others run on: its arguments, and what a person should know meanwhile
REPLACEABLE = {
    "recorder": (
        ("-m", "flask", "--app", "wsgi", "ballots", "record", "--follow"),
        "No vote is lost.",
        "votes are accepted and kept in the ballot box, but not recorded until the cause above is mended and the "
        "system is started again.",
    ),
    "screens": (
        (
            *("-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{screens_port}"),
            *("--workers", "1", "--no-ws", "--log-level", "error", "--workers-kill-timeout", "2", "voting.screens:app"),
        ),
        "Big screens keep what they show.",
        "big screens keep what they show until the system is started again.",
    ),
}


def main(arguments: list[str]) -> None:
    """Start everything, watch it, and stop everything, whatever happens in between."""
    parser = argparse.ArgumentParser(prog="run.py")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--with-voters", action="store_true")
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no Chinese is no reason to stop
    settings = load_config()
    check_port(options.port)
    launcher = Launcher(settings, options.port, options.with_voters)
    try:
        launcher.catch_signals()
        launcher.take_instance()
        if options.fresh:
            throw_away(launcher.instance)
        launcher.prepare()
        launcher.start()
        launcher.watch()
    except KeyboardInterrupt:
        pass
    finally:
        launcher.stop()


class Launcher:
    """One start of the whole system, from the first check to the last process stopped."""

    def __init__(self, settings: dict[str, Any], port: int, with_voters: bool) -> None:
        self.settings = settings
        self.instance: Path = settings["VOTING_INSTANCE"]
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        self.with_voters = with_voters
        self.valkey: embedded.EmbeddedValkey | None = None
        self.children: Children | None = None
        self.due: dict[str, float] = {}
        self.restarts = {"recorder": 0, "screens": 0, "valkey": 0}
        self.asked_to_stop = False
        self.interruptible = False
        self.campaigns: list[str] = []
        self.screens_port = 0

    # --- before anything runs ---

    def catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Remember it. Work on the database is finished first, so that none is left half done; a second one cuts it."""
        again, self.asked_to_stop = self.asked_to_stop, True
        if self.interruptible and again:
            raise KeyboardInterrupt
        if self.interruptible:
            say("Stopping as soon as the database is in order …")

    def take_instance(self) -> None:
        """Hold the instance folder for this launcher and its children, or say who holds it."""
        try:
            self.instance.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.instance):
                pass
            lock = os.open(self.instance / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LaunchError(
                f"The folder {self.instance} cannot be written to ({error.strerror}): set VOTING_INSTANCE to a folder "
                "of your own, or copy the project to one."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holders = ", ".join(os.pread(lock, 1000, 0).decode().split("\n")[:-1])
            os.close(lock)
            raise LaunchError(
                f"The system is already running on {self.instance}{f' (process {holders})' if holders else ''}: "
                "stop it first, with Ctrl-C in its window or with kill and the process id."
            ) from None
        environment = dict(os.environ) | {"PYTHONUNBUFFERED": "1", "PROMETHEUS_MULTIPROC_DIR": str(self.metrics())}
        self.children = Children(ROOT, environment, lock)

    def metrics(self) -> Path:
        """The folder through which the server's processes add up their metrics; old figures are thrown away."""
        folder = self.instance / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def prepare(self) -> None:
        """Valkey and the database are there, the tables are up to date, and an empty database has the demo."""
        assert self.children is not None
        check_database(self.settings["DATABASE_URL"])
        if os.environ.get("REDIS_URL"):
            check_redis(self.settings["REDIS_URL"])
        else:
            self.start_valkey()
        self.children.environment["REDIS_URL"] = os.environ["REDIS_URL"]
        if self.asked_to_stop:
            raise KeyboardInterrupt
        self.interruptible = True
        self.campaigns = fill_database()
        self.interruptible = False
        if self.asked_to_stop:
            raise KeyboardInterrupt

    def start_valkey(self) -> None:
        say("Starting the embedded Valkey …")
        try:
            self.valkey = embedded.start(self.instance)
        except embedded.EmbeddedValkeyError as error:
            raise LaunchError(str(error)) from None
        os.environ["REDIS_URL"] = self.valkey.url

    # --- running ---

    def start(self) -> None:
        """The server, the recorder and the screens' process; returns when the server answers."""
        assert self.children is not None
        say("Starting the server and the recorder …")
        self.screens_port = free_port_above(self.port)
        # Without a proxy in front, pages and events have two ports: the page is told the other one.
        self.children.environment.setdefault("SCREENS_URL", f"http://127.0.0.1:{self.screens_port}")
        workers = min(os.cpu_count() or 1, 4)
        server = self.children.start(
            "server",
            [
                *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port)),
                *("--workers", str(workers), "--blocking-threads", "16", "--no-ws", "--log-level", "error"),
                *("--respawn-failed-workers", "--workers-kill-timeout", "10", "wsgi:app"),
            ],
        )
        self.start_again("recorder")
        self.start_again("screens")
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.asked_to_stop and not answers(self.address + "/healthz"):
            if server.ended() is not None:
                raise LaunchError("The server stopped while it was starting; its last words stand above.")
            if time.monotonic() > deadline:
                raise LaunchError(f"The server did not answer on {self.address} in {START_TIMEOUT_S:.0f} s.")
            self.children.watch(0.1)
        if self.asked_to_stop:
            return
        if self.with_voters:
            self.children.start("voters", ["-m", "voting.simulation", "--base-url", self.address])
        self.welcome()

    def start_again(self, name: str) -> None:
        """Start one of those that may be replaced; the first time too."""
        assert self.children is not None
        self.due.pop(name, None)
        arguments = REPLACEABLE[name][0]
        self.children.start(name, [part.format(screens_port=self.screens_port) for part in arguments])

    def welcome(self) -> None:
        python = Path(sys.executable)
        shown = python.relative_to(ROOT) if python.is_relative_to(ROOT) else python
        say("")
        say("The voting system is running. Ctrl-C stops it; nothing is lost.")
        say(f"  Citizens      {self.address}/")
        for slug in self.campaigns[:5]:
            say(f"  Leaderboard   {self.address}/c/{slug}/leaderboard")
            say(f"  Big screen    {self.address}/screen/{slug}")
        say(f"  Organizers    {self.address}/organizer/")
        say(f"  Commands      {shown} -m flask --app wsgi account create --help     (in {ROOT})")
        say("")

    def watch(self) -> None:
        """Show what the processes say and bring back what may be brought back, until asked to stop."""
        assert self.children is not None
        while not self.asked_to_stop:
            self.children.watch(0.25)
            for child in [child for child in self.children.running if child.ended() is not None]:
                self.children.forget(child)
                self.on_end(child)
            for name in [name for name, due_s in self.due.items() if time.monotonic() >= due_s]:
                self.start_again(name)
            if self.valkey and self.valkey.process and self.valkey.process.poll() is not None:
                self.bring_back_valkey()

    def on_end(self, child: Child) -> None:
        """What it means that this one ended by itself."""
        code = child.ended()
        if child.name == "voters":
            say(f"The simulated voters have ended (exit code {code}).")
            return
        if child.name not in REPLACEABLE:
            raise LaunchError(f"The {child.name} stopped unexpectedly (exit code {code}); start again: python3 run.py")
        _, meanwhile, given_up = REPLACEABLE[child.name]
        if time.monotonic() - child.started_at > HEALTHY_AFTER_S:
            self.restarts[child.name] = 0
        delay = 2 ** self.restarts[child.name]
        self.restarts[child.name] += 1
        if self.restarts[child.name] > MOST_RESTARTS:
            say(f"The {child.name} process keeps stopping and is left stopped: {given_up}")
            return
        say(f"The {child.name} stopped (exit code {code}); it is started again in {delay} s. {meanwhile}")
        self.due[child.name] = time.monotonic() + delay

    def bring_back_valkey(self) -> None:
        self.restarts["valkey"] += 1
        if self.restarts["valkey"] > MOST_RESTARTS:
            raise LaunchError(f"The embedded Valkey keeps stopping; {self.instance / 'valkey.log'} may say why.")
        say("The embedded Valkey stopped; it is started again with everything it kept.")
        self.start_valkey()

    # --- the end ---

    def stop(self) -> None:
        """Stop what was started: voters, screens, the server, the recorder, and Valkey last. Never fails halfway."""
        self.asked_to_stop, self.interruptible = True, False
        if self.children is None:
            return
        if not self.children.running and not self.valkey:
            return
        say("Stopping …")
        order = {"voters": 0, "screens": 1, "server": 2, "recorder": 3}
        for child in sorted(self.children.running, key=lambda child: order[child.name]):
            self.children.stop(child, grace_s=15.0)
        if self.valkey:
            try:
                # One that was only found is left over from a launcher that was killed: the lock says nobody else's.
                self.valkey.stop(even_if_found=True)
            except embedded.EmbeddedValkeyError as error:
                say(str(error))
        say("Stopped.")


def fill_database() -> list[str]:
    """Bring the tables up to date, put the demo into an empty database, and return the campaigns' slugs."""
    from flask_migrate import upgrade

    from voting.app import create_app

    app = create_app()
    with app.app_context():
        from voting.services import catalogue, demonstration

        say("Bringing the database up to date …")
        upgrade(directory=str(ROOT / "migrations"))
        demonstration.seed_if_empty()
        return [campaign.slug for campaign in catalogue.all_campaigns()]


def throw_away(instance: Path) -> None:
    """`--fresh`: remove the embedded database and votes. What is kept elsewhere, or is in use, is not touched."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        if os.environ.get(name):
            raise LaunchError(f"--fresh only throws away the demo in {instance}, but {name} is set: unset it first.")
    if embedded.is_running(instance):
        raise LaunchError(
            f"A Valkey server is still running on {instance}, left by a start that was killed: start once without "
            "--fresh and stop with Ctrl-C, then use --fresh."
        )
    say(f"Throwing away the demo's database and votes in {instance} …")
    for name in ("voting.sqlite3", "voting.sqlite3-wal", "voting.sqlite3-shm", "valkey.log", "valkey.url"):
        (instance / name).unlink(missing_ok=True)
    shutil.rmtree(instance / "appendonlydir", ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
