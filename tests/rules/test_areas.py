"""The area tree and the paths that pages show."""

from __future__ import annotations

import pytest

from voting.rules.areas import Area, AreaTree

TREE = AreaTree(
    [
        Area("4417", "阳江市", "city", None),
        Area("441702", "江城区", "county", "4417"),
        Area("441702008", "岗列街道", "town", "441702"),
        Area("441702008205", "对岸村委会", "village", "441702008"),
    ]
)


def test_paths_leave_out_the_city() -> None:
    assert TREE.path("441702008205") == ("江城区", "岗列街道", "对岸村委会")
    assert TREE.path("4417") == ()
    assert [area.code for area in TREE.lineage("441702008")] == ["4417", "441702", "441702008"]


def test_looking_up() -> None:
    assert "441702" in TREE
    assert "4418" not in TREE
    assert len(TREE) == 4
    assert TREE.get("441702").name == "江城区"
    with pytest.raises(KeyError):
        TREE.get("4418")
