"""One IPv4 address or one IPv6 /64 is one sender; what may be kept of it is the network."""

from __future__ import annotations

import pytest

from voting.rules.address import SenderAddress, fold_address


@pytest.mark.parametrize(
    ("text", "key", "network"),
    [
        ("203.0.113.9", "203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/64"),
    ],
)
def test_addresses(text: str, key: str, network: str) -> None:
    assert fold_address(text) == SenderAddress(key, network)


@pytest.mark.parametrize("text", ["", "unix:", "1.2.3", "é.b.c.d", "a.b.c.d", "1.2.3.4, 5.6.7.8", "１.2.3.4", "::g"])
def test_what_is_no_address(text: str) -> None:
    assert fold_address(text) is None
