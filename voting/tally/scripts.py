"""The box's Lua as one function library: the shared files once, then each act as a function of that library.

A library is loaded into the server once; its functions and what it keeps in memory are made once, not for every vote.
Its name carries a digest of its text: two versions of the software can work side by side during a rolling restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

FOLDER = Path(__file__).parent / "lua"
SHARED = ("clock", "usage")
ACTS = ("open", "cast", "pause", "change", "seal", "replay", "trim")


@dataclass(frozen=True, slots=True)
class Library:
    """The text of a library and the digest that its functions' names end in."""

    text: str
    digest: str

    def command(self, act: str, keys: tuple[str, ...], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The command that runs an act."""
        return ("FCALL", f"{act}_{self.digest}", len(keys), *keys, *arguments)

    def load(self, client: Redis) -> None:
        """Give the library to the server; it keeps it through restarts."""
        client.function_load(self.text, replace=True)

    def call(self, client: Redis, act: str, keys: tuple[str, ...], arguments: tuple[Any, ...]) -> Any:
        """Run an act; a server that does not know the library is given it first."""
        command = self.command(act, keys, arguments)
        try:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if not not_loaded(error):
                raise
        self.load(client)
        return client.execute_command(*command)  # type: ignore[no-untyped-call]


def not_loaded(answer: object) -> bool:
    """Whether an answer of the server says that it does not know the library."""
    return isinstance(answer, ResponseError) and "Function not found" in str(answer)


def read_library(replaced: Mapping[str, str] | None = None) -> Library:
    """The library; ``replaced`` gives another text for a shared file: tests bring their own clock."""

    def source(name: str) -> str:
        other = (replaced or {}).get(f"{name}.lua")
        return other if other is not None else (FOLDER / f"{name}.lua").read_text("utf-8")

    shared = [source(name) for name in SHARED]
    acts = {name: source(name) for name in ACTS}
    digest = sha1("".join([*shared, *acts.values()]).encode(), usedforsecurity=False).hexdigest()[:12]
    functions = [
        f"redis.register_function('{name}_{digest}', function(KEYS, ARGV)\n{text}\nend)" for name, text in acts.items()
    ]
    return Library("\n".join([f"#!lua name=voting_{digest}", *shared, *functions]), digest)
