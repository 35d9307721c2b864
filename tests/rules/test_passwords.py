"""Passwords of the desk: length first, nothing that is guessed first."""

from __future__ import annotations

import pytest

from voting.rules.account_errors import PasswordRefused
from voting.rules.passwords import check_password
from voting.rules.roles import Holder


@pytest.mark.parametrize(
    "password", ["漠阳江畔 绿水青山 2026", "correct horse battery staple", "tR8#kq2!vLm9", "门前有棵老榕树三百年了呢"]
)
def test_good_ones(password: str) -> None:
    check_password(password, "chen", "陈主任")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "too_short"),
        ("x" * 129, "too_long"),
        ("aaaaaaaaaaaa", "too_plain"),
        ("123456789012", "too_plain"),
        ("abcdefghijklm", "too_plain"),
        ("Password123456", "too_common"),
        ("Admin@123456", "too_common"),
        ("woaizhongguo1", "too_common"),
        ("Yangjiang@2026", "too_common"),
        ("chenzhuren2026", "like_name"),
    ],
)
def test_bad_ones(password: str, problem: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        check_password(password, "chenzhuren", "陈主任")
    assert problem in refused.value.problems


@pytest.mark.parametrize(
    ("area", "seen", "unseen"),
    [
        ("441702", ["441702", "441702103", "441702103201"], ["441704", "4417", None]),
        ("441702100", ["441702100", "441702100201"], ["441702101", "441702101201", "441702"]),
    ],
)
def test_a_reviewer_sees_one_area(area: str, seen: list[str], unseen: list[str | None]) -> None:
    reviewer = Holder(1, "r", "r", frozenset({"reviewer"}), area)
    assert all(reviewer.sees(each) for each in seen)
    assert not any(reviewer.sees(each) for each in unseen)
    assert Holder(1, "o", "o", frozenset({"organizer"})).sees("441702")
    assert not Holder(1, "j", "j", frozenset({"judge"})).sees("441702")
