"""Flask-Limiter: keeps expensive reads and other writes from being flooded. Traffic only, generous, and it fails open.

The vote itself is not limited here: its address windows ride in the vote script, exact and without a second round trip,
and the box never fails open.
"""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter

from voting.rules.address import fold_address
from voting.rules.voter import address_hash
from voting.services.casting import voter_secret
from voting.web.guard import client_address

#: per address: a whole village may share one carrier address, so these stop floods and nothing else
SEARCHES = "1200 per minute"
LOOK_UPS = "600 per minute"
PAPERS = "1200 per minute"
POSTERS = "300 per minute"
CODES = "120 per minute"
#: a nomination may bring a photo, which costs a moment of a processor and a place on the disk
NOMINATIONS = "60 per minute;600 per hour"


def address_key() -> str:
    """A pseudonym of the client's IPv4 address, or of the /64 of its IPv6 address."""
    address = client_address()
    folded = fold_address(address)
    # Redis writes its keys to disk: no address may stand in one.
    return address_hash(voter_secret(), 0, folded.key if folded else address).hex()


# One strategy only: fixed and moving windows of the library would share a Redis key and break each other.
limiter = Limiter(
    address_key,
    strategy="fixed-window",
    key_prefix="limits",
    swallow_errors=True,
    headers_enabled=False,
    default_limits=[],
)


def storage_url(redis_url: str) -> str:
    """Our Redis address in the spelling of the limits library."""
    return "redis+unix://" + redis_url.removeprefix("unix://") if redis_url.startswith("unix://") else redis_url


def init_limits(app: Flask) -> None:
    """Attach the limiter; its storage is our Redis, and when that is away requests are let through."""
    app.config.setdefault("RATELIMIT_STORAGE_URI", storage_url(app.config["REDIS_URL"]))
    app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", {"socket_timeout": 1, "socket_connect_timeout": 1})
    # Being listed already keeps the extension from hooking into every request: the decorators check by themselves, and
    # the vote, which has none, should not pay for looking whether it has.
    app.extensions.setdefault("limiter", set()).add(limiter)
    limiter.init_app(app)
