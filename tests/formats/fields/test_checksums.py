"""Checksums: the catalogue's check values, and twins that agree."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.formats.fields.checksums import CHECKSUMS, PURE_CRCS, REVERSED_BITS

DIGITS = b"123456789"

# CRCs: "Catalogue of parametrised CRC algorithms" (G. Cook), the column "check". The others were computed by hand or,
# for SHA-256, with sha256sum.
CHECKS = {
    "crc16_x25": 0x906E,  # CRC-16/IBM-SDLC
    "crc16_mcrf4xx": 0x6F91,
    "crc16_kermit": 0x2189,
    "crc16_ccitt": 0x29B1,  # CRC-16/IBM-3740
    "crc16_xmodem": 0x31C3,
    "crc16_genibus": 0xD64E,
    "crc16_modbus": 0x4B37,
    "crc16_arc": 0xBB3D,
    "crc16_dnp": 0xEA82,
    "crc24q": 0xCDE703,  # CRC-24/LTE-A
    "crc24_cql": 0x4B3F02,  # bit by bit, as Cassandra's native_protocol_v5.spec has it
    "crc32_cql": 0xE2A261A7,
    "crc32": 0xCBF43926,  # CRC-32/ISO-HDLC
    "crc32c": 0xE3069283,  # CRC-32/ISCSI
    "fletcher8": 0x15DD,
    "fletcher16": 0x1EDE,
    "internet": 0xF62A,
    "xor8": 0x31,
    "sum8": 0xDD,
    "sum8_inverted": 0x22,
}


def test_every_checksum_has_a_check():
    assert CHECKSUMS.keys() == CHECKS.keys() | {"sha256d"}


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_value(name):
    assert CHECKSUMS[name].compute(DIGITS) == CHECKS[name]


@pytest.mark.parametrize("name", PURE_CRCS)
def test_the_check_value_without_fastcrc(name):
    assert PURE_CRCS[name](DIGITS) == CHECKS[name]


@given(st.sampled_from(sorted(PURE_CRCS)), st.binary(max_size=300))
def test_the_twins_agree(name, data):
    assert CHECKSUMS[name].compute(data) == PURE_CRCS[name](data)


def test_fastcrc_is_what_the_twins_are_compared_with():
    assert CHECKSUMS["crc32c"].compute is not PURE_CRCS["crc32c"]


def test_without_fastcrc_the_twins_do_the_work():
    program = (
        "import sys; sys.modules['fastcrc'] = None\n"
        "from framing.formats.fields.checksums import CHECKSUMS, PURE_CRCS\n"
        "assert all(CHECKSUMS[name].compute is compute for name, compute in PURE_CRCS.items())\n"
        "from framing.formats.hdlc import HdlcFormat\n"
        "from framing import FrameParser\n"
        "for form in (HdlcFormat(), HdlcFormat(fcs=32)):\n"
        "    parser = FrameParser(form)\n"
        "    parser.feed(form.serialize(b'123456789') * 100)\n"
        "    assert parser.take_payloads() == [b'123456789'] * 100\n"
        "print('done')"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "done\n"


def test_a_double_hash_begins_as_bitcoin_has_it():
    # The checksum of an empty payload, which stands in every `verack`: 5d f6 e0 e2.
    assert CHECKSUMS["sha256d"].compute(b"") == 0x5DF6E0E2


@given(st.sampled_from(sorted(CHECKSUMS)), st.binary(max_size=100))
def test_each_fits_its_size(name, data):
    size, compute = CHECKSUMS[name]
    compute(data).to_bytes(size, "big")


def test_the_internet_checksum_of_the_rfc():
    # RFC 1071, section 3: the sum of these words is ddf2.
    data = bytes.fromhex("0001 f203 f4f5 f6f7")
    assert CHECKSUMS["internet"].compute(data) == 0xDDF2 ^ 0xFFFF
    assert CHECKSUMS["internet"].compute(data + (0xDDF2 ^ 0xFFFF).to_bytes(2, "big")) == 0
    assert CHECKSUMS["internet"].compute(b"\0\0\0") == 0xFFFF
    assert CHECKSUMS["internet"].compute(b"") == 0xFFFF
    assert CHECKSUMS["internet"].compute(b"\x01") == 0xFEFF


@given(st.binary(max_size=60))
def test_fletcher_is_two_running_sums(data):
    for name, modulus in (("fletcher8", 256), ("fletcher16", 255)):
        low = high = 0
        for byte in data:
            low = (low + byte) % modulus
            high = (high + low) % modulus
        assert CHECKSUMS[name].compute(data) == high << 8 | low


def test_fletcher_as_a_receiver_of_positions_has_it():
    # UBX-MON-VER polled: b5 62, then 0a 04 00 00, then CK_A 0e and CK_B 34.
    assert CHECKSUMS["fletcher8"].compute(bytes.fromhex("0a040000")).to_bytes(2, "little") == b"\x0e\x34"


def test_reversed_bits():
    assert REVERSED_BITS[0b0000_0110] == 0b0110_0000
    assert bytes(range(256)).translate(REVERSED_BITS).translate(REVERSED_BITS) == bytes(range(256))
