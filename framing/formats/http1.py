"""HTTP/1.1 messages: a start line, headers, and a body whose end the headers tell.

    Http1Format("request")                                           RFC 9112

    +----------------------------+- - - - - - - - -+-------+- - - - -+
    | GET / HTTP/1.1  CR LF      | headers, CR LF  | CR LF |  body   |
    +----------------------------+- - - - - - - - -+-------+- - - - -+

The body has so many bytes as Content-Length says, or is chunked, or in a response goes on until the stream ends. Some
responses have none, whatever their headers say: those with a status of 1xx, 204 and 304, and those to HEAD, which only
who has seen the request can know; behind a 2xx to CONNECT come no messages. Who reads one message differently than the
next one cuts elsewhere, and that is how requests are smuggled; so it is read strictly. Spec: [F130] to [F134].
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError
from framing.formats.body_framing import BodyFraming
from framing.formats.chunked import Chunks, chunk_lines, chunked_bytes, pairs, unchunked
from framing.formats.header_lines import checked_header, header_error, header_line, text_line
from framing.formats.scans.http1_head import CHUNKED, UNTIL_CLOSE, head_reader
from framing.formats.scans.http1_loop import http1_scans
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit, check_option
from framing.picture import Part

__all__ = ["Http1Format"]

_END = b"\r\n\r\n"

# Several times what browsers send with all of their cookies; nginx takes 4 buffers of 8 KiB, Apache a hundred lines.
_HEADER_SIZE = 65536

_REQUEST = re.compile(rb"([!#-'*+\-.^_`|~0-9A-Za-z]+) ([!-~\x80-\xff]+) HTTP/(1\.[0-9])")
_STATUS = re.compile(rb"HTTP/(1\.[0-9]) ([1-9][0-9]{2})(?: ([\t -~\x80-\xff]*))?")

# The shortest heads: `A / HTTP/1.1`, `HTTP/1.1 200`, each with two line endings.
_LEAST = 16


class _Head(NamedTuple):
    """What the start line and the headers say; the body's size, if it is not told by `chunked` or the stream's end."""

    start: tuple[bytes, ...]
    headers: list[tuple[str, str]]
    body_size: int | None
    is_chunked: bool

    @property
    def told(self) -> int:
        """The body's size, or what else tells where it ends."""
        return CHUNKED if self.is_chunked else UNTIL_CLOSE if self.body_size is None else self.body_size


