"""Nominations: windows, senders and states; telephones as people type them, and what must not become public."""

from __future__ import annotations

import pytest

from tests.builders import NOON_MS
from voting.rules.campaign import Stage
from voting.rules.nomination import (
    Call,
    Sender,
    acts_in,
    call_problems,
    check_call,
    find_private,
    next_state,
    read_telephone,
    waiting_findings,
)
from voting.rules.nomination_errors import (
    NominationDecided,
    NominationNotFound,
    NominationsNotOpen,
    NominationsOver,
)
from voting.rules.periods import DAY_MS
from voting.rules.roles import Holder

CALL = Call(NOON_MS, NOON_MS + DAY_MS, public=True, awards=("centres",))


@pytest.mark.parametrize(
    ("at_ms", "refused"),
    [
        (NOON_MS - 1, NominationsNotOpen),
        (NOON_MS, None),
        (NOON_MS + DAY_MS - 1, None),
        (NOON_MS + DAY_MS, NominationsOver),
    ],
)
def test_a_call_holds_from_its_first_moment_to_just_before_its_last(at_ms: int, refused: type[Exception]) -> None:
    if refused is None:
        assert check_call(CALL, "draft", "public", at_ms) == CALL
    else:
        with pytest.raises(refused):
            check_call(CALL, "draft", "public", at_ms)


@pytest.mark.parametrize("sender", ["public", "desk"])
def test_nobody_sends_what_was_not_called_for(sender: Sender) -> None:
    off = Call(NOON_MS, NOON_MS + DAY_MS, awards=("centres",))
    for call in (None, off):
        with pytest.raises(NominationNotFound):
            check_call(call, "draft", sender, NOON_MS)
    with pytest.raises(NominationNotFound):
        check_call(CALL, "draft", "desk", NOON_MS)


@pytest.mark.parametrize("stage", ["open", "closed", "provisional", "published"])
def test_only_a_draft_takes_nominations(stage: Stage) -> None:
    with pytest.raises(NominationsOver):
        check_call(CALL, stage, "public", NOON_MS)


def test_states_lead_where_they_should_and_nowhere_else() -> None:
    assert next_state("return", "sent") == "returned"
    assert next_state("amend", "returned") == "sent"
    assert next_state("accept", "sent") == "accepted"
    assert next_state("decline", "returned") == "declined"
    assert acts_in("accepted") == acts_in("declined") == ()
    for act, state in (("accept", "returned"), ("return", "returned"), ("amend", "sent"), ("accept", "accepted")):
        with pytest.raises(NominationDecided):
            next_state(act, state)  # type: ignore[arg-type]


def test_what_is_not_decided_is_told_before_opening() -> None:
    (found,) = waiting_findings({"sent": 2, "returned": 1, "accepted": 5})
    assert (found.facts, found.blocks) == ({"n": 3}, False)
    assert waiting_findings({"accepted": 5, "declined": 1}) == []


def test_a_call_that_nobody_could_answer_is_named() -> None:
    backwards = Call(NOON_MS, NOON_MS, public=True, conditions="字" * 2001)
    assert [(one.field, one.problem) for one in call_problems(backwards, ["centres"])] == [
        ("closes", "order"),
        ("awards", "empty"),
        ("conditions", "long"),
    ]
    assert call_problems(Call(0, 1, awards=("none",)), ["centres"])[0].problem == "choose"
    assert call_problems(Call(0, 1), ["centres"]) == (), "a call that is switched off needs no award"


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("13800138000", "13800138000"),
        (" +86 138-0013-8000 ", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("0662-3312345", "06623312345"),
        ("(0662) 331 2345", "06623312345"),
        ("12345", None),
        ("", None),
        ("1380013800０0", None),
        ("<script>", None),
        ("٠١٢٣٤٥٦٧٨٩٠", None),
    ],
)
def test_telephones_as_people_type_them(typed: str, digits: str | None) -> None:
    assert read_telephone(typed) == digits


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("请打 13800138000 找他", "13800138000"),
        ("请打 138 0013 8000", "138 0013 8000"),
        ("办公室 0662-3312345", "0662-3312345"),
        ("身份证 44170219500101001X。", "44170219500101001X"),
        ("家住建设路12号", "路12号"),
        ("对岸村 3-2 号", "村 3-2 号"),
        ("幸福小区１２栋", "区12栋"),
        ("门牌见照片", "门牌"),
        ("2021年评为3号示范点，服务群众12000人次", None),
        ("全村一号工程", None),
        ("做好事 20 年，捐款 13800 元", None),
        ("编号 3 号", None),
    ],
)
def test_what_must_not_become_public(text: str, found: str | None) -> None:
    assert find_private(text) == found


def test_who_may_know_the_nominator() -> None:
    """An auditor reads candidates everywhere; a nominator's telephone is not among what auditors read."""

    def holder(*roles: str, area: str | None = None) -> Holder:
        return Holder(1, "n", "某人", frozenset(roles), area)  # type: ignore[arg-type]

    assert holder("organizer").reviews("441702")
    assert holder("organizer").reviews(None)
    assert holder("reviewer", area="441702").reviews("441702008205")
    assert not holder("reviewer", area="441702").reviews("441781101")
    assert not holder("reviewer", area="441702").reviews("4417")
    assert not holder("reviewer", area="441702").reviews(None)
    assert not holder("auditor", "reviewer", area="441702").reviews("441781101")
    assert not holder("administrator").reviews("441702")
