"""A header that only a program can read: one function tells a frame's size from it, its twin writes it.

    +- - - - - - - - - - - - - - -+- - - - - - -+
    |  header                     |   payload   |
    +- - - - - - - - - - - - - - -+- - - - - - -+
     the shortest beginning that
     size(header) knows the total from

The functions are guarded: whatever they do, the parser makes progress, and what goes wrong is an error of the frame.
Spec: [F69].
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, HeaderError
from framing.formats.scans.known import known_scans
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit, check_option

__all__ = ["FunctionFormat"]

Size = Callable[[bytes], int | None]
Write = Callable[[bytes], bytes]


class FunctionFormat(FrameFormat):
    """Frames whose size a function tells from their header.

    >>> def size(header):                        # four decimal digits that count everything
    ...     return int(header)
    >>> def write(payload):
    ...     return b"%04d" % (4 + len(payload))
    >>> from framing import FrameParser
    >>> format = FunctionFormat(size, write, header_size=4)
    >>> format.serialize(b"hello")
    b'0009hello'
    >>> parser = FrameParser(format)
    >>> parser.feed(b"0009hello0004")
    >>> parser.take_payloads()
    [b'hello', b'']

    Args:
        size: `size(header) -> total | None`, or `module:attribute` of it, which is imported. It is given the frame's
            first `header_size` bytes and returns the size of the whole frame; as long as it returns `None`, it is asked
            again with one byte more. What it was given when it knew is the header. It must depend on nothing else:
            it is not always asked again about bytes that it was asked about.
        write: `write(payload) -> header`, its twin, which writes the header of a payload.
        header_size: the fewest bytes that a header has.
        max_header_size: the most; `None` after so many is an error. By default the fewest.
        max_frame_size: limit on the whole frame.

    Raises:
        DefinitionError: there is no such function, or a size is out of range.
    """

    name = "function"
    payload_last = True
    size_first = True

    def __init__(
        self,
        size: Size | str,
        write: Write | str,
        *,
        header_size: int = 1,
        max_header_size: int | None = None,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        self._named = (size, write)
        self._size: Size = _function("size", size)
        self._write: Write = _function("write", write)
        most = header_size if max_header_size is None else max_header_size
        for key, value in (("header_size", header_size), ("max_header_size", most)):
            check_option(key, value, int)
        if header_size < 1:
            raise DefinitionError("a header has a byte", key="header_size", found=header_size, allowed="1 or more")
        if most < header_size:
            allowed = f"{header_size} or more"
            raise DefinitionError("less than header_size", key="max_header_size", found=most, allowed=allowed)
        self.min_size = header_size
        self.max_header_size = most
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self.min_size)
        if self.max_header_size == self.min_size:
            self.scan = self._scan  # bound to this object, whose limit it needs
        else:
            self.scan, self.scan_frames = known_scans(self, self._header_end)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Ask for the total size. [F69]"""
        return self.ask(buffer, start, end, self.min_size)[1]

    def measurer(self) -> Measure:
        """Return a `measure` that does not ask about the same bytes again."""
        return self.measure if self.max_header_size == self.min_size else _Asking(self)

    def ask(self, buffer: Buffer, start: int, end: int, size: int) -> tuple[int, int | None]:
        """Return the header's size and the total, or the size to go on with and `None`.

        The sizes are tried in turn, so that a function which says something else about more bytes cannot make
        the frames depend on how the stream is cut.
        """
        while size <= end - start:
            total = self._asked(bytes(buffer[start : start + size]), start)
            if total is not None:
                return size, total
            if size == self.max_header_size:
                raise HeaderError(
                    "the function does not know the size", offset=start, expected=f"it after {size} bytes", found="None"
                )
            size += 1
        return size, None

    def _asked(self, header: bytes, start: int) -> int | None:
        try:
            total = self._size(header)
        except Exception as error:
            raise HeaderError(
                f"the function that tells the size has failed: {_shown(error)}",
                offset=start,
                expected="a size or None",
                found=header,
            ) from error
        if total is None:
            return None
        if type(total) is not int:
            kind = type(total).__name__
            raise HeaderError("the function told no size", offset=start, expected="int or None", found=kind)
        if total < len(header):  # [F16], and the guard against a frame that never ends the stream
            raise HeaderError(
                "the function told less than the header has",
                offset=start,
                expected=f"{len(header)} or more",
                found=total,
            )
        return total

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames whose headers have one size; see `FrameFormat.scan`."""
        ask, width, most, append = self._size, self.min_size, self.max_frame_size, out.append
        try:
            for _ in range(limit):
                first = start + width
                total = ask(buffer[start:first]) if first <= end else None
                # What the function told is judged by `measure`, and so is what it raises.
                if type(total) is not int or not width <= total <= most or start + total > end:
                    break
                start += total
                append(buffer[first:start])
        except Exception:  # noqa: BLE001 - as was said
            pass
        return start

    def _header_end(self, buffer: bytes, start: int, end: int) -> int:
        if end - start < self.max_header_size:
            return -1  # the measurer asks, and remembers how far it has asked
        try:
            size, total = self.ask(buffer, start, end, self.min_size)
        except HeaderError:
            return -1
        return -1 if total is None else start + size

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: behind the header."""
        return start + self.ask(buffer, start, end, self.min_size)[0], end

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the header that the twin writes, and the payload.

        Raises:
            EncodeError: the twin has failed, or `size` would tell something else of what it wrote.
        """
        if fields:
            raise EncodeError("this format has no header fields", found=tuple(fields))
        self.check_size(self.min_size + len(payload))
        try:
            header = self._write(payload)
        except Exception as error:
            raise EncodeError(f"the function that writes the header has failed: {_shown(error)}") from error
        if not isinstance(header, bytes):
            raise EncodeError("the function that writes the header returned no bytes", found=type(header).__name__)
        data = header + payload
        self.check_size(len(data))
        self._check_twins(data, len(header))
        return data

    def _check_twins(self, data: bytes, header_size: int) -> None:
        """Refuse to write what the peer, who reads with `size`, would cut elsewhere."""
        try:
            read = self.ask(data, 0, len(data), self.min_size)
        except FrameError as error:
            raise EncodeError(f"the header that was written cannot be read: {error.reason}") from error
        if read != (header_size, len(data)):
            raise EncodeError(
                f"the header that was written says {read[1]} bytes, of which {read[0]} are header, and there are"
                f" {len(data)} and {header_size}",
            )

    def __repr__(self) -> str:
        names = ", ".join(repr(_name(one)) for one in self._named)
        sizes = f"header_size={self.min_size}, max_header_size={self.max_header_size}"
        return f"FunctionFormat({names}, {sizes}, max_frame_size={self.max_frame_size})"


def _shown(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _name(function: Callable[..., Any] | str) -> str:
    """Return `module:attribute`, or what comes nearest."""
    if isinstance(function, str):
        return function
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}:{name}" if name else repr(function)


def _function(key: str, function: Any) -> Any:
    found = _imported(key, function) if isinstance(function, str) else function
    if not callable(found):
        allowed = "a function, or module:attribute of one"
        raise DefinitionError("this cannot be called", key=key, found=type(found).__name__, allowed=allowed)
    return found


def _imported(key: str, text: str) -> Any:
    module, _, attribute = text.partition(":")
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever a module that is being written may raise
        raise DefinitionError(
            f"{text} cannot be imported: {error}", key=key, found=text, allowed="module:attribute"
        ) from error
    return found


class _Asking:
    """A `measure` for one stream that remembers how many bytes of one unfinished header were asked about."""

    __slots__ = ("_format", "_size")

    def __init__(self, format: FunctionFormat) -> None:
        self._format = format
        self._size = format.min_size

    def __call__(self, buffer: Buffer, start: int, end: int) -> int | None:
        size, total = self._format.ask(buffer, start, end, self._size)
        self._size = size if total is None else self._format.min_size
        return total
