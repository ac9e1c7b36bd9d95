"""The contract of a frame format as a function, in named steps: a failure's traceback says which clause is broken."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from framing.errors import (
    DefinitionError,
    EncodeError,
    FrameError,
    FrameTooLargeError,
    FramingError,
    TruncatedFrameError,
)
from framing.frame import Frame, FrameFormat
from framing.parser import FrameParser
from framing.testing.cuts import Outcome, error_facts, every_cut, outcome
from framing.testing.recovery import check_recoveries

__all__ = ["check_format"]

# For a format about which nothing else is known: no delimiters, no digits, short and long.
PAYLOADS = (b"", b"a", b"hello", b"Grin", b"x" * 200)

# What is done to a byte: its lowest bit, its highest, all of them.
_DAMAGES = (0x01, 0x80, 0xFF)


def check_format(
    format: FrameFormat,
    payloads: Iterable[bytes] = PAYLOADS,
    *,
    fields: Mapping[str, Any] | None = None,
) -> None:
    """Check that a frame format keeps the contract of `framing.frame.FrameFormat`; specs/frame.md is its text.

    >>> from framing import get_format
    >>> check_format(get_format("u16be"))

    Args:
        format: the format.
        payloads: what it is tried with. Of the default ones those that it refuses are left out.
        fields: the application's header fields, for every payload.

    Raises:
        AssertionError: the contract is broken; its text says how.
        TypeError: `format` is no frame format; its class, perhaps.
    """
    if not isinstance(format, FrameFormat):
        raise TypeError(f"check_format takes a FrameFormat that was made, not {format!r:.80}")
    with _only_our_errors():
        tried = _accepted(format, payloads, fields)
        if not tried:
            _fail("the format refuses every payload")
        wires = [format.serialize(payload, fields) for payload in tried]
        check_round_trip(format, tried, wires, fields)
        check_short(format, wires)
        check_cuts(format, b"".join(wires))
        check_truncations(format, wires)
        check_corruptions(format, b"".join(wires))
        check_measure(format, wires)
        check_scans(format, b"".join(wires))
        check_limits(format, tried, wires, fields)
        check_recoveries(format, b"".join(wires))


@contextmanager
def _only_our_errors() -> Iterator[None]:
    try:
        yield
    except (FramingError, AssertionError):
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise AssertionError(f"whatever the bytes, only a FramingError may come out, not {text}") from error


def _accepted(
    format: FrameFormat,
    payloads: Iterable[bytes],
    fields: Mapping[str, Any] | None,
) -> list[bytes]:
    accepted = []
    for payload in payloads:
        try:
            format.serialize(payload, fields)
        except (EncodeError, FrameTooLargeError):
            if payloads is not PAYLOADS:
                raise
        else:
            accepted.append(payload)
    return accepted


def check_round_trip(
    format: FrameFormat,
    payloads: list[bytes],
    wires: list[bytes],
    fields: Mapping[str, Any] | None,
) -> None:
    """What was serialized is parsed again, and what was parsed is serialized to the same bytes."""
    parser = FrameParser(format)
    parser.feed(b"".join(wires))
    parser.finish()
    frames = parser.take_frames()
    if [frame.data for frame in frames] != wires:
        _fail("frames are not cut where serialize ended them")
    if [frame.payload for frame in frames] != payloads:
        _fail("a payload does not come back")
    if not fields and not format.field_names and format.serialize_many(payloads) != b"".join(wires):
        _fail("serialize_many writes something else than serialize")
    if strange := [name for name in fields or {} if name not in format.field_names]:
        _fail(f"{strange[0]} was given as a field, and field_names does not have it")
    for frame in frames:
        for name, value in (fields or {}).items():
            if frame.header[name] != value:
                _fail(f"the field {name} does not come back")
        if tuple(frame.header) != format.header_names:
            _fail(f"header_names are {format.header_names}, and header returns {tuple(frame.header)}")
        if set(frame.fields) != set(format.field_names):
            _fail("field_names is not what header knows")
        again = format.serialize(frame.payload, frame.fields)
        if again != frame.data:
            _fail(f"serialized again a frame is {again!r}, not {frame.data!r}")


def check_short(format: FrameFormat, wires: list[bytes]) -> None:
    """`measure` copes with fewer bytes than `min_size`: behind other frames, and where the stream ends."""
    for wire in wires:
        for size in range(1, min(format.min_size, len(wire) + 1)):
            try:
                format.measure(wire[:size], 0, size)
            except FramingError:
                raise
            except Exception as error:
                where = f"measure raises {type(error).__name__} for the first {size} bytes of a frame"
                raise AssertionError(f"{where}: it must return None while bytes are missing") from error


def check_cuts(format: FrameFormat, stream: bytes) -> None:
    """Any cut gives the same frames and the same error, also before trailing bytes."""
    for trailing in (b"", stream[:1], stream[: len(stream) // 2], b"\xff" * 40, b"\0" * 40):
        _check_same(format, stream + trailing)


def _check_same(format: FrameFormat, stream: bytes) -> Outcome:
    whole = outcome(format, [stream])
    for chunks in every_cut(stream):
        cut = outcome(format, chunks)
        if cut.error:  # whose rest is not looked at, and may have been dropped
            cut = cut._replace(rest=whole.rest)
        sizes = [len(chunk) for chunk in chunks]
        if cut != whole:
            _fail(f"cut into {sizes[:8]} the stream gives {cut}, whole {whole}")
    return whole


def check_truncations(format: FrameFormat, wires: list[bytes]) -> None:
    """A part of a good stream is never an error before its end, and then only a truncated frame."""
    stream = b"".join(wires)
    ends = {sum(map(len, wires[:count])) for count in range(len(wires) + 1)}
    for size in range(len(stream)):
        waiting = outcome(format, [stream[:size]], finish=False)
        if waiting.error is not None:
            _fail(f"{size} bytes of a good stream raise {waiting.error}")
        ended = outcome(format, [stream[:size]])
        if size in ends:
            if ended.error is not None:
                _fail(f"the end between two frames raises {ended.error}")
        elif ended.error is None:
            cut_size = sum(len(data) for _, data in ended.frames)
            lenient = type(format).measure_last is not FrameFormat.measure_last
            if format.skip is not None:  # filler, or the flag in front of a frame, that is left at the end
                cut_size = format.skip(stream, cut_size, size, True)
            if not ((lenient or format.skip is not None) and cut_size == size):
                _fail(f"{size} bytes end inside a frame, and nothing is said")
        else:
            if ended.error[0] is not TruncatedFrameError:
                _fail(f"{size} bytes end inside a frame: {ended.error}")


def check_corruptions(format: FrameFormat, stream: bytes) -> None:
    """Whatever one wrong byte does, only a FrameError comes out, and the same at any cut."""
    for place in range(min(len(stream), 400)):
        for damage in _DAMAGES:
            bad = bytearray(stream)
            bad[place] ^= damage
            whole = outcome(format, [bytes(bad)])
            for chunks in ([bytes(bad[:place]), bytes(bad[place:])], [bytes((byte,)) for byte in bad]):
                cut = outcome(format, chunks)
                if cut[:3] != whole[:3]:
                    _fail(f"with byte {place} wrong {cut} comes out of a cut stream, else {whole}")
            for offset, data in whole.frames:
                frame = format.frame(data, offset)
                if not set(frame.header) >= set(frame.fields):
                    _fail("a field is not in the header")


def check_measure(format: FrameFormat, wires: list[bytes]) -> None:
    """`measure` tells the size once and for all, wherever the frame lies, and the measurer tells the same."""
    measurer = format.measurer()
    for wire in wires:
        told: int | None = None
        for size in range(len(wire) + 1):
            lying = b"\xff\0" + wire[:size]
            total = format.measure(lying, 2, len(lying)) if size else None
            if not (total is None or total == len(wire)):
                _fail(f"{size} of {len(wire)} bytes measure {total}")
            if told is not None and total != told:
                _fail("a size that was told is taken back")
            told = total
            if size and size >= format.min_size:
                if measurer(bytearray(wire[:size]), 0, size) != total:
                    _fail("measurer and measure differ")
                if format.measure(wire, 0, size) != total:
                    _fail("measure looks behind the end that it was given")
        if format.size_first and (told is None or format.skip is not None):
            _fail("size_first is promised, but a whole frame waits for more, or something is skipped between frames")
        if not (told == len(wire) or type(format).measure_last is not FrameFormat.measure_last):
            _fail("a whole frame: no size")


def check_scans(format: FrameFormat, stream: bytes) -> None:
    """`scan` and `scan_frames` cut what `measure` cuts, stop before anything odd, and never raise."""
    for bad_place in (None, 0, len(stream) // 3, len(stream) // 2, len(stream) - 1):
        data = bytearray(stream)
        if bad_place is not None:
            data[bad_place] ^= 0xFF
        for end in range(0, len(data) + 1, max(1, len(data) // 64)):
            _check_scan(format, bytes(data), end)


def _check_scan(format: FrameFormat, stream: bytes, end: int) -> None:
    good = outcome(format, [stream[:end]], finish=False)
    for limit in (0, 1, 2, 40, 1 << 62):
        if format.scan is not None:
            payloads: list[bytes] = []
            stop = format.scan(stream, 0, end, limit, payloads)
            if payloads != good.payloads[: len(payloads)]:
                _fail("scan cuts other payloads than measure")
            _check_stop(good, stop, len(payloads), limit)
        if format.scan_frames is not None:
            frames: list[Frame] = []
            stop = format.scan_frames(stream, 0, end, limit, frames, 1000)
            cut = [(frame.offset - 1000, frame.data) for frame in frames]
            if cut != good.frames[: len(cut)]:
                _fail("scan_frames cuts other frames than measure")
            if not all(frame.format == format for frame in frames):
                _fail("scan_frames makes frames of another format")
            _check_stop(good, stop, len(cut), limit)


def _check_stop(good: Outcome, stop: int, count: int, limit: int) -> None:
    if count > limit:
        _fail(f"{count} frames where {limit} were asked for")
    offset, data = good.frames[count - 1] if count else (0, b"")
    if stop != offset + len(data):
        _fail("a scan stops elsewhere than behind its frames")


def check_limits(
    format: FrameFormat,
    payloads: list[bytes],
    wires: list[bytes],
    fields: Mapping[str, Any] | None,
) -> None:
    """A frame of exactly the limit passes; one byte more is refused on both sides, before more than that is kept."""
    before = format.max_frame_size
    for payload, wire in zip(payloads, wires, strict=True):
        try:
            exact = format.limited(len(wire))
        except DefinitionError:
            if len(wire) >= max(map(len, wires)):
                _fail("no limit is accepted that the largest frame just fits")
            continue  # a short frame, and a format that wants room for more
        if exact.max_frame_size != len(wire):
            _fail("limited makes a format with another limit")
        if exact.serialize(payload, fields) != wire:
            _fail("a frame of exactly the limit cannot be serialized")
        if outcome(exact, [wire]).frames != [(0, wire)]:
            _fail("a frame of exactly the limit cannot be parsed")
        for limit in {len(wire) - 1, len(wire) // 2}:
            try:
                small = format.limited(limit)
            except DefinitionError:
                continue  # no frame is that small
            _check_refused(small, payload, wire, fields)
    if format.max_frame_size != before or [format.serialize(payload, fields) for payload in payloads] != wires:
        _fail("limited has changed the format that it copied")


def _check_refused(small: FrameFormat, payload: bytes, wire: bytes, fields: Mapping[str, Any] | None) -> None:
    try:
        small.serialize(payload, fields)
    except FrameTooLargeError as error:
        if error.max_frame_size != small.max_frame_size:
            _fail("the error does not say the limit")
    else:
        _fail("a frame over the limit is serialized")
    for chunks in every_cut(wire):
        parser = FrameParser(small)
        if not isinstance(_first_error(parser, chunks), FrameTooLargeError):
            _fail("a frame over the limit is parsed")
    parser = FrameParser(small)
    _first_error(parser, [wire[place : place + 1] for place in range(len(wire))])
    if parser.pending_size > small.max_frame_size + 1:
        _fail("more than the limit is kept before it is refused")


def _first_error(parser: FrameParser, chunks: Iterable[bytes]) -> FrameError | None:
    try:
        for chunk in chunks:
            parser.feed(chunk)
            parser.take_frames()
    except FrameError as error:
        _check_poison(parser, error)
        return error
    return None


def _check_poison(parser: FrameParser, first: FrameError) -> None:
    facts = error_facts(first)
    parser.feed(b"more")
    try:
        parser.take_payloads()
    except FrameError as error:
        if error_facts(error) != facts:
            _fail("after an error another one is raised")
    else:
        _fail("after an error the parser goes on")


def _fail(reason: str) -> NoReturn:
    # No assert statement: this is a promise to others, and Python leaves those out with -O.
    raise AssertionError(reason)
