"""Where the time of one vote goes, in CPU microseconds: `python -m benchmarks.profile_vote [--count 150] [--calls]`.

The WSGI application is called directly with prepared requests, in this process and without a server: first an empty
Flask handler, then the same request through more and more of the vote's way. CPU time of this process in many small
batches, of which the tenth quickest of a hundred counts: what disturbs a machine only ever adds. Valkey's own time is
its commandstats.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import io
import pstats
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask, Response
from redis import Redis

from benchmarks.stand import SLUG, Stand, scratch_folder, stand
from benchmarks.voters import papers
from voting.services import catalogue
from voting.services.boxes import boxes
from voting.tally.ballot_box import Accepted, BallotBox
from voting.web import guard
from voting.web.api_models import BallotIn

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
ROUNDS = 40


def requests(where: Stand, count: int) -> Iterator[dict[str, Any]]:
    """WSGI environments as granian makes them, each a ballot of a new voter."""
    path = f"/api/v1/campaigns/{SLUG}/ballots"
    for paper in papers(where.candidates(), count):
        body = paper.body.encode()
        yield {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_ORIGIN": "http://127.0.0.1:8000",
            "HTTP_COOKIE": f"__Host-device={paper.cookie}",
            "HTTP_X_CSRF_TOKEN": paper.token,
            "HTTP_X_FORWARDED_FOR": paper.address,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


def drive(application: Wsgi, environs: Iterable[dict[str, Any]], status: str) -> None:
    """Call the application once for each request; every answer must have the status."""

    def answer(got: str, headers: Any, exc_info: Any = None) -> None:
        if not got.startswith(status):
            raise SystemExit(f"expected {status}, got {got}")

    for environ in environs:
        body = application(environ, answer)
        for _ in body:
            pass
        if close := getattr(body, "close", None):
            close()


def cpu_us(application: Wsgi, environs: list[dict[str, Any]], status: str) -> float:
    """CPU µs of this process for one request."""
    gc.collect()
    gc.disable()
    try:
        before = time.process_time()
        drive(application, environs, status)
        return (time.process_time() - before) / len(environs) * 1e6
    finally:
        gc.enable()


def bare_flask() -> Flask:
    """The empty handler that every ratio is made against."""
    app = Flask("bare")

    @app.post("/api/v1/campaigns/<slug>/ballots")
    def empty(slug: str) -> Response:
        return Response("ok\n", 201, mimetype="text/plain")

    return app


def stages(app: Flask) -> dict[str, Callable[..., Response]]:
    """The vote's view cut short after each of its parts; each is installed in the product's place."""
    from flask import request

    done = Response

    def empty(slug: str) -> Response:
        return done("ok\n", 201, mimetype="text/plain")

    def guarded(slug: str) -> Response:
        guard.check_vote_request(catalogue.get_campaign(slug), request.headers.get(guard.TOKEN_HEADER, ""))
        return empty(slug)

    def parsed(slug: str) -> Response:
        guard.check_vote_request(catalogue.get_campaign(slug), request.headers.get(guard.TOKEN_HEADER, ""))
        BallotIn.model_validate_json(request.get_data(cache=False))
        return empty(slug)

    return {
        "the application around an empty view": empty,
        "cookie, token, Origin": guarded,
        "body read and checked": parsed,
    }


class NoBox:
    """Takes the place of the box's call: everything before and after it is still done."""

    def __enter__(self) -> None:
        self.cast = BallotBox.cast
        BallotBox.cast = lambda *_, **__: Accepted((int(time.time() * 1000), 0), True)  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        BallotBox.cast = self.cast  # type: ignore[method-assign]


def measure(where: Stand, count: int) -> tuple[list[tuple[str, float]], dict[str, Any]]:
    """``(part, CPU µs up to and with it)``, and Valkey's commandstats of the last part."""
    app, view = where.app, "api.cast"
    whole = app.view_functions[view]
    plan: list[tuple[str, Wsgi, Callable[..., Any] | None, bool]]
    plan = [("an empty Flask handler", bare_flask(), None, False)]
    plan += [(name, app, stage, False) for name, stage in stages(app).items()]
    plan += [("pseudonyms and receipt, without the box", app, whole, False), ("the box", app, whole, True)]
    samples: dict[str, list[float]] = {name: [] for name, *_ in plan}
    with app.app_context():
        catalogue.get_campaign(SLUG)
        client: Redis = boxes().client
        client.config_resetstat()
        pool = requests(where, count * ROUNDS * len(plan))
        for _ in range(ROUNDS):
            for name, application, stage, with_box in plan:
                if stage is not None:
                    app.view_functions[view] = stage
                environs = [next(pool) for _ in range(count)]
                if with_box:
                    samples[name].append(cpu_us(application, environs, "201"))
                else:
                    with NoBox():
                        samples[name].append(cpu_us(application, environs, "201"))
        app.view_functions[view] = whole
        stats: dict[str, Any] = client.info("commandstats")
    return [(name, statistics.quantiles(values, n=10)[0]) for name, values in samples.items()], stats


def act_of(stats: dict[str, Any]) -> str:
    """The command that one vote is: a function, or a script."""
    return max(("cmdstat_fcall", "cmdstat_evalsha"), key=lambda name: stats.get(name, {"calls": 0})["calls"])


def show(parts: list[tuple[str, float]], stats: dict[str, Any]) -> None:
    print(f"\n{'CPU of one vote, in the application process':<46}{'adds µs':>9}{'sum µs':>9}")
    before = 0.0
    for name, upto in parts:
        print(f"  {name:<44}{upto - before:>9.1f}{upto:>9.1f}")
        before = upto
    print("\nInside Valkey (µs a call, by its own clock):")
    acts = stats[act_of(stats)]["calls"]
    for name in (act_of(stats), "cmdstat_xadd", "cmdstat_hset", "cmdstat_hget", "cmdstat_hmget", "cmdstat_set"):
        if name in stats:
            calls = stats[name]["calls"] / acts
            print(f"  {name.removeprefix('cmdstat_'):<10}{stats[name]['usec_per_call']:>8.2f}  × {calls:.1f} a vote")


def show_calls(where: Stand, count: int) -> None:
    """The functions that take the most, by cProfile (which makes every call dearer: proportions only)."""
    profile = cProfile.Profile()
    environs = list(requests(where, count))
    with where.app.app_context():
        profile.enable()
        drive(where.app, environs, "201")
        profile.disable()
    for order in ("cumulative", "tottime"):
        pstats.Stats(profile).sort_stats(order).print_stats(45)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_vote", description=__doc__)
    parser.add_argument("--count", type=int, default=150, help="requests in each of 40 batches (default: 150)")
    parser.add_argument("--calls", action="store_true", help="also list the costliest functions (cProfile)")
    options = parser.parse_args()
    with scratch_folder() as folder, stand(folder, "profile") as where:
        show(*measure(where, options.count))
        if options.calls:
            show_calls(where, 2000)


if __name__ == "__main__":
    main()
