"""The naive counter that the product is compared with: one PostgreSQL transaction for each vote, and no Redis.

It is written as well as that design allows: lean view, a connection kept by each thread, prepared statements, rows
locked in order, four statements a vote. It reads the same signed cookie and JSON as the product; it has no token, no
address windows and no receipt.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import psycopg
from flask import Flask, Response, request
from psycopg.conninfo import conninfo_to_dict

from benchmarks.stand import SLUG
from voting.identity.device import DeviceIdentity

TABLES = """
CREATE TABLE candidates (id int PRIMARY KEY, votes bigint NOT NULL DEFAULT 0);
CREATE TABLE ballots (ballot_id char(26) PRIMARY KEY, voter text NOT NULL, created_at bigint NOT NULL);
CREATE TABLE choices (ballot_id char(26) NOT NULL REFERENCES ballots, candidate_id int NOT NULL REFERENCES candidates,
                      voter text NOT NULL, day int NOT NULL, PRIMARY KEY (ballot_id, candidate_id));
CREATE INDEX ON choices (voter, day);
"""
PER_DAY = 20
DAY_MS = 86_400_000


def prepare(connection: psycopg.Connection[Any], candidates: list[int]) -> None:
    """Its tables, and a row for each candidate."""
    connection.execute(TABLES.encode())
    connection.cursor().executemany("INSERT INTO candidates (id) VALUES (%s)", [(number,) for number in candidates])


class SpentError(Exception):
    """The voter has no such vote left today."""


def vote(connection: psycopg.Connection[Any], voter: str, ballot_id: str, choices: list[int]) -> None:
    """One vote in one transaction; raises SpentError when the voter's day is spent or a candidate was chosen before."""
    now_ms = time.time_ns() // 1_000_000
    day = now_ms // DAY_MS
    with connection.transaction():
        connection.execute(
            "INSERT INTO ballots (ballot_id, voter, created_at) VALUES (%s, %s, %s)", (ballot_id, voter, now_ms)
        )
        today = connection.execute("SELECT candidate_id FROM choices WHERE voter = %s AND day = %s", (voter, day))
        used = [candidate for (candidate,) in today]
        if len(used) + len(choices) > PER_DAY or not set(choices).isdisjoint(used):
            raise SpentError
        connection.execute(
            "INSERT INTO choices (ballot_id, candidate_id, voter, day) SELECT %s, unnest(%s::int[]), %s, %s",
            (ballot_id, choices, voter, day),
        )
        # Rows are locked in one order, or two votes could wait for each other for ever; a plain FOR UPDATE would meet
        # the locks that the foreign key of the choices just took, and do that all the same.
        connection.execute(
            "UPDATE candidates SET votes = votes + 1 FROM (SELECT id FROM candidates WHERE id = ANY(%s) ORDER BY id"
            " FOR NO KEY UPDATE) AS chosen WHERE candidates.id = chosen.id",
            (choices,),
        )


def create_app() -> Flask:
    """The application; NAIVE_DATABASE is a libpq connection string."""
    app = Flask("naive")
    devices = DeviceIdentity(os.environ["SECRET_KEY"])
    options: dict[str, Any] = conninfo_to_dict(os.environ["NAIVE_DATABASE"])
    local = threading.local()

    @app.get("/healthz")
    def alive() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.post(f"/api/v1/campaigns/{SLUG}/ballots")
    def cast() -> Response:
        identity = devices.read(request.cookies["__Host-device"])
        paper: dict[str, Any] = request.get_json()
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(**options, autocommit=True, prepare_threshold=0)
        try:
            vote(local.connection, identity.subject, paper["ballot_id"], sorted(paper["choices"]))
        except SpentError:
            return Response('{"counted":false}', 403, mimetype="application/json")
        return Response('{"counted":true}', 201, mimetype="application/json")

    return app
