"""The key of a flow: what tells its packets from those of others, as bytes that stood on the wire.

    source:4|16 destination:4|16 source-port:2 destination-port:2                  TCP: 12 or 36 bytes
    protocol:1 network:4, then the same                                            everything else: 17 or 41 bytes

`network` is the number of the virtual network that the addresses belong to, or ff ff ff ff.

Spec: [P12]
"""

from struct import Struct
from typing import Literal

from framing.capture.address import format_endpoint

__all__ = [
    "TCP",
    "UDP",
    "Transport",
    "destination_of",
    "flow_key",
    "names_of",
    "ports_of",
    "reverse_key",
    "source_of",
    "transport_of",
]

TCP, UDP = 6, 17
Transport = Literal["tcp", "udp"]

_NO_NETWORK = b"\xff\xff\xff\xff"
_TAG_SIZE = 5

_IPV4_SIZE = 12
_IPV4_KEY = Struct(">8B2H").unpack


def flow_key(protocol: int, network: bytes, addresses: bytes, ports: bytes) -> bytes:
    """Return a key.

    Args:
        protocol: TCP or UDP.
        network: a virtual network's number in 4 bytes, or nothing.
        addresses: source and destination.
        ports: source and destination.
    """
    if protocol == TCP and not network:
        return addresses + ports
    return bytes((protocol,)) + (network or _NO_NETWORK) + addresses + ports


def reverse_key(key: bytes) -> bytes:
    """Return the key of the other direction."""
    tag, middle = _parts(key)
    return key[:tag] + key[middle:-4] + key[tag:middle] + key[-2:] + key[-4:-2]


def transport_of(key: bytes) -> Transport:
    """Return what carries the flow."""
    return "udp" if len(key) & 1 and key[0] == UDP else "tcp"


def source_of(key: bytes) -> tuple[bytes, int]:
    """Return address and port of the sender."""
    tag, middle = _parts(key)
    return key[tag:middle], int.from_bytes(key[-4:-2], "big")


def destination_of(key: bytes) -> tuple[bytes, int]:
    """Return address and port of the receiver."""
    _, middle = _parts(key)
    return key[middle:-4], int.from_bytes(key[-2:], "big")


def ports_of(key: bytes) -> tuple[int, int]:
    """Return the ports of the sender and of the receiver."""
    return int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")


def names_of(key: bytes, number: int) -> tuple[str, str]:
    """Return the flow's name for people, and that of the other direction.

    >>> names_of(flow_key(UDP, bytes([0, 0, 0, 7]), bytes([10, 0, 0, 5, 10, 0, 0, 9]), bytes([0, 9, 0, 53])), 2)
    ('10.0.0.5:9>10.0.0.9:53/udp/vni7#2', '10.0.0.9:53>10.0.0.5:9/udp/vni7#2')

    Args:
        key: the flow's.
        number: of its connection among those of this pair.
    """
    behind = f"#{number}" if number > 1 else ""
    if len(key) == _IPV4_SIZE:
        a, b, c, d, e, f, g, h, source_port, destination_port = _IPV4_KEY(key)
        source, destination = f"{a}.{b}.{c}.{d}:{source_port}", f"{e}.{f}.{g}.{h}:{destination_port}"
    else:
        source, destination = format_endpoint(*source_of(key)), format_endpoint(*destination_of(key))
        behind = _carrier(key) + behind
    return f"{source}>{destination}{behind}", f"{destination}>{source}{behind}"


def _carrier(key: bytes) -> str:
    if not len(key) & 1:
        return ""
    network = key[1:_TAG_SIZE]
    virtual = "" if network == _NO_NETWORK else f"/vni{int.from_bytes(network, 'big')}"
    return ("/udp" if key[0] == UDP else "") + virtual


def _parts(key: bytes) -> tuple[int, int]:
    """Return where the addresses start, and where the second one does."""
    tag = _TAG_SIZE if len(key) & 1 else 0
    return tag, (tag + len(key) - 4) // 2