class Http1Format(FrameFormat):
    """HTTP/1.1 requests or responses; the payload is the body, not chunked any more.

    >>> form = Http1Format("response")
    >>> form.serialize(b"hello", {"status": 200, "headers": [["Content-Type", "text/plain"]]})
    b'HTTP/1.1 200 \\r\\nContent-Type: text/plain\\r\\nContent-Length: 5\\r\\n\\r\\nhello'
    >>> chunked = b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nhello\\r\\n0\\r\\n\\r\\n"
    >>> frame = form.frame(chunked)
    >>> frame.payload, frame.header["chunks"]
    (b'hello', ['5', '0'])

    All fields are the application's: `method`, `target` or `status`, `reason`; `version`, 1.1 if left out; `headers`, a
    list of names and values in their order; of a chunked body `chunks`, the first line of each chunk, and `trailers`,
    as headers; of a response `until_close`, whether its body goes on until the stream ends. Where neither the headers
    nor `until_close` say how long the body is, Content-Length is written. Text is ISO 8859-1. [F134]

    Args:
        side: request or response.
        method: of the request that a response answers, where it matters: HEAD, CONNECT. [F132]
        max_header_size: limit on start line and headers, and on a line of a chunked body.
        max_frame_size: limit on the whole message.
    """

    name = "http1"

    def __init__(
        self,
        side: str,
        *,
        method: str = "",
        max_header_size: int = _HEADER_SIZE,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        check_option("side", side, str)
        check_option("method", method, str)
        check_option("max_header_size", max_header_size, int)
        if side not in ("request", "response"):
            raise DefinitionError("no such side", key="side", found=side, allowed="request or response")
        if method not in ("", "HEAD", "CONNECT") or (side == "request" and method):
            allowed = "HEAD or CONNECT, for a response"
            raise DefinitionError("no method that matters here", key="method", found=method, allowed=allowed)
        if max_header_size < _LEAST:
            allowed = f"{_LEAST} or more bytes"
            raise DefinitionError("no head fits", key="max_header_size", found=max_header_size, allowed=allowed)
        self.side, self.method, self.max_header_size = side, method, max_header_size
        self._pattern = _REQUEST if side == "request" else _STATUS
        first = ("method", "target", "version") if side == "request" else ("version", "status", "reason")
        last = () if side == "request" else ("until_close",)
        self.field_names = self.header_names = (*first, "headers", "chunks", "trailers", *last)
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, _LEAST)
        self.block_limit = min(self.max_header_size, self.max_frame_size)
        self._ordinary = None if self.method else head_reader(self.side, self.block_limit)
        self.scan, self.scan_frames = http1_scans(self, self.told)

    def told(self, buffer: Buffer, start: int, end: int) -> tuple[int, int] | None:
        """Return where the head ends, and the body's size, `CHUNKED` or `UNTIL_CLOSE`; `None`: it is not whole.

        Raises:
            FrameError: as `read_head`, which has the word about all heads that are not ordinary.
        """
        told = None if self._ordinary is None else self._ordinary(buffer, start, end)
        if told is not None or (stop := self.head_end(buffer, start, end)) < 0:
            return told
        return stop, self.read_head(buffer, start, stop).told

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once head and, if it is chunked, body are there. [F130]"""
        return _Message(self).measure(buffer, start, end)

    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped."""
        message = _Message(self)

        def measure(buffer: Buffer, start: int, end: int) -> int | None:
            nonlocal message
            total = message.measure(buffer, start, end)
            if total is not None:
                message = _Message(self)
            return total

        return measure

    def measure_last(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the size of a response that goes on until the stream ends. [F132]"""
        told = self.told(buffer, start, end)
        return end - start if told is not None and told[1] == UNTIL_CLOSE else None

    def head_end(self, buffer: Buffer, start: int, end: int, looked: int = 0) -> int:
        """Return where the head ends, -1 if that has not come."""
        place = buffer.find(_END, start + max(0, looked - 3), min(end, start + self.block_limit))
        return place + len(_END) if place >= 0 else -1

    def read_head(self, buffer: Buffer, start: int, stop: int) -> _Head:
        """Read start line and headers.

        Raises:
            HeaderError: they are none, or contradict each other. [F131], [F132]
            FrameTooLargeError: the length has more than 20 digits.
        """
        lines = bytes(buffer[start : stop - len(_END)]).split(b"\r\n")
        told = self.check_start(lines[0] + b"\r\n", start)
        framing, place = BodyFraming(self.side, self.max_frame_size, start), start + len(lines[0]) + 2
        headers = []
        for line in lines[1:]:
            name, text, value_place = checked_header(line, place)
            headers.append((name.decode(), text.decode("latin-1")))
            framing.take(name.lower(), text, value_place)
            place += len(line) + 2
        body_size, is_chunked = framing.told(told, method=self.method)
        return _Head(told, headers, body_size, is_chunked)

    def check_start(self, line: bytes, start: int) -> tuple[bytes, ...]:
        """Return the parts of the first line.

        Raises:
            HeaderError: it is none. [F131]
        """
        matched = self._pattern.fullmatch(line[:-2])
        if matched is None or not line.endswith(b"\r\n"):
            wanted = "method target HTTP/1.1" if self.side == "request" else "HTTP/1.1 status reason"
            raise header_error(f"this is no first line of a {self.side}", start, "start", wanted, line)
        return matched.groups()

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the body lies, as it stands on the wire."""
        return self.head_end(buffer, start, end), end

    def payload(self, buffer: Buffer, start: int, end: int) -> bytes:
        """Return the body, no longer chunked."""
        told = self.told(buffer, start, end)
        assert told is not None
        body = bytes(buffer[told[0] : end])
        return unchunked(body, 0)[0] if told[1] == CHUNKED else body

    def header(self, data: bytes) -> dict[str, Any]:
        """Return what the start line says, the headers and how the body is divided."""
        stop = self.head_end(data, 0, len(data))
        head = self.read_head(data, 0, stop)
        texts = [None if one is None else one.decode("latin-1") for one in head.start]
        chunks, trailers = unchunked(data, stop)[1:] if head.is_chunked else (None, [])
        fields: dict[str, Any] = dict(zip(self.field_names[:3], texts, strict=True))
        fields |= {"headers": [list(pair) for pair in head.headers], "chunks": chunks, "trailers": trailers}
        if self.side == "response":
            fields["status"] = int(fields["status"])
            fields["until_close"] = head.body_size is None and not head.is_chunked
        return fields

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole message. [F134]"""
        values = dict(fields or ())
        if strange := [name for name in values if name not in self.field_names]:
            hint = f"it has {', '.join(self.field_names)}"
            raise EncodeError(f"this format has no field {', '.join(sorted(strange))}", hint=hint)
        start = self._start_line(values)
        lines = [header_line(name, value) for name, value in pairs("headers", values.get("headers") or ())]
        block = [start, *lines]
        body = self._body(payload, values, block)
        head = b"\r\n".join([*block, b"", b""])
        self.check_size(len(head) + len(body))
        if len(head) > self.max_header_size:
            hint = "raise max_header_size on both sides"
            raise EncodeError(f"headers of more than {self.max_header_size} bytes", path="headers", hint=hint)
        return head + body

    def _start_line(self, values: dict[str, Any]) -> bytes:
        version = text_line("version", values.get("version", "1.1"))
        if self.side == "request":
            line = b"%b %b HTTP/%b" % (*(text_line(key, values.get(key)) for key in ("method", "target")), version)
        else:
            status, reason = values.get("status"), values.get("reason", "")
            if type(status) is not int:
                raise EncodeError("a status is an integer", path="status", found=status)
            line = b"HTTP/%b %d" % (version, status)
            line += b"" if reason is None else b" " + text_line("reason", reason)
        if not self._pattern.fullmatch(line):
            raise EncodeError(
                f"this is no first line of a {self.side}",
                path="method" if self.side == "request" else "status",
                found=line,
            )
        return line

    def _body(self, payload: bytes, values: dict[str, Any], block: list[bytes]) -> bytes:
        """Return the body as it stands on the wire; where nothing else tells its size, a header is added to do so."""
        head = self._written_head(block)
        chunks, trailers = values.get("chunks"), values.get("trailers") or []
        if head.is_chunked:
            return chunked_bytes(payload, chunk_lines(payload) if chunks is None else chunks, trailers)
        if chunks is not None or trailers:
            raise EncodeError("only a chunked body has chunks", path="chunks", hint="Transfer-Encoding: chunked")
        if values.get("until_close") and head.body_size is None:
            return payload
        is_told = any(line.lower().startswith(b"content-length:") for line in block[1:])
        if head.body_size is None or (payload and self.side == "request" and not is_told):
            block.append(b"Content-Length: %d" % len(payload))
        elif values.get("until_close") or head.body_size != len(payload):
            reason = "the headers tell another size than the payload has"
            raise EncodeError(reason, path="headers", found=len(payload), hint="leave Content-Length out")
        return payload

    def _written_head(self, block: list[bytes]) -> _Head:
        head = b"\r\n".join([*block, b"", b""])
        try:
            return self.read_head(head, 0, len(head))
        except FrameError as error:
            raise EncodeError(error.reason, path="headers", found=error.field) from error

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell what a message is made of."""
        head = (Part(f"{self.side} line"), Part("headers", None, "lines"), Part("empty line", 2, r"\r\n"))
        return {"": (*head, Part("payload"))}

    def __repr__(self) -> str:
        shown = [repr(self.side)] + ([f"method={self.method!r}"] if self.method else [])
        shown += [f"max_header_size={self.max_header_size}"] if self.max_header_size != _HEADER_SIZE else []
        return f"Http1Format({', '.join([*shown, f'max_frame_size={self.max_frame_size}'])})"


class _Message:
    """One message that is arriving: how far it was read, counted from its start, and what its head said."""

    __slots__ = ("_chunks", "_form", "_is_started", "_looked", "_told")

    def __init__(self, form: Http1Format) -> None:
        self._form = form
        self._looked = 0
        self._is_started = False
        self._told: tuple[int, int] | None = None
        self._chunks: Chunks | None = None

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        told = self._told or self._read(buffer, start, end)
        if told is None:
            return None
        head_size, body_size = told
        if body_size == CHUNKED:
            form = self._form
            self._chunks = self._chunks or Chunks(head_size, form.max_header_size, form.max_frame_size)
            return self._chunks.measure(buffer, start, end)
        if body_size != UNTIL_CLOSE:
            return head_size + body_size
        if end - start > self._form.max_frame_size:
            raise self._too_large("a body that goes on until the stream ends is too large", start)
        return None

    def _read(self, buffer: Buffer, start: int, end: int) -> tuple[int, int] | None:
        """Read the head once it is there; the first line before that, so that what is no HTTP is refused at once."""
        form = self._form
        limit = min(end, start + form.block_limit)
        if not self._is_started:
            stop = buffer.find(b"\n", start + self._looked, limit) + 1
            if stop:
                form.check_start(bytes(buffer[start:stop]), start)
                self._is_started = True
        if self._is_started:
            stop = form.head_end(buffer, start, end, self._looked)
            if stop >= 0 and (told := form.told(buffer, start, stop)):
                self._told = stop - start, told[1]
                return self._told
        self._looked = limit - start
        if end >= start + form.block_limit:
            if form.block_limit == form.max_frame_size:
                raise self._too_large("the headers alone are too large", start)
            wanted = f"an empty line within {form.max_header_size} bytes, or a larger max_header_size"
            raise header_error(
                "the headers do not end", start, "headers", wanted, f"none within {form.max_header_size}"
            )
        return None

    def _too_large(self, reason: str, start: int) -> FrameTooLargeError:
        hint = "raise max_frame_size if the peer is to be trusted with as much memory"
        return FrameTooLargeError(reason, offset=start, max_frame_size=self._form.max_frame_size, hint=hint)
