"""IEEE 802.11 and what capture tools put before it. [P7] [P8]"""

import struct

import pytest

from framing.capture.layer import AMSDU, ETHERNET, IPV4, LINK
from framing.capture.wireless import WIRELESS_LINKS, amsdu, wireless

END = 999
SNAP = "aaaa03 000000 0800"
MAC, FOUR = "00" * 22, "00" * 28
QOS, HT = "0000", "00000000"


@pytest.mark.parametrize(
    ("data", "layer"),
    [
        (f"0801 {MAC} {SNAP}", (IPV4, 32, END)),
        (f"0802 {MAC} {SNAP}", (IPV4, 32, END)),
        (f"0803 {FOUR} {SNAP}", (IPV4, 38, END)),
        (f"8801 {MAC} {QOS} {SNAP}", (IPV4, 34, END)),
        (f"8881 {MAC} {QOS} {HT} {SNAP}", (IPV4, 38, END)),
        (f"8803 {FOUR} {QOS} {SNAP}", (IPV4, 40, END)),
        (f"8801 {MAC} 8000 {SNAP}", (AMSDU, 26, END)),
        (f"0801 {MAC} 424203 0000000000", (0, 24, END)),
        (f"0841 {MAC} {SNAP}", (0, 0, END)),
        (f"4801 {MAC}", (0, 0, END)),
        (f"8000 {MAC}", (0, 0, END)),
        (f"b400 {MAC}", (0, 0, END)),
        ("08", None),
        (f"0801 {MAC}", None),
        (f"8801 {MAC} 00", None),
    ],
    ids=lambda value: None,
)
def test_frames(data, layer):
    data = bytes.fromhex(data)
    assert wireless(data, 0, END) == layer
    moved = layer and (layer[0], layer[1] + 3, END)
    assert wireless(b"123" + data, 3, END) == moved


def test_an_aggregate_is_taken_apart():
    first = bytes(12) + struct.pack(">H", 9) + bytes(9)
    second = bytes(12) + struct.pack(">H", 500) + bytes(5)
    assert amsdu(b"12" + first + b"\0" + second, 2, 400) == [(ETHERNET, 2, 25), (ETHERNET, 26, 400)]
    assert amsdu(first, 0, 400) == [(ETHERNET, 0, 23)]
    assert amsdu(bytes(13), 0, 400) == []
    assert len(amsdu(bytes(1 << 20), 7, 1 << 20)) == 716  # no further than the largest aggregate goes


FRAME = bytes.fromhex(f"8801 {MAC} {QOS} {SNAP}")
PADDED = bytes.fromhex(f"8801 {MAC} {QOS} 0000 {SNAP}")


@pytest.mark.parametrize(
    ("link_type", "header", "frame", "layer"),
    [
        (127, "0000 0800 00000000", FRAME, (IPV4, 8 + 34, END)),
        (127, "0000 0c00 02000000 00 000000", FRAME, (IPV4, 12 + 34, END)),
        (127, "0000 0c00 02000000 20 000000", PADDED, (IPV4, 12 + 36, END)),
        (127, "0000 1400 03000000 0000000000000000 20 000000", PADDED, (IPV4, 20 + 36, END)),
        (127, "0000 2000 01000080 00000080 00000000 00000000 0000000000000000 20202020", FRAME, (IPV4, 32 + 34, END)),
        (127, "0000 2000 03000080 00000080 00000000 0000000000000000 2020202020202020", PADDED, (IPV4, 32 + 36, END)),
        (127, "0000 0700 000000", FRAME, None),
        (127, "0000 ff00 00000000", FRAME, None),
        (119, "44000000 90000000" + "00" * 136, FRAME, (LINK + 105, 144, END)),
        (119, "00000044 00000090" + "00" * 136, FRAME, (LINK + 105, 144, END)),
        (119, "80211002 00000040" + "00" * 56, FRAME, (LINK + 105, 64, END)),
        (163, "80211001 00000040" + "00" * 56, FRAME, (LINK + 105, 64, END)),
        (163, "80211001 00000004", FRAME, None),
        (119, "44000000 04000000", FRAME, None),
        (192, "00 00 0c00 69000000 00000000", FRAME, (LINK + 105, 12, END)),
        (192, "00 00 0800 01000000", FRAME, (ETHERNET, 8, END)),
        (192, "00 00 0700 01000000", FRAME, None),
        (192, "00 00 0800 010000", b"", None),
    ],
    ids=lambda value: None,
)
def test_headers_of_capture_tools(link_type, header, frame, layer):
    assert WIRELESS_LINKS[LINK + link_type](bytes.fromhex(header) + frame, 0, END) == layer
