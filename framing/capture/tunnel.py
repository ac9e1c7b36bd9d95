"""Tunnels: whole packets inside packets.

Those over UDP are told by a port number, which is a guess: each reader refuses what cannot be its own, and the datagram
is then what any other datagram is.
"""

from framing.capture.layer import (
    ERSPAN1,
    ETHERNET,
    GRE_PPP,
    IP_PROTOCOL,
    IPV4,
    IPV6,
    LINK,
    MPLS,
    PSEUDOWIRE,
    UDP_PORT,
    Layer,
    LayerReader,
    ip_version,
    u16,
)
from framing.capture.serial import mpls, ppp

__all__ = ["NETWORK_TUNNELS", "TUNNELS", "TUNNEL_READERS"]

_ETHERNET_TYPE = 0x6558
_ERSPAN_TYPE, _ERSPAN3_TYPE = 0x88BE, 0x22EB
_NSH_TYPE = 0x894F
_WIRELESS = LINK + 105

# Checksum, routing, key and sequence number are there; the low bits of the second byte are the version.
_GRE_CHECKSUM, _GRE_ROUTING, _GRE_KEY, _GRE_SEQUENCE = 0x8000, 0x4000, 0x2000, 0x1000
_GRE_ACKNOWLEDGED = 0x0080
# Aruba's access points send what they hear as 802.11, under types that tell the queue.
_ARUBA_MASK, _ARUBA_TYPES = 0xFE00, 0x8200


def gre(data: bytes, start: int, end: int) -> Layer | None:
    """flags:13 version:3 type:u16 [checksum:u32] [key:u32] [sequence:u32] [acknowledged:u32]"""
    if len(data) < start + 4:
        return None
    flags, kind = u16(data, start), u16(data, start + 2)
    version = flags & 7
    if version > 1 or flags & _GRE_ROUTING:
        return 0, start, end
    fields = (_GRE_CHECKSUM, _GRE_KEY, _GRE_SEQUENCE, _GRE_ACKNOWLEDGED if version else 0)
    inside = start + 4 + 4 * sum(1 for bit in fields if flags & bit)
    if version:
        # PPTP; a packet that only acknowledges carries nothing.
        return (GRE_PPP if kind == 0x880B and flags & _GRE_SEQUENCE else 0), inside, end
    if kind == _ERSPAN_TYPE and not flags & _GRE_SEQUENCE:
        return ERSPAN1, inside, end
    return (_WIRELESS if kind & _ARUBA_MASK == _ARUBA_TYPES else kind), inside, end


def redirected(data: bytes, start: int, end: int) -> Layer | None:
    """WCCP: IPv4, in version 2 behind a header of 4 bytes"""
    if start >= len(data):
        return None
    return IPV4, start if data[start] >> 4 == 4 else start + 4, end


def bridged(_data: bytes, start: int, end: int) -> Layer | None:
    """Ethernet and nothing else: transparent bridging, ERSPAN type I"""
    return ETHERNET, start, end


def erspan(_data: bytes, start: int, end: int) -> Layer | None:
    """ERSPAN type II: version:4 vlan:12 … index:20, 8 bytes, then Ethernet"""
    return ETHERNET, start + 8, end


def erspan3(data: bytes, start: int, end: int) -> Layer | None:
    """ERSPAN type III: 12 bytes, of which the last bit says that 8 more follow, then Ethernet"""
    if len(data) < start + 12:
        return None
    return ETHERNET, start + (20 if data[start + 11] & 1 else 12), end


def ethernet_over_ip(_data: bytes, start: int, end: int) -> Layer | None:
    """EtherIP: version:4 reserved:12, then Ethernet"""
    return ETHERNET, start + 2, end


# Next protocols of VXLAN-GPE and of NSH.
_NEXT_PROTOCOLS = {1: IPV4, 2: IPV6, 3: ETHERNET, 4: _NSH_TYPE, 5: MPLS}


def vxlan(data: bytes, start: int, end: int) -> Layer | None:
    """flags:u8 reserved:u16 next:u8 network:u24 reserved:u8, then Ethernet, or with flag 04 what `next` says"""
    if len(data) < start + 8 or not data[start] & 0x08:
        return None
    if data[start] & 0x04:
        return _NEXT_PROTOCOLS.get(data[start + 3], 0), start + 8, end
    return ETHERNET, start + 8, end


def service_header(data: bytes, start: int, end: int) -> Layer | None:
    """NSH: version:2 … words:6 … type:u8 next:u8, then the path and as many words as are told"""
    if len(data) < start + 8 or (size := 4 * (data[start + 1] & 0x3F)) < 8:
        return None
    # 4 is NSH in VXLAN-GPE, but nothing here.
    following = data[start + 3]
    return 0 if following == 4 else _NEXT_PROTOCOLS.get(following, 0), start + size, end


def geneve(data: bytes, start: int, end: int) -> Layer | None:
    """version:2 words:6 flags:u8 type:u16 network:u24 reserved:u8, then options of 4 bytes times words"""
    if len(data) < start + 8 or data[start] & 0xC0:
        return None
    return u16(data, start + 2), start + 8 + 4 * (data[start] & 0x3F), end


