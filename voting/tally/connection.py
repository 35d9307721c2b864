"""The connection to Redis or Valkey, with the time limits that every caller relies on."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

#: seconds; blocking reads must ask for less than this
SOCKET_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
MAX_CONNECTIONS = 64


def connect(url: str) -> Redis:
    """A thread-safe client; nothing is sent before the first command.

    One retry replaces a pooled connection that a restart of Redis has cut. It is safe for ballots too: the ballot id
    makes a second send of the same script call a repeat, not a second vote.
    """
    options: dict[str, Any] = {"protocol": 2}
    return Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        max_connections=MAX_CONNECTIONS,
        retry=Retry(ConstantBackoff(0.05), 1),
        **options,
    )
