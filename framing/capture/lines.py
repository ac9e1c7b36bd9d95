"""Records as JSON: one object a line. The rules are in `specs/records.md`, [R1] to [R8]; values are `jsonform`'s."""

import json
from functools import lru_cache
from typing import Any

from framing.capture.jsonform import fields_to_json, to_json
from framing.capture.records import HEAD_SIZE, ErrorRecord, FlowRecord, FrameRecord, GapRecord, Record, SummaryRecord
from framing.errors import FramingError
from framing.reader import MORE

__all__ = ["format_time", "json_line", "record_to_json"]

# What an error record says in keys of its own, or what only people read.
_TOLD_APART = frozenset(("flow", "frame_number", "frame_offset", "packet_number", "path", "field", "hint"))

_SUMMARY_COUNTS = (
    "frame_count",
    "size",
    "error_count",
    "gap_count",
    "missing_size",
    "skipped_size",
    "tail_size",
    "flow_count",
    "packet_count",
)
_FLOW_COUNTS = ("packet_count", "size", "gap_count", "missing_size", "retransmitted_size", "conflicting_size")


# Made once: `json.dumps` makes one for each call that has options.
_encode = json.JSONEncoder(allow_nan=False).encode


def json_line(record: Record | FlowRecord) -> str:
    r"""Return a record as one line of ASCII, with its newline. No text from the wire can break it, or a terminal.

    >>> from framing.capture.records import SummaryRecord
    >>> print(json_line(SummaryRecord("bell\a", "client", False, frame_count=3, size=75))[:60])
    {"type": "summary", "flow": "bell\u0007", "direction": "clie
    """
    return _frame_line(record) if type(record) is FrameRecord else f"{_encode(record_to_json(record))}\n"


def record_to_json(record: Record | FlowRecord) -> dict[str, Any]:
    """Return what `json.dumps` can write: the object that stands for a record. Spec: [R1] to [R8]"""
    if isinstance(record, FrameRecord):
        return _frame(record)
    if isinstance(record, ErrorRecord):
        return _error(record)
    if isinstance(record, GapRecord):
        return _gap(record)
    return _summary(record) if isinstance(record, SummaryRecord) else _flow(record)


def format_time(time_ns: int) -> str:
    """Return a time as RFC 3339 has it, in UTC with nanoseconds. Any integer will do: damaged captures have any time.

    >>> format_time(1_795_335_330_123_456_789)
    '2026-11-22T08:15:30.123456789Z'
    """
    seconds, fraction = divmod(time_ns, 1_000_000_000)
    return f"{_format_second(seconds)}.{fraction:09}Z"


@lru_cache(maxsize=16)
def _format_second(seconds: int) -> str:
    """By hand: `datetime` knows the years 1 to 9999 only. Packets come by the thousand in a second, hence the cache."""
    days, second = divmod(seconds, 86_400)
    # The calendar repeats every 400 years of 146097 days. Counted from 1 March 0000, a leap day is a year's last.
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    year += 400 * era + (month <= 2)
    return f"{year:04}-{month:02}-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _place(record: Record | FlowRecord) -> dict[str, Any]:
    """[R2] What every record begins with."""
    protocol = "" if isinstance(record, FlowRecord) else record.protocol
    return _placed(record.type, record.flow, record.direction, record.is_guessed, protocol)


def _placed(kind: str, flow: str | None, direction: str | None, is_guessed: bool, protocol: str) -> dict[str, Any]:
    place: dict[str, Any] = {"type": kind, "flow": flow}
    if direction is not None:
        place["direction"] = direction
    if is_guessed:
        place["guessed"] = True
    if protocol:
        place["protocol"] = protocol
    return place


def _moment(time_ns: int | None, packet_number: int | None) -> dict[str, Any]:
    """[R2] Raw bytes have neither time nor packet; some packets have no time."""
    moment: dict[str, Any] = {}
    if time_ns is not None:
        moment["time"] = format_time(time_ns)
    if packet_number is not None:
        moment["packet"] = packet_number
    return moment


