"""Imports on both databases: every mistake named by row and column, all or nothing, and as often as one likes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.storage.rows import AREAS, VILLAGE, candidate_row, put_areas, put_campaign
from voting.rules.errors import CampaignNotFound, StageRefused
from voting.rules.import_problems import Problem, found
from voting.services.candidate_rows import CANDIDATE_COLUMNS
from voting.services.importing import PROBLEMS_SHOWN, ImportReport, import_areas, import_candidates
from voting.services.sheets import UnreadableSheet, read_sheet
from voting.services.trail import list_entries
from voting.storage.areas import count_areas, load_areas
from voting.storage.campaigns import get_by_slug
from voting.storage.candidates import Candidate, insert_candidates, list_candidates

#: Where only the file matters and never the database, one of them is enough.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HEADER = "code,name,area_code,number,group,summary,story"


def sheet(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def row(code: str = "a", name: str = "甲", area: str = VILLAGE, number: str = "", group: str = "", *texts: str) -> str:
    summary, story = texts or ("简介", "事迹")
    return f"{code},{name},{area},{number},{group},{summary},{story}"


@pytest.fixture
def campaign(ledger: Session) -> int:
    put_areas(ledger)
    campaign_id = put_campaign(ledger).id
    ledger.commit()
    return campaign_id


def run(source: bytes | Path, award: str = "centres") -> ImportReport:
    return import_candidates("best", award, source)


def numbers(session: Session, campaign: int) -> dict[str, int]:
    session.rollback()
    return {candidate.code: candidate.number for candidate in list_candidates(session, campaign)}


def problems_of(report: ImportReport) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in report.problems]


# --- what works -------------------------------------------------------------------------------------------------


def test_candidates_are_added_with_every_field(ledger: Session, campaign: int, tmp_path: Path) -> None:
    path = tmp_path / "centres.csv"
    story = '"第一段\n\u3000\u3000第二段，""引号"""'
    path.write_bytes(
        sheet(row("a", " 对岸村中心 ", VILLAGE, "007", "北片", "近，便民", story), row("b", "乙", "", "", "south"))
    )
    seen: list[tuple[int, int]] = []
    report = import_candidates("best", "centres", path, lambda done, total: seen.append((done, total)))
    assert report == ImportReport(rows=2, added=2)
    assert seen == [(0, 2), (2, 2)]
    first, second = list_candidates(ledger, campaign)
    values = candidate_row(0, 7, group_key="north", code="a", name="对岸村中心", summary="近，便民", id=first.id)
    del values["campaign_id"]
    assert first._mapping == values | {"story": '第一段\n\u3000\u3000第二段，"引号"', "photo": None}
    assert (second.number, second.group_key, second.area_code) == (8, "south", None)
    assert get_by_slug(ledger, "best").version == 2


@on_sqlite
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_and_line_ends(ledger: Session, campaign: int, encoding: str, newline: str) -> None:
    name = "河㙟村" if encoding == "gb18030" else "河朗村"
    text = newline.join(["代码,名称,区划代码,编号,类别,简介,事迹", f"a,{name},{VILLAGE},3,北片,简介,故事很长很长"])
    assert run(text.encode(encoding)).added == 1
    (candidate,) = list_candidates(ledger, campaign)
    assert (candidate.name, candidate.number, candidate.story) == (name, 3, "故事很长很长")


def test_columns_in_any_order_optional_ones_left_out_and_empty_rows(ledger: Session, campaign: int) -> None:
    report = run(sheet("事迹一,甲,简介,a,", "", ",,,,", "事迹二,乙,简介,b,", header="Story,名称,summary,CODE,区划代码"))
    assert report == ImportReport(rows=2, added=2)
    assert numbers(ledger, campaign) == {"a": 1, "b": 2}


def test_repeating_an_import_changes_nothing_and_updates_go_by_code(ledger: Session, campaign: int) -> None:
    first = sheet(row("a", "甲", number="5"), row("b", "乙"), row("c", "丙"))
    assert run(first).added == 3
    ids = {candidate.code: candidate.id for candidate in list_candidates(ledger, campaign)}
    assert run(first) == ImportReport(rows=3, unchanged=3)
    ledger.rollback()
    assert get_by_slug(ledger, "best").version == 2, "nothing changed, so no cache need look"
    assert run(sheet(row("b", "乙", number="9"), row("d", "丁"))) == ImportReport(rows=2, added=1, changed=1)
    assert numbers(ledger, campaign) == {"a": 5, "b": 9, "c": 7, "d": 10}
    for candidate in list_candidates(ledger, campaign):
        assert ids.get(candidate.code, candidate.id) == candidate.id


