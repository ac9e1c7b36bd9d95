"""Link layers: Ethernet, what other systems put in its place, and the tags between it and IP.

A link type is added by one function and one line in `LINKS`.
"""

from framing.capture.layer import ETHERNET, IPV4, IPV6, LINK, VLAN_TYPES, Layer, LayerReader, ip_version, u16

__all__ = ["LINKS", "ethernet", "logical_link", "tagged"]

# The address families of the systems that write loopback captures: AF_INET is 2 everywhere, AF_INET6 differs.
_FAMILIES = {2: IPV4, 10: IPV6, 23: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}

# Lengths of IEEE 802.3; above them it is a type.
_LONGEST = 1500


def ethernet(data: bytes, start: int, end: int) -> Layer | None:
    """destination:6 source:6 type:u16"""
    return tagged(data, start + 12, end)


def tagged(data: bytes, start: int, end: int) -> Layer | None:
    """[P8] type:u16, behind VLAN tags (type:u16 tag:u16); or a length:u16 and what `logical_link` reads."""
    while start + 2 <= len(data):
        kind = u16(data, start)
        if kind in VLAN_TYPES:
            start += 4
        elif kind <= _LONGEST and (inside := logical_link(data, start + 2, end)) is not None:
            return inside
        else:
            return kind, start + 2, end
    return None


def logical_link(data: bytes, start: int, end: int) -> Layer | None:
    """[P8] IEEE 802.2: aa aa 03 organisation:3 type:u16, or 06 06 03 before IPv4; `None` for everything else."""
    head = data[start : start + 3]
    if head == b"\xaa\xaa\x03" and data[start + 3 : start + 6] in (b"\x00\x00\x00", b"\x00\x00\xf8"):
        return tagged(data, start + 6, end)
    return (IPV4, start + 3, end) if head == b"\x06\x06\x03" else None


def cooked(data: bytes, start: int, end: int) -> Layer | None:
    """Linux cooked v1: packet:u16 hardware:u16 address-size:u16 address:8 protocol:u16"""
    return tagged(data, start + 14, end)


def cooked2(data: bytes, start: int, end: int) -> Layer | None:
    """Linux cooked v2: protocol:u16 reserved:u16 interface:u32 hardware:u16 packet:u8 address-size:u8 address:8"""
    if len(data) < start + 20:
        return None
    kind = u16(data, start)
    # The protocol of a tagged packet is its tag's type; the tag itself then opens the payload.
    return tagged(data, start + 22, end) if kind in VLAN_TYPES else (kind, start + 20, end)


def loopback(data: bytes, start: int, end: int) -> Layer | None:
    """BSD NULL and LOOP: family:u32, in the byte order of the machine that captured (NULL) or the network's (LOOP)."""
    if len(data) < start + 4:
        return None
    head = data[start : start + 4]
    family = min(int.from_bytes(head, "big"), int.from_bytes(head, "little"))
    return _FAMILIES.get(family, 0), start + 4, end


def tag(data: bytes, start: int, end: int) -> Layer | None:
    """A VLAN tag whose type was read before: tag:u16, then type:u16"""
    return tagged(data, start + 2, end)


def backbone(_data: bytes, start: int, end: int) -> Layer | None:
    """[P8] The tag of IEEE 802.1ah, behind its type: service:u32, then a whole Ethernet frame."""
    return ETHERNET, start + 4, end


# [P7] LINKTYPE_ numbers, and the DLT_ numbers 12 and 14 that some systems write for raw IP.
LINKS: dict[int, LayerReader] = {
    LINK: loopback,
    ETHERNET: ethernet,
    LINK + 12: ip_version,
    LINK + 14: ip_version,
    LINK + 101: ip_version,
    LINK + 108: loopback,
    LINK + 113: cooked,
    LINK + 228: ip_version,
    LINK + 229: ip_version,
    LINK + 276: cooked2,
    0x88E7: backbone,
    **dict.fromkeys(VLAN_TYPES, tag),
}
