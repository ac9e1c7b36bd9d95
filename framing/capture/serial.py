"""Layers of point-to-point lines: PPP and what carries it, Cisco HDLC, Frame Relay, MPLS labels."""

from framing.capture.layer import (
    IPV4,
    IPV6,
    LINK,
    MPLS,
    PPP,
    PSEUDOWIRE,
    Layer,
    LayerReader,
    ip_version,
    u16,
)
from framing.capture.link import tagged

__all__ = ["SERIAL_LINKS", "mpls", "ppp"]

# PPP protocol numbers; one behind a first byte that is odd is sent as that byte alone.
_PPP_PROTOCOLS = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: MPLS}

# Network layer protocol identifiers of RFC 2427.
_NLPIDS = {0xCC: IPV4, 0x8E: IPV6}
_UNNUMBERED = 0x03


def ppp(data: bytes, start: int, end: int) -> Layer | None:
    """[ff 03] protocol:u16, or u8 if it is odd"""
    if data[start : start + 2] == b"\xff\x03":
        start += 2
    if len(data) < start + 2:
        return None
    if data[start] & 1:
        return _PPP_PROTOCOLS.get(data[start], 0), start + 1, end
    return _PPP_PROTOCOLS.get(u16(data, start), 0), start + 2, end


def directed_ppp(data: bytes, start: int, end: int) -> Layer | None:
    """direction:u8, then PPP"""
    return ppp(data, start + 1, end)


def hdlc(data: bytes, start: int, end: int) -> Layer | None:
    """Cisco HDLC: address:u8 control:u8 type:u16, where the address is 0f or 8f; else PPP"""
    if data[start : start + 1] in (b"\x0f", b"\x8f"):
        return tagged(data, start + 2, end)
    return ppp(data, start, end)


def pppoe(data: bytes, start: int, end: int) -> Layer | None:
    """version:4 type:4 code:u8 session:u16 length:u16, then PPP"""
    if len(data) < start + 6:
        return None
    if data[start : start + 2] != b"\x11\x00":
        return 0, start, end
    return ppp(data, start + 6, min(end, start + 6 + u16(data, start + 4)))


def frame_relay(data: bytes, start: int, end: int) -> Layer | None:
    """An address of bytes up to the first odd one, then 03 NLPID of RFC 2427, or Cisco's type:u16"""
    start += 1
    while start < len(data) and not data[start - 1] & 1:
        start += 1
    if len(data) < start + 2:
        return None
    if data[start] != _UNNUMBERED:
        return tagged(data, start, end)
    start += 1
    # A pad byte of 0 may stand before the identifier.
    start += data[start] == 0
    if data[start : start + 4] == b"\x80\x00\x00\x00":
        return tagged(data, start + 4, end)
    return (_NLPIDS.get(data[start], 0), start + 1, end) if start < len(data) else None


def mpls(data: bytes, start: int, end: int) -> Layer | None:
    """Labels (label:20 class:3 last:1 ttl:u8) up to the last; then what the first four bits look like"""
    while start + 4 < len(data):
        start += 4
        if data[start - 2] & 1:
            break
    else:
        return None
    inside = ip_version(data, start, end)
    if inside is None or inside[0]:
        return inside
    # A pseudo-wire: Ethernet, perhaps behind a control word, whose first four bits are 0.
    return PSEUDOWIRE, start + 4 * (data[start] >> 4 == 0), end


# [P7] LINKTYPE_ numbers of these, and the ether types behind which they stand in other links.
SERIAL_LINKS: dict[int, LayerReader] = {
    PPP: ppp,
    LINK + 50: hdlc,
    LINK + 51: pppoe,
    LINK + 104: hdlc,
    LINK + 107: frame_relay,
    LINK + 166: directed_ppp,
    LINK + 204: directed_ppp,
    LINK + 219: mpls,
    0x880B: ppp,
    0x8864: pppoe,
    MPLS: mpls,
    MPLS + 1: mpls,
}
