"""What the audit trail keeps of an import: what came, and what was changed from what."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from tests.services.test_importing import campaign, row, run, sheet  # noqa: F401 - campaign is a fixture
from tests.storage.rows import VILLAGE
from voting.services.import_trail import LISTED, LONGEST_TEXT, ranges
from voting.services.trail import check_trail, list_entries


def trail_of(act: str) -> tuple[dict[str, Any], dict[str, Any]]:
    (entry, *_) = list_entries(act=act)
    assert check_trail() == []
    return entry.before, entry.after


@pytest.mark.usefixtures("ledger", "campaign")
def test_the_trail_says_what_came_and_what_changed_from_what() -> None:
    run(sheet(row("a", number="5"), row("b", "乙"), row("c", "丙")))
    figures = {"rows": 3, "added": 3, "changed": 0}
    assert trail_of("candidates.import") == ({}, figures | {"new_numbers": "5-7", "new_codes": ["a", "b", "c"]})
    long = "长" * 1000
    run(sheet(row("a", "甲二", "", "9", "", "简介", long), row("b", "乙"), row("d", "丁")))
    before, after = trail_of("candidates.import")
    assert before == {"rows_changed": {"a": {"name": "甲", "area_code": VILLAGE, "number": 5, "story": "事迹"}}}
    now = after.pop("rows_changed")["a"]
    assert after == {"rows": 3, "added": 1, "changed": 1, "new_numbers": "10", "new_codes": ["d"]}
    story = now.pop("story")
    assert now == {"name": "甲二", "area_code": None, "number": 9}
    assert story.startswith(long[:LONGEST_TEXT] + "…")
    assert sha256(long.encode()).hexdigest()[:16] in story


@pytest.mark.usefixtures("ledger", "campaign")
def test_of_thousands_the_trail_lists_some_and_a_digest_of_all() -> None:
    codes = [f"c{number}" for number in range(LISTED + 50)]
    run(sheet(*(row(code) for code in codes)))
    before, after = trail_of("candidates.import")
    assert before == {}
    assert (after["new_numbers"], after["new_codes"], after["listed"]) == (f"1-{len(codes)}", codes[:LISTED], LISTED)
    lines = "".join(f'["{code}",{number}]\n' for number, code in enumerate(codes, 1))
    assert after["digest"] == sha256(lines.encode()).hexdigest()
    run(sheet(*(row(code, "乙") for code in codes)))
    before, after = trail_of("candidates.import")
    assert list(before["rows_changed"]) == list(after["rows_changed"])
    assert len(before["rows_changed"]) == LISTED
    lines = "".join(f'["{code}",{{"name":"甲"}},{{"name":"乙"}}]\n' for code in codes)
    assert after["digest"] == sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("numbers", "told"),
    [([], ""), ([3], "3"), ([2, 1, 3, 7], "1-3, 7"), (range(1, 600, 2), f"{', '.join(map(str, range(1, 400, 2)))}, …")],
)
def test_numbers_are_told_in_pieces(numbers: list[int], told: str) -> None:
    assert ranges(numbers) == told
