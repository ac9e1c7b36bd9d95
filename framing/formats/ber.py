"""Tag, length, value of ASN.1's Basic Encoding Rules: LDAP, SNMP over TCP, Kerberos' inner parts, H.245.

    0        1        2                    0        1        2                 4
    +--------+--------+- - - - - -+        +--------+--------+-----------------+- - - - - -+
    |   30   |  size  |  contents |        |   30   |   82   |      size       |  contents |
    +--------+--------+- - - - - -+        +--------+--------+-----------------+- - - - - -+
     tag      short form, 0 to 127          tag      long form, of 2 more bytes

The tag is a byte, or 1f in its low bits and up to five more. The payload is all of it, as decoders of BER want it, or
the contents alone. Spec: [F60] and [F61], after X.690 (02/2021), 8.1.2 and 8.1.3.
"""

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.formats.fields.magic import bytes_pattern, constants_resync
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, check_limit, check_option
from framing.picture import Part

__all__ = ["BerFormat"]

_NUMBER = 0x1F  # the bits of the tag's first byte that are its number, or tell that it follows
_MORE = 0x80
_INDEFINITE, _RESERVED = 0x80, 0xFF

# Five bytes after the first hold 35 bits; what is in use fits an int of 32.
_MOST_TAG_SIZE = 6
_LEAST_SIZE = len(b"\x04\x00")