def _frame(record: FrameRecord) -> dict[str, Any]:
    form = _place(record)
    form["number"] = record.number
    form |= _moment(record.time_ns, record.packet_number)
    frame, message = record.frame, record.message
    form |= {"offset": frame.offset, "size": len(frame.data)}
    form["header"] = fields_to_json(frame.header)
    # [R3] The frames before a message's last have none: it stands in the record of that one, whole.
    form |= {"more": True} if message is MORE else {"message": to_json(message)}
    return form


def _frame_line(record: FrameRecord) -> str:
    """Write what `_frame` returns, in two thirds of the time: there may be millions, and a flow's begin all alike."""
    flow, direction, is_guessed, time_ns, packet_number, number, frame, _, protocol, _ = record
    time = "" if time_ns is None else f', "time": "{format_time(time_ns)}"'
    packet = "" if packet_number is None else f', "packet": {packet_number}'
    message, header = record.message, fields_to_json(frame.header)
    rest = {"header": header, "more": True} if message is MORE else {"header": header, "message": to_json(message)}
    begin = f'{_begin(flow, direction, is_guessed, protocol)}, "number": {number}{time}{packet}'
    return f'{begin}, "offset": {frame.offset}, "size": {len(frame.data)}, {_encode(rest)[1:]}\n'


@lru_cache(maxsize=1024)
def _begin(flow: str, direction: str, is_guessed: bool, protocol: str) -> str:
    return _encode(_placed("frame", flow, direction, is_guessed, protocol))[:-1]


def _error(record: ErrorRecord) -> dict[str, Any]:
    error = record.error
    form = _place(record)
    if record.number is not None:
        form["number"] = record.number
    form |= _moment(record.time_ns, record.packet_number)
    if record.offset is not None:
        form["offset"] = record.offset
    form |= {"kind": type(error).__name__, "text": str(error)}
    path = getattr(error, "path", None) or getattr(error, "field", None)
    if path is not None:
        form["path"] = path
    if record.head:
        form["hex"] = record.head.hex(" ")
    form["facts"] = _facts(error)
    return form


def _facts(error: FramingError) -> dict[str, Any]:
    """[R4] The error's own attributes, under their own names; never more than 32 bytes of anybody's data."""
    known = {name: getattr(error, name) for name in error.facts if name not in _TOLD_APART}
    return {name: to_json(_cut(value)) for name, value in known.items() if value is not None}


def _cut(value: Any) -> Any:
    return value[:HEAD_SIZE] if isinstance(value, bytes | bytearray) else value


def _gap(record: GapRecord) -> dict[str, Any]:
    return {
        **_place(record),
        **_moment(record.time_ns, record.packet_number),
        "offset": record.offset,
        "size": record.size,
        "reason": record.reason,
        "pending_size": record.pending_size,
        "resumed": record.resumed_offset is not None,
        **({} if record.resumed_offset is None else _resumed(record)),
    }


def _resumed(record: GapRecord) -> dict[str, Any]:
    return {"resumed_offset": record.resumed_offset, "confirmed": record.confirmed}


def _summary(record: SummaryRecord) -> dict[str, Any]:
    form = _place(record) | {name: getattr(record, name) for name in _SUMMARY_COUNTS}
    if record.end is not None:
        form["end"] = record.end
    if record.unused is not None:
        form["unused"] = dict(record.unused)
    if record.left is not None:
        form["left"] = {str(port): count for port, count in record.left.items()}
    return form | _tunnels(record)


def _tunnels(record: SummaryRecord | FlowRecord) -> dict[str, Any]:
    """[R6] Only where there are some."""
    if not record.tunnels:
        return {}
    form: dict[str, Any] = {"tunnels": list(record.tunnels)}
    return form | {"tunnel_guessed": True} if record.is_tunnel_guessed else form


def _flow(record: FlowRecord) -> dict[str, Any]:
    form = _place(record)
    if record.first_ns is not None and record.time_ns is not None:
        form |= {"first_time": format_time(record.first_ns), "last_time": format_time(record.time_ns)}
    form |= {name: getattr(record, name) for name in _FLOW_COUNTS}
    form |= {"end": record.end, "server_port": record.server_port, "protocols": list(record.protocols)}
    form["transport"] = record.transport
    return form | _tunnels(record)
