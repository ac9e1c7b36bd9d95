"""Records as lines for people: one for a frame, one for what went wrong, one for the sums."""

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import click

from framing.capture.lines import format_time
from framing.capture.records import HEAD_SIZE, ErrorRecord, FrameRecord, GapRecord, SummaryRecord
from framing.cli.console import colour_wanted, escaped
from framing.reader import MORE
from framing.wire import Message

__all__ = ["FrameText", "flow_text", "problem_text", "summary_text"]

# What a message may take of a line where no terminal says how wide it is: enough to grep in. Of bytes, which nobody
# reads by the hundred, as many as an error shows. `--full` and `--format jsonl` have all.
_PIPE_ROOM, _PIPE_BYTES_ROOM = 1000, 4 * HEAD_SIZE + 5

# With less room than this left on a terminal, a longer message stands on a line of its own, indented by so much.
_LEAST_ROOM, _INDENT = 40, 4

# The columns flow, side, number, offset and size begin so narrow that a common line fits 80 columns, and widen as they
# must, up to the longest flow of IPv4: the rare line with a longer one may stand out and does not push all the rest.
_FIRST_WIDTHS = (0, 7, 3, 5, 9)
_MAX_WIDTH = len("255.255.255.255:65535>255.255.255.255:65535")
_DUMPED_SIZE = 16

# Client and server.
_COLOURS = {"client": "cyan", "server": "green"}


class FrameText:
    """Makes the text for a frame, as wide and as colourful as stdout is.

    2026-11-22T08:15:30.123456789Z  10.0.0.5:51744>10.0.0.9:9092  client   #12  @81920   25 bytes  {'id': 7}

    On a terminal the time goes without its date, to the microsecond. Before the side stands the protocol, where it was
    the port that told it.

    Args:
        full: whole messages, however long; bytes as a dump on lines of their own.
    """

    def __init__(self, *, full: bool = False) -> None:
        is_terminal = sys.stdout.isatty()
        self._full = full
        self._width = shutil.get_terminal_size().columns if is_terminal else None
        self._colourful = is_terminal and colour_wanted() is not False
        self._widths = list(_FIRST_WIDTHS)

    def line(self, record: FrameRecord) -> str:
        """Return the text with its end. Directions told from ports alone have a question mark."""
        place = self._place(record)
        text = self._message(record.message, len(place))
        if self._colourful:
            place = click.style(place, fg=_COLOURS[record.direction])
        return f"{place}{text}\n"

    def _place(self, record: FrameRecord) -> str:
        side = f"{record.direction}{'?' if record.is_guessed else ''}"
        if record.protocol:
            side = f"{record.protocol} {side}"
        cells = (escaped(record.flow), side, f"#{record.number}", f"@{record.offset}", _counted(record.size, "byte"))
        self._widths = [max(width, min(len(cell), _MAX_WIDTH)) for width, cell in zip(self._widths, cells, strict=True)]
        *left, size = zip(cells, self._widths, strict=True)
        place = "  ".join([*(cell.ljust(width) for cell, width in left), size[0].rjust(size[1])])
        return place if record.time_ns is None else f"{self._time(record.time_ns)}  {place}"

    def _time(self, time_ns: int) -> str:
        time = format_time(time_ns)
        return time if self._width is None else time.partition("T")[2][:15]

    def _message(self, message: Any, used: int) -> str:
        """Return a message with the space, or the line's end, that stands before it."""
        if self._full:
            return _full_text(message)
        if self._width is None:
            return f"  {_message_text(message, _PIPE_ROOM, _PIPE_BYTES_ROOM)}"
        room = self._width - used - 2
        below = max(_LEAST_ROOM, self._width - _INDENT)
        text = _message_text(message, below, below)
        if len(text) <= room:
            return f"  {text}"
        return f"  {_message_text(message, room, room)}" if room >= _LEAST_ROOM else f"\n{' ' * _INDENT}{text}"


