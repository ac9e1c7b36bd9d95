"""Checksums by name: how many bytes each has, and a function from bytes to an integer.

    crc16_x25      16 bits    HDLC, PPP, IrDA                 crc16_modbus    16 bits    Modbus RTU
    crc16_mcrf4xx  16 bits    MAVLink                         crc16_arc       16 bits    LHA, many sensors
    crc16_ccitt    16 bits    "CCITT-FALSE", initially ffff   crc16_dnp       16 bits    DNP3
    crc16_xmodem   16 bits    the same, initially 0           crc32           32 bits    Ethernet, zip, PPP
    crc16_kermit   16 bits    the CCITT's own                 crc32c          32 bits    iSCSI, SCTP, Kafka
    crc16_genibus  16 bits    the first one, inverted         internet        16 bits    RFC 1071
    fletcher16     16 bits    sums mod 255, RFC 1146          xor8, sum8       8 bits    NMEA; many
    fletcher8      16 bits    sums mod 256, as in UBX         sha256d         32 bits    Bitcoin: the first 4 bytes
    crc24q         24 bits    RTCM 3, the catalogue's LTE-A   sum8_inverted   8 bits    ff less the sum, as XBee's
    crc24_cql      24 bits    Cassandra 5: frame headers      crc32_cql       32 bits   Cassandra 5: frame payloads

Parameters are those of the "Catalogue of parametrised CRC algorithms" by G. Cook. Where the package fastcrc is
installed, it computes the CRCs. Else what can runs in C, too: `zlib`, and `binascii.crc_hqx`, whose polynomial 1021
serves the reflected variants as well, over bytes whose bits are reversed. For the other polynomials there is a table.
"""

import zlib
from binascii import crc_hqx
from collections.abc import Callable
from functools import reduce
from itertools import accumulate
from operator import xor
from typing import Literal, NamedTuple

__all__ = ["CHECKSUMS", "CRC_ORDERS", "PURE_CRCS", "REVERSED_BITS", "Checksum", "Compute"]

Compute = Callable[[bytes], int]

# Each byte with its bits in the opposite order, for `bytes.translate`.
REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Checksum(NamedTuple):
    """A checksum.

    >>> CHECKSUMS["crc16_x25"].size, hex(CHECKSUMS["crc16_x25"].compute(b"123456789"))
    (2, '0x906e')

    Attributes:
        size: bytes that it takes on the wire.
        compute: bytes → the checksum, an unsigned integer; in which byte order it is sent is the protocol's business.
    """

    size: int
    compute: Compute


def _straight(initial: int, inverted: int = 0) -> Compute:
    """Return a CRC with polynomial 1021, the highest bit first."""
    return lambda data: crc_hqx(data, initial) ^ inverted


def _reflected(initial: int, inverted: int = 0) -> Compute:
    """Return a CRC with polynomial 1021, the lowest bit first: the straight one of reversed bits, reversed."""

    def compute(data: bytes) -> int:
        value = crc_hqx(data.translate(REVERSED_BITS), initial)
        return (REVERSED_BITS[value & 0xFF] << 8 | REVERSED_BITS[value >> 8]) ^ inverted

    return compute


def _tabled16(polynomial: int, initial: int, inverted: int) -> Compute:
    """Return a CRC of 16 bits of a reflected polynomial, a byte at a time; its table is made at the first use.

    Its bytes are kept apart, here and below: Python makes no object for an integer under 257, which is nearly half of
    the time.
    """
    table: list[tuple[int, ...]] = []
    begin = initial.to_bytes(2, "little")

    def compute(data: bytes) -> int:
        if not table:
            table[:] = [tuple(_shifted(byte, polynomial).to_bytes(2, "little")) for byte in range(256)]
        steps, (low, high) = table, begin
        for byte in data:
            change, after = steps[low ^ byte]
            low = high ^ change
            high = after
        return (high << 8 | low) ^ inverted

    return compute


def _tabled32(polynomial: int, initial: int, inverted: int) -> Compute:
    """Return one of 32 bits."""
    table: list[tuple[int, ...]] = []
    begin = initial.to_bytes(4, "little")

    def compute(data: bytes) -> int:
        if not table:
            table[:] = [tuple(_shifted(byte, polynomial).to_bytes(4, "little")) for byte in range(256)]
        steps, (low, second, third, high) = table, begin
        for byte in data:
            first, change, last, after = steps[low ^ byte]
            low = second ^ first
            second = third ^ change
            third = high ^ last
            high = after
        return (high << 24 | third << 16 | second << 8 | low) ^ inverted

    return compute