def test_numbers_may_be_exchanged_across_thousands_of_rows(ledger: Session, campaign: int) -> None:
    count = 2500
    run(sheet(*(row(f"c{number}", number=str(number)) for number in range(1, count + 1))))
    report = run(sheet(*(row(f"c{number}", number=str(count + 1 - number)) for number in range(1, count + 1))))
    assert report == ImportReport(rows=count, changed=count)
    assert numbers(ledger, campaign) == {f"c{number}": count + 1 - number for number in range(1, count + 1)}


def test_a_second_award_goes_on_counting(ledger: Session, campaign: int) -> None:
    run(sheet(row("a"), row("b")))
    assert run(sheet(row("a", "同代码的另一户")), "households").added == 1
    ledger.rollback()
    assert [(c.award, c.code, c.number) for c in list_candidates(ledger, campaign)] == [
        ("centres", "a", 1),
        ("centres", "b", 2),
        ("households", "a", 3),
    ]


def test_a_withdrawn_candidate_stays_withdrawn(ledger: Session, campaign: int) -> None:
    insert_candidates(ledger, [candidate_row(campaign, 1, code="a", standing="withdrawn")])
    ledger.commit()
    assert run(sheet(row("a", "新名"))).changed == 1
    ledger.rollback()
    (candidate,) = list_candidates(ledger, campaign)
    assert (candidate.name, candidate.standing, candidate.number) == ("新名", "withdrawn", 1)


# --- what is refused --------------------------------------------------------------------------------------------

WRONG_CELLS: list[tuple[str, str, str, dict[str, Any]]] = [
    (row(""), "code", "required", {}),
    (row("x" * 65), "code", "long", {"length": 65, "most": 64}),
    (row(name=""), "name", "required", {}),
    (row(name="  "), "name", "required", {}),
    (row(name="名" * 65), "name", "long", {"length": 65, "most": 64}),
    (row(name='"甲\n乙"'), "name", "hidden", {"char": "U+000A"}),
    (row(name="甲\x00"), "name", "hidden", {"char": "U+0000"}),
    (row(name="甲\u202e乙"), "name", "hidden", {"char": "U+202E"}),
    (row(name="甲\ue000"), "name", "hidden", {"char": "U+E000"}),
    (row(area="441702008999"), "area_code", "no_area", {"code": "441702008999"}),
    (row(area="4.41702E+11"), "area_code", "area_as_number", {"code": "4.41702E+11"}),
    (row(number="0"), "number", "not_a_number", {"text": "0"}),
    (row(number="-3"), "number", "not_a_number", {"text": "-3"}),
    (row(number="1.0"), "number", "not_a_number", {"text": "1.0"}),
    (row(number="三"), "number", "not_a_number", {"text": "三"}),
    (row(number="٣"), "number", "not_a_number", {"text": "٣"}),
    (row(number="12345678"), "number", "not_a_number", {"text": "12345678"}),
    (row(number="2026-05-01"), "number", "not_a_number", {"text": "2026-05-01"}),
    (row(group="西片"), "group", "no_group", {"text": "西片", "groups": ["北片", "南片"]}),
    (row("a", "甲", VILLAGE, "", "", "短" * 281, "事迹"), "summary", "long", {"length": 281, "most": 280}),
    (row("a", "甲", VILLAGE, "", "", '"一\n二"', "事迹"), "summary", "hidden", {"char": "U+000A"}),
    (row("a", "甲", VILLAGE, "", "", "简介", "长" * 5001), "story", "long", {"length": 5001, "most": 5000}),
    (row("a", "甲", VILLAGE, "", "", "简介", "响铃\x07"), "story", "hidden", {"char": "U+0007"}),
]


