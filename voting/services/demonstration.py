"""The demonstration campaign of Yangjiang: real areas, made-up people and stories, always the same ones.

Also writes sample files of full size for imports. Everything made here says that it is demonstration data.
"""

from __future__ import annotations

import csv
import io
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from faker import Faker

from voting.rules.areas import Area
from voting.rules.campaign import Award, Limits, RuleSet
from voting.rules.periods import DAY_MS, HOUR_MS
from voting.rules.quota import Quota
from voting.rules.rule_text import write_rules
from voting.services import demonstration_texts as texts
from voting.services.candidate_rows import CANDIDATE_COLUMNS
from voting.services.importing import import_areas, import_candidates
from voting.services.transactions import reading, writing
from voting.storage.campaigns import add_campaign, find_by_slug, list_campaigns

SLUG = "yangjiang-2026"
TITLE = "阳江市十佳村(社区)党群服务中心、百佳党员中心户评选"
SUMMARY = "这是演示活动：区划是真实的，候选对象的介绍、人物和事迹都是虚构的，投票结果没有任何效力。"
AREAS_FILE = Path(__file__).resolve().parent.parent / "data" / "yangjiang-areas.csv"
#: 江城区岗列街道对岸村 is on every ballot.
ALWAYS = "441702008205"
CENTRES_ON_BALLOT = 40
HOUSEHOLDS_ON_BALLOT = 300
FIRST_HOUSEHOLD = 101
#: In the full-size samples, leaving the numbers below to one centre for every village.
FIRST_SAMPLE_HOUSEHOLD = 1001

#: Endings of official names and how people say them; the first that fits counts.
ENDINGS = (
    ("渔民委员会社区", "渔业社区"),
    ("社区居民委员会", "社区"),
    ("社区居委会", "社区"),
    ("渔委会", "渔业社区"),
    ("居委会", "社区"),
    ("村委会", "村"),
    ("虚拟生活区", "生活区"),
    ("虚拟社区", "社区"),
)

CsvRow = dict[str, str]


def demonstration_rules(now_ms: int) -> RuleSet:
    """Ten centres and a hundred households; open from the hour that is running, for 30 days."""
    opens_ms = now_ms // HOUR_MS * HOUR_MS
    return RuleSet(
        time_zone="Asia/Shanghai",
        opens_ms=opens_ms,
        closes_ms=opens_ms + 30 * DAY_MS,
        awards=(
            Award("centres", "十佳村(社区)党群服务中心", 10, Limits(max=10)),
            Award("households", "百佳党员中心户", 100, Limits(max=10)),
        ),
        quotas=(Quota("choices", "award", "day", 10), Quota("choices", "candidate", "day", 1)),
        ballot=Limits(min=1, max=20, optional=False),
        ties=("extend_seats",),
        # In a demonstration everybody sits at one machine: its one address would be asked again and again.
        challenge="off",
    )


def seed_if_empty() -> bool:
    """Make and open the demonstration campaign where there is no campaign at all; True when it was opened.

    A first start that died between opening on paper and putting up the box is finished by the next one.
    """
    # Imported here: most uses of this module need neither Redis nor an open campaign.
    from voting.services.campaigns import campaign_state, open_campaign

    if not prepare():
        with reading() as session:
            campaign = find_by_slug(session, SLUG)
            half_opened = campaign is not None and campaign.demonstration and bool(campaign.epoch)
        if not half_opened or (state := campaign_state(SLUG)).box is not None or state.recorded:
            return False
    open_campaign(SLUG)
    return True


def prepare(now_ms: int | None = None) -> bool:
    """The demonstration campaign as a draft with its candidates; False when there is another campaign.

    Every step can be repeated, so an attempt that was cut off is simply made again.
    """
    with writing() as session:
        campaigns = list_campaigns(session)
        if any(each.slug != SLUG or each.stage != "draft" or not each.demonstration for each in campaigns):
            return False
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        rules = write_rules(demonstration_rules(now_ms))
        if campaigns:
            campaigns[0].rules = rules
        else:
            add_campaign(
                session,
                slug=SLUG,
                title=TITLE,
                summary=SUMMARY,
                organizer_name="阳江市评选活动组委会（演示）",
                contact="演示活动，没有联系电话",
                demonstration=True,
                rules=rules,
                created_at=now_ms,
            )
    import_areas(AREAS_FILE)
    for award, rows in (("centres", ballot_centres()), ("households", ballot_households())):
        report = import_candidates(SLUG, award, as_csv(rows))
        if not report.ok:
            raise RuntimeError(f"the demonstration's own candidates were refused: {report.problems[0]}")
    return True


def write_samples(folder: Path, centres: int = 878, households: int = 35_000) -> tuple[Path, Path]:
    """centres.csv and households.csv, ready for ``flask campaign import``; the same bytes every time."""
    areas = _areas()
    villages = [area for area in areas.values() if area.level == "village"]
    if centres > len(villages):
        raise ValueError(f"there are only {len(villages)} villages and communities")
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / "centres.csv", folder / "households.csv")
    paths[0].write_bytes(as_csv(_centres(villages[:centres], areas, 1)))
    paths[1].write_bytes(as_csv(_households(areas, households, FIRST_SAMPLE_HOUSEHOLD)))
    return paths


