"""Lines of headers as HTTP has them: what a name and a value are made of, read and written strictly.

    Content-Type: text/plain CR LF          name, colon, value with blanks around it

Two peers that read one block differently are how requests are smuggled, so nothing is taken that RFC 9112, section 5,
takes for the sake of old peers. Spec: [F54], [F55], [F131].
"""

import re

from framing.errors import EncodeError, FrameTooLargeError, HeaderError

__all__ = ["checked_header", "has_controls", "header_error", "header_line", "is_token", "read_length", "text_line"]

# RFC 9110, section 5.6.2: what a name is made of.
_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Section 5.5: no control characters but the tabulator.
_CONTROLS = bytes({*range(32), 127} - {9})

# A name, and a value with the blanks behind it; each part ends at one place only, so that the time is linear.
_HEADER = re.compile(rb"([!#-'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+([\t -~\x80-\xff]*+)")


def header_error(reason: str, offset: int, field: str, expected: object, found: object) -> HeaderError:
    """Return the error for a block of headers."""
    return HeaderError(reason, offset=offset, field=field, expected=expected, found=found)


def is_token(name: str) -> bool:
    """Tell whether this can be a header's name."""
    return bool(name) and not name.encode("utf-8", "replace").translate(None, _TOKEN)


def has_controls(text: bytes) -> bool:
    """Tell whether there is a control character other than the tabulator."""
    return len(text.translate(None, _CONTROLS)) < len(text)


def checked_header(line: bytes, place: int) -> tuple[bytes, bytes, int]:
    """Return a header's name, its value without the blanks around it, and where that is.

    Args:
        line: without its line ending.
        place: where it begins.

    Raises:
        HeaderError: it is no header. [F54]
    """
    found = _HEADER.fullmatch(line)
    if found is None:
        raise _mistake(line, place)
    return found[1], found[2].rstrip(b" \t"), place + found.start(2)


def _mistake(line: bytes, place: int) -> HeaderError:
    """Return the error about a line that is no header."""
    name, colon, value = line.partition(b":")
    if line[:1] in (b" ", b"\t"):  # RFC 9112, section 5.2
        return header_error("a header is folded over two lines", place, "headers", "a name", line)
    if not colon:
        return header_error("a line is no header", place, "headers", "name: value", line)
    if not is_token(name.decode("latin-1")):  # a blank before the colon, too: section 5.1
        return header_error("this is no name of a header", place, "headers", "letters, digits and -", name)
    place += len(line) - len(value.lstrip(b" \t"))
    return header_error("a control character in a header", place, "headers", "text", value.strip(b" \t"))


def read_length(name: str, text: bytes, place: int, *, start: int, limit: int, digits: int = 0) -> int:
    """Return the size that a header says. [F56]

    Args:
        name: the header's.
        text: its value.
        place: where that is.
        start: where the frame begins.
        limit: on the whole frame.
        digits: how many are read, where more than the limit has.

    Raises:
        HeaderError: it is no number without a sign and leading zeros.
        FrameTooLargeError: it has more digits.
    """
    if not text or text.translate(None, b"0123456789"):
        raise header_error(f"{name} is no number", place, "length", "digits", text)
    if text[:1] == b"0" and len(text) > 1:
        raise header_error(f"{name} has leading zeros", place, "length", "digits without leading zeros", text)
    if len(text) > max(digits, len(str(limit))):  # before int(), which takes quadratic time
        raise FrameTooLargeError(f"a {name} of {len(text)} digits", offset=start, max_frame_size=limit)
    return int(text)


def header_line(name: object, value: object) -> bytes:
    """Return a header as a line without its ending.

    Raises:
        EncodeError: it could not be read back like this.
    """
    if not isinstance(name, str) or not is_token(name):
        raise EncodeError("no name of a header", path="headers", found=name)
    text = text_line(f"headers.{name}", value)
    if text != text.strip(b" \t"):
        raise EncodeError("blanks around a value would be lost", path=f"headers.{name}", found=text)
    return b"%b: %b" % (name.encode(), text)


def text_line(path: str, value: object) -> bytes:
    """Return the bytes of a text that is to stand in one line: what could end the line is how headers are injected.

    Raises:
        EncodeError: it is no such text; `path` says which one.
    """
    if not isinstance(value, str):
        raise EncodeError("text is missing" if value is None else "this must be text", path=path, found=value)
    try:
        line = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise EncodeError("a header is text of ISO 8859-1", path=path, found=ascii(value)) from error
    if has_controls(line) or (path == "start" and not line):
        raise EncodeError("a control character, or nothing at all, in a line of text", path=path, found=line)
    return line
