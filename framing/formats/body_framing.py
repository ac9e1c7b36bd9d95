"""Where the body of an HTTP/1.1 message ends, by its headers. Spec: [F132], after RFC 9112, section 6."""

from framing.formats.header_lines import header_error, read_length

__all__ = ["LENGTH_DIGITS", "BodyFraming"]

# Those of 64 bits; more are no size, but an attack on who computes with them. The limit on messages may have fewer:
# one without a body may say how large it would have been (RFC 9110, section 8.6).
LENGTH_DIGITS = 20


class BodyFraming:
    """What the headers of one message say about its body.

    Args:
        side: request or response.
        max_frame_size: limit on the whole message.
        start: where the message begins.
    """

    __slots__ = ("_codings", "_length", "_max_frame_size", "_place", "_side", "_start")

    def __init__(self, side: str, max_frame_size: int, start: int) -> None:
        self._side, self._max_frame_size, self._start = side, max_frame_size, start
        self._length: int | None = None
        self._codings: list[bytes] = []
        self._place = start

    def take(self, name: bytes, text: bytes, place: int) -> None:
        """Take note of a header, its name in lower case.

        Raises:
            HeaderError: it is no length, or another one than before.
            FrameTooLargeError: it has more than 20 digits.
        """
        if name == b"content-length":
            limit = self._max_frame_size
            length = read_length("Content-Length", text, place, start=self._start, limit=limit, digits=LENGTH_DIGITS)
            if self._length not in (None, length):
                raise header_error("Content-Length stands twice and differs", place, "headers", self._length, length)
            self._length = length
        elif name == b"transfer-encoding":
            self._codings += [one.strip(b" \t").lower() for one in text.split(b",")]
            self._place = place

    def told(self, start: tuple[bytes, ...], *, method: str = "") -> tuple[int | None, bool]:
        """Return the body's size, `None` if the stream's end or the last chunk tells it, and whether it is chunked.

        Args:
            start: the parts of the first line: method, target, version, or version, status, reason.
            method: that a response answers: HEAD, CONNECT, or anything else.

        Raises:
            HeaderError: the headers contradict each other.
        """
        is_request = self._side == "request"
        if self._codings:
            self._check_codings(start[2] if is_request else start[0], is_request=is_request)
        if not is_request and _is_bodiless(start[1], method):
            return 0, False
        if self._codings:
            return None, self._codings[-1] == b"chunked"
        return 0 if self._length is None and is_request else self._length, False

    def _check_codings(self, version: bytes, *, is_request: bool) -> None:
        if self._length is not None or version == b"1.0":
            reason = "Transfer-Encoding beside Content-Length" if version != b"1.0" else "Transfer-Encoding in HTTP/1.0"
            raise header_error(reason, self._place, "headers", "one way to tell where the body ends", self._codings[-1])
        if b"chunked" in self._codings[:-1] or (is_request and self._codings[-1] != b"chunked"):
            reason = "the body does not end with the last of its transfer codings"
            raise header_error(reason, self._place, "headers", b"chunked", self._codings[-1])


def _is_bodiless(status: bytes, method: str) -> bool:
    return (
        method == "HEAD"
        or status[:1] == b"1"
        or status in (b"204", b"304")
        or (method == "CONNECT" and status[:1] == b"2")
    )
