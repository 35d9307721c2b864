"""The desk's import at full size: `python -m benchmarks.desk_import [--quick]`.

878 centres and 35,000 households as .xlsx, uploaded, looked at and confirmed over HTTP like a browser does it, in one
process; then the list pages. Prints seconds, the most memory of that process and of the one that reads spreadsheets.
"""

from __future__ import annotations

import argparse
import csv
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient

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


def as_xlsx(path: Path) -> Path:
    """A sample as a spreadsheet, area codes as numbers: that is how they often come."""
    target = path.with_suffix(".xlsx")
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True})
    sheet = book.add_worksheet()
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row, cells in enumerate(csv.reader(file)):
            sheet.write_row(row, 0, [float(cell) if cell.isdigit() else cell for cell in cells])
    book.close()
    return target


def organizer(app: Flask) -> FlaskClient:
    """A browser that is signed in."""
    with app.app_context():
        accounts.create_account("benchmark", "Benchmark", ["organizer"], None)
        account = next(each for each in accounts.all_accounts() if each.name == "benchmark")
        holder = Holder(account.id, account.name, "Benchmark", frozenset({"organizer"}))
        token = desk_sessions.begin_session(holder, "benchmark", "127.0.0.1")
    client = app.test_client()
    client.set_cookie("__Host-desk" if app.config["SESSION_COOKIE_SECURE"] else "desk", token)
    return client


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"{pattern} is not on the page: {text[:2000]}")
    return match[1]


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def import_one(client: FlaskClient, award: str, path: Path) -> tuple[float, float, float]:
    """Seconds of the upload, of the preview and of the import itself."""
    token = _found(r'name="csrf_token" value="([0-9a-f]+)"', client.get("/organizer/account").text)
    place = ""

    def upload() -> None:
        nonlocal place
        with path.open("rb") as file:
            data = {"csrf_token": token, "award": award, "file": (file, path.name)}
            answer = client.post(f"{ROOM}/import", data=data, content_type="multipart/form-data")
        answer.request.environ["wsgi.input"].close()
        if answer.status_code != 303:
            raise RuntimeError(f"the upload was refused: {answer.status_code} {answer.text[:3000]}")
        place = answer.headers["Location"]

    def confirm() -> None:
        client.post(place, data={"csrf_token": token, "seen": seen})
        while "Refresh" in (page := client.get(place)).headers:
            time.sleep(0.2)
        _found(r"(行全部写入|rows are written)", page.text)

    uploading = _timed(upload)
    seen = ""
    started = time.perf_counter()
    seen = _found(r'name="seen" value="(\d+)"', client.get(place).text)
    return uploading, time.perf_counter() - started, _timed(confirm)


def run(where: Stand, centres: int, households: int) -> None:
    samples = write_samples(where.folder / "samples", centres, households)
    with where.app.app_context():
        create_campaign(SLUG, "全量候选对象", write_rules(demonstration_rules(now_ms())))
        import_areas(AREAS_FILE)
    client = organizer(where.app)
    print("\n| file | MB | upload | preview | import |\n|---|--:|--:|--:|--:|")
    for award, sample in zip(("centres", "households"), samples, strict=True):
        path = as_xlsx(sample)
        times = " | ".join(f"{taken:.1f} s" for taken in import_one(client, award, path))
        print(f"| {award} | {path.stat().st_size / 1e6:.1f} | {times} |", flush=True)
    again = import_one(client, "households", samples[1].with_suffix(".xlsx"))
    print(f"| households again | | {' | '.join(f'{taken:.1f} s' for taken in again)} |")
    print("\n| list page | median | slowest |\n|---|--:|--:|")
    for page in PAGES:
        taken = [_timed(lambda page=page: client.get(ROOM + page)) * 1000 for _ in range(12)][2:]  # type: ignore[misc]
        print(f"| {page or 'first'} | {statistics.median(taken):.1f} ms | {max(taken):.1f} ms |")
    print("\n| process | most memory |\n|---|--:|")
    for name, who in (
        ("the application", resource.RUSAGE_SELF),
        ("the reader of spreadsheets", resource.RUSAGE_CHILDREN),
    ):
        print(f"| {name} | {resource.getrusage(who).ru_maxrss / 1024:.0f} MB |")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk_import", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the households")
    options = parser.parse_args(arguments)
    print(machine())
    with scratch_folder() as folder, stand(folder, "SQLite", seed=False) as where:
        run(where, CENTRES, HOUSEHOLDS // 10 if options.quick else HOUSEHOLDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