def as_csv(rows: Iterable[CsvRow]) -> bytes:
    """Rows as an import file that spreadsheet programs open well: UTF-8 with its mark, CRLF."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [column.name for column in CANDIDATE_COLUMNS], restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def short_name(area: Area, town: Area) -> str:
    """How people call a village or community: 对岸村委会 is 对岸村."""
    for ending, spoken in ENDINGS:
        if area.name.endswith(ending):
            stem = area.name.removesuffix(ending)
            # One fishing community is registered without a name of its own.
            return (stem or town.name.removesuffix("街道").removesuffix("镇")) + spoken
    return area.name


def ballot_centres() -> list[CsvRow]:
    """The centres on the demonstration's ballot: every county by its share of villages, numbered from 1."""
    areas = _areas()
    chance = random.Random(f"{SLUG} centres")
    counties: dict[str, list[Area]] = {}
    for area in _lived_in(areas):
        counties.setdefault(area.code[:6], []).append(area)
    chosen = [areas[ALWAYS]]
    for county, seats in _shares({code: len(some) for code, some in counties.items()}, CENTRES_ON_BALLOT).items():
        others = [area for area in counties[county] if area.code != ALWAYS]
        chosen += chance.sample(others, seats - (len(others) < len(counties[county])))
    return list(_centres(sorted(chosen, key=lambda area: area.code), areas, 1))


def ballot_households() -> list[CsvRow]:
    """The households on the demonstration's ballot, numbered after the centres."""
    return list(_households(_areas(), HOUSEHOLDS_ON_BALLOT, FIRST_HOUSEHOLD))


def _areas() -> dict[str, Area]:
    """The areas that come with the software, by code."""
    with AREAS_FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["code"]: Area(row["code"], row["name"], row["level"], row["parent_code"] or None) for row in rows}


def _lived_in(areas: dict[str, Area]) -> list[Area]:
    """Villages and communities, without those that exist in the statistics only (虚拟): prisons, mines, forests."""
    return [area for area in areas.values() if area.level == "village" and "虚拟" not in area.name]


def _shares(sizes: dict[str, int], seats: int) -> dict[str, int]:
    """Seats in proportion to sizes, the largest remainders rounded up."""
    total = sum(sizes.values())
    shares = {key: seats * size // total for key, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda key: (-(seats * sizes[key] % total), key))
    for key in by_remainder[: seats - sum(shares.values())]:
        shares[key] += 1
    return shares


def _centres(villages: Sequence[Area], areas: dict[str, Area], first: int) -> Iterator[CsvRow]:
    chance = random.Random(f"{SLUG} centre texts")
    for number, village in enumerate(villages, first):
        town = areas[village.parent or ""]
        place = short_name(village, town)
        facts = {"place": place, "town": town.name, "count": 10 * chance.randint(2, 6), "years": chance.randint(3, 12)}
        sentences = [
            chance.choice(texts.CENTRE_OPENINGS),
            *chance.sample(texts.CENTRE_SERVICES, 3),
            chance.choice(texts.CENTRE_CLOSINGS),
        ]
        yield {
            "code": village.code,
            "name": f"{place}党群服务中心",
            "area_code": village.code,
            "number": str(number),
            "summary": chance.choice(texts.CENTRE_SUMMARIES).format(**facts),
            "story": "".join(sentences).format(**facts) + "\n" + texts.CENTRE_MARK,
        }


def _households(areas: dict[str, Area], count: int, first: int) -> Iterator[CsvRow]:
    """Each in a village drawn by lot; no name comes twice in one village."""
    chance = random.Random(f"{SLUG} households")
    names = Faker("zh_CN")
    names.seed_instance(f"{SLUG} names")
    villages = _lived_in(areas)
    seen: dict[str, set[str]] = {}
    for number in range(first, first + count):
        village = chance.choice(villages)
        there = seen.setdefault(village.code, set())
        surname, name = _new_name(names, there)
        there.add(name)
        town = areas[village.parent or ""]
        place = short_name(village, town)
        deeds = texts.HOUSEHOLD_DEEDS + (texts.HOUSEHOLD_VILLAGE_DEEDS if place.endswith("村") else ())
        facts = {
            "name": name,
            "family": f"{surname}家",
            "place": place,
            "town": town.name,
            "years": chance.randint(6, 38),
            "count": 10 * chance.randint(2, 4),
        }
        sentences = [
            chance.choice(texts.HOUSEHOLD_OPENINGS),
            *chance.sample(deeds, 3),
            chance.choice(texts.HOUSEHOLD_CLOSINGS),
        ]
        yield {
            "code": f"{village.code}-{len(there):03}",
            "name": f"{name} 户",
            "area_code": village.code,
            "number": str(number),
            "summary": chance.choice(texts.HOUSEHOLD_SUMMARIES).format(**facts),
            "story": "".join(sentences).format(**facts) + "\n" + texts.HOUSEHOLD_MARK,
        }


def _new_name(names: Faker, taken: set[str]) -> tuple[str, str]:
    """A surname, and a full name that is not taken."""
    while True:
        surname = names.last_name()
        name = surname + names.first_name()
        if name not in taken:
            return surname, name
