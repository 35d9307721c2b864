"""The desk's import at full size: `python -m benchmarks.desk_import [--quick]`.

878 centres and 35,000 households as .xlsx, uploaded, looked at and confirmed as a browser does it, against the real
server with two workers; then the list pages. On SQLite, and on PostgreSQL where there is one. Prints seconds, and the
most memory of a worker, of the process that reads spreadsheets, and of both at one instant.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import re
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import xlsxwriter
from flask import Flask

from benchmarks.postgres import cluster, find_programs
from benchmarks.process_memory import Peaks, watched
from benchmarks.servers import running
from benchmarks.stand import Stand, scratch_folder, stand
from benchmarks.tables import machine
from voting.rules.roles import Holder
from voting.rules.rule_text import write_rules
from voting.services import accounts, desk_sessions
from voting.services.campaigns import create_campaign, now_ms
from voting.services.demonstration import AREAS_FILE, demonstration_rules, write_samples
from voting.services.importing import import_areas

SLUG = "full-size"
ROOM = f"/organizer/campaigns/{SLUG}/candidates"
CENTRES, HOUSEHOLDS = 878, 35_000
PAGES = ("", "?award=households&page=400", "?q=王", "?award=centres&q=岗列", "?area=441702", "?q=lihua")
#: an import may take so long, and its list page; what both processes may need together
MOST_S, MOST_MS, MOST_MB = 60, 100, 400


def as_xlsx(path: Path, name: str, added: str = "") -> Path:
    """A sample as a spreadsheet, area codes as numbers: that is how they often come. ``added`` ends every story."""
    target = path.with_name(f"{name}.xlsx")
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True})
    sheet = book.add_worksheet()
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row, cells in enumerate(csv.reader(file)):
            if row:
                cells[-1] += added
            sheet.write_row(row, 0, [float(cell) if cell.isdigit() else cell for cell in cells])
    book.close()
    return target


def sign_in(app: Flask) -> str:
    """The cookie of an organizer's browser."""
    with app.app_context():
        accounts.create_account("benchmark", "Benchmark", ["organizer"], None)
        account = next(each for each in accounts.all_accounts() if each.name == "benchmark")
        holder = Holder(account.id, account.name, "Benchmark", frozenset({"organizer"}))
        return f"__Host-desk={desk_sessions.begin_session(holder, 'benchmark', '127.0.0.1')}"


class Browser:
    """As much of one as an organizer's work needs, on one connection."""

    def __init__(self, base: str, cookie: str) -> None:
        address = urlsplit(base)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=120)
        self._head = {"Cookie": cookie, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}

    def get(self, path: str) -> tuple[bool, str]:
        """Whether the page asks to be loaded again, and its text."""
        self._connection.request("GET", quote(path, "/?=&"), headers=self._head)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:2000]}")
        return answer.headers["Refresh"] is not None, text

    def post(self, path: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> str:
        """Where the answer leads to."""
        self._connection.request("POST", path, body, self._head | {"Content-Type": kind})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 303:
            raise RuntimeError(f"{path} was refused: {answer.status} {text[:3000]}")
        return str(answer.headers["Location"])


def _multipart(path: Path, **fields: str) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = "".join(parts).encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"{pattern} is not on the page: {text[:2000]}")
    return match[1]


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def import_one(browser: Browser, award: str, path: Path) -> tuple[float, float, float]:
    """Seconds of the upload, of the preview and of the import itself."""
    token = _found(r'name="csrf_token" value="([0-9a-f]+)"', browser.get("/organizer/account")[1])
    started = time.perf_counter()
    place = urlsplit(browser.post(f"{ROOM}/import", *_multipart(path, csrf_token=token, award=award))).path
    uploading = time.perf_counter() - started
    started = time.perf_counter()
    seen = _found(r'name="seen" value="(\d+)"', browser.get(place)[1])
    looking = time.perf_counter() - started

    def confirm() -> None:
        browser.post(place, urlencode({"csrf_token": token, "seen": seen}).encode())
        page = browser.get(place)
        while page[0]:
            time.sleep(0.2)
            page = browser.get(place)
        _found(r"(行全部写入|rows are written)", page[1])

    return uploading, looking, _timed(confirm)


def run(where: Stand, centres: Path, homes: Path, changed: Path) -> None:
    """Everything on one database."""
    with where.app.app_context():
        create_campaign(SLUG, "全量候选对象", write_rules(demonstration_rules(now_ms())))
        import_areas(AREAS_FILE)
    environment = where.environment() | {"VOTING_INSTANCE": str(where.folder / "instance")}
    with running("voting.app:create_app", environment, where.folder) as (base, parent):
        browser = Browser(base, sign_in(where.app))
        print(f"\n## {where.name}\n\n| file | MB | upload | preview | import |\n|---|--:|--:|--:|--:|")
        with watched(parent) as peaks:
            for name, award, path in (
                ("centres", "centres", centres),
                ("households", "households", homes),
                ("households again", "households", homes),
                ("every story changed", "households", changed),
            ):
                times = " | ".join(f"{taken:.1f} s" for taken in import_one(browser, award, path))
                print(f"| {name} | {path.stat().st_size / 1e6:.1f} | {times} |", flush=True)
        _print_memory(peaks)
        print(f"\n| list page (at most {MOST_MS} ms) | median | slowest |\n|---|--:|--:|")
        for page in PAGES:
            # Either worker has been asked before.
            taken = [_timed(lambda page=page: browser.get(ROOM + page)) * 1000 for _ in range(24)][4:]  # type: ignore[misc]
            print(f"| {page or 'first'} | {statistics.median(taken):.1f} ms | {max(taken):.1f} ms |")


def _print_memory(peaks: Peaks) -> None:
    print("\n| most memory (RSS) | |\n|---|--:|")
    for name, size in (
        ("a worker of the server", peaks.worker),
        ("the reader of spreadsheets", peaks.reader),
        (f"both at one instant (at most {MOST_MB} MB)", peaks.together),
        ("the whole server, its other worker too", peaks.everything),
    ):
        print(f"| {name} | {size / 1e6:.0f} MB |")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk_import", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the households")
    options = parser.parse_args(arguments)
    print(machine())
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        households = HOUSEHOLDS // 10 if options.quick else HOUSEHOLDS
        first, second = write_samples(folder / "samples", CENTRES, households)
        files = as_xlsx(first, "centres"), as_xlsx(second, "households"), as_xlsx(second, "changed", "新的一段。")
        databases: list[tuple[str, str | None]] = [("SQLite", None)]
        if find_programs() is not None:
            databases.append(("PostgreSQL", stack.enter_context(cluster()).create("desk")))
        for name, url in databases:
            with stand(folder, name, database_url=url, seed=False) as where:
                run(where, *files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
