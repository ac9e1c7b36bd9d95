"""The hot loops of headers whose length is a number of variable width, about which there is nothing to check.

    leb128_scan     ac 02         seven bits a byte, the lowest first
    quic_scan       00 41 2c      perhaps another number first, whose first byte says how wide it is

They read the length with a few comparisons and need to know no header again: `known.py` does that for all others. They
are the quick twins of `VarintFormat.measure`, which has the word about everything odd.
"""

from itertools import repeat

from framing.frame import Scan

__all__ = ["leb128_scan", "quic_scan"]

# Where no number begins: behind the end of any buffer.
_ODD = 1 << 60


def leb128_scan(before: int, after: int, *, length_size: int, counted: int, most: int) -> Scan:
    """Return `scan` for a LEB128 length between so many bytes of other fields.

    Args:
        before: bytes of header before the length.
        after: bytes of header behind it.
        length_size: the most bytes of the length.
        counted: how many of the other fields' bytes it counts.
        most: the limit on a frame.
    """

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, skipped, rest, least, added, limit_size = out.append, before, after, counted, after - counted, most
        last = end - before
        while start < last and limit:
            first = start + skipped
            value, place = buffer[first], first + 1
            if value >= 0x80:
                shift, value = 7, value & 0x7F
                while True:
                    if place == end or place - first == length_size:
                        return start
                    byte = buffer[place]
                    place += 1
                    value |= (byte & 0x7F) << shift
                    if byte < 0x80:
                        break
                    shift += 7
            stop = place + value + added
            if value < least or stop > end or stop - start > limit_size:
                break
            append(buffer[place + rest : stop])
            start = stop
            limit -= 1
        return start

    return scan


def quic_scan(before: int, length_size: int, most: int) -> Scan:
    """Return `scan` for a length in QUIC's encoding, which counts the payload alone.

    Args:
        before: the most bytes of another such number before it, 0 if there is none.
        length_size: the most bytes of the length.
        most: the limit on a frame.
    """
    skips, widths = _widths(before) if before else [0] * 256, _widths(length_size)

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, skip, width, limit_size = out.append, skips, widths, most
        try:
            for _ in repeat(None, limit):
                place = start + skip[buffer[start]]
                value = buffer[place]
                first = place + width[value]
                if value >= 0x80:
                    if first > end:
                        break
                    value = int.from_bytes(buffer[place:first], "big") & (1 << 8 * (first - place) - 2) - 1
                elif value >= 0x40:
                    value = (value & 0x3F) << 8 | buffer[place + 1]
                stop = first + value
                if stop > end or stop - start > limit_size:
                    break
                append(buffer[first:stop])
                start = stop
        except IndexError:  # the buffer ends inside a header: cheaper than asking before each
            pass
        return start

    return scan


def _widths(most: int) -> list[int]:
    """Return by a number's first byte how many bytes it has."""
    return [1 << (byte >> 6) if 1 << (byte >> 6) <= most else _ODD for byte in range(256)]
