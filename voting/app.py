"""create_app: wires every floor. The one file that sees all of them, and the only place that does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Response
from flask.sessions import NullSession, SecureCookieSessionInterface, SessionMixin
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Request

from config import load_config
from voting import cli, logs
from voting.services.boxes import init_boxes
from voting.services.challenging import init_challenging
from voting.services.identifying import init_identifying
from voting.storage.database import db
from voting.web import (
    api,
    citizen,
    health,
    my_votes,
    nominations,
    pictures,
    result_pages,
    screen,
    sign_in,
    voting,
    wechat_card,
)
from voting.web.compression import init_compression
from voting.web.finished import Finished
from voting.web.guard import init_guard
from voting.web.limits import init_limits
from voting.web.organizer.desk import init_desk
from voting.web.refusals import init_refusals
from voting.web.static_files import init_static_files
from voting.web.templating import init_templates

ROOT = Path(__file__).resolve().parent.parent

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class NoSessions(SecureCookieSessionInterface):
    """Citizens have no session: nothing is read, signed or sent for one. The organizer's desk will bring its own."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self._none

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        return None


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The application; ``config`` overrides what ``config.py`` reads from the environment."""
    app = Flask(
        "voting", root_path=str(ROOT / "voting"), template_folder=str(ROOT / "templates"), static_folder="static"
    )
    app.config.from_mapping(load_config())
    app.config.from_mapping(config or {})
    app.session_interface = NoSessions()
    init_compression(app)  # before all others, so that it sees the answer as it leaves
    logs.init_logs(app)
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    init_boxes(app)
    init_identifying(app)
    init_challenging(app)
    init_guard(app)
    sign_in.init_sign_in(app)
    init_limits(app)
    init_templates(app)
    init_static_files(app)
    init_refusals(app)
    app.register_blueprint(citizen.bp)
    app.register_blueprint(voting.bp)
    app.register_blueprint(my_votes.bp)
    app.register_blueprint(pictures.bp)
    app.register_blueprint(wechat_card.bp)
    app.register_blueprint(sign_in.bp)
    app.register_blueprint(nominations.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(result_pages.bp)
    app.register_blueprint(screen.bp)
    init_desk(app)
    api.init_api(app)
    cli.init_cli(app)
    wechat_card.init_wechat_card(app)  # before the headers it adds to: they are called last first
    app.after_request(_add_headers)
    if proxies := app.config["TRUSTED_PROXIES"]:
        # Only what our own proxies wrote is believed, and exactly as many of them as there are.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]
    return app


def _add_headers(response: Response) -> Response:
    if isinstance(response, Finished):
        return response
    if "Content-Security-Policy" in response.headers:
        # A page that brings its own policy; looking for each of the others as well is not for the vote's path.
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    else:
        response.headers.extend(HEADERS)
    return response