class BerFormat(FrameFormat):
    """Frames that are BER encodings of definite length.

    >>> from framing import FrameParser
    >>> format = BerFormat(contents=True)
    >>> format.serialize(b"hello", {"tag": 0x04}).hex(" ", 1)
    '04 05 68 65 6c 6c 6f'
    >>> parser = FrameParser(format)
    >>> parser.feed(bytes.fromhex("3081020500"))
    >>> parser.next_frame().header
    {'tag': 48, 'length': 2}

    Args:
        tags: the tags that a frame may have, as the integer that their bytes are, high byte first: 0x30, 0x1f8101.
            By default any.
        contents: the payload is the contents alone. The tag is then the application's field, unless there is only one,
            and the first of several is written where it is left out. [F61]
        max_frame_size: limit on the whole frame: tag, length and contents.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "ber"
    header_names = ("tag", "length")
    min_size = _LEAST_SIZE
    payload_last = True
    size_first = True
    resyncs_at = "magic"

    def __init__(
        self,
        *,
        tags: int | Iterable[int] = (),
        contents: bool = False,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        self.tags = _checked_tags((tags,) if isinstance(tags, int) else tuple(tags))
        check_option("contents", contents, bool)
        self.contents = contents
        if contents and len(self.tags) != 1:
            self.field_names = ("tag",)
        self._first_bytes = frozenset(_tag_bytes(tag)[0] for tag in self.tags) or frozenset(range(1, 256))
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit("ber", self.max_frame_size, min((len(_tag_bytes(tag)) for tag in self.tags), default=1) + 1)
        self.scan = self._scan  # bound to this object, whose limit it needs
        self.resync = constants_resync(bytes_pattern(_tag_bytes(tag)) for tag in self.tags) if self.tags else None

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from tag and length. [F60]"""
        limit = start + self.max_frame_size
        header = self._header_size(buffer, start, min(end, limit))
        if header is not None:
            return header[0] + header[1]
        if end >= limit:
            raise FrameTooLargeError(
                "tag and length alone go on behind the limit", offset=start, max_frame_size=self.max_frame_size
            )
        return None

    def _header_size(self, buffer: Buffer, start: int, end: int) -> tuple[int, int] | None:
        """Return the sizes of tag and length together and of the contents; `None`: they are not whole."""
        place = self._tag_end(buffer, start, end)
        if not place or place >= end:
            return None
        first = buffer[place]
        if first < _INDEFINITE:
            return place + 1 - start, first
        if first == _INDEFINITE:
            raise _bad("an indefinite length is not taken", "length", buffer, place, "a definite length")
        if first == _RESERVED:
            raise _bad("a reserved form of length", "length", buffer, place, "00 to fe")  # 8.1.3.5 c
        stop = place + 1 + first - _INDEFINITE
        return (stop - start, int.from_bytes(buffer[place + 1 : stop], "big")) if stop <= end else None

    def _tag_end(self, buffer: Buffer, start: int, end: int) -> int:
        """Return where the tag ends, 0 if it is not whole. [F60]"""
        if start >= end:
            return 0
        first = buffer[start]
        if not first:
            raise _bad("an end-of-contents mark outside an indefinite length", "tag", buffer, start, "a tag")  # 8.1.5
        if first not in self._first_bytes:
            raise self._other_tag(buffer, start, start + 1)
        place = start + 1
        if first & _NUMBER == _NUMBER:
            place = _long_tag_end(buffer, place, end)
        if place and self.tags and int.from_bytes(buffer[start:place], "big") not in self.tags:
            raise self._other_tag(buffer, start, place)
        return place

    def _other_tag(self, buffer: Buffer, start: int, end: int) -> HeaderError:
        return HeaderError(
            "no tag that a frame may have",
            offset=start,
            field="tag",
            expected=tuple(map(_tag_bytes, self.tags)),
            found=bytes(buffer[start:end]),
        )

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames; see `FrameFormat.scan`."""
        plain = frozenset(byte for byte in self._first_bytes if byte & _NUMBER != _NUMBER)
        append, most, contents = out.append, self.max_frame_size, self.contents
        try:
            for _ in repeat(None, limit):
                size = buffer[start + 1]
                if buffer[start] not in plain or size > _INDEFINITE + 2:
                    header = self._header_size(buffer, start, end)
                    if header is None:
                        break
                    first, size = start + header[0], header[1]
                elif size < _INDEFINITE:
                    first = start + 2
                elif size == _INDEFINITE + 1:
                    first, size = start + 3, buffer[start + 2]
                elif size == _INDEFINITE + 2:
                    first, size = start + 4, buffer[start + 2] << 8 | buffer[start + 3]
                else:
                    break
                stop = first + size
                if stop > end or stop - start > most:
                    break
                append(buffer[first if contents else start : stop])
                start = stop
        except (IndexError, FrameError):  # not whole; or bad, which the next `measure` says
            pass
        return start

    @property
    def comes_in_pieces(self) -> bool:
        """Only without the header, which else is the payload's beginning."""
        return self.contents

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: it is the frame or, with `contents`, what follows tag and length."""
        header = self._header_size(buffer, start, end) if self.contents else None
        return (start + header[0] if header else start), end

    def header(self, data: bytes) -> dict[str, Any]:
        """Return tag and length."""
        header = self._header_size(data, 0, len(data))
        assert header is not None  # a whole frame has both
        return {"tag": int.from_bytes(data[: self._tag_end(data, 0, len(data))], "big"), "length": header[1]}

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the frame: the payload if it is one, or tag, the shortest length, and the payload. [F61]

        Raises:
            EncodeError: the payload is not one frame; with `contents`, the tag is missing or not allowed.
        """
        if strange := [name for name in fields or () if name not in self.field_names]:
            raise EncodeError(
                f"this format has no field {strange[0]}", hint=f"its fields are {', '.join(self.field_names) or 'none'}"
            )
        if not self.contents:
            self.check_size(len(payload))
            self._check_whole(payload)
            return bytes(payload)
        header = self._written_tag(fields or {}) + _length_bytes(len(payload))
        self.check_size(len(header) + len(payload))
        return header + payload

    def _check_whole(self, payload: bytes) -> None:
        try:
            header = self._header_size(payload, 0, len(payload))
        except FrameError as error:
            raise EncodeError(f"the payload is no frame: {error.reason}", offset=error.offset) from error
        if header is None or sum(header) > len(payload):
            raise EncodeError("the payload ends inside the frame that it begins", offset=len(payload))
        if sum(header) < len(payload):
            raise EncodeError("something follows the frame that the payload begins", offset=sum(header))

    def _written_tag(self, fields: Mapping[str, Any]) -> bytes:
        tag = fields.get("tag", self.tags[0] if self.tags else None)
        if tag is None:
            raise EncodeError("a field is missing", path="tag")
        if not _is_tag(tag):
            raise EncodeError("this is no tag", path="tag", found=tag)
        if self.tags and tag not in self.tags:
            raise EncodeError("no tag that a frame may have", path="tag", found=_tag_bytes(tag))
        return _tag_bytes(tag)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the tag, the length and the contents."""
        tags = "|".join(f"{tag:#x}" for tag in self.tags)
        return {"": (Part("tag", None, tags), Part("length", None, "BER"), Part("contents"))}

    def __repr__(self) -> str:
        tags = f"tags=({''.join(f'{tag:#x}, ' for tag in self.tags).rstrip()}), " if self.tags else ""
        contents = "contents=True, " if self.contents else ""
        return f"BerFormat({tags}{contents}max_frame_size={self.max_frame_size})"


def _long_tag_end(buffer: Buffer, first: int, end: int) -> int:
    """Return where a tag ends whose number begins at `first`, 0 if it is not whole. X.690 8.1.2.4"""
    for place in range(first, min(end, first + _MOST_TAG_SIZE - 1)):
        byte = buffer[place]
        if place == first and byte == _MORE:
            raise _bad("a tag number that begins with zeros", "tag", buffer, place, "81 to ff, or 1f to 7f")
        if byte < _MORE:
            if place == first and byte < _NUMBER:
                raise _bad("a tag number that needs no more bytes", "tag", buffer, place, "1f or more")  # 8.1.2.2
            return place + 1
        if place - first == _MOST_TAG_SIZE - 2:
            raise _bad(f"a tag of more than {_MOST_TAG_SIZE} bytes", "tag", buffer, place, "its last byte, below 80")
    return 0


def _bad(reason: str, field: str, buffer: Buffer, place: int, expected: str) -> HeaderError:
    return HeaderError(reason, offset=place, field=field, expected=expected, found=bytes(buffer[place : place + 1]))


def _tag_bytes(tag: int) -> bytes:
    return tag.to_bytes((tag.bit_length() + 7) // 8, "big")


def _length_bytes(size: int) -> bytes:
    """Return the shortest definite form. 8.1.3.4, 8.1.3.5"""
    if size < _INDEFINITE:
        return bytes((size,))
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((_INDEFINITE | len(digits),)) + digits


def _is_tag(tag: object) -> bool:
    """Tell whether an integer is the bytes of exactly one tag."""
    if type(tag) is not int or not 0 < tag < 1 << 8 * _MOST_TAG_SIZE:
        return False
    data = _tag_bytes(tag)
    if data[0] & _NUMBER != _NUMBER:
        return len(data) == 1
    try:
        return _long_tag_end(data, 1, len(data)) == len(data)
    except HeaderError:
        return False


def _checked_tags(tags: tuple[int, ...]) -> tuple[int, ...]:
    for tag in tags:
        check_option("tags", tag, int)
        if not _is_tag(tag) or tags.count(tag) > 1:
            raise DefinitionError("no tag, or one that is there twice", key="tags", found=tag, allowed="such as 0x30")
    return tags
