"""README's lines, run as they stand against a real server: both ballots count, and the organizer's commands work."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documents import FLASK, PYTHON, blocks, read, shell_lines
from tests.servers import Server, wait_until
from tests.world import application
from voting.services import demonstration
from voting.storage.database import db


@pytest.fixture
def demo(sqlite_url: str, valkey_url: str, tmp_path: Path, translations: None) -> Iterator[Server]:
    """What run.py starts: the demo campaign, a server and a recorder, on a port of their own."""
    with application(sqlite_url, valkey_url, tmp_path) as app, app.app_context():
        assert demonstration.seed_if_empty()
    with Server(tmp_path, sqlite_url, valkey_url) as server:
        yield server


def shell(script: str, folder: Path, port: int) -> list[str]:
    """Run a document's lines as they stand, but for the port; what they print, line by line."""
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "NO_PROXY": "*", "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("127.0.0.1:8000", f"127.0.0.1:{port}")],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_readme_lines_do_what_they_say(demo: Server, sqlite_url: str, tmp_path: Path) -> None:
    board_url = f"/campaigns/{demonstration.SLUG}/leaderboard?award=centres"

    def look(jar: str, address: str) -> dict[str, Any]:
        found = shell(f"curl -s -b '{jar}' 'http://127.0.0.1:8000/api/v1{address}'", tmp_path, demo.port)
        seen: dict[str, Any] = json.loads("".join(found))
        return seen

    # Every worker has a snapshot of the empty board, so that what is seen later is a newer one.
    assert {look("", board_url)["ballots"] for _ in range(8)} == {0}
    curls = [block for block in blocks(read("README.md"), "sh") if "curl" in block]
    assert len(curls) == 3
    script = "\n".join([*curls, 'echo "$centre $phone $other"'])
    answer, page, board, by_api, by_form, last = shell(script, tmp_path, demo.port)
    centre, phone, other = last.split()
    assert json.loads(board)["campaign"] == demonstration.SLUG
    assert json.loads(answer)["choices"] == [int(centre)]
    receipts = {json.loads(answer)["receipt"], page.rpartition("/")[2]}
    assert {json.loads(each)["receipt"] for each in (by_api, by_form)} == receipts

    def on_the_board() -> bool:
        boards = [look(phone, board_url) for _ in range(4)]
        tops = [(each, each["awards"]["centres"][0]) for each in boards]
        return all((each["ballots"], top["id"], top["votes"]) == (2, int(centre), 2) for each, top in tops)

    def recorded() -> bool:
        codes = {phone: json.loads(answer)["receipt"], other: page.rpartition("/")[2]}
        found = [look(jar, f"/receipts/{code}") for jar, code in codes.items()]
        assert [each["choices"] for each in found] == [[int(centre)]] * 2
        return {each["state"] for each in found} == {"recorded"}

    wait_until(lambda: on_the_board() and recorded(), "both ballots are on the board and recorded", 2)
    with application(sqlite_url, demo.redis_url, tmp_path) as app, app.app_context():
        rows = db.session.execute(db.text("SELECT receipt, candidate_id FROM ballots JOIN choices USING (ballot_id)"))
        assert {tuple(row) for row in rows} == {(receipt, int(centre)) for receipt in receipts}

    shown = shell(
        "\n".join(blocks(read("docs/api.md"), "sh")).replace("curl -s", "curl --fail -s"), tmp_path, demo.port
    )
    assert "HTTP/1.1 200 OK" in shown

    said = ""
    for line in shell_lines(read("README.md")):
        if line.startswith(PYTHON):
            done = demo.run(*shlex.split(line)[len(FLASK) :])
            assert done.returncode == 0, (line, done.stderr)
            said += done.stdout
    assert "accepted 2, recorded 2, waiting 0" in said
    assert f"{demonstration.SLUG}: published" in said
    assert all(f"ok   I{number}" in said for number in range(1, 8))
    wait_until(lambda: bool(look(phone, board_url)["final"]), "the result is published", 5)
