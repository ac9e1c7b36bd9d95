"""Link frames to network packets. [P7] [P8] What is inside them is looked at in test_segment.py."""

import pytest

from framing.capture.link import IPV4, IPV6, LINKS

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
    assert LINKS[link_type](bytes.fromhex(data)) == network


def test_every_cut_is_too_short_or_the_same(wire):
    whole = wire.ethernet(b"", 0x0800, tags=(0x88A8, 0x8100))
    assert [LINKS[1](whole[:size]) for size in range(len(whole) + 1)] == [None] * len(whole) + [(IPV4, len(whole))]
