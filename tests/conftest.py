"""Fixtures that every floor shares: a real Valkey for the session, emptied before each test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from voting.tally import embedded
from voting.tally.connection import connect

pytest_plugins = ["tests.databases", "tests.world"]


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.EmbeddedValkey]:
    """A Valkey of our own, with the durability settings of production."""
    server = embedded.start(tmp_path_factory.mktemp("valkey"))
    yield server
    server.stop()


@pytest.fixture
def valkey_url(valkey_server: embedded.EmbeddedValkey) -> str:
    """The address of an empty Valkey."""
    client = connect(valkey_server.url)
    client.flushall()
    client.close()
    return valkey_server.url


@pytest.fixture
def valkey(valkey_url: str) -> Iterator[Redis]:
    """A client of an empty Valkey."""
    client = connect(valkey_url)
    yield client
    client.close()
