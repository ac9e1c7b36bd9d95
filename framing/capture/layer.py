"""Layer: a header of a packet, and the numbers by which one header names the next.

A layer is read by a plain function

    (data, start, end) -> (kind, start, end) of the layer inside, or None if it is cut or broken

where `end` is where the layer stops on the wire: behind `len(data)` if the snap length cut the packet. Ether types
stand for themselves; the numbers of other registries are told apart by what is added to them. A kind that nobody reads
ends the walk (`unpacking.py`).
"""

from collections.abc import Callable

__all__ = [
    "AMSDU",
    "ERSPAN1",
    "ETHERNET",
    "GRE_PPP",
    "IPV4",
    "IPV6",
    "IP_PROTOCOL",
    "LINK",
    "MPLS",
    "PPP",
    "PSEUDOWIRE",
    "UDP_PORT",
    "VLAN_TYPES",
    "Layer",
    "LayerReader",
    "ip_version",
    "u16",
]

Layer = tuple[int, int, int]
LayerReader = Callable[[bytes, int, int], Layer | None]

# LINKTYPE_ numbers, IP protocol numbers, UDP ports of tunnels.
LINK = 1 << 32
IP_PROTOCOL = 2 << 32
UDP_PORT = 3 << 32

ETHERNET = LINK + 1
PPP = LINK + 9

IPV4 = 0x0800
IPV6 = 0x86DD
MPLS = 0x8847

# 802.1Q, 802.1ad, and the two that were used for stacked tags before 802.1ad.
VLAN_TYPES = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))

# What no registry has a number for: several 802.11 payloads in one, Ethernet behind MPLS labels (which only its looks
# can tell), PPP in GRE, ERSPAN without a header of its own.
AMSDU = 4 << 32
PSEUDOWIRE = AMSDU + 1
GRE_PPP = AMSDU + 2
ERSPAN1 = AMSDU + 3

_VERSIONS = {4: IPV4, 6: IPV6}


def u16(data: bytes, offset: int) -> int:
    """Return the 16 bits at an offset, big-endian; fewer if the data is shorter."""
    return int.from_bytes(data[offset : offset + 2], "big")


def ip_version(data: bytes, start: int, end: int) -> Layer | None:
    """Return the IP packet at `start`, whose first four bits tell the version; kind 0 if it is none."""
    return (_VERSIONS.get(data[start] >> 4, 0), start, end) if start < len(data) else None