@on_sqlite
@pytest.mark.parametrize(("line", "column", "code", "facts"), WRONG_CELLS)
def test_a_wrong_cell_is_named_and_nothing_is_imported(
    ledger: Session, campaign: int, line: str, column: str, code: str, facts: dict[str, Any]
) -> None:
    report = run(sheet(row("good1"), line, row("good2")))
    assert not report.ok
    (problem,) = report.problems
    assert problem == Problem(3, column, code, facts)
    assert (report.rows, report.added) == (0, 0)
    assert numbers(ledger, campaign) == {}


def test_all_mistakes_are_named_at_once_under_the_files_own_headers(ledger: Session, campaign: int) -> None:
    lines = [
        "a,甲,1,x,无,,",
        "a,,441702008205,,,,",
        "b,乙,441702008205",
        "c,丙,441702008205,4,,,",
        "d,丁,441702008205,4,,,",
    ]
    report = run(sheet(*lines, header="代码,名称,区划代码,编号,类别,简介,事迹"))
    assert problems_of(report) == [(2, "区划代码"), (2, "编号"), (2, "类别"), (3, "名称"), (3, "代码"), (4, "")]
    report = run(sheet(*lines[3:], header="代码,名称,区划代码,编号,类别,简介,事迹"))
    assert problems_of(report) == [(3, "编号")]
    assert report.problems[0] == found(3, "编号", "number_twice", number=4, row=2)
    assert numbers(ledger, campaign) == {}


@on_sqlite
def test_rows_count_as_in_a_spreadsheet(campaign: int) -> None:
    report = run(sheet(row("a", "甲", VILLAGE, "", "", "简介", '"一\n二\n三"'), "", row("b", number="x")))
    assert problems_of(report) == [(4, "number")]


def test_numbers_of_candidates_outside_the_file_are_taken(ledger: Session, campaign: int) -> None:
    run(sheet(row("a", number="1"), row("b", number="2")))
    run(sheet(row("x", number="3")), "households")
    table = [
        (sheet(row("c", number="1")), "number_taken", {"number": 1, "name": "甲"}),  # of the same award
        (sheet(row("c", number="3")), "number_taken", {"number": 3, "name": "甲"}),  # of another award
        # kept by a later row
        (sheet(row("c", number="2"), row("b", "乙")), "number_kept", {"number": 2, "row": 3, "name": "乙"}),
    ]
    for source, code, facts in table:
        report = run(source)
        assert report.problems == (Problem(2, "number", code, facts),)
    assert numbers(ledger, campaign) == {"a": 1, "b": 2, "x": 3}


@on_sqlite
@pytest.mark.parametrize(
    ("header", "wrong"),
    [
        ("code,name,summary,story", [(1, "area_code")]),
        ("name", [(1, "code"), (1, "area_code"), (1, "summary"), (1, "story")]),
        (HEADER + ",votes", [(1, "votes")]),
        (HEADER + ",代码", [(1, "代码")]),
        (HEADER + ",", [(1, "")]),
        (",,", [(1, "")]),
    ],
)
def test_wrong_columns(campaign: int, header: str, wrong: list[tuple[int, str]]) -> None:
    assert problems_of(run(sheet(row(), header=header))) == wrong


