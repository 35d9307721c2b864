"""Applications that exist for comparison only: an empty handler, and the product with one thing taken out.

What is taken out is replaced here, from outside: the product has no switch for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response

from benchmarks.stand import SLUG
from voting.app import create_app
from voting.identity.base import Identity
from voting.identity.effort import Solved
from voting.services import casting
from voting.services.catalogue import CampaignView
from voting.tally.ballot_box import Sender
from voting.web import boards, finished, guard


def empty() -> Flask:
    """A Flask application whose views do nothing: the most that any handler on this server could reach."""
    app = Flask("empty")

    @app.get("/")
    @app.get("/healthz")
    def answer() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.post(f"/api/v1/campaigns/{SLUG}/ballots")
    def take() -> Response:
        return Response("ok\n", 201, mimetype="text/plain")

    return app


def without_controls() -> Flask:
    """The vote without its abuse controls: no CSRF token, no Origin check, no client address, no address windows."""

    def only_identity(campaign: CampaignView, token: str | None = None) -> Identity:
        return guard._read_identity(campaign.rules.identity)

    def no_sender(secret: bytes, campaign: CampaignView, address: str, identity: Identity, solved: Solved) -> Sender:
        return Sender()

    guard.check_vote_request = only_identity
    casting._sender = no_sender
    return create_app({"TRUSTED_PROXIES": 0})


def without_kept_boards() -> Flask:
    """The leaderboard rendered for every request; its figures still come from the snapshot of a second."""

    def always_render(self: Any, key: object, version: Any, render: Callable[[], str]) -> tuple[Any, bytes]:
        return version, render().encode()

    boards.Bodies.get = always_render  # type: ignore[method-assign]
    finished.Answers.keep = lambda *_: None  # type: ignore[method-assign]
    return create_app()
