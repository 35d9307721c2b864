"""The embedded Valkey: its settings, its odd and long folders, being found again, and leaving nothing behind."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from voting.tally import embedded


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of its own; whatever still serves it at the end of a test is stopped."""
    place = tmp_path / "v"
    place.mkdir()
    yield place
    if embedded.is_running(place):
        embedded.start(place).stop(even_if_found=True)


def test_settings_keep_every_vote(folder: Path) -> None:
    with embedded.start(folder) as server, redis.Redis.from_url(server.url) as client:
        assert client.config_get("appendonly")["appendonly"] == "yes"
        assert client.config_get("appendfsync")["appendfsync"] == "always"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("save")["save"] == ""
        assert client.config_get("port")["port"] == "0"


@pytest.mark.parametrize(
    "name",
    ["a b", "阳江 投票", 'it\'s "100%" #1?', "长" * 40, "x" * 150],
    ids=["space", "chinese", "odd characters", "long chinese", "long"],
)
def test_any_folder_name_works_and_data_survives(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with embedded.start(folder) as server, redis.Redis.from_url(server.url) as client:
        client.set("kept", "yes")
        assert len(os.fsencode(server.socket)) <= embedded.LONGEST_SOCKET_PATH
        assert (folder / "valkey.url").read_text(encoding="utf-8") == server.url
    assert not server.socket.exists()
    with embedded.start(folder) as server, redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"
    assert (folder / "appendonlydir").is_dir()


def test_the_short_folder_is_private_and_removed(tmp_path: Path) -> None:
    with embedded.start(tmp_path / ("x" * 150)) as server:
        short = server.socket.parent
        assert short.stat().st_mode & 0o777 == 0o700
    assert not short.exists()


def test_a_short_folder_that_others_can_open_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 151)
    short = embedded.socket_path(folder).parent
    short.chmod(0o755)
    try:
        with pytest.raises(embedded.EmbeddedValkeyError, match="only you can open"):
            embedded.start(folder)
    finally:
        short.rmdir()


def test_a_running_server_is_found_and_left_running(folder: Path) -> None:
    with embedded.start(folder) as first:
        second = embedded.start(folder)
        assert second.process is None
        assert second.url == first.url
        second.stop()
        assert embedded.is_running(folder)
    assert not embedded.is_running(folder)


def test_a_found_server_stops_when_asked(folder: Path) -> None:
    first = embedded.start(folder)
    embedded.start(folder).stop(even_if_found=True)
    assert not embedded.is_running(folder)
    assert first.process is not None
    assert first.process.wait(10) == 0
    assert not first.socket.exists()
    first.stop()  # a second stop has nothing to do and says nothing


def test_a_killed_server_leaves_a_stale_socket_that_is_no_obstacle(folder: Path) -> None:
    first = embedded.start(folder)
    with redis.Redis.from_url(first.url) as client:
        client.set("kept", "yes")
    assert first.process is not None
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    assert first.socket.exists()
    with embedded.start(folder) as again, redis.Redis.from_url(again.url) as client:
        assert again.process is not None
        assert client.get("kept") == b"yes"


def test_a_file_in_the_place_of_the_socket_is_no_obstacle(folder: Path) -> None:
    (folder / "valkey.sock").write_text("left over")
    with embedded.start(folder) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping()


def test_starting_twice_at_once_makes_one_server(folder: Path) -> None:
    servers: list[embedded.EmbeddedValkey] = []
    threads = [threading.Thread(target=lambda: servers.append(embedded.start(folder))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    started = [server for server in servers if server.process is not None]
    assert len(servers) == 6
    assert len(started) == 1
    started[0].stop()


def test_interrupting_the_terminal_does_not_reach_it(folder: Path) -> None:
    with embedded.start(folder) as server:
        assert server.process is not None
        assert os.getpgid(server.process.pid) == server.process.pid


def test_a_broken_file_is_named(folder: Path) -> None:
    with embedded.start(folder) as server, redis.Redis.from_url(server.url) as client:
        client.set("a", "b")
    (folder / "appendonlydir" / "appendonly.aof.1.incr.aof").write_bytes(b"*3\r\n$3\r\nnonsense" * 20)
    with pytest.raises(embedded.EmbeddedValkeyError, match="stopped at once"):
        embedded.start(folder)
    assert not embedded.is_running(folder)


def test_a_server_that_hangs_is_ended_in_the_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_TIMEOUT_S", 0.5)
    server = embedded.start(folder)
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    server.stop()
    assert server.process.returncode == -signal.SIGKILL


def test_a_held_folder_that_never_answers_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0.3)
    with subprocess.Popen(["sleep", "30"], pass_fds=[lock := embedded._take_lock(folder) or 0]) as holder:
        os.close(lock)
        with pytest.raises(embedded.EmbeddedValkeyError, match="does not answer"):
            embedded.start(folder)
        holder.kill()


def test_a_found_server_that_refuses_to_stop_is_named(folder: Path) -> None:
    with embedded.start(folder) as server, redis.Redis.from_url(server.url) as client:
        found = embedded.start(folder)
        client.config_set("requirepass", "somebody else's")
        with pytest.raises(embedded.EmbeddedValkeyError, match="refused to stop"):
            found.stop(even_if_found=True)


def test_a_found_server_that_hangs_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_TIMEOUT_S", 0.3)
    server = embedded.start(folder)
    found = embedded.start(folder)
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(embedded.EmbeddedValkeyError, match="did not stop"):
            found.stop(even_if_found=True)
    finally:
        server.process.kill()
        server.stop()


def test_a_server_that_is_too_slow_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0.0)
    with pytest.raises(embedded.EmbeddedValkeyError, match="did not answer"):
        embedded.start(folder)
    assert not embedded.is_running(folder)


def test_a_machine_without_a_binary_is_told_what_to_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "mips64")
    with pytest.raises(embedded.EmbeddedValkeyError, match="set REDIS_URL"):
        embedded.start(folder)
    assert not embedded.is_running(folder)


def test_what_others_put_into_the_short_folder_stays(tmp_path: Path) -> None:
    with embedded.start(tmp_path / ("x" * 152)) as server:
        theirs = server.socket.parent / "theirs"
        theirs.touch()
    assert not server.socket.exists()
    theirs.unlink()
    theirs.parent.rmdir()


def test_an_unused_folder_is_not_running(folder: Path) -> None:
    assert not embedded.is_running(folder)
