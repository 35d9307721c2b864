"""For load balancers and operators: is this process alive, may it be sent traffic, and its figures."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from voting.services import metering
from voting.services.readiness import readiness

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    """200 while this process answers at all."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
def ready() -> Response:
    """200 when Redis, SQL and every open campaign's box answer; 503 otherwise, with what does not."""
    state = readiness()
    response = jsonify(state.as_dict())
    response.status_code = 200 if state.ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/metrics")
def metrics() -> Response:
    """Prometheus text format."""
    body, content_type = metering.exposition()
    return Response(body, content_type=content_type)
