"""Real processes die at the worst moment, and what was said to voters stays true.

The recorder between commit and acknowledgement, the server under load, and Redis itself: each is killed with SIGKILL
and started again. Then the audit holds, and every voter who was told "accepted" is counted once.
"""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crowd import Answer, Phone, Sent, Voter, new_ballot_id, register
from tests.servers import Server, wait_until
from tests.world import World, application, new_world, quota, rules_text
from voting.services import campaigns, recording
from voting.tally import embedded
from voting.tally.embedded import EmbeddedValkey

pytestmark = pytest.mark.faults


@pytest.fixture
def valkey_of_its_own(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """With ``appendfsync always``, as every box has it; the folder can be started again."""
    folder = tmp_path / "valkey"
    server = embedded.start(folder)
    yield server
    server.stop()
    if embedded.is_running(folder):
        embedded.start(folder).stop(even_if_found=True)


@pytest.fixture
def fragile(
    database_url: str, valkey_of_its_own: EmbeddedValkey, tmp_path: Path, translations: None
) -> Iterator[World]:
    """A campaign on stores that only this test uses: five ballots for each voter."""
    with application(database_url, valkey_of_its_own.url, tmp_path) as app:
        quotas = [quota("ballots", "voter", "campaign", 5)]
        yield new_world(app).put(rules_text(quotas=quotas))


@pytest.fixture
def server(fragile: World, database_url: str, valkey_of_its_own: EmbeddedValkey, tmp_path: Path) -> Server:
    """The system on the same stores; each test starts what it needs."""
    return Server(tmp_path, database_url, valkey_of_its_own.url)


def backlog_is_empty(world: World) -> bool:
    backlog = world.do(campaigns.campaign_state, world.slug).backlog
    return backlog is not None and not backlog.waiting


def take_over(world: World) -> None:
    """Finish what a recorder was given and could not acknowledge; it would do so itself after half a minute."""
    world.record(stale_ms=0)
    wait_until(lambda: backlog_is_empty(world), "everything is recorded")


def check_truth(world: World, server: Server, answers: list[Answer]) -> None:
    """Whoever was told "accepted" stands in the ledger once, with those choices and that time; the audit holds."""
    ledger = dict(world.sql("SELECT ballot_id, stream_ms FROM ballots"))
    for answer in answers:
        if answer.accepted:
            assert ledger[answer.sent.ballot_id] == answer.json["accepted_at"]
    sent = {answer.sent.ballot_id for answer in answers}
    assert ledger.keys() <= sent
    choices = Counter[int]()
    for candidate, times in world.sql("SELECT candidate_id, times FROM choices"):
        choices[candidate] += times
    by_id = {answer.sent.ballot_id: answer.sent.choices for answer in answers}
    assert choices == Counter(choice for ballot_id in ledger for choice in by_id[ballot_id])
    audit = server.run("ledger", "audit", world.slug)
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert audit.stdout.count("  ok") == 7


def send_until_answered(port: int, slug: str, sent: Sent) -> Answer:
    """A phone that asks again with the same ballot id until it knows."""
    phone = Phone(port, slug)
    try:
        for _ in range(100):
            answer = phone.send(sent)
            if answer.status not in (0, 503):
                return answer
            time.sleep(0.2)
        raise AssertionError(f"no answer at all: {answer}")
    finally:
        phone.close()


def test_a_recorder_that_dies_between_commit_and_acknowledgement(fragile: World, server: Server) -> None:
    world = fragile
    chosen = world.ids("c1", "h1")
    answers = []
    for _ in range(20):
        answer = world.voter().cast("c1", "h1")
        assert answer.status_code == 201
        answers.append(Answer(Sent(Voter("", ""), answer.json["ballot_id"], tuple(chosen)), 201, answer.data, (0, 0)))
    try:
        assert server.start("-m", "tests.dying_recorder").wait(60) == -signal.SIGKILL
        backlog = world.do(campaigns.campaign_state, world.slug).backlog
        assert backlog is not None
        assert backlog.pending == 20, "nothing was acknowledged"
        assert world.sql("SELECT count(*) FROM ballots") == [(20,)], "everything was committed"
        assert world.failing() == set()
        # The next recorder is given the very same entries once they have lain there for long enough.
        assert world.record(stale_ms=0) == 20
        assert backlog_is_empty(world)
        check_truth(world, server, answers)
    finally:
        server.stop()


class Voting:
    """Voters who go on voting whatever happens, and keep what they were told."""

    def __init__(self, server: Server, world: World, voters: list[Voter], seed: int) -> None:
        self.answers: list[Answer] = []
        self.stopping = threading.Event()
        self.candidates = world.ids("c1", "c2", "h1", "h2")
        self.slug, self.port = world.slug, server.port
        self.threads = [
            threading.Thread(target=self._vote, args=(voter, random.Random(seed + at)))
            for at, voter in enumerate(voters)
        ]

    def _vote(self, voter: Voter, chance: random.Random) -> None:
        phone = Phone(self.port, self.slug)
        while not self.stopping.is_set():
            answer = phone.send(Sent(voter, new_ballot_id(), tuple(chance.sample(self.candidates, 2))))
            self.answers.append(answer)
            if answer.status == 0:
                time.sleep(0.2)
        phone.close()

    def __enter__(self) -> Voting:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def accepted(self) -> int:
        return sum(answer.accepted for answer in list(self.answers))


def test_the_server_is_killed_under_load(fragile: World, server: Server) -> None:
    """Master and workers at once. Voters who got no answer ask again and learn what became of their ballot."""
    world = new_world(fragile.app).put(rules_text(quotas=[quota("ballots", "voter", "campaign", 5000)]))
    with server:
        voters = register(server.port, world.slug, 12)
        with Voting(server, world, voters, seed=2) as voting:
            wait_until(lambda: voting.accepted() > 150, "some ballots are accepted")
            server.kill_web()
            wait_until(lambda: any(answer.status == 0 for answer in list(voting.answers)), "voters notice")
            server.start_web()
            before = voting.accepted()
            wait_until(lambda: voting.accepted() > before + 100, "voting goes on")
        answers = voting.answers
        unknown = [answer.sent for answer in answers if not answer.accepted]
        assert unknown, "some voters were left without an answer"
        answers += [send_until_answered(server.port, world.slug, sent) for sent in unknown[:60]]
        assert {answer.status for answer in answers[-len(unknown[:60]) :]} <= {200, 201}
        wait_until(lambda: backlog_is_empty(world), "everything is recorded")
        check_truth(world, server, answers)


def kill(valkey: EmbeddedValkey) -> None:
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait(30)


def test_redis_is_killed_and_comes_back(fragile: World, server: Server, valkey_of_its_own: EmbeddedValkey) -> None:
    """503 while it is away; on the same folder everything is there again, and the same ballot id counts once."""
    world, valkey = fragile, valkey_of_its_own
    with server:
        voters = register(server.port, world.slug, 10)
        chosen = tuple(world.ids("c1", "h1"))
        phone = Phone(server.port, world.slug)
        first = [phone.send(Sent(voter, new_ballot_id(), chosen)) for voter in voters]
        assert [answer.status for answer in first] == [201] * 10

        kill(valkey)
        lost = [phone.send(Sent(voter, new_ballot_id(), chosen)) for voter in voters]
        assert [(answer.status, answer.json["code"]) for answer in lost] == [(503, "box_unavailable")] * 10
        assert all(answer.json["retry_after"] >= 1 for answer in lost)
        assert world.get("/readyz").status_code == 503

        with embedded.start(valkey.folder) as again:
            assert again.url == valkey.url
            repeated = [send_until_answered(server.port, world.slug, answer.sent) for answer in first + lost]
            assert [answer.status for answer in repeated] == [200] * 10 + [201] * 10
            assert [answer.body for answer in repeated[:10]] == [answer.body for answer in first]
            thrice = [phone.send(answer.sent) for answer in lost]
            assert [(answer.status, answer.body) for answer in thrice] == [(200, each.body) for each in repeated[10:]]
            phone.close()
            last = thrice[-1].sent.ballot_id
            wait_until(
                lambda: bool(world.sql("SELECT 1 FROM ballots WHERE ballot_id = :id", id=last)), "it is recorded"
            )
            take_over(world)
            check_truth(world, server, [*first, *lost, *repeated, *thrice])
            server.stop()


def test_redis_is_killed_under_load(fragile: World, server: Server, valkey_of_its_own: EmbeddedValkey) -> None:
    """Some ballots are accepted and their answer is lost: the repeat tells, and nothing acknowledged is missing."""
    world = new_world(fragile.app).put(rules_text(quotas=[quota("ballots", "voter", "campaign", 5000)]))
    with server:
        voters = register(server.port, world.slug, 12)
        with Voting(server, world, voters, seed=3) as voting:
            wait_until(lambda: voting.accepted() > 150, "some ballots are accepted")
            kill(valkey_of_its_own)
            wait_until(lambda: any(answer.status == 503 for answer in list(voting.answers)), "voters notice")
            again = embedded.start(valkey_of_its_own.folder)
            try:
                before = voting.accepted()
                wait_until(lambda: voting.accepted() > before + 50, "voting goes on")
            except BaseException:
                again.stop()
                raise
        with again:
            answers = voting.answers
            unknown = [answer.sent for answer in answers if not answer.accepted][:60]
            answers += [send_until_answered(server.port, world.slug, sent) for sent in unknown]
            take_over(world)
            check_truth(world, server, answers)
            server.stop()


def test_a_recorder_stops_with_its_reason(fragile: World, server: Server) -> None:
    """What must not be skipped ends the process with one sentence and exit code 1, and the next one does the same."""
    fragile.valkey.xadd(fragile.key("ballots"), {"b": "rubbish"})
    ended = server.run("ballots", "record", "--follow")
    assert ended.returncode == 1
    assert "is not a ballot" in ended.stderr
    assert "Traceback" not in ended.stderr
    with pytest.raises(recording.RecordingStopped):
        fragile.record(stale_ms=0)


def test_one_command_records_what_waits_and_ends(fragile: World, server: Server) -> None:
    """``flask ballots record`` without --follow: for cron, and for people."""
    for _ in range(3):
        assert fragile.voter().cast("c1").status_code == 201
    ended: subprocess.CompletedProcess[str] = server.run("ballots", "record")
    assert (ended.returncode, ended.stdout) == (0, "3 entries recorded\n")
