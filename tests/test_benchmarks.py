"""The benchmark programs work at tiny sizes, and what they count adds up. Nothing timed is asserted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import import_speed, memory, naive, profile_vote, recorder, slow_disk
from benchmarks.postgres import cluster, find_programs
from benchmarks.stand import SLUG, Stand, scratch_folder, stand
from benchmarks.tables import Comparison, Series, interleave
from benchmarks.voters import papers
from tests.databases import without_postgres
from voting.identity.device import DeviceIdentity
from voting.identity.tokens import BallotTokens
from voting.services.catalogue import get_campaign

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def small_stand() -> Iterator[Stand]:
    with scratch_folder() as folder, stand(folder, "small", appendfsync="everysec") as where:
        yield where


def run_program(*arguments: str, path: str | None = None) -> str:
    """What a program prints; it must end well."""
    environment = dict(os.environ) | ({} if path is None else {"PATH": path})
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_votes_are_driven_by_wrk() -> None:
    if not shutil.which("wrk"):
        pytest.skip("NOT RUN: wrk is not installed, so the benchmark's real load process was not tried")
    out = run_program("benchmarks.vote_path", "--seconds", "0.3", "--rounds", "1", "--only", "full,empty")
    assert "load from wrk" in out
    assert re.search(r"^\| full vote, appendfsync always \| .* \| empty Flask handler \(GET\) \| ", out, re.MULTILINE)


def test_votes_are_driven_without_wrk_too(tmp_path: Path) -> None:
    out = run_program(
        "benchmarks.vote_path", "--seconds", "0.3", "--rounds", "1", "--only", "full,bare", path=str(tmp_path)
    )
    assert "a pool of Python clients" in out
    assert "| vote without its abuse controls |" in out


@pytest.mark.parametrize(
    "program",
    ["vote_path", "cpu", "memory", "import_speed", "profile_vote", "page_weight", "screenshots", "search"],
)
def test_every_program_explains_itself(program: str) -> None:
    assert f"python -m benchmarks.{program}" in run_program(f"benchmarks.{program}", "--help")


def test_papers_are_real(small_stand: Stand) -> None:
    secret = "benchmark: signs cookies"
    devices, tokens = DeviceIdentity(secret), BallotTokens(secret)
    made = list(papers(small_stand.candidates(), 50))
    assert len({paper.cookie for paper in made}) == 50
    for paper in made:
        tokens.check(devices.read(paper.cookie), SLUG, paper.token)


def test_profile_of_a_vote(small_stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each batch collects garbage first, which takes its time among all that a whole suite has loaded.
    monkeypatch.setattr(profile_vote, "ROUNDS", 5)
    before = small_stand.accepted()
    parts, stats = profile_vote.measure(small_stand, 3)
    assert [name for name, _ in parts][-1] == "the box"
    assert stats[profile_vote.act_of(stats)]["calls"] >= 3 * profile_vote.ROUNDS
    assert small_stand.accepted() - before == 3 * profile_vote.ROUNDS


def test_memory_of_a_vote(small_stand: Stand) -> None:
    with scratch_folder() as folder, stand(folder, "memory", appendfsync="everysec") as where, where.app.app_context():
        get_campaign(SLUG)
        found = memory.measure(where, memory.CASES[0], 200, 1001)
    assert {"quota", "ids", "stream", "address"} <= found.of_kind.keys()
    assert min(found.of_kind.values()) > 0


def test_recorder_and_loop_on_sqlite() -> None:
    with scratch_folder() as folder, stand(folder, "recorder") as where:
        assert recorder.run_recorder(where, 120) > 0
        assert recorder.run_loop(where, 20) > 0


@pytest.mark.postgres
def test_recorder_loop_and_naive_counter_on_postgres() -> None:
    if find_programs() is None:
        without_postgres()
    with scratch_folder() as folder, cluster() as made:
        with stand(folder, "recorder", database_url=made.create("recorder")) as where:
            assert recorder.run_recorder(where, 120) > 0
            assert recorder.run_loop(where, 20) > 0
        made.create("naive")
        with made.connect("naive") as connection:
            naive.prepare(connection, [1, 2, 3])
            naive.vote(connection, "somebody", "A" * 26, [1, 3])
            with pytest.raises(naive.SpentError):
                naive.vote(connection, "somebody", "B" * 26, [3])
            votes = connection.execute("SELECT id, votes FROM candidates ORDER BY id").fetchall()
            assert votes == [(1, 1), (2, 0), (3, 1)]
            assert connection.execute("SELECT count(*) FROM ballots").fetchone() == (1,)


def test_import_of_the_samples(tmp_path: Path) -> None:
    with scratch_folder() as folder, stand(folder, "imports", seed=False) as where:
        assert import_speed.import_all(where, tmp_path, 30, 120) > 0
        with where.app.app_context():
            assert len(get_campaign(import_speed.FULL).candidates) == 150


def test_slow_disk_still_works(tmp_path: Path) -> None:
    environment = slow_disk.slow_flush(tmp_path, 2)
    if environment is None:
        pytest.skip("NOT RUN: there is no C compiler, so the slow flush was not tried")
    with scratch_folder() as folder, stand(folder, "slow", "always", environment) as where:
        assert where.accepted() == 0


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    fast, slow = Series("fast"), Series("slow")
    order: list[str] = []
    rates = {"fast": iter([10.0, 100.0, 30.0]), "slow": iter([5.0, 10.0, 10.0])}

    def measure(name: str) -> float:
        order.append(name)
        return next(rates[name])

    interleave(3, [(fast, lambda: measure("fast")), (slow, lambda: measure("slow"))], lambda _line: None)
    assert order == ["fast", "slow", "slow", "fast", "fast", "slow"]
    assert Comparison("x", fast, slow, target=3).ratio == 3.0
    assert Comparison("x", fast, slow, target=3).met
    assert not Comparison("x", fast, slow, target=3.1).met
