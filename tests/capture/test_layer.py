from framing.capture.layer import IPV4, IPV6, ip_version, u16


def test_numbers():
    assert [u16(b"\1\2\3", offset) for offset in range(4)] == [0x0102, 0x0203, 3, 0]


def test_the_version_tells_what_an_ip_packet_is():
    """[P7]"""
    assert ip_version(b"\x45", 0, 9) == (IPV4, 0, 9)
    assert ip_version(b"  \x6f", 2, 9) == (IPV6, 2, 9)
    assert ip_version(b"\x70", 0, 9) == (0, 0, 9)
    assert ip_version(b"\x45", 1, 9) is None
