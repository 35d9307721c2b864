"""A recorder that dies like a machine that loses power, right before its first acknowledgement: after the commit.

``python -m tests.dying_recorder`` in the system's environment. Not a test; test_deaths.py starts it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import NoReturn

from redis import Redis

from voting.services import recording
from voting.tally import stream
from voting.tally.ballot_box import StreamId
from wsgi import app


def die(_client: Redis, _campaign: int, _ids: Sequence[StreamId]) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL is not survived")


if __name__ == "__main__":
    stream.acknowledge = die
    with app.app_context():
        recording.follow(recording.Recorder(), lambda: False)
