"""Where in damaged bytes a header may begin: what its constants look like, as a regular expression.

    header = "magic:bytes2=ab|cd length:u16be kind:u8=1|2"

    0               2               4        5
    +---------------+---------------+--------+
    | "ab" or "cd"  |     any       | 1 or 2 |
    +---------------+---------------+--------+

The expression begins with the first constant, so that what is sought first is what `re` finds fastest. That the bytes
really are a header is for `measure` to say. Spec: [F103].
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import Literal

from framing.formats.fields.layout import Layout
from framing.formats.fields.notation import Field
from framing.frame import Buffer, Resync

__all__ = ["bytes_pattern", "constants_resync", "layout_resync", "masked_pattern"]

_Order = Literal["big", "little"]

_ANY = rb"[\x00-\xff]"

# So many combinations of constants are sought one by one. Eight fields with sixteen constants each have four milliards.
_MAX_RUNS = 256


def constants_resync(patterns: Iterable[list[bytes]]) -> Resync | None:
    """Return `FrameFormat.resync` for headers that look like one of several runs of patterns, one for each byte.

    `None` if one of them says nothing at all.
    """
    runs = [_trimmed(pattern) for pattern in patterns]
    if not all(run for _, run in runs):
        return None
    skipped = min(first for first, _ in runs)
    longest = max(first - skipped + len(run) for first, run in runs)
    search = re.compile(b"|".join(_ANY * (first - skipped) + b"".join(run) for first, run in runs)).search

    def resync(buffer: Buffer, start: int, end: int, ended: bool) -> tuple[int, bool]:  # noqa: ARG001 - the contract's signature
        match = search(buffer, start + skipped, end)
        if match:
            return match.start() - skipped, True
        # One may have begun in the last bytes.
        return max(start, end - skipped - longest + 1), False

    return resync


def layout_resync(layouts: Iterable[Layout]) -> Resync | None:
    """Return `FrameFormat.resync` for a header of these fields, laid out in one of several byte orders."""
    return constants_resync(run for layout in layouts for run in _runs(layout))


def bytes_pattern(constant: bytes) -> list[bytes]:
    """Return a pattern for each byte: that byte."""
    return [re.escape(bytes((byte,))) for byte in constant]


def masked_pattern(mask: bytes, value: bytes) -> list[bytes]:
    """Return a pattern for each byte: those whose bits under the mask have the value.

    >>> masked_pattern(b"\\xfe\\x00", b"@\\x00")
    [b'[@A]', b'[\\\\x00-\\\\xff]']
    """
    return [_one_of(byte for byte in range(256) if byte & bits == want) for bits, want in zip(mask, value, strict=True)]


def _one_of(values: Iterable[int]) -> bytes:
    taken = list(values)
    if len(taken) == 256:
        return _ANY
    return b"[%b]" % b"".join(re.escape(bytes((byte,))) for byte in taken)


def _trimmed(pattern: list[bytes]) -> tuple[int, list[bytes]]:
    """Return where the first constant stands, and the pattern from there to the last one."""
    places = [place for place, one in enumerate(pattern) if one != _ANY]
    return (places[0], pattern[places[0] : places[-1] + 1]) if places else (0, [])


def _runs(layout: Layout) -> Iterator[list[bytes]]:
    """Yield how the bytes of a whole header may look: each combination, or where these are many, each byte's values."""
    ways = [_field_patterns(field, layout.byteorder) for field in layout.fields]
    if prod(map(len, ways)) > _MAX_RUNS:
        ways = [[[_any_of(column) for column in zip(*patterns, strict=True)]] for patterns in ways]
    for choice in product(*ways):
        yield [one for field in choice for one in field]


def _any_of(patterns: tuple[bytes, ...]) -> bytes:
    return patterns[0] if len(patterns) == 1 else b"[%b]" % b"".join(dict.fromkeys(patterns))


def _field_patterns(field: Field, byteorder: str) -> list[list[bytes]]:
    """Return each way that a field's bytes may look."""
    order: _Order = "little" if (field.byteorder or byteorder) == "little" else "big"
    if field.bits:
        mask = value = 0
        for part in field.bits:
            if len(part.allowed) == 1:
                mask |= ((1 << part.count) - 1) << part.shift
                value |= part.allowed[0] << part.shift
        return [masked_pattern(mask.to_bytes(field.size, order), value.to_bytes(field.size, order))]
    if not field.allowed:
        return [[_ANY] * field.size]
    constants = (one if isinstance(one, bytes) else one.to_bytes(field.size, order) for one in field.allowed)
    return [bytes_pattern(constant) for constant in constants]
