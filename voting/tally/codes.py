"""Sign-in codes in Redis: one at a time for a number, few tries, and windows for numbers and addresses.

Keys, all under ``{codes}`` so that one script may touch them together:

=====================  ======  ==================================================================================
``:code:<number>``     string  when it was sent, the code as a keyed hash, tries left; kept as long as it is good
``:number:<number>``   string  codes sent to a number within the hour and the day; likewise ``:address:``
``:done:<state>``      string  whom a provider vouched for, for the moment in which the same call-back may come twice
=====================  ======  ==================================================================================

Numbers and addresses are keyed hashes; neither stands in Redis as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from voting.rules.identity_errors import CodeExpired, CodeLimited, CodeTooSoon, CodeWrong, ProviderUnavailable
from voting.tally.scripts import FOLDER

PREFIX = "{codes}"
DONE_S = 120


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """A code is good for ``good_ms`` and ``tries``; at most one in ``apart_ms``. An address stands for up to a whole
    village, so its window stops floods of paid messages and nothing else."""

    good_ms: int = 300_000
    apart_ms: int = 60_000
    tries: int = 5
    number_hourly: int = 5
    number_daily: int = 10
    address_hourly: int = 300


@cache
def _scripts() -> tuple[str, str]:
    """The two acts with the box's clock before them. They are no part of its library: signing in is not voting."""
    clock = (FOLDER / "clock.lua").read_text("utf-8")
    ask, check = ((FOLDER / "codes" / f"{name}_code.lua").read_text("utf-8") for name in ("ask", "check"))
    return f"{clock}\n{ask}", check


class CodeBook:
    """Keeps and checks codes. Without Redis nobody can sign in by code: ProviderUnavailable."""

    def __init__(self, client: Redis, limits: CodeLimits = CodeLimits()) -> None:
        self._client = client
        self._limits = limits
        self._ask, self._check = (client.register_script(text) for text in _scripts())

    def ask(self, number: bytes, address: bytes, code: bytes) -> None:
        """Keep a code that is about to be sent; raises CodeTooSoon or CodeLimited, and then nothing may be sent."""
        limits = self._limits
        answer = self._run(
            self._ask,
            number.hex(),
            address.hex(),
            code,
            limits.good_ms,
            limits.apart_ms,
            limits.tries,
            limits.number_hourly,
            limits.number_daily,
            limits.address_hourly,
        )
        if answer[0] == b"too_soon":
            raise CodeTooSoon(answer[1])
        if answer[0] == b"limited":
            raise CodeLimited(answer[1].decode(), answer[2])

    def withdraw(self, number: bytes) -> None:
        """The code could not be sent: another may be asked for at once. What it cost of the windows stays spent."""
        try:
            self._client.delete(f"{PREFIX}:code:{number.hex()}")
        except RedisError:
            pass  # what was refused is refused; the number waits its minute

    def check(self, number: bytes, code: bytes) -> None:
        """Use a code up; raises CodeWrong or CodeExpired."""
        answer = self._run(self._check, number.hex(), code)
        if answer[0] == b"wrong":
            raise CodeWrong(answer[1])
        if answer[0] != b"right":
            raise CodeExpired

    def remember(self, state: str, subject: bytes) -> None:
        """A provider has vouched for this subject in answer to this state. Only a help: it does without Redis."""
        try:
            self._client.set(f"{PREFIX}:done:{state}", subject, ex=DONE_S)
        except RedisError:
            pass

    def recall(self, state: str) -> bytes | None:
        """The subject of a state that was answered a moment ago."""
        try:
            subject: Any = self._client.get(f"{PREFIX}:done:{state}")
        except RedisError:
            return None
        return None if subject is None else bytes(subject)

    def _run(self, script: Any, *arguments: Any) -> Any:
        try:
            return script(keys=(PREFIX,), args=arguments)
        except RedisError:
            raise ProviderUnavailable("sms") from None
