"""Reading for strict parsing: streams that take linear time, and decompression that can be told to stop."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any

import construct

from framing.codecs.construct_guard import Guard, Refusal

__all__ = ["DECOMPRESSORS", "LINEAR_STREAM", "end_of", "expand", "has_no_bits", "read_to"]

# What is read at once in search of a terminator.
SEARCHED_SIZE = 256

# An xz header may announce a dictionary of 4 GiB, which is allocated at once. Preset 6, the default, needs 9 MiB.
LZMA_MEMORY = 32 * 1024 * 1024

DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "zlib": zlib.decompressobj,
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "bzip2": bz2.BZ2Decompressor,
    "lzma": lambda: lzma.LZMADecompressor(memlimit=LZMA_MEMORY),
}


def end_of(stream: Any) -> int | None:
    """Return the offset where `stream` ends, or None for bits, which can neither seek nor tell."""
    if isinstance(stream, construct.lib.RestreamedBytesIO):
        return None
    start = stream.tell()
    end: int = stream.seek(0, io.SEEK_END)
    stream.seek(start)
    return end


def has_no_bits(stream: Any) -> bool:
    """Tell whether a stream of bits is used up. They cannot be put back, but those read ahead can be seen."""
    if stream.rbuffer:
        return False
    below = stream.substream
    end = end_of(below)
    return has_no_bits(below) if end is None else below.tell() == end


def read_to(stream: Any, term: bytes) -> tuple[bytes, bool]:
    """Return the bytes before the next `term` that stands on a multiple of its size, and whether there is one."""
    unit = len(term)
    parts: list[bytes] = []
    while chunk := stream.read(SEARCHED_SIZE * unit):
        at = chunk.find(term)
        while at % unit and at >= 0:
            at = chunk.find(term, at + 1)
        if at >= 0:
            stream.seek(at + unit - len(chunk), io.SEEK_CUR)
            return b"".join((*parts, chunk[:at])), True
        parts.append(chunk)
    return b"".join(parts), False


def expand(decompressor: Any, data: bytes, guard: Guard) -> bytes:
    """Return what all of `data` expands to, if `guard` can afford it.

    Raises:
        LimitError: it is too much.
        Refusal: the data are damaged, cut short, or followed by something else.
    """
    try:
        # One byte more than allowed tells too much from just enough, and zero would mean no limit to zlib.
        expanded: bytes = decompressor.decompress(data, guard.expandable_size + 1)
    except Exception as error:
        raise Refusal("compressed data are damaged, or need too much memory") from error
    guard.spend_size(len(expanded))
    if not decompressor.eof:
        raise Refusal("compressed data end early")
    if decompressor.unused_data:
        raise Refusal("bytes are left after compressed data")
    return expanded


def _read_linear(self: Any, count: int | None = None) -> bytes:
    bits = bytearray(self.rbuffer)
    while count is None or len(bits) < count:
        data = self.substream.read(self.decoderunit)
        if not data:
            break
        bits += self.decoder(data)
    taken = len(bits) if count is None else count
    if taken > len(bits):
        self.rbuffer = bytes(bits)
        return b""
    self.rbuffer = bytes(bits[taken:])
    self.sincereadwritten += taken
    return bytes(bits[:taken])


LINEAR_STREAM = type("LinearStream", (construct.lib.RestreamedBytesIO,), {"read": _read_linear})