def _shifted(value: int, polynomial: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ polynomial if value & 1 else value >> 1
    return value


def _tabled24(polynomial: int, initial: int = 0) -> Compute:
    """Return one of 24 bits, the highest bit first."""
    table: list[tuple[int, ...]] = []
    begin = initial.to_bytes(3, "big")

    def compute(data: bytes) -> int:
        if not table:
            table[:] = [tuple(_shifted_up(byte << 16, polynomial).to_bytes(3, "big")) for byte in range(256)]
        steps, (high, middle, low) = table, begin
        for byte in data:
            first, second, after = steps[high ^ byte]
            high = middle ^ first
            middle = low ^ second
            low = after
        return high << 16 | middle << 8 | low

    return compute


def _shifted_up(value: int, polynomial: int) -> int:
    for _ in range(8):
        value = (value << 1 ^ polynomial if value & 0x800000 else value << 1) & 0xFFFFFF
    return value


def _fletcher(modulus: int) -> Compute:
    """Return two running sums, the second of the first, in the upper half."""
    return lambda data: sum(accumulate(data)) % modulus << 8 | sum(data) % modulus


def _internet(data: bytes) -> int:
    """Return the inverted sum, with end-around carry, of big-endian 16-bit words. (RFC 1071)"""
    total = int.from_bytes(data + b"\0" * (len(data) % 2), "big")
    # Carries that come around make it a remainder by 65535, but only nothing but zeros sums up to zero.
    return 0xFFFF - ((total % 0xFFFF or 0xFFFF) if total else 0)


def _crc32_cql(data: bytes) -> int:
    """Return the CRC-32 of bytes behind four that Cassandra begins with."""
    return zlib.crc32(data, _CRC32_OF_CQL)


def _sha256d(data: bytes) -> int:
    """Return the first 4 bytes of the SHA-256 of the SHA-256, as a big-endian integer."""
    from hashlib import sha256  # loads a cryptographic library, for which only this one has a use

    return int.from_bytes(sha256(sha256(data).digest()).digest()[:4], "big")


_CRC32_OF_CQL = zlib.crc32(bytes.fromhex("fa2d55ca"))

# In which byte order each CRC is sent so that going on over it always ends in one value, whatever the bytes before it.
CRC_ORDERS: dict[str, Literal["big", "little"]] = {
    **dict.fromkeys(("crc16_x25", "crc16_mcrf4xx", "crc16_kermit", "crc16_modbus", "crc16_arc", "crc16_dnp"), "little"),
    **dict.fromkeys(("crc32", "crc32c", "crc32_cql"), "little"),
    **dict.fromkeys(("crc16_ccitt", "crc16_xmodem", "crc16_genibus", "crc24q", "crc24_cql"), "big"),
}

# What fastcrc can do, too.
PURE_CRCS: dict[str, Compute] = {
    "crc16_x25": _reflected(0xFFFF, 0xFFFF),
    "crc16_mcrf4xx": _reflected(0xFFFF),
    "crc16_kermit": _reflected(0),
    "crc16_ccitt": _straight(0xFFFF),
    "crc16_xmodem": _straight(0),
    "crc16_genibus": _straight(0xFFFF, 0xFFFF),
    "crc16_modbus": _tabled16(0xA001, 0xFFFF, 0),
    "crc16_arc": _tabled16(0xA001, 0, 0),
    "crc16_dnp": _tabled16(0xA6BC, 0, 0xFFFF),
    "crc32": zlib.crc32,
    "crc32c": _tabled32(0x82F63B78, 0xFFFFFFFF, 0xFFFFFFFF),
}


def _quickest() -> dict[str, Compute]:
    try:
        from fastcrc import crc16, crc32
    except ImportError:
        return PURE_CRCS
    return {
        "crc16_x25": crc16.ibm_sdlc,
        "crc16_mcrf4xx": crc16.mcrf4xx,
        "crc16_kermit": crc16.kermit,
        "crc16_ccitt": crc16.ibm_3740,
        "crc16_xmodem": crc16.xmodem,
        "crc16_genibus": crc16.genibus,
        "crc16_modbus": crc16.modbus,
        "crc16_arc": crc16.arc,
        "crc16_dnp": crc16.dnp,
        "crc32": crc32.iso_hdlc,
        "crc32c": crc32.iscsi,
    }


CHECKSUMS: dict[str, Checksum] = {
    **{name: Checksum(4 if name.startswith("crc32") else 2, compute) for name, compute in _quickest().items()},
    "crc24q": Checksum(3, _tabled24(0x864CFB)),
    "crc24_cql": Checksum(3, _tabled24(0x974F0B, 0x875060)),
    "crc32_cql": Checksum(4, _crc32_cql),
    "fletcher8": Checksum(2, _fletcher(256)),
    "fletcher16": Checksum(2, _fletcher(255)),
    "internet": Checksum(2, _internet),
    "xor8": Checksum(1, lambda data: reduce(xor, data, 0)),
    "sum8": Checksum(1, lambda data: sum(data) & 0xFF),
    "sum8_inverted": Checksum(1, lambda data: ~sum(data) & 0xFF),
    "sha256d": Checksum(4, _sha256d),
}
