"""Network addresses as the election sees them: one IPv4 address, or one IPv6 /64, is one sender."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address


@dataclass(frozen=True, slots=True)
class SenderAddress:
    """``key``: what counts as one sender; ``network``: what may be kept of it, the /24 or the /64."""

    key: str
    network: str


def fold_address(text: str) -> SenderAddress | None:
    """The sender behind an address as a server hands it over; None for what is no address (a unix socket, a fake)."""
    try:
        IPv4Address(text)  # accepts one spelling only, so the text itself is the key
        return _of_ipv4(text)
    except AddressValueError:
        pass
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    if address.ipv4_mapped is not None:
        return _of_ipv4(str(address.ipv4_mapped))
    network = f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return SenderAddress(network, network)


def _of_ipv4(text: str) -> SenderAddress:
    return SenderAddress(text, text.rpartition(".")[0] + ".0/24")
