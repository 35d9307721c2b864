"""What each environment takes from the machine, and what it refuses to start without."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import config

GIVEN = {
    "VOTING_ENV": "production",
    "SECRET_KEY": "k" * 32,
    "VOTER_SECRET": "v" * 32,
    "DATABASE_URL": "postgres://voting:secret@db/voting",
    "REDIS_URL": "redis://box:6379/0",
}


def test_development_needs_nothing_and_keeps_its_secrets(tmp_path: Path) -> None:
    instance = tmp_path / "阳江 投票"
    first = config.load_config({"VOTING_INSTANCE": str(instance)})
    assert first["DATABASE_URL"] == f"sqlite:///{instance}/voting.sqlite3"
    assert first["REDIS_URL"].startswith("unix:///")
    assert first["REDIS_URL"].endswith("valkey.sock")
    assert first["REDIS_URL"].isascii()
    assert " " not in first["REDIS_URL"]
    assert first["TRUSTED_PROXIES"] == 0
    assert first["PUBLIC_URL"] is None
    kept = instance / "secrets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert os.listdir(instance) == ["secrets.json"]
    second = config.load_config({"VOTING_INSTANCE": str(instance)})
    assert (first["SECRET_KEY"], first["VOTER_SECRET"]) == (second["SECRET_KEY"], second["VOTER_SECRET"])
    assert first["SECRET_KEY"] != first["VOTER_SECRET"]


def test_development_follows_the_address_the_embedded_valkey_noted(tmp_path: Path) -> None:
    (tmp_path / "valkey.url").write_text("unix:///tmp/voting-0-abc/valkey.sock")
    assert config.load_config({"VOTING_INSTANCE": str(tmp_path)})["REDIS_URL"] == "unix:///tmp/voting-0-abc/valkey.sock"


def test_development_takes_what_is_given(tmp_path: Path) -> None:
    settings = config.load_config(GIVEN | {"VOTING_ENV": "", "VOTING_INSTANCE": str(tmp_path)})
    assert settings["SECRET_KEY"] == GIVEN["SECRET_KEY"]
    assert settings["REDIS_URL"] == GIVEN["REDIS_URL"]
    assert list(tmp_path.iterdir()) == []


def test_one_given_secret_goes_before_the_kept_one(tmp_path: Path) -> None:
    settings = config.load_config({"VOTING_INSTANCE": str(tmp_path), "SECRET_KEY": "given"})
    kept = json.loads((tmp_path / "secrets.json").read_text())
    assert settings["SECRET_KEY"] == "given"
    assert settings["VOTER_SECRET"] == kept["VOTER_SECRET"]


def test_secrets_made_at_once_are_the_same(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    path = tmp_path / "instance" / "secrets.json"
    threads = [threading.Thread(target=lambda: seen.append(config.keep_secrets(path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 16
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null"])
def test_damaged_secrets_are_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.json").write_text(content)
    with pytest.raises(config.ConfigurationError, match="damaged"):
        config.load_config({"VOTING_INSTANCE": str(tmp_path)})
    assert (tmp_path / "secrets.json").read_text() == content


def test_secrets_that_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("a file in its place")
    with pytest.raises(config.ConfigurationError, match="cannot be kept"):
        config.load_config({"VOTING_INSTANCE": str(tmp_path / "instance")})


def test_testing_shares_nothing_with_the_demo() -> None:
    settings = config.load_config({"VOTING_ENV": "testing"})
    assert settings["TESTING"] is True
    assert "instance/testing" in settings["DATABASE_URL"]
    assert "instance/testing" in settings["REDIS_URL"]


@pytest.mark.parametrize("missing", config.Production.NEEDED)
@pytest.mark.parametrize("empty", [True, False])
def test_production_names_what_is_missing(missing: str, empty: bool) -> None:
    environ = {name: value for name, value in GIVEN.items() if name != missing} | ({missing: ""} if empty else {})
    with pytest.raises(config.ConfigurationError) as refusal:
        config.load_config(environ)
    assert str(refusal.value) == f"Production does not start without {missing}: set it in the environment."


def test_production_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(config.ConfigurationError) as refusal:
        config.load_config({"VOTING_ENV": "production"})
    assert "SECRET_KEY, VOTER_SECRET, DATABASE_URL and REDIS_URL" in str(refusal.value)


def test_production_takes_everything_from_the_environment() -> None:
    settings = config.load_config(GIVEN | {"TRUSTED_PROXIES": "2", "PUBLIC_URL": "https://vote.example/"})
    assert settings["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://voting:secret@db/voting"
    assert settings["TRUSTED_PROXIES"] == 2
    assert settings["PUBLIC_URL"] == "https://vote.example"
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["MAX_CONTENT_LENGTH"] == 64 * 1024
    assert settings["MAX_FORM_PARTS"] == 2000


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://a/b", "postgresql+psycopg://a/b"),
        ("postgresql://a/b", "postgresql+psycopg://a/b"),
        ("postgresql+psycopg://a/b", "postgresql+psycopg://a/b"),
        ("sqlite:////tmp/postgres://x", "sqlite:////tmp/postgres://x"),
    ],
)
def test_database_urls_get_the_driver_we_ship(given: str, used: str) -> None:
    assert config.database_url(given) == used


@pytest.mark.parametrize("text", ["-1", "many", "1.5", "²", " 1"])
def test_trusted_proxies_must_be_a_number(text: str) -> None:
    with pytest.raises(config.ConfigurationError, match="TRUSTED_PROXIES"):
        config.load_config(GIVEN | {"TRUSTED_PROXIES": text})


def test_an_unknown_environment_is_named() -> None:
    with pytest.raises(config.ConfigurationError, match="development, testing or production"):
        config.load_config({"VOTING_ENV": "staging"})


def test_a_refusal_is_one_line_and_no_traceback() -> None:
    command = [sys.executable, "-c", "import config; config.load_config()"]
    shown = subprocess.run(command, cwd=config.ROOT, env={"VOTING_ENV": "production"}, capture_output=True, text=True)
    assert shown.returncode == 1
    assert shown.stderr.count("\n") == 1
    assert shown.stderr.startswith("Production does not start without")
