"""How fast candidates are found and how dear the index is, with 35,878 candidates of the size of a whole city.

    python -m benchmarks.search

Prints milliseconds for making the index (cold, and again after a change that left the names alone), what it weighs in
memory, and for each kind of query the time of a first look, of a page of what was found, and how many were found.
"""

from __future__ import annotations

import argparse
import random
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

from faker import Faker

from voting.rules.areas import Area, AreaTree
from voting.services.catalogue import CandidateView
from voting.services.finding import Finder, Listing
from voting.services.spelling import readings

CENTRES, HOUSEHOLDS, TOWNS, VILLAGES = 878, 35_000, 48, 878
QUERIES = (
    "3",
    "03",
    "3号",
    "陈丽华",
    "chenlihua",
    "clh",
    "zhang",
    "江城",
    "jiangcheng",
    "江城 陈",
    "h",
    "户",
    "没有这样的人",
)


def candidates() -> tuple[list[CandidateView], AreaTree]:
    """Made-up names in made-up villages, the same every time."""
    chance, names = random.Random(1), Faker("zh_CN")
    names.seed_instance(1)
    areas = [
        Area("44", "阳江市", "city", None),
        Area("440", "江城区", "county", "44"),
        Area("441", "阳春市", "county", "44"),
    ]
    areas += [Area(f"1{n:03}", f"{names.last_name()}{names.last_name()}镇", "town", f"44{n % 2}") for n in range(TOWNS)]
    villages = [Area(f"2{n:04}", f"{names.first_name()}村委会", "village", f"1{n % TOWNS:03}") for n in range(VILLAGES)]
    tree = AreaTree([*areas, *villages])
    people = [names.name() for _ in range(4000)]
    made = []
    for number in range(1, CENTRES + HOUSEHOLDS + 1):
        award = "centres" if number <= CENTRES else "households"
        village = villages[number - 1] if number <= CENTRES else chance.choice(villages)
        name = f"{village.name[:-2]}党群服务中心" if number <= CENTRES else f"{chance.choice(people)} 户"
        path = tree.path(village.code)
        made.append(
            CandidateView(number, number, award, None, str(number), name, village.code, path, "", "", "standing")
        )
    return made, tree


def milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m benchmarks.search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    made, tree = candidates()
    print(f"{len(made):,} candidates")
    print(f"pypinyin and the readings of a first character: {milliseconds(partial(readings, '陈')):8.1f} ms")
    print(f"index, cold:                                    {milliseconds(lambda: Finder(made, tree)):8.1f} ms")
    tracemalloc.start()
    finder = Finder(made, tree)
    print(f"index, in memory:                               {tracemalloc.get_traced_memory()[0] / 1e6:8.1f} MB")
    tracemalloc.stop()
    print(f"index, names unchanged:                         {milliseconds(lambda: Finder(made, tree, finder)):8.1f} ms")
    shuffled = Listing("random", b"seed")
    print(f"\n{'query':<14}{'found':>8}{'first ms':>10}{'page ms':>10}")
    for q in ("", *QUERIES):
        first = milliseconds(lambda q=q: len(finder.listed("households", q, "", shuffled)))
        found = finder.listed("households", q, "", shuffled)
        middle = len(found) // 2
        page = milliseconds(lambda q=q, m=middle: finder.listed("households", q, "", shuffled)[m : m + 40])
        print(f"{q or '(all)':<14}{len(found):>8,}{first:>10.2f}{page:>10.2f}")


if __name__ == "__main__":
    main()
