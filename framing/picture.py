"""Byte pictures: how a frame is laid out, drawn from what its format declares.

>>> print("\\n".join(picture((Part("type", 1, "u8"), Part("length", 4, "u32be"), Part("payload")))))
0        1                                   5
+--------+-----------------------------------+- - - - -+
|  type  |               length              | payload |
|   u8   |               u32be               |         |
+--------+-----------------------------------+- - - - -+

A box is as wide as its bytes, up to four of them, and as its words need. What has no fixed size has a broken border.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["Part", "picture"]

_BYTE_WIDTH, _MOST_BYTES = 8, 4
# A line of a picture, so that with an indent of four it fits 80 columns; and of the words in one box.
_LINE_WIDTH, _WORDS_WIDTH = 76, 35
_MOST_WORDS = 120


class Part(NamedTuple):
    """One part of a frame, in wire order.

    Attributes:
        name: a field's, or `payload`; empty where it is divided into bits.
        size: its bytes, `None` if that is not fixed.
        text: what stands in it: its type and constants.
        bits: its bits as they are declared, each as `name:count`, the highest first.
    """

    name: str
    size: int | None = None
    text: str = ""
    bits: tuple[str, ...] = ()


class _Box(NamedTuple):
    lines: list[str]
    width: int
    size: int | None


def picture(parts: Iterable[Part]) -> list[str]:
    """Return the lines of a picture, with the offset of each part as far as that is fixed."""
    lines: list[str] = []
    offset: int | None = 0
    for row in _rows([_box(part) for part in parts]):
        lines += _drawn(row, offset)
        for box in row:
            offset = None if offset is None or box.size is None else offset + box.size
    return lines


def _box(part: Part) -> _Box:
    text = part.text if len(part.text) <= _MOST_WORDS else f"{part.text[: _MOST_WORDS - 1]}…"
    lines = [*_wrapped(part.bits or [part.name]), *_wrapped(text.replace("|", "| ").split())]
    drawn_count = min(part.size or 1, _MOST_BYTES)
    least = (_BYTE_WIDTH + 1) * drawn_count - 1
    return _Box(lines, max([least, *(len(line) + 2 for line in lines)]), part.size)


def _wrapped(words: Iterable[str]) -> list[str]:
    """Fill lines with words; behind a bar there is no blank."""
    lines = [""]
    for word in words:
        joint = "" if lines[-1].endswith("|") or not lines[-1] else " "
        if lines[-1] and len(lines[-1]) + len(joint) + len(word) > _WORDS_WIDTH:
            lines.append(word)
        else:
            lines[-1] += joint + word
    return [line for line in lines if line]


def _rows(boxes: Sequence[_Box]) -> Iterator[list[_Box]]:
    row: list[_Box] = []
    for box in boxes:
        if row and sum(one.width + 1 for one in row) + box.width + 2 > _LINE_WIDTH:
            yield row
            row = []
        row.append(box)
    if row:
        yield row


def _drawn(row: Sequence[_Box], offset: int | None) -> Iterator[str]:
    places, border, column = "", "", 0
    for box in row:
        if offset is not None:
            places = f"{places.ljust(column)}{offset}"
            offset = None if box.size is None else offset + box.size
        border += "+" + ("- " * box.width if box.size is None else "-" * box.width)[: box.width]
        column += box.width + 1
    if offset is not None:
        places = f"{places.ljust(column)}{offset}"
    if places:
        yield places
    yield f"{border}+"
    for number in range(max(len(box.lines) for box in row)):
        cells = (box.lines[number] if number < len(box.lines) else "" for box in row)
        yield "|" + "".join(f"{cell.center(box.width)}|" for cell, box in zip(cells, row, strict=True))
    yield f"{border}+"
