"""Pseudonyms and receipt codes: stable, keyed, and forgiving to people who type them."""

from __future__ import annotations

import pytest

from tests.builders import NOON_MS, SECRET, ballot_id_at
from voting.rules.ballot_id import ballot_id_ms, parse_ballot_id
from voting.rules.errors import MalformedBallot
from voting.rules.periods import HOUR_MS
from voting.rules.voter import address_hash, parse_receipt_code, receipt_code, voter_key


def test_a_voter_key_depends_on_secret_campaign_provider_and_subject() -> None:
    keys = {
        voter_key(secret, campaign, provider, subject)
        for secret in (b"a", b"b")
        for campaign in (1, 2)
        for provider in ("device", "sms")
        for subject in ("x", "y")
    }
    assert len(keys) == 16
    assert {len(key) for key in keys} == {16}
    assert voter_key(b"a", 1, "device", "x") == voter_key(b"a", 1, "device", "x")


def test_address_hashes_differ_between_campaigns() -> None:
    assert address_hash(SECRET, 1, "203.0.113.9") != address_hash(SECRET, 2, "203.0.113.9")
    assert len(address_hash(SECRET, 1, "203.0.113.9")) == 8


def test_receipts_of_one_hour_share_four_characters_and_nothing_else() -> None:
    hour = NOON_MS // HOUR_MS * HOUR_MS
    codes = [receipt_code(SECRET, 1, ballot_id_at(hour + n)) for n in range(200)]
    assert len(set(codes)) == 200
    assert len({code[:4] for code in codes}) == 1
    assert receipt_code(SECRET, 1, ballot_id_at(hour + HOUR_MS))[:4] != codes[0][:4]
    assert len({code[4:6] for code in codes}) > 100
    ballot_id = ballot_id_at(hour)
    assert receipt_code(SECRET, 1, ballot_id) != receipt_code(b"other", 1, ballot_id)
    assert receipt_code(SECRET, 1, ballot_id) != receipt_code(SECRET, 2, ballot_id)


@pytest.mark.parametrize(
    "typed", ["F70Q-FJ5W-SEHF-THYE", " f70qfj5wsehfthye ", "F7OQ FJ5W SEHF THYE", "f70q—fj5w—sehf—thye"]
)
def test_receipt_codes_are_read_as_people_type_them(typed: str) -> None:
    assert parse_receipt_code(typed) == "F70QFJ5WSEHFTHYE"


@pytest.mark.parametrize("typed", ["", "F70QFJ5WSEHFTHY", "F70QFJ5WSEHFTHYEE", "F70QFJ5WSEHFTHYU", "回执号"])
def test_what_is_no_receipt_code(typed: str) -> None:
    assert parse_receipt_code(typed) is None


def test_ballot_ids_are_ulids_in_one_spelling() -> None:
    ballot_id = ballot_id_at(NOON_MS)
    assert parse_ballot_id(ballot_id.lower()) == ballot_id
    assert ballot_id_ms(ballot_id) == NOON_MS
    assert ballot_id_ms("7ZZZZZZZZZZZZZZZZZZZZZZZZZ") == 2**48 - 1


@pytest.mark.parametrize(
    "text", [None, 7, "", "8" + "0" * 25, "0" * 25, "0" * 27, "U" + "0" * 25, "０" * 26, "0" * 25 + "ß", "0" * 25 + "ı"]
)
def test_what_is_no_ballot_id(text: object) -> None:
    with pytest.raises(MalformedBallot):
        parse_ballot_id(text)
