"""What must be true before a start, each with one sentence for the person when it is not.

Lives here: asking whether a port, a Redis, a database or our own server can be used.
Must not live here: starting anything. Libraries are imported where they are needed: most starts need only one of them.
"""

import re
import socket
import urllib.error
import urllib.request


class LaunchError(SystemExit):
    """One sentence that says what is wrong and what to do next."""


def check_port(port: int) -> None:
    """run.py asks the same before it installs anything; a minute may have passed since."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise LaunchError(f"Port {port} cannot be used ({error}): choose another one with --port.") from None


def free_port_above(port: int) -> int:
    """The next port that can be used."""
    for other in range(port + 1, min(port + 100, 65536)):
        try:
            check_port(other)
        except LaunchError:
            continue
        return other
    raise LaunchError(f"No port above {port} can be used for the big screens: choose another one with --port.")


def check_redis(url: str) -> None:
    """The server at REDIS_URL answers, or one sentence without its password."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3, retry=once) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise LaunchError(
            f"REDIS_URL ({without_password(url)}) does not answer ({first_line(error)}): start that server, or unset "
            "REDIS_URL to use the embedded Valkey."
        ) from None


def check_database(url: str) -> None:
    """The database at DATABASE_URL can be opened and read, or one sentence without its password."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(url, connect_args={"connect_timeout": 5} if url.startswith("postgresql") else {})
        try:
            inspect(engine).has_table("alembic_version")
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError, ValueError, OSError) as error:
        raise LaunchError(
            f"DATABASE_URL ({without_password(url)}) cannot be used ({first_line(error)}): start or mend that "
            "database, or unset DATABASE_URL to use SQLite."
        ) from None


def answers(url: str) -> bool:
    """Whether the server answers; never through a proxy that the environment may name."""
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def without_password(url: str) -> str:
    return re.sub(r"://.*@", "://***@", url).split("?")[0]


def first_line(error: BaseException) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
