"""What a pcapng file says beside its packets: comments, and the secrets that decrypt them.

    type:u32 size:u32 body options size:u32                                    a block, whose options are
    code:u16 size:u16 value, padded to 4 bytes                                 code 0 ends them, 1 is a comment
    secrets:u32 size:u32 data, padded to 4 bytes                               the body of a block of secrets

Spec: [P28]
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

__all__ = ["Comment", "Note", "Secrets", "notes_of"]


class Comment(NamedTuple):
    """Text that somebody has put into the file.

    Attributes:
        text: as it stands there; what is no UTF-8 is replaced.
        packet_number: of the packet that it is about; `None` for the file, an interface or its statistics.
    """

    text: str
    packet_number: int | None


class Secrets(NamedTuple):
    """Keys that decrypt packets behind them, such as the lines of an SSLKEYLOGFILE.

    Attributes:
        kind: `tls`, `ssh`, `wireguard`, `zigbee_nwk`, `zigbee_aps`, or the number of another kind in hex.
        data: as it stands in the file.
    """

    kind: str
    data: bytes


Note = Comment | Secrets

_SECTION, _INTERFACE, _OLD_PACKET, _STATISTICS, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 2, 5, 6, 10

# Where the options stand in blocks whose body has one size.
_OPTIONS = {_SECTION: 24, _INTERFACE: 16, _STATISTICS: 20}
_PACKET_DATA, _SECRETS_DATA = 28, 16
_END, _COMMENT = 0, 1

_KINDS = {
    0x544C534B: "tls",
    0x5353484B: "ssh",
    0x57474B4C: "wireguard",
    0x5A4E574B: "zigbee_nwk",
    0x5A415053: "zigbee_aps",
}


def notes_of(kind: int, block: bytes, packet_number: int, *, is_big: bool) -> Iterator[Note]:
    """Yield what a whole block says.

    Args:
        kind: its type.
        block: all of its bytes.
        packet_number: of the last packet so far, this one included.
        is_big: whether the section's numbers are big-endian.
    """
    sign = ">" if is_big else "<"
    start, number = _OPTIONS.get(kind, len(block)), None
    if kind in (_PACKET, _OLD_PACKET):
        (captured,) = Struct(sign + "I").unpack_from(block, 20)
        start, number = _PACKET_DATA + _padded(captured), packet_number
    elif kind == _SECRETS and len(block) >= _SECRETS_DATA + 4:
        secrets, size = Struct(sign + "II").unpack_from(block, 8)
        yield Secrets(_KINDS.get(secrets, f"{secrets:#010x}"), block[_SECRETS_DATA:-4][:size])
        start = _SECRETS_DATA + _padded(size)
    for value in _comments(block, start, Struct(sign + "HH")):
        yield Comment(value.decode("utf-8", "replace"), number)


def _comments(block: bytes, position: int, option: Struct) -> Iterator[bytes]:
    end = len(block) - 4
    while position + option.size <= end:
        code, size = option.unpack_from(block, position)
        position += option.size
        if code == _END:
            return
        if code == _COMMENT:
            yield block[position : min(position + size, end)]
        position += _padded(size)


def _padded(size: int) -> int:
    return (size + 3) & ~3
