"""Link layers: where the network packet starts, and what it is.

Each layer is one function `data -> (ether type, offset)`, or `None` if the packet is too short for that. A link type is
added by one function and one line in `LINKS`.
"""

from collections.abc import Callable

__all__ = ["ETHERNET", "IPV4", "IPV6", "LINKS", "Network"]

ETHERNET = 1

IPV4 = 0x0800
IPV6 = 0x86DD

# 802.1Q, 802.1ad, and the two that were used for stacked tags before 802.1ad.
_VLAN_TYPES = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))

# The address families of the systems that write loopback captures: AF_INET is 2 everywhere, AF_INET6 differs.
_FAMILIES = {2: IPV4, 10: IPV6, 23: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}

# The network packet inside a link frame: its ether type and its first byte's offset.
Network = tuple[int, int] | None


def ethernet(data: bytes) -> Network:
    """destination:6 source:6 type:u16"""
    return tagged(data, 12)


def tagged(data: bytes, offset: int) -> Network:
    """[P8] type:u16, behind VLAN tags (type:u16 tag:u16) and an LLC/SNAP header (length:u16 aa aa 03 00 00 00)."""
    while offset + 2 <= len(data):
        kind = int.from_bytes(data[offset : offset + 2], "big")
        if kind in _VLAN_TYPES:
            offset += 4
        elif kind <= 1500 and data[offset + 2 : offset + 8] == b"\xaa\xaa\x03\x00\x00\x00":
            offset += 8
        else:
            return kind, offset + 2
    return None


def cooked(data: bytes) -> Network:
    """Linux cooked v1: packet:u16 hardware:u16 address-size:u16 address:8 protocol:u16"""
    return tagged(data, 14)


def cooked2(data: bytes) -> Network:
    """Linux cooked v2: protocol:u16 reserved:u16 interface:u32 hardware:u16 packet:u8 address-size:u8 address:8"""
    if len(data) < 20:
        return None
    kind = int.from_bytes(data[:2], "big")
    # The protocol of a tagged packet is its tag's type; the tag itself then opens the payload.
    return tagged(data, 22) if kind in _VLAN_TYPES else (kind, 20)


def loopback(data: bytes) -> Network:
    """BSD NULL and LOOP: family:u32, in the byte order of the machine that captured (NULL) or the network's (LOOP)."""
    if len(data) < 4:
        return None
    family = min(int.from_bytes(data[:4], "big"), int.from_bytes(data[:4], "little"))
    return _FAMILIES.get(family, 0), 4


def raw(data: bytes) -> Network:
    """An IP packet and nothing else: its first four bits tell the version."""
    if not data:
        return None
    return {4: IPV4, 6: IPV6}.get(data[0] >> 4, 0), 0


# [P7] LINKTYPE_ numbers, and the DLT_ numbers 12 and 14 that some systems write for raw IP.
LINKS: dict[int, Callable[[bytes], Network]] = {
    0: loopback,
    ETHERNET: ethernet,
    12: raw,
    14: raw,
    101: raw,
    108: loopback,
    113: cooked,
    228: raw,
    229: raw,
    276: cooked2,
}