def problem_text(record: ErrorRecord | GapRecord, file: str) -> str:
    """Return what stands on stderr for an error or a gap: where, what, and the bytes that are there."""
    error = record.error
    places = [] if getattr(error, "file", None) else [file]
    if record.packet_number is not None and "packet_number" not in error.facts:
        places.append(f"packet {record.packet_number}")
    text = ": ".join([*places, str(error)])
    if isinstance(record, ErrorRecord) and record.head:
        text = f"{text}; it begins {record.head.hex(' ')}"
    return escaped(text)


def flow_text(record: SummaryRecord) -> str:
    """Return the sums of one flow as a line, with its end.

    >>> print(flow_text(SummaryRecord("a:1>b:2", "client", True, frame_count=3, size=75)), end="")
    a:1>b:2  client?  3 frames, 75 bytes
    """
    side = f"{record.direction}{'?' if record.is_guessed else ''}"
    return f"{escaped(str(record.flow))}  {side:7}  {_counts(record)}\n"


def summary_text(total: SummaryRecord) -> str:
    """Return the sums as one line: what is there, then what is not as it should be.

    >>> summary_text(SummaryRecord(None, None, False, frame_count=1, size=81, tail_size=3, flow_count=2))
    '1 frame, 81 bytes, 2 flows; 3 bytes of unfinished frames'
    """
    unused = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in (total.unused or {}).items())
    return _counts(total, _counted(total.flow_count, "flow")) + (f"; packets not used: {unused}" if unused else "")


def _counts(total: SummaryRecord, *more: str) -> str:
    text = ", ".join([_counted(total.frame_count, "frame"), _counted(total.size, "byte"), *more])
    bad = {
        _counted(total.error_count, "error"): total.error_count,
        f"{_counted(total.gap_count, 'gap')} of {_counted(total.missing_size, 'byte')}": total.gap_count,
        f"{_counted(total.skipped_size, 'byte')} skipped": total.skipped_size,
        f"{_counted(total.tail_size, 'byte')} of unfinished frames": total.tail_size,
    }
    listed = ", ".join(part for part, count in bad.items() if count)
    return text + (f"; {listed}" if listed else "")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _full_text(message: Any) -> str:
    fields, value = _parts(message)
    parts = [fields] if fields else []
    if isinstance(value, bytes) and value:
        return "  ".join(["", *parts]) + "".join(_dumped(value))
    return "  ".join(["", *parts, "no bytes" if value == b"" else _value_text(value, 1 << 62, 1 << 62)])


def _dumped(data: bytes) -> Iterator[str]:
    """Yield `offset  hex digits  |signs|` for each 16 bytes, each behind a line's end."""
    for offset in range(0, len(data), _DUMPED_SIZE):
        part = data[offset : offset + _DUMPED_SIZE]
        yield f"\n{' ' * _INDENT}{offset:08x}  {part.hex(' '):<{3 * _DUMPED_SIZE - 1}}  |{_signs(part)}|"


def _message_text(message: Any, room: int, bytes_room: int) -> str:
    fields, value = _parts(message)
    if not fields:
        return _value_text(value, room, bytes_room)
    fields = _cut(fields, room)
    left = max(room - len(fields) - 2, _LEAST_ROOM // 2)
    return f"{fields}  {_value_text(value, left, min(left, bytes_room))}"


def _parts(message: Any) -> tuple[str, Any]:
    """Return the header's fields as text, and what the codec made."""
    if not isinstance(message, Message):
        return "", message
    return escaped(" ".join(f"{name}={value!r}" for name, value in message.fields.items())), message.value


def _value_text(value: Any, room: int, bytes_room: int) -> str:
    if isinstance(value, bytes):
        return _hex_text(value, bytes_room)
    if value is MORE:
        return "(more follows)"
    # A message's repr may be anybody's code, with line ends and worse in it.
    return _cut(escaped(repr(value)), room)


def _hex_text(data: bytes, room: int) -> str:
    """Return bytes as hex and as text: `48 69 00  |Hi.|`, or as many of them as there is room for."""
    if not data:
        return "no bytes"
    # Each byte takes two digits, a space and a sign; around them stand a space, two bars and perhaps an ellipsis.
    count = max(1, (room - 5) // 4)
    shown = data[:count]
    ellipsis = "…" if count < len(data) else ""
    return f"{shown.hex(' ')}{ellipsis}  |{_signs(shown)}|"


def _signs(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"
