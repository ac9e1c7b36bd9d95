import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.capture.address import format_address, format_endpoint


@given(st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16))
def test_addresses_read_as_the_standard_library_writes_them(address):
    # RFC 5952 leaves IPv4-mapped addresses to the writer; we keep them as groups.
    known = ipaddress.ip_address(address)
    text = format_address(address)
    assert ipaddress.ip_address(text) == known
    if known.version == 4 or known.ipv4_mapped is None:
        assert text == str(known)


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        ("0000" * 8, "::"),
        ("0000" * 7 + "0001", "::1"),
        ("fe80" + "0000" * 7, "fe80::"),
        ("2001" + "0000" * 2 + "0001" + "0000" * 3 + "0001", "2001:0:0:1::1"),
        ("2001" + "0000" + "0001" * 6, "2001:0:1:1:1:1:1:1"),
        ("0000" * 3 + "0001" + "0000" * 3 + "0001", "::1:0:0:0:1"),
    ],
)
def test_zeros_are_left_out_once(groups, text):
    assert format_address(bytes.fromhex(groups)) == text


def test_ipv6_stands_in_brackets_before_a_port():
    assert format_endpoint(bytes(15) + b"\1", 443) == "[::1]:443"
    assert format_endpoint(b"\x0a\0\0\5", 443) == "10.0.0.5:443"
