"""Link frames to network packets. [P7] [P8] What is inside them is looked at in test_unpacking.py."""

import pytest

from framing.capture.layer import ETHERNET, IPV4, IPV6, LINK
from framing.capture.link import LINKS

MACS = "000000000001 000000000002"


@pytest.mark.parametrize(
    ("link_type", "data", "network"),
    [
        (1, f"{MACS} 0800", (IPV4, 14)),
        (1, f"{MACS} 86dd", (IPV6, 14)),
        (1, f"{MACS} 0806", (0x0806, 14)),
        (1, f"{MACS} 8100 0007 0800", (IPV4, 18)),
        (1, f"{MACS} 88a8 0007 8100 0008 86dd", (IPV6, 22)),
        (1, f"{MACS} 9100 0007 9200 0008 0800", (IPV4, 22)),
        (1, f"{MACS} 0026 aaaa03 000000 0800", (IPV4, 22)),
        (1, f"{MACS} 0026 424203 000000 0800", (0x26, 14)),
        (1, f"{MACS} 8100 0007 0026 aaaa03 000000 86dd", (IPV6, 26)),
        (1, f"{MACS} 0026 aaaa03 0000f8 0800", (IPV4, 22)),
        (1, f"{MACS} 0026 aaaa03 00000c 2000", (0x26, 14)),
        (1, f"{MACS} 0026 060603", (IPV4, 17)),
        (1, f"{MACS} 88e7 00000007", (0x88E7, 14)),
        (1, f"{MACS} 08", None),
        (1, f"{MACS} 8100 0007", None),
        (113, "0000 0001 0006 0000000000000000 0800", (IPV4, 16)),
        (113, "0000 0001 0006 0000000000000000 8100 0007 86dd", (IPV6, 20)),
        (113, "0000 0001 0006 0000000000000000", None),
        (276, "86dd 0000 00000001 0001 00 06 0000000000000000", (IPV6, 20)),
        (276, "8100 0000 00000001 0001 00 06 0000000000000000 0007 0800", (IPV4, 24)),
        (276, "0800 0000 00000001 0001 00 06 00000000000000", None),
        (0, "02000000", (IPV4, 4)),
        (0, "00000002", (IPV4, 4)),
        (0, "1e000000", (IPV6, 4)),
        (108, "0000001c", (IPV6, 4)),
        (0, "07000000", (0, 4)),
        (0, "020000", None),
        (101, "45", (IPV4, 0)),
        (12, "60", (IPV6, 0)),
        (14, "4f", (IPV4, 0)),
        (228, "45", (IPV4, 0)),
        (229, "60", (IPV6, 0)),
        (101, "10", (0, 0)),
        (101, "", None),
    ],
)
def test_network_packet_is_found(link_type, data, network):
    data = bytes.fromhex(data)
    found = LINKS[LINK + link_type](data, 0, 99)
    assert found == (None if network is None else (*network, 99))
    # The same where it is not the packet's first layer.
    assert LINKS[LINK + link_type](b"12345" + data, 5, 99) == (network and (network[0], network[1] + 5, 99))


def test_every_cut_is_too_short_or_the_same(wire):
    whole, ethernet = wire.ethernet(b"", 0x0800, tags=(0x88A8, 0x8100)), LINKS[ETHERNET]
    found = [ethernet(whole[:size], 0, 99) for size in range(len(whole) + 1)]
    assert found == [None] * len(whole) + [(IPV4, len(whole), 99)]


def test_tags_behind_a_type_that_another_layer_has_read():
    """[P8]"""
    assert LINKS[0x8100](bytes.fromhex("0007 86dd"), 0, 9) == (IPV6, 4, 9)
    assert LINKS[0x88E7](bytes.fromhex("00000007"), 0, 9) == (ETHERNET, 4, 9)
