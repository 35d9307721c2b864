"""The load process for machines without wrk; load.py starts four. Prints: requests, errors, median and p99 in ms.

Arguments: number of this process, host, port, path, seconds [, file of papers, lines to pass over, lines to use].
"""

from __future__ import annotations

import http.client
import itertools
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PROCESSES, THREADS = 4, 16
#: body and headers
Request = tuple[str, dict[str, str]]


def requests_of(number: int, origin: str, papers: Path, skip: int, use: int) -> Iterator[Request]:
    """``(body, headers)`` of the ballots that are this process's."""
    with papers.open(encoding="ascii") as file:
        for line in itertools.islice(file, skip + number, skip + use, PROCESSES):
            cookie, token, address, body = line.rstrip("\n").split(" ", 3)
            headers = {"Cookie": f"__Host-device={cookie}", "X-CSRF-Token": token, "X-Forwarded-For": address}
            yield body, headers | {"Content-Type": "application/json", "Origin": origin}


def send(host: str, port: int, path: str, until: float, ballots: list[Request] | None) -> list[float]:
    """Request after request until the time is over; seconds for each, below zero where the answer was an error."""
    times: list[float] = []
    connection = http.client.HTTPConnection(host, port, timeout=10)
    endless = itertools.repeat(("", dict[str, str]()))
    for body, headers in endless if ballots is None else ballots:
        started = time.perf_counter()
        if started > until:
            break
        try:
            connection.request("GET" if ballots is None else "POST", path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            good = answer.status == (200 if ballots is None else 201)
        except OSError:
            connection.close()
            good = False
        taken = time.perf_counter() - started
        times.append(taken if good else -taken)
    connection.close()
    return times


def main(number: str, host: str, port: str, path: str, seconds: str, *papers: str) -> None:
    ballots = None
    if papers:
        skip, use = map(int, papers[1:])
        ballots = list(requests_of(int(number), f"http://{host}:{port}", Path(papers[0]), skip, use))
    until = time.perf_counter() + float(seconds)
    times: list[float] = []

    def work(mine: int) -> None:
        times.extend(send(host, int(port), path, until, ballots[mine::THREADS] if ballots is not None else None))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    in_order = sorted(map(abs, times)) or [0.0]
    p50, p99 = (in_order[int(len(in_order) * part)] * 1000 for part in (0.5, 0.99))
    print(len(times), sum(taken < 0 for taken in times), p50, p99)


if __name__ == "__main__":
    main(*sys.argv[1:])
