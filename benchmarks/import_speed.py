"""A full-size import, and how quick the pages are with it: `python -m benchmarks.import_speed`.

878 centres and 35,000 households, on SQLite and on PostgreSQL; then the real server, asked for one page after another.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

from benchmarks.postgres import cluster
from benchmarks.servers import server
from benchmarks.stand import Stand, scratch_folder, stand
from benchmarks.tables import machine
from voting.rules.rule_text import write_rules
from voting.services.campaigns import create_campaign, now_ms, open_campaign
from voting.services.demonstration import AREAS_FILE, demonstration_rules, write_samples
from voting.services.importing import ImportReport, import_areas, import_candidates

FULL = "full-size"
CENTRES, HOUSEHOLDS = 878, 35_000
PAGES = {
    "campaigns": "/",
    "campaign page, centres": f"/c/{FULL}",
    "campaign page, households": f"/c/{FULL}?award=households",
    "households, page 400": f"/c/{FULL}?award=households&page=400",
    "search by name": f"/c/{FULL}?award=households&q={quote('王')}",
    "search by area": f"/c/{FULL}?award=centres&q={quote('岗列')}",
    "filter by county": f"/c/{FULL}?award=households&area=441702",
    "one candidate": f"/c/{FULL}/candidates/20000",
    "leaderboard, centres": f"/c/{FULL}/leaderboard",
    "leaderboard, households": f"/c/{FULL}/leaderboard?award=households",
    "API: search": f"/api/v1/campaigns/{FULL}/candidates?q={quote('王')}",
    "API: leaderboard": f"/api/v1/campaigns/{FULL}/leaderboard?top=100",
}


def import_all(where: Stand, folder: Path, centres: int, households: int) -> float:
    """Seconds for both files, areas not counted; the campaign is open afterwards."""
    samples = write_samples(folder / "samples", centres, households)
    with where.app.app_context():
        create_campaign(FULL, "全量候选对象", write_rules(demonstration_rules(now_ms())))
        _well(import_areas(AREAS_FILE))
        started = time.perf_counter()
        for award, path in zip(("centres", "households"), samples, strict=True):
            _well(import_candidates(FULL, award, path))
        taken = time.perf_counter() - started
        open_campaign(FULL)
    return taken


def _well(report: ImportReport) -> None:
    if not report.ok:
        raise RuntimeError(f"the import was refused: {report.problems[0]}")


def time_pages(base: str, asks: int) -> dict[str, tuple[int, float, float]]:
    """``(bytes, median ms, 95th percentile ms)`` of each page, one request at a time, on one connection."""
    address = urlsplit(base)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    found = {}
    for name, path in PAGES.items():
        times, size = [], 0
        for number in range(asks + 2):
            started = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            size = len(answer.read())
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
            if number >= 2:  # either worker has been asked once before
                times.append((time.perf_counter() - started) * 1000)
        found[name] = size, statistics.median(times), statistics.quantiles(times, n=20)[-1]
    connection.close()
    return found


def run(folder: Path, name: str, database_url: str | None, asks: int, counts: tuple[int, int]) -> None:
    """Import into one database and print its tables."""
    with stand(folder, name, database_url=database_url, seed=False) as where:
        taken = import_all(where, where.folder, *counts)
        print(f"\n{name}: {sum(counts):,} candidates imported in {taken:.1f} s ({sum(counts) / taken:,.0f} a second)")
        started = time.monotonic()
        with server("wsgi:app", where.environment(), where.folder, factory=False) as base:
            pages = time_pages(base, asks)
        print(f"\n| page ({name}) | KB | median | 95 % |\n|---|--:|--:|--:|")
        for page, (size, median, high) in pages.items():
            print(f"| {page} | {size / 1024:.0f} | {median:.1f} ms | {high:.1f} ms |")
        print(f"({time.monotonic() - started:.0f} s)", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_speed", description=__doc__)
    parser.add_argument("--asks", type=int, default=50, help="requests for each page (default: 50)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the households, 5 requests for each page")
    options = parser.parse_args(arguments)
    asks, counts = (5, (CENTRES, HOUSEHOLDS // 10)) if options.quick else (options.asks, (CENTRES, HOUSEHOLDS))
    if options.quick:
        PAGES["one candidate"] = f"/c/{FULL}/candidates/2000"
    print(machine())
    with scratch_folder() as folder, ExitStack() as stack:
        run(folder, "SQLite", None, asks, counts)
        try:
            url = stack.enter_context(cluster()).create("imports")
        except RuntimeError as error:
            print(f"SKIPPED: PostgreSQL ({error})", file=sys.stderr)
            return 0
        run(folder, "PostgreSQL", url, asks, counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
