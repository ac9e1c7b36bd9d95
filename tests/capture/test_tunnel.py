"""The headers of tunnels. [P23] Whole packets in them are in test_unpacking.py, real ones in test_corpus.py."""

import pytest

from framing.capture.layer import ERSPAN1, ETHERNET, GRE_PPP, IP_PROTOCOL, IPV4, IPV6, LINK, MPLS, PSEUDOWIRE, UDP_PORT
from framing.capture.tunnel import NETWORK_TUNNELS, TUNNEL_READERS, TUNNELS

END = 999
GRE, VXLAN, VXLAN_GPE, GENEVE = IP_PROTOCOL + 47, UDP_PORT + 4789, UDP_PORT + 4790, UDP_PORT + 6081
GTP, TEREDO, L2TP, AYIYA = (UDP_PORT + port for port in (2152, 3544, 1701, 5072))
NSH = 0x894F


@pytest.mark.parametrize(
    ("kind", "data", "layer"),
    [
        (IP_PROTOCOL + 4, "45", (IPV4, 0, END)),
        (IP_PROTOCOL + 41, "60", (IPV6, 0, END)),
        (IP_PROTOCOL + 41, "", None),
        (IP_PROTOCOL + 97, "3000", (ETHERNET, 2, END)),
        (IP_PROTOCOL + 137, "00010140 60", (IPV6, 4, END)),
        (GRE, "0000 0800", (IPV4, 4, END)),
        (GRE, "b000 86dd" + "00" * 12, (IPV6, 16, END)),
        (GRE, "2000 6558 00000700", (0x6558, 8, END)),
        (GRE, "0000 88be", (ERSPAN1, 4, END)),
        (GRE, "1000 88be 00000001", (0x88BE, 8, END)),
        (GRE, "0000 8240", (LINK + 105, 4, END)),
        (GRE, "3001 880b 0004 0007 00000001", (GRE_PPP, 12, END)),
        (GRE, "3081 880b 0004 0007 00000001 00000002", (GRE_PPP, 16, END)),
        (GRE, "2081 880b 0000 0007 00000002", (0, 12, END)),
        (GRE, "4000 0800", (0, 0, END)),
        (GRE, "0002 0800", (0, 0, END)),
        (GRE, "0000 08", None),
        (GRE_PPP, "ff03 0021 45", (IPV4, 4, END)),
        (0x6558, "", (ETHERNET, 0, END)),
        (ERSPAN1, "", (ETHERNET, 0, END)),
        (PSEUDOWIRE, "", (ETHERNET, 0, END)),
        (0x88BE, "1000 0000 00000000", (ETHERNET, 8, END)),
        (0x22EB, "2000 0000 00000000 00000000", (ETHERNET, 12, END)),
        (0x22EB, "2000 0000 00000000 00000001", (ETHERNET, 20, END)),
        (0x22EB, "2000 0000 00000000 000000", None),
        (0x883E, "45", (IPV4, 0, END)),
        (0x883E, "00000000 45", (IPV4, 4, END)),
        (0x883E, "", None),
        (VXLAN, "08000000 00000700", (ETHERNET, 8, END)),
        (VXLAN, "88000000 00000700", (ETHERNET, 8, END)),
        (VXLAN_GPE, "0c000001 00000700", (IPV4, 8, END)),
        (VXLAN_GPE, "0c000004 00000700", (NSH, 8, END)),
        (VXLAN_GPE, "0c000009 00000700", (0, 8, END)),
        (VXLAN, "00000000 00000700", None),
        (VXLAN, "08000000 000007", None),
        (NSH, "0206 01 01 00000000", (IPV4, 24, END)),
        (NSH, "0202 01 03 00000000", (ETHERNET, 8, END)),
        (NSH, "0202 01 05 00000000", (MPLS, 8, END)),
        (NSH, "0202 01 04 00000000", (0, 8, END)),
        (NSH, "0201 01 01 00000000", None),
        (NSH, "0202 01", None),
        (GENEVE, "0000 6558 00000700", (0x6558, 8, END)),
        (GENEVE, "0200 0800 00000700 0102030405060708", (IPV4, 16, END)),
        (GENEVE, "4000 0800 00000700", None),
        (GENEVE, "0000 0800 000007", None),
        (GTP, "30ff 0010 00000007 45", (IPV4, 8, 24)),
        (GTP, "32ff 0010 00000007 0001 00 00 45", (IPV4, 12, 24)),
        (GTP, "34ff 0010 00000007 0000 00 85 01 10 00 00 60", (IPV6, 16, 24)),
        (GTP, "34ff 0010 00000007 0000 00 85 01 10 00 85 02 000000000000 00 60", (IPV6, 24, 24)),
        (GTP, "34ff 0010 00000007 0000 00 85 00 10 00 00 60", None),
        (GTP, "3001 0000 00000007", None),
        (GTP, "50ff 0010 00000007 45", None),
        (GTP, "30ff 0010 00000007", None),
        (TEREDO, "60", (IPV6, 0, END)),
        (TEREDO, "0000 1234 01020304 60", (IPV6, 8, END)),
        (TEREDO, "0001 00 00 0102030405060708 00 60", (IPV6, 13, END)),
        (TEREDO, "0001 01 02 aa bbbb 0102030405060708 00 0000 1234 01020304 60", (IPV6, 24, END)),
        (TEREDO, "45", None),
        (TEREDO, "0001", None),
        (L2TP, "0002 0007 0008 ff03 0021 45", (IPV4, 10, END)),
        (L2TP, "4002 0010 0007 0008 0021 45", (IPV4, 10, 16)),
        (L2TP, "4802 0020 0007 0008 0001 0002 0021 45", (IPV4, 14, 32)),
        (L2TP, "0202 0007 0008 0002 0000 0021 45", (IPV4, 12, END)),
        (L2TP, "c802 000c 0000 0000 0000 0000", None),
        (L2TP, "0003 0007 0008 0021 45", None),
        (L2TP, "0002 0007", None),
        (AYIYA, "4452 1129 00000000" + "00" * 36, (IP_PROTOCOL + 41, 44, END)),
        (AYIYA, "4452 1029 00000000" + "00" * 36, None),
        (AYIYA, "4452 1129", None),
    ],
)
def test_headers(kind, data, layer):
    data = bytes.fromhex(data)
    assert TUNNEL_READERS[kind](data, 0, END) == layer
    moved = layer and (layer[0], layer[1] + 5, layer[2] if layer[2] == END else layer[2] + 5)
    assert TUNNEL_READERS[kind](b"12345" + data, 5, END) == moved


def test_whoever_has_a_name_is_read():
    assert set(TUNNELS) | set(NETWORK_TUNNELS) <= set(TUNNEL_READERS)