@on_sqlite
@pytest.mark.parametrize("source", [b"", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_file(campaign: int, source: bytes) -> None:
    assert problems_of(run(source)) == [(1, "")]


def test_a_file_with_a_header_only_imports_nothing(ledger: Session, campaign: int) -> None:
    assert run(sheet()) == ImportReport()


@on_sqlite
@pytest.mark.parametrize("quote", ['a,"甲', 'a,"甲"x'])
def test_a_broken_quote(campaign: int, quote: str) -> None:
    assert problems_of(run(sheet(row("ok"), quote + f",{VILLAGE},,,,"))) == [(3, "")]


@on_sqlite
def test_bytes_that_are_no_text_are_found_in_their_cell(campaign: int) -> None:
    good = sheet(row("a", "对岸村党群服务中心"), row("b", "岗列社区党群服务中心"))
    assert good.decode().encode("gb18030") != good
    damaged_utf8 = good.replace("岗列".encode(), "岗".encode() + b"\xe5\x88")
    (problem,) = run(damaged_utf8).problems
    assert problem == found(3, "name", "broken_byte", byte="0xE5", encoding="UTF-8")
    damaged_gbk = good.decode().encode("gb18030").replace("岗列".encode("gb18030"), b"\xb8\xda\xff\xff")
    (problem,) = run(damaged_gbk).problems
    assert problem == found(3, "name", "broken_byte", byte="0xFF", encoding="GBK")
    assert run(good.decode().encode("utf-16")).problems == (found(0, "", "utf16"),)


@on_sqlite
def test_only_so_many_problems_are_listed(campaign: int) -> None:
    report = run(sheet(*(row(f"c{number}", "") for number in range(PROBLEMS_SHOWN + 7))))
    assert (len(report.problems), report.more) == (PROBLEMS_SHOWN, 7)


def test_an_unknown_award_and_an_unknown_campaign(campaign: int) -> None:
    report = run(sheet(row()), "villages")
    assert report.problems == (found(0, "", "no_award", award="villages", awards=["centres", "households"]),)
    with pytest.raises(CampaignNotFound):
        import_candidates("none", "centres", sheet(row()))


def test_only_drafts_take_imports(ledger: Session, campaign: int) -> None:
    get_by_slug(ledger, "best").stage = "open"
    ledger.commit()
    with pytest.raises(StageRefused):
        run(sheet(row()))
    assert numbers(ledger, campaign) == {}


def test_an_import_that_dies_in_the_middle_leaves_nothing(ledger: Session, campaign: int) -> None:
    def die(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_candidates("best", "centres", sheet(*(row(f"c{n}") for n in range(3000))), die)
    assert ledger.scalar(select(func.count()).select_from(Candidate)) == 0
    ledger.rollback()
    assert run(sheet(row())).added == 1, "and the lock is free again"


# --- areas ------------------------------------------------------------------------------------------------------

AREA_LINES = [f"{code},{name},{level},{parent or ''}" for code, name, level, parent in AREAS]


def area_sheet(*lines: str) -> bytes:
    return sheet(*lines, header="code,name,level,parent_code")


def test_areas_in_any_order_again_and_renamed(ledger: Session) -> None:
    put_campaign(ledger)
    ledger.commit()
    assert import_areas(area_sheet(*AREA_LINES[::-1])) == ImportReport(rows=8, added=8)
    assert import_areas(area_sheet(*AREA_LINES)) == ImportReport(rows=8, unchanged=8)
    renamed = sheet("441702008205,对岸新村委会,村,441702008", header="代码,名称,级别,上级代码")
    assert import_areas(renamed) == ImportReport(rows=1, changed=1)
    assert load_areas(ledger).path(VILLAGE) == ("江城区", "岗列街道", "对岸新村委会")
    (entry, *_) = list_entries(act="areas.import")
    assert (entry.before, entry.after) == (
        {"rows_changed": {VILLAGE: {"name": "对岸村委会"}}},
        {"rows_changed": {VILLAGE: {"name": "对岸新村委会"}}, "rows": 1, "added": 0, "changed": 1},
    )
    assert get_by_slug(ledger, "best").version == 3, "campaigns show area names, so their caches must look again"


@on_sqlite
@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("x1,名,town,441702", "code"),
        ("4417020080011,名,village,441702008", "code"),
        ("441702008205,名,village,441702008", "code"),
        ("441702009,,town,441702", "name"),
        ("441702009,名\x00,town,441702", "name"),
        ("441702009,名,borough,441702", "level"),
        ("441702009,名,town,", "parent_code"),
        ("441702009,名,town,441799", "parent_code"),
        ("441702009,名,town,4417", "parent_code"),
        ("4418,名,city,4417", "parent_code"),
    ],
)
def test_wrong_areas(ledger: Session, line: str, column: str) -> None:
    report = import_areas(area_sheet(*AREA_LINES, line))
    assert problems_of(report) == [(10, column)]
    assert count_areas(ledger) == 0


# --- the reader by itself ---------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.services.sheets.MAX_BYTES", 10)
    with pytest.raises(UnreadableSheet) as refused:
        read_sheet(b"x" * 11, ())
    assert refused.value.problems == (found(0, "", "bytes", most_mb=0),)


@pytest.mark.parametrize("text", ["联通", "甲", "一级", "\u6c49" * 30])
def test_short_gbk_files_are_not_taken_for_damaged_utf8(text: str) -> None:
    read = read_sheet(sheet(row("a", text, "", "", "", "", "")).decode().encode("gbk"), CANDIDATE_COLUMNS)
    assert read.lines[0].cells[1] == text