# GTP's version 1 for user data; a sequence number, a packet number or extension headers follow the tunnel's number.
_GTP_VERSION_MASK, _GTP_VERSION, _GTP_HAS_MORE, _GTP_HAS_EXTENSION = 0xF0, 0x30, 0x07, 0x04
_GTP_PACKET = 255


def gtp(data: bytes, start: int, end: int) -> Layer | None:
    """flags:u8 type:u8=ff length:u16 tunnel:u32 [sequence:u16 packet:u8 next:u8 [words:u8 … next:u8]*], then IP"""
    if len(data) < start + 8 or data[start] & _GTP_VERSION_MASK != _GTP_VERSION or data[start + 1] != _GTP_PACKET:
        return None
    end = min(end, start + 8 + u16(data, start + 2))
    inside = start + 8
    if data[start] & _GTP_HAS_MORE:
        inside += 4
        while data[start] & _GTP_HAS_EXTENSION and inside < len(data) and data[inside - 1]:
            if not data[inside]:
                return None
            inside += 4 * data[inside]
    return ip_version(data, inside, end)


def teredo(data: bytes, start: int, end: int) -> Layer | None:
    """[0001 id-size:u8 value-size:u8 id value nonce:8 confirmed:u8] [0000 port:u16 address:4], then IPv6"""
    if data[start : start + 2] == b"\x00\x01" and len(data) >= start + 4:
        start += 13 + data[start + 2] + data[start + 3]
    if data[start : start + 2] == b"\x00\x00":
        start += 8
    return (IPV6, start, end) if start < len(data) and data[start] >> 4 == 6 else None


_L2TP_CONTROL, _L2TP_LENGTH, _L2TP_SEQUENCE, _L2TP_OFFSET = 0x8000, 0x4000, 0x0800, 0x0200


def l2tp(data: bytes, start: int, end: int) -> Layer | None:
    """flags:12 version:4=2 [length:u16] tunnel:u16 session:u16 [sent:u16 received:u16] [offset:u16 …], then PPP"""
    flags = u16(data, start)
    if len(data) < start + 6 or flags & 15 != 2 or flags & _L2TP_CONTROL:
        return None
    if flags & _L2TP_LENGTH:
        end = min(end, start + u16(data, start + 2))
        start += 2
    start += 10 if flags & _L2TP_SEQUENCE else 6
    if flags & _L2TP_OFFSET:
        start += 2 + u16(data, start)
    return ppp(data, start, end)


def ayiya(data: bytes, start: int, end: int) -> Layer | None:
    """id-size:4 id-type:4 signature-words:4 hash:4 auth:4 operation:4=1 next:u8 time:u32 id signature, then `next`"""
    if len(data) < start + 8 or data[start + 2] & 15 != 1:
        return None
    size = 8 + (1 << (data[start] >> 4)) + 4 * (data[start + 1] >> 4)
    return IP_PROTOCOL + data[start + 3], start + size, end


# The ports of tunnels over UDP, by the assignments of IANA; 8472 is what Linux used for VXLAN before there was one.
_VXLAN_PORTS = tuple(UDP_PORT + port for port in (4789, 4790, 8472))
_GENEVE_PORT = UDP_PORT + 6081

# Kind of layer → what people call it, for all that carry whole packets of somebody else's.
TUNNELS: dict[int, str] = {
    IP_PROTOCOL + 4: "ip",
    IP_PROTOCOL + 41: "ip",
    IP_PROTOCOL + 47: "gre",
    IP_PROTOCOL + 97: "etherip",
    IP_PROTOCOL + 137: "mpls",
    PSEUDOWIRE: "mpls",
    ERSPAN1: "erspan",
    _ERSPAN_TYPE: "erspan",
    _ERSPAN3_TYPE: "erspan",
    **dict.fromkeys(_VXLAN_PORTS, "vxlan"),
    _GENEVE_PORT: "geneve",
    UDP_PORT + 2152: "gtp",
    UDP_PORT + 3544: "teredo",
    UDP_PORT + 1701: "l2tp",
    UDP_PORT + 5072: "ayiya",
    UDP_PORT + 6635: "mpls",
}

# [P12] Those whose header names the network that the addresses inside belong to, in the three bytes from the fourth on.
NETWORK_TUNNELS = frozenset((*_VXLAN_PORTS, _GENEVE_PORT))

TUNNEL_READERS: dict[int, LayerReader] = {
    IP_PROTOCOL + 4: ip_version,
    IP_PROTOCOL + 41: ip_version,
    IP_PROTOCOL + 47: gre,
    IP_PROTOCOL + 97: ethernet_over_ip,
    IP_PROTOCOL + 137: mpls,
    PSEUDOWIRE: bridged,
    GRE_PPP: ppp,
    ERSPAN1: bridged,
    _ETHERNET_TYPE: bridged,
    _ERSPAN_TYPE: erspan,
    _ERSPAN3_TYPE: erspan3,
    _NSH_TYPE: service_header,
    0x883E: redirected,
    **dict.fromkeys(_VXLAN_PORTS, vxlan),
    _GENEVE_PORT: geneve,
    UDP_PORT + 2152: gtp,
    UDP_PORT + 3544: teredo,
    UDP_PORT + 1701: l2tp,
    UDP_PORT + 5072: ayiya,
    UDP_PORT + 6635: mpls,
}
