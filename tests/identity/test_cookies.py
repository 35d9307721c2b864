"""Identity cookies, tokens and sign-ins under way: what this site signed is believed, for its time; nothing else."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from voting.identity.base import Identity, pseudonym
from voting.identity.cookies import IdentityCookie
from voting.identity.device import DeviceIdentity
from voting.identity.pending import GOOD_FOR_S, LONGEST, Pending, PendingSignIns
from voting.identity.tokens import BallotTokens
from voting.rules.errors import IdentityForged, WrongToken

SUBJECT = bytes(range(16))


def test_a_cookie_says_who_and_since_when() -> None:
    identity = IdentityCookie("s", "sms", 30).read(IdentityCookie("s", "sms", 30).write(SUBJECT))
    assert (identity.provider, identity.subject) == ("sms", SUBJECT.hex())
    assert abs(identity.since_ms - time.time() * 1000) < 5000


def test_devices_are_all_different() -> None:
    devices = DeviceIdentity("s")
    assert len({devices.read(devices.issue()).subject for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "other", [IdentityCookie("s", "wechat", 30), IdentityCookie("t", "sms", 30), DeviceIdentity("s")]
)
def test_no_cookie_stands_in_for_anothers(other: IdentityCookie) -> None:
    with pytest.raises(IdentityForged):
        other.read(IdentityCookie("s", "sms", 30).write(SUBJECT))


def test_every_changed_letter_is_noticed() -> None:
    cookies = IdentityCookie("s", "sms", 30)
    value = cookies.write(SUBJECT)
    # The last letter carries two bits that stand for nothing; all others count.
    for at in range(len(value) - 1):
        changed = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
        with pytest.raises(IdentityForged):
            cookies.read(changed)
    for broken in ("", "x", "é", value + "AAAA", value[:-4], "=" * 60):
        with pytest.raises(IdentityForged):
            cookies.read(broken)


def test_a_cookie_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = IdentityCookie("s", "sms", 30)
    value, now = cookies.write(SUBJECT), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 29 * 86_400)
    assert cookies.read(value).subject == SUBJECT.hex()
    monkeypatch.setattr(time, "time", lambda: now + 31 * 86_400)
    with pytest.raises(IdentityForged):
        cookies.read(value)


def test_pseudonyms_differ_by_person_provider_and_secret() -> None:
    given = {pseudonym(*each) for each in (("s", "sms", "1"), ("s", "sms", "2"), ("s", "oidc", "1"), ("t", "sms", "1"))}
    assert len(given) == 4


def test_tokens_belong_to_one_voter_and_one_campaign() -> None:
    tokens, identity = BallotTokens("s"), Identity("sms", "ab", 1)
    token = tokens.make(identity, "best")
    tokens.check(replace(identity, since_ms=2), "best", token)
    for other, slug in ((identity, "other"), (Identity("sms", "ac", 1), "best"), (Identity("oidc", "ab", 1), "best")):
        with pytest.raises(WrongToken):
            tokens.check(other, slug, token)
    for broken in ("", "é", token[:-1], token.upper()):
        with pytest.raises(WrongToken):
            tokens.check(identity, "best", broken)


class TestUnderWay:
    def test_what_is_written_is_read(self) -> None:
        pendings, pending = PendingSignIns("s"), Pending("wechat", "best", (5, 1, 5))
        assert pendings.read(pendings.write(pending)) == pending
        assert PendingSignIns("t").read(pendings.write(pending)) is None
        assert pendings.read("") is None
        assert pendings.read(pendings.write(pending)[:-2] + "xx") is None

    def test_states_are_what_wechat_takes_and_never_the_same(self) -> None:
        states = {Pending("wechat", "best").state for _ in range(50)}
        assert len(states) == 50
        assert all(state.isalnum() and len(state) <= 128 for state in states)

    def test_a_large_selection_fits_and_a_huge_one_is_left_out(self) -> None:
        pendings = PendingSignIns("s")
        large = Pending("oidc", "best", tuple(range(12_345, 12_345 + 7 * 300, 7)))
        assert pendings.read(pendings.write(large)) == large
        huge = replace(large, choices=tuple(random.Random(1).sample(range(10**9), 1000)))
        written = pendings.write(huge)
        assert len(written) <= LONGEST
        assert pendings.read(written) == replace(huge, choices=())

    def test_it_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pendings = PendingSignIns("s")
        value, now = pendings.write(Pending("oidc", "best")), time.time()
        monkeypatch.setattr(time, "time", lambda: now + GOOD_FOR_S - 5)
        assert pendings.read(value) is not None
        monkeypatch.setattr(time, "time", lambda: now + GOOD_FOR_S + 5)
        assert pendings.read(value) is None
