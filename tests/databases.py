"""Real databases for tests: a SQLite file, and a PostgreSQL cluster of our own on a unix socket in a temporary folder.

Fixtures: ``database_url`` (migrated) and ``empty_database_url``, each once for SQLite and once for PostgreSQL;
``ledger_app`` (a bare Flask application on ``database_url``, its context pushed) and ``ledger`` (a session on it).
Where there are no PostgreSQL binaries its half is skipped, or fails when VOTING_REQUIRE contains "postgres".
"""

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
from dataclasses import dataclass, field
from pathlib import Path

import flask_migrate
import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from voting.storage.database import db

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "migrations"
TEMPLATE = "template_migrated"
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def make_app(url: str) -> Flask:
    """A bare application with the database and its migrations, and nothing else."""
    app = Flask("tests.databases", root_path=str(ROOT))
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    flask_migrate.Migrate(app, db, directory=str(MIGRATIONS))
    return app


@contextmanager
def app_on(url: str) -> Iterator[Flask]:
    """A bare application inside its context; its connections are closed at the end, whatever happens."""
    app = make_app(url)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def migrate_to(url: str, revision: str = "head") -> None:
    """Bring a database up to a revision."""
    with app_on(url):
        flask_migrate.upgrade(revision=revision)


def find_postgres() -> Path | None:
    """The folder with the PostgreSQL server's programs: the one in PATH, or else the newest installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    usable = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return max(usable, key=lambda folder: int("".join(filter(str.isdigit, str(folder))) or 0), default=None)


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root; somebody else has to own it then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.fail("PostgreSQL cannot run as root, and there is no user postgres or nobody to run it as")


@dataclass
class PostgresServer:
    """One cluster, thrown away after the tests; it listens on a unix socket in ``folder`` only."""

    binaries: Path
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="votingpg")))
    user: str | None = field(default_factory=_other_user)
    process: subprocess.Popen[bytes] | None = None
    _made: int = 0

    def start(self) -> None:
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        self._run(
            "initdb", "-D", str(self.folder / "data"), "-U", "voting", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            # Tests end servers, not machines: what the kernel was given survives.
            "fsync": "off",
            "max_connections": "200",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), *arguments],
                stdout=log,
                stderr=log,
                **self._as_user(),  # type: ignore[call-overload]
            )
        self._wait()

    def _as_user(self) -> dict[str, object]:
        # Not our own folder: the other user may not be allowed to enter it.
        here: dict[str, object] = {"cwd": str(self.folder), "start_new_session": True}
        if self.user is None:
            return here
        entry = pwd.getpwnam(self.user)
        return here | {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, **self._as_user())  # type: ignore[call-overload]
        if done.returncode:
            pytest.fail(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        pytest.fail(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast": ends the connections, then the server
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://voting@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user="voting", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str = "template0") -> str:
        """The name of a new database, empty or a copy of a template."""
        self._made += 1
        name = f"voting_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def without_postgres() -> None:
    """Skips, or fails where PostgreSQL is required."""
    if "postgres" in os.environ.get("VOTING_REQUIRE", ""):
        pytest.fail(
            "VOTING_REQUIRE asks for PostgreSQL, but neither PATH nor /usr/lib/postgresql has initdb and postgres"
        )
    pytest.skip("PostgreSQL half not run: neither PATH nor /usr/lib/postgresql has initdb and postgres")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    binaries = find_postgres()
    if binaries is None:
        without_postgres()
        return
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A migrated database that others are copied from: faster than migrating each."""
    postgres_server.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    migrate_to(postgres_server.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    migrate_to(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite file with no rows."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'voting.sqlite3')}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database with no rows."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database with no rows: once SQLite, once PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def ledger_app(database_url: str) -> Iterator[Flask]:
    """A bare application on ``database_url``, inside its context."""
    with app_on(database_url) as app:
        yield app


@pytest.fixture
def ledger(ledger_app: Flask) -> Iterator[Session]:
    """A session on ``database_url``; what a test writes, it commits itself."""
    with Session(db.engine) as session:
        yield session
