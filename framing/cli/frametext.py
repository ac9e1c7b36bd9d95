"""Records as lines for people: one for a frame, one for what went wrong, one for the sums."""

import shutil
import sys
from typing import Any

import click

from framing.capture.lines import format_time
from framing.capture.records import ErrorRecord, FrameRecord, GapRecord, SummaryRecord
from framing.cli.console import colour_wanted, escaped
from framing.wire import Message

__all__ = ["FrameText", "problem_text", "summary_text"]

# What a message may take of a line where no terminal says how wide it is: to look at and to grep; `--format jsonl` has
# all of it. On a terminal a message gets what is left, but this much at least, or one would see none.
_PIPE_ROOM, _LEAST_ROOM = 1000, 40

# Client and server.
_COLOURS = {"client": "cyan", "server": "green"}


class FrameText:
    """Makes the line for a frame, as wide and as colourful as stdout is.

    2026-11-22T08:15:30.123456789Z  10.0.0.5:51744>10.0.0.9:9092  client  #12  @81920  25 bytes  {'id': 7}
    """

    def __init__(self) -> None:
        is_terminal = sys.stdout.isatty()
        self._width = shutil.get_terminal_size().columns if is_terminal else None
        self._colourful = is_terminal and colour_wanted() is not False

    def line(self, record: FrameRecord) -> str:
        """Return the line with its end. Directions told from ports alone have a question mark."""
        side = f"{record.direction}{'?' if record.is_guessed else ''}"
        parts = [escaped(record.flow), side.ljust(7), f"#{record.number}", f"@{record.offset}", f"{record.size} bytes"]
        if record.time_ns is not None:
            parts.insert(0, format_time(record.time_ns))
        place = "  ".join(parts)
        room = _PIPE_ROOM if self._width is None else max(_LEAST_ROOM, self._width - len(place) - 2)
        if self._colourful:
            place = click.style(place, fg=_COLOURS[record.direction])
        return f"{place}  {_message_text(record.message, room)}\n"


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


def summary_text(total: SummaryRecord) -> str:
    """Return the sums as one line: what is there, then what is not as it should be.

    >>> summary_text(SummaryRecord(None, None, False, frame_count=1, size=81, tail_size=3, flow_count=2))
    '1 frame, 81 bytes, 2 flows; 3 bytes of unfinished frames'
    """
    text = (
        f"{_counted(total.frame_count, 'frame')}, {_counted(total.size, 'byte')}, {_counted(total.flow_count, 'flow')}"
    )
    bad = {
        _counted(total.error_count, "error"): total.error_count,
        f"{_counted(total.gap_count, 'gap')} of {_counted(total.missing_size, 'byte')}": total.gap_count,
        f"{_counted(total.skipped_size, 'byte')} skipped": total.skipped_size,
        f"{_counted(total.tail_size, 'byte')} of unfinished frames": total.tail_size,
    }
    listed = ", ".join(part for part, count in bad.items() if count)
    unused = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in (total.unused or {}).items())
    return text + (f"; {listed}" if listed else "") + (f"; packets not used: {unused}" if unused else "")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _message_text(message: Any, room: int) -> str:
    if not isinstance(message, Message):
        return _value_text(message, room)
    fields = _cut(escaped(" ".join(f"{name}={value!r}" for name, value in message.fields.items())), room)
    return f"{fields}  {_value_text(message.value, max(room - len(fields) - 2, _LEAST_ROOM // 2))}"


def _value_text(value: Any, room: int) -> str:
    if isinstance(value, bytes):
        return _hex_text(value, room)
    # A message's repr may be anybody's code, with line ends and worse in it.
    return _cut(escaped(repr(value)), room)


def _hex_text(data: bytes, room: int) -> str:
    """Return bytes as hex and as text: `48 69 00  |Hi.|`, or as many of them as there is room for."""
    if not data:
        return "no bytes"
    # Each byte takes two digits, a space and a sign; around them stand a space, two bars and perhaps an ellipsis.
    count = max(1, (room - 5) // 4)
    shown = data[:count]
    signs = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in shown)
    ellipsis = "…" if count < len(data) else ""
    return f"{shown.hex(' ')}{ellipsis}  |{signs}|"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"
