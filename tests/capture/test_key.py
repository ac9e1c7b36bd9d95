"""What tells flows apart. [P12]"""

import pytest

from framing.capture.key import (
    TCP,
    UDP,
    destination_of,
    flow_key,
    names_of,
    reverse_key,
    source_of,
    transport_of,
)

V4 = bytes([10, 0, 0, 5, 10, 0, 0, 9])
V6 = bytes(15) + b"\1" + bytes(15) + b"\2"
PORTS = bytes([0, 1, 0, 2])
NETWORK = bytes([0, 0, 1, 0])


@pytest.mark.parametrize(
    ("protocol", "network", "addresses", "size", "transport", "name", "reverse"),
    [
        (TCP, b"", V4, 12, "tcp", "10.0.0.5:1>10.0.0.9:2", "10.0.0.9:2>10.0.0.5:1"),
        (TCP, b"", V6, 36, "tcp", "[::1]:1>[::2]:2", "[::2]:2>[::1]:1"),
        (UDP, b"", V4, 17, "udp", "10.0.0.5:1>10.0.0.9:2/udp", "10.0.0.9:2>10.0.0.5:1/udp"),
        (UDP, NETWORK, V6, 41, "udp", "[::1]:1>[::2]:2/udp/vni256", "[::2]:2>[::1]:1/udp/vni256"),
        (TCP, NETWORK, V4, 17, "tcp", "10.0.0.5:1>10.0.0.9:2/vni256", "10.0.0.9:2>10.0.0.5:1/vni256"),
    ],
)
def test_keys(protocol, network, addresses, size, transport, name, reverse):
    key = flow_key(protocol, network, addresses, PORTS)
    middle = len(addresses) // 2
    assert (len(key), transport_of(key), names_of(key, 1)) == (size, transport, (name, reverse))
    assert source_of(key) == (addresses[:middle], 1)
    assert destination_of(key) == (addresses[middle:], 2)
    assert names_of(reverse_key(key), 3) == (f"{reverse}#3", f"{name}#3")
    assert reverse_key(reverse_key(key)) == key
    assert transport_of(reverse_key(key)) == transport
