"""Bytes that end a frame, and lines.

    DelimiterFormat("\\0")        STOMP's frames, the JSON messages of many servers
    LineFormat()                 IRC, Redis inline commands, NDJSON

    +- - - - - - -+----+- - - - - - -+----+
    |   payload   | 00 |   payload   | 00 |
    +- - - - - - -+----+- - - - - - -+----+

Searching is `bytes.find` and, for many frames at once, `bytes.split`. Spec: [F23] to [F27], lines [F29].
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameTooLargeError
from framing.formats.fields.options import bytes_option
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit, check_option
from framing.picture import Part

__all__ = ["DelimiterFormat", "LineFormat"]

# From how many frames on one split is quicker than as many finds, and how many bytes it may copy for them.
_SCANNED_COUNT = 32
_SCANNED_SIZE = 1 << 16

# Longer than most lines, so that one window is the rule.
_WINDOW_SIZE = 256


class DelimiterFormat(FrameFormat):
    """Frames that end with a delimiter.

    >>> from framing import FrameParser
    >>> parser = FrameParser(DelimiterFormat(";"))
    >>> parser.feed(b"one;two;thr")
    >>> parser.take_payloads()
    [b'one', b'two']

    Args:
        delimiters: one or several; text stands for its UTF-8, or for other bytes as `0xf6`. A frame is cut at the
            delimiter that begins first, and of those that begin there at the longest, which is waited for. [F24]
        write: the one that `serialize` writes; by default the first.
        keep: leave the delimiter on the payload; `serialize` then demands a payload that ends with one.
        final: the end of the stream ends a last frame, too; else that is a `TruncatedFrameError`. [F26]
        max_frame_size: limit on the whole frame, delimiter included. [F25]
    """

    name = "delimiter"
    resyncs_at = "delimiter"

    def __init__(
        self,
        delimiters: bytes | str | Iterable[bytes | str],
        *,
        write: bytes | str | None = None,
        keep: bool = False,
        final: bool = False,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        several = (delimiters,) if isinstance(delimiters, bytes | str) else tuple(delimiters)
        self._delimiters = tuple(bytes_option("delimiters", one) for one in several)
        if not self._delimiters or not all(self._delimiters) or len({*self._delimiters}) < len(self._delimiters):
            raise DefinitionError(
                "one or more different, non-empty delimiters are needed", key="delimiters", found=several
            )
        self._written = self._delimiters[0] if write is None else bytes_option("write", write)
        self._keep, self._final = keep, final
        check_option("keep", keep, bool)
        check_option("final", final, bool)
        self._longest = max(map(len, self._delimiters))
        self.max_frame_size = max_frame_size
        self._prepare()
        if not self._written or not self._is_one_frame(self._written, self._written if keep else b""):
            raise DefinitionError(
                "a frame that ends with this could go on as another delimiter, or never ends",
                key="write",
                found=self._written,
                allowed="a delimiter that no other one begins with",
            )

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, max(self._longest, len(self._written)))
        self.resync = self._resync
        if len(self._delimiters) == 1:
            self.scan = self._scan  # bound to this object, whose limit it needs
        else:
            several = sorted(self._delimiters, key=len, reverse=True)  # the longest of those that begin at a place
            self._search = re.compile(b"|".join(map(re.escape, several))).finditer
            # Where no more than one has several bytes, the others never begin a longer one but inside it.
            replaced = not self._keep and len(several[1]) == 1
            self.scan = self._scan_replaced if replaced else self._scan_several

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once the delimiter is there. [F23]"""
        return self.measure_from(buffer, start, end, start)

    def measure_from(self, buffer: Buffer, start: int, end: int, looked: int) -> int | None:
        """Do what `measure` does, knowing that no delimiter begins before `looked`."""
        limit = start + self.max_frame_size
        stop = self._find(buffer, looked, min(end, limit), waiting=end < limit)
        if stop:
            return stop - start
        if end >= limit + self._final:  # [F25] where the end of the stream may end a frame, one byte later
            raise FrameTooLargeError(
                "no delimiter within the limit",
                offset=start,
                max_frame_size=self.max_frame_size,
                hint="raise max_frame_size, or check that this is the peer's delimiter",
            )
        return None

    def measurer(self) -> Measure:
        """Return a `measure` that goes on searching where it stopped."""
        return _Search(self, self._longest)

    def measure_last(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the size of what is left at the end of the stream. [F26]"""
        stop = self._find(buffer, start, end, waiting=False)
        return stop - start if stop else end - start if self._final else None

    def _find(self, buffer: Buffer, start: int, end: int, *, waiting: bool) -> int:
        """Return where the first delimiter ends; 0: none, or a longer one may be arriving where `waiting`."""
        if len(self._delimiters) == 1:
            place = buffer.find(self._delimiters[0], start, end)
            return place + self._longest if place >= 0 else 0
        found = self._find_first(buffer, start, end)
        if not found:
            return 0
        place, negative_size = found
        if waiting:  # [F24] the longest of those that begin here
            for begin in range(max(start, end - self._longest + 1), place + 1):
                rest = bytes(buffer[begin:end])
                if any(len(one) > len(rest) and one.startswith(rest) for one in self._delimiters):
                    return 0
        return place - negative_size

    def _resync(self, buffer: Buffer, start: int, end: int, ended: bool) -> tuple[int, bool]:
        """Go on behind the next delimiter; see `FrameFormat.resync`. [F102]"""
        stop = self._find(buffer, start, end, waiting=not ended)
        # One may have begun in the last bytes.
        return (stop, True) if stop else (max(start, end - self._longest + 1), False)

    def _find_first(self, buffer: Buffer, start: int, end: int) -> tuple[int, int] | None:
        """Return the place of the delimiter that begins first, and minus its size.

        In windows: a delimiter that never comes must not be sought through the whole buffer for each frame.
        """
        size, begin = _WINDOW_SIZE, start
        while begin < end:
            stop = min(end, begin + size)
            places = [place for one in self._delimiters if (place := buffer.find(one, begin, stop)) >= 0]
            if places:
                stop = min(end, min(places) + self._longest)
                return min((at, -len(one)) for one in self._delimiters if (at := buffer.find(one, begin, stop)) >= 0)
            if stop == end:
                break
            begin, size = max(begin, stop - self._longest + 1), 2 * size
        return None

    def ending(self) -> tuple[bytes, bytes] | None:
        """Tell the delimiter, where it is the only one."""
        return None if self._keep or len(self._delimiters) > 1 else (self._delimiters[0], b"")

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames; see `FrameFormat.scan`."""
        if limit < _SCANNED_COUNT:
            return start  # a split copies all that is there, each time, and these few are quickly found
        room = len(out) + limit
        while len(out) < room:
            stop = self._split(buffer, start, min(end, start + _SCANNED_SIZE), room - len(out), out)
            if stop == start:
                break
            start = stop
        return start

    def _split(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames with one `bytes.split`."""
        delimiter = self._delimiters[0]
        count = min(limit, buffer.count(delimiter, start, end))
        parts = buffer[start:end].split(delimiter, count)
        del parts[count:]
        most = self.max_frame_size - len(delimiter)
        if parts and max(map(len, parts)) > most:
            del parts[next(place for place, part in enumerate(parts) if len(part) > most) :]
        stop = start + sum(map(len, parts)) + len(parts) * len(delimiter)
        out += [part + delimiter for part in parts] if self._keep else self._stripped(parts)
        return stop

    def _scan_several(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames at any of several delimiters; see `FrameFormat.scan`."""
        append, most, keep, room = out.append, self.max_frame_size, self._keep, len(out) + limit
        begin = -1
        while start > begin and len(out) < room:
            begin, window_end = start, min(end, start + _SCANNED_SIZE)
            # Behind that, a longer one may be arriving.
            last = window_end - self._longest
            for match in self._search(buffer, start, window_end):
                place, stop = match.span()
                if place > last or stop - start > most or len(out) >= room:
                    break
                append(buffer[start : stop if keep else place])
                start = stop
        return start

    def _scan_replaced(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames at any of several delimiters, of which all but one at most are single bytes.

        Then each may be replaced by one of those, the longest first, and one split cuts at all of them.
        """
        room = len(out) + limit
        while room - len(out) >= _SCANNED_COUNT:
            stop = self._split_replaced(buffer, start, min(end, start + _SCANNED_SIZE), room - len(out), out)
            if stop == start:
                break
            start = stop
        return self._scan_several(buffer, start, end, room - len(out), out)

    def _split_replaced(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut a window, if all of its frames are short enough and not too many; else return `start`."""
        *others, mark = sorted(self._delimiters, key=len, reverse=True)
        # Up to the last one behind which no longer one may be arriving.
        last_end = max(start, end - self._longest + 1)
        found = [(buffer.rfind(one, start, last_end + len(one) - 1), len(one)) for one in self._delimiters]
        stop = max((place + size for place, size in found if place >= 0), default=start)
        window = buffer[start:stop]
        for one in others:
            window = window.replace(one, mark)
        parts = window.split(mark)
        stop -= len(parts.pop())  # of two that overlap the first one counts
        if not parts or len(parts) > limit or max(map(len, parts)) > self.max_frame_size - self._longest:
            return start
        out += parts
        return stop

    def _stripped(self, parts: list[bytes]) -> list[bytes]:
        """Return the payloads of frames whose delimiter is gone."""
        return parts

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: up to the delimiter, or with it where it is kept."""
        if self._keep:
            return start, end
        sizes = [len(one) for one in self._delimiters if buffer.endswith(one, start, end)]
        return start, end - max(sizes, default=0)

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the payload and the delimiter.

        Raises:
            EncodeError: the payload contains a delimiter: the peer would cut it in two, which is how commands are
                smuggled. [F27]
        """
        if fields:
            raise EncodeError("this format has no header fields", found=tuple(fields))
        data = bytes(payload) if self._keep else payload + self._written
        self.check_size(len(data))
        if not self._is_one_frame(data, payload):
            raise EncodeError(
                "the payload contains the delimiter"
                if not self._keep
                else "the payload must end with its only delimiter",
                found=payload,
                hint="escape it in the codec, or use a format with a length",
            )
        return data

    def _is_one_frame(self, data: bytes, payload: bytes) -> bool:
        if self._written not in self._delimiters:
            return data.find(self._written) == len(data) - len(self._written)
        # Waiting: what is sent next must not make a longer delimiter of this one.
        stop = self._find(data, 0, len(data), waiting=True)
        return 0 < stop == len(data) and self.payload(data, 0, len(data)) == payload

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the payload and the delimiter behind it."""
        text = " or ".join(repr(one)[1:] for one in self._delimiters)
        sizes = {len(one) for one in self._delimiters}
        return {"": (Part("payload"), Part("delimiter", sizes.pop() if len(sizes) == 1 else None, text))}

    def __repr__(self) -> str:
        shown = [repr(self._delimiters[0] if len(self._delimiters) == 1 else self._delimiters)]
        if self._written != self._delimiters[0]:
            shown.append(f"write={self._written!r}")
        shown += [f"{name}=True" for name, value in (("keep", self._keep), ("final", self._final)) if value]
        return f"{type(self).__name__}({', '.join(shown)}, max_frame_size={self.max_frame_size})"


class LineFormat(DelimiterFormat):
    """Lines that end with LF or CR LF; the line ending is no part of the payload. [F29]

    >>> from framing import FrameParser
    >>> parser = FrameParser(LineFormat())
    >>> parser.feed(b"GET a\\r\\n\\nGET b\\n")
    >>> parser.take_payloads()
    [b'GET a', b'', b'GET b']

    Args:
        write: the line ending that `serialize` writes, "\\n" or "\\r\\n".
        keep, final, max_frame_size: as for `DelimiterFormat`; the limit counts the line ending. [F25]
    """

    name = "lines"

    def __init__(
        self,
        *,
        write: bytes | str = b"\n",
        keep: bool = False,
        final: bool = False,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        if bytes_option("write", write) not in (b"\n", b"\r\n"):
            raise DefinitionError("no line ending", key="write", found=write, allowed=r"\n or \r\n")
        super().__init__(b"\n", write=write, keep=keep, final=final, max_frame_size=max_frame_size)

    def ending(self) -> tuple[bytes, bytes] | None:
        """Tell the line ending."""
        return None if self._keep else (b"\n", b"\r")

    def _stripped(self, parts: list[bytes]) -> list[bytes]:
        return [part[:-1] if part[-1:] == b"\r" else part for part in parts]

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: up to the line ending."""
        if self._keep or not buffer.endswith(b"\n", start, end):
            return start, end
        return start, end - 2 if buffer.endswith(b"\r\n", start, end) else end - 1

    def _is_one_frame(self, data: bytes, payload: bytes) -> bool:
        # A payload that ends with CR would lose it to the line ending.
        return data.find(b"\n") == len(data) - 1 and self.payload(data, 0, len(data)) == payload


class _Search:
    """A `measure` for one stream that remembers how far it has looked in one unfinished frame."""

    __slots__ = ("_format", "_looked_size", "_overlap")

    def __init__(self, format: DelimiterFormat, longest: int) -> None:
        self._format = format
        self._overlap = longest - 1  # a delimiter may have begun in the last bytes
        self._looked_size = 0

    def __call__(self, buffer: Buffer, start: int, end: int) -> int | None:
        total = self._format.measure_from(buffer, start, end, start + self._looked_size)
        self._looked_size = 0 if total is not None else max(0, end - start - self._overlap)
        return total
