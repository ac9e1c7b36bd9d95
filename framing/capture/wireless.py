"""IEEE 802.11 data frames, and the headers that capture tools put before them."""

from framing.capture.layer import AMSDU, ETHERNET, LINK, Layer, LayerReader
from framing.capture.link import logical_link

__all__ = ["WIRELESS_LINKS", "amsdu", "wireless"]

_WIRELESS = LINK + 105

# Bits of the first byte of the frame control field: version and type; of the subtype: "no data" and QoS.
_TYPE_MASK, _DATA = 0x0F, 0x08
_NO_DATA, _QOS = 0x40, 0x80
# Of the second one: to and from the distribution system (both: a fourth address), encrypted, a HT control field.
_BETWEEN_SYSTEMS, _PROTECTED, _ORDER = 0x03, 0x40, 0x80
# Of the QoS control field.
_IS_AMSDU = 0x80

# The largest aggregate there is, in bytes (IEEE 802.11-2020, table 9-25). A packet of 16 MiB would be a million parts.
_MAX_AMSDU_SIZE = 11454


def wireless(data: bytes, start: int, end: int) -> Layer | None:
    """control:2 duration:2 address:6*3 sequence:2 [address:6] [qos:2 [ht:4]], then IEEE 802.2"""
    return _frame(data, start, end, 1)


def _frame(data: bytes, start: int, end: int, multiple: int) -> Layer | None:
    """Read a frame whose header is padded to a multiple of some bytes."""
    if len(data) < start + 2:
        return None
    first, second = data[start], data[start + 1]
    if first & _TYPE_MASK != _DATA or first & _NO_DATA or second & _PROTECTED:
        return 0, start, end
    size, is_amsdu = 24 + 6 * (second & _BETWEEN_SYSTEMS == _BETWEEN_SYSTEMS), 0
    if first & _QOS:
        if len(data) < start + size + 2:
            return None
        is_amsdu = data[start + size] & _IS_AMSDU
        size += 6 if second & _ORDER else 2
    inside = start + size + -size % multiple
    if is_amsdu:
        return AMSDU, inside, end
    if len(data) < inside + 8:
        return None
    return logical_link(data, inside, end) or (0, inside, end)


def amsdu(data: bytes, start: int, end: int) -> list[Layer]:
    """Return the parts of an aggregate: destination:6 source:6 length:u16, IEEE 802.2, up to a multiple of 4."""
    layers, limit = [], start + _MAX_AMSDU_SIZE
    while start + 14 <= min(len(data), end, limit):
        stop = start + 14 + int.from_bytes(data[start + 12 : start + 14], "big")
        layers.append((ETHERNET, start, min(stop, end)))
        start = stop + (start - stop) % 4
    return layers


# In the flags of radiotap: the frame's header is padded to a multiple of 4.
_PADDED = 0x20
_HAS_TIME, _HAS_FLAGS, _HAS_MORE = 0x01, 0x02, 0x80


def radiotap(data: bytes, start: int, end: int) -> Layer | None:
    """version:u8 pad:u8 length:u16le present:u32le …, then IEEE 802.11"""
    size = int.from_bytes(data[start + 2 : start + 4], "little")
    if len(data) < start + size or size < 8:
        return None
    is_padded = _radiotap_flags(data[start : start + size]) & _PADDED
    return _frame(data, start + size, end, 4 if is_padded else 1)


def _radiotap_flags(header: bytes) -> int:
    present, position = header[4], 8
    while position + 4 <= len(header) and header[position - 1] & _HAS_MORE:
        position += 4
    if present & _HAS_TIME:
        # The time is 8 bytes at a multiple of 8.
        position += -position % 8 + 8
    return header[position] if present & _HAS_FLAGS and position < len(header) else 0


def prism(data: bytes, start: int, end: int) -> Layer | None:
    """message:u32 length:u32 … in the byte order of the machine, or AVS; then IEEE 802.11"""
    if data[start : start + 3] == b"\x80\x21\x10":
        return avs(data, start, end)
    head = data[start + 4 : start + 8]
    size = min(int.from_bytes(head, "little"), int.from_bytes(head, "big"))
    return (_WIRELESS, start + size, end) if len(head) == 4 and size >= 8 else None


def avs(data: bytes, start: int, end: int) -> Layer | None:
    """version:u32be length:u32be …, then IEEE 802.11"""
    size = int.from_bytes(data[start + 4 : start + 8], "big")
    return (_WIRELESS, start + size, end) if size >= 8 else None


def per_packet(data: bytes, start: int, end: int) -> Layer | None:
    """PPI: version:u8 flags:u8 length:u16le link:u32le …, then that link type"""
    size = int.from_bytes(data[start + 2 : start + 4], "little")
    if len(data) < start + 8 or size < 8:
        return None
    return LINK + int.from_bytes(data[start + 4 : start + 8], "little"), start + size, end


# [P7] LINKTYPE_ numbers.
WIRELESS_LINKS: dict[int, LayerReader] = {
    _WIRELESS: wireless,
    LINK + 119: prism,
    LINK + 127: radiotap,
    LINK + 163: avs,
    LINK + 192: per_packet,
}
