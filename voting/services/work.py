"""Work that may take longer than a request: a thread of its own, its progress written where any process can read it.

Whatever is done here is written in one transaction at its end, so work that dies with its process can begin again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app

from voting.rules.errors import Refusal
from voting.services.trail import acting_as, current_actor
from voting.services.uploads import State, Upload, claim, drop_file, read_state, write_state

#: most work is done in this time, and its person sees no progress page at all
PATIENCE_S = 1.5
_EVERY_S = 0.3

Progress = Callable[[int, int], None]
#: what came of it, as data that JSON can carry
Act = Callable[[Progress], dict[str, Any]]

log = logging.getLogger(__name__)


def begin_work(upload: Upload, act: Act) -> State:
    """Begin, unless somebody has; wait a moment for it, and say how far it is."""
    if claim(upload):
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        thread = threading.Thread(target=_run, args=(app, current_actor(), upload, act), name="desk work")
        thread.start()
        thread.join(PATIENCE_S)
    return read_state(upload)


def _run(app: Flask, actor: str, upload: Upload, act: Act) -> None:
    with app.app_context(), acting_as(actor):
        try:
            outcome = act(_told(upload))
            state = State("refused" if outcome.get("refused") else "done", outcome=outcome)
        except Refusal as refusal:
            state = State("refused", outcome={"refused": refusal.code})
        except Exception as error:
            log.error("work at the desk failed", exc_info=error)
            state = State("failed")
        write_state(upload, state)
        if state.stage == "done":
            drop_file(upload)


def _told(upload: Upload) -> Progress:
    """Progress that is written down now and then."""
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_S:
            last = time.monotonic()
            write_state(upload, State("running", done, total))

    return tell
