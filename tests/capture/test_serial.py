"""Point-to-point lines. [P7] [P8]"""

import pytest

from framing.capture.layer import IPV4, IPV6, LINK, MPLS, PPP, PSEUDOWIRE
from framing.capture.packet import Packet
from framing.capture.serial import SERIAL_LINKS
from framing.capture.unpacking import Unpacker

END = 99
HDLC, PPPOE_LINK, CISCO, FRAME_RELAY, PPPOE = LINK + 50, LINK + 51, LINK + 104, LINK + 107, 0x8864


@pytest.mark.parametrize(
    ("kind", "data", "layer"),
    [
        (PPP, "ff03 0021 45", (IPV4, 4, END)),
        (PPP, "0057 60", (IPV6, 2, END)),
        (PPP, "21 45", (IPV4, 1, END)),
        (PPP, "ff03 57 60", (IPV6, 3, END)),
        (PPP, "0281 00", (MPLS, 2, END)),
        (PPP, "c021 01", (0, 2, END)),
        (PPP, "ff03 00", None),
        (PPP, "00", None),
        (HDLC, "ff03 0021 45", (IPV4, 4, END)),
        (HDLC, "0f00 0800 45", (IPV4, 4, END)),
        (CISCO, "8f00 86dd 60", (IPV6, 4, END)),
        (CISCO, "0f00 8035 00", (0x8035, 4, END)),
        (CISCO, "0f00 08", None),
        (LINK + 166, "01 ff03 0021 45", (IPV4, 5, END)),
        (LINK + 204, "00 0021 45", (IPV4, 3, END)),
        (PPPOE, "1100 0007 0016 0021 45", (IPV4, 8, 28)),
        (PPPOE_LINK, "1100 0007 ffff 0057 60", (IPV6, 8, END)),
        (PPPOE, "1109 0000 0016 0101", (0, 0, END)),
        (PPPOE, "1100 0007 00", None),
        (FRAME_RELAY, "0841 03 cc 45", (IPV4, 4, END)),
        (FRAME_RELAY, "0841 03 00 8e 60", (IPV6, 5, END)),
        (FRAME_RELAY, "08400001 03 cc 45", (IPV4, 6, END)),
        (FRAME_RELAY, "0841 03 00 80 000000 0800 45", (IPV4, 10, END)),
        (FRAME_RELAY, "0841 0800 45", (IPV4, 4, END)),
        (FRAME_RELAY, "0841 03 81 00", (0, 4, END)),
        (FRAME_RELAY, "0841 03", None),
        (FRAME_RELAY, "0840", None),
        (MPLS, "00010140 45", (IPV4, 4, END)),
        (MPLS, "00010040 00020140 60", (IPV6, 8, END)),
        (MPLS, "00010140 00000000 010203", (PSEUDOWIRE, 8, END)),
        (MPLS, "00010140 aabbccddeeff", (PSEUDOWIRE, 4, END)),
        (MPLS + 1, "00010140 45", (IPV4, 4, END)),
        (MPLS, "00010040 000201", None),
        (MPLS, "00010140", None),
        (MPLS, "000100ff" * 400 + "00010140 45", (IPV4, 1604, END)),
    ],
)
def test_layers(kind, data, layer):
    data = bytes.fromhex(data)
    assert SERIAL_LINKS[kind](data, 0, END) == layer
    moved = layer and (layer[0], layer[1] + 7, layer[2] if layer[2] == END else layer[2] + 7)
    assert SERIAL_LINKS[kind](b"1234567" + data, 7, END) == moved


def test_pppoe_over_ethernet_ends_where_its_length_says(wire):
    ip = wire.ipv4("10.0.0.5", "10.0.0.9", wire.tcp(("", 1), ("", 2), 7, 8, 24, b"text"), size=0)
    session = bytes.fromhex("11000007") + (2 + len(ip)).to_bytes(2, "big") + b"\0\x21" + ip
    data = wire.ethernet(session + b"padding", 0x8864)
    [unpacked] = Unpacker().unpack(Packet(1, 0, 1, data, len(data)))
    assert unpacked.packet.data[slice(*unpacked.segment[4:6])] == b"text"
