"""Consistent overhead byte stuffing: COBS and COBS/R.

    payload         11 22 00 33
    on the wire     03 11 22 02 33 00
                    |        |     +-- the delimiter
                    |        +-------- in 2 bytes there is a zero again: here the end
                    +----------------- in 3 bytes there is a zero

A code of ff is followed by 254 bytes and no zero. In COBS/R the last code, if it points behind the end, is itself the
last byte: `31 00` for the payload 31. Spec: [F41] to [F43], after "Consistent Overhead Byte Stuffing" by S. Cheshire
and M. Baker, IEEE/ACM Transactions on Networking 7 (1999), and C. McQueen's description of COBS/R.
"""

from framing.errors import HeaderError
from framing.formats.stuffing import StuffedFormat
from framing.frame import DEFAULT_MAX_FRAME_SIZE, check_limit, check_option
from framing.picture import Part

__all__ = ["CobsFormat"]

# A code, and 254 bytes that it counts with itself.
_MOST = 0xFF
_CODES = [bytes((code,)) for code in range(256)]


class CobsFormat(StuffedFormat):
    """COBS with a zero as delimiter.

    >>> CobsFormat().serialize(b"\\x11\\x22\\0\\x33").hex(" ")
    '03 11 22 02 33 00'

    Args:
        reduced: COBS/R, whose short payloads often take one byte less. Both ends must agree. [F42]
        skip_empty: take zeros in a row for filler, which some senders write to begin with; else the second one is a
            `HeaderError`. [F43]
        max_frame_size: limit on the whole frame: codes and delimiter count.
    """

    name = "cobs"
    flag = b"\0"

    def __init__(
        self, *, reduced: bool = False, skip_empty: bool = False, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE
    ) -> None:
        check_option("reduced", reduced, bool)
        check_option("skip_empty", skip_empty, bool)
        self._reduced = reduced
        self.skips = skip_empty
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, len(b"\1\0"))
        super()._prepare()

    def unstuffed(self, content: bytes, offset: int) -> bytes:
        """Follow the codes from zero to zero. [F41]"""
        out, size, place, code, joints = bytearray(content), len(content), 0, 0, []
        while place < size:
            code = out[place]
            out[place] = 0
            place += code
            if code == _MOST:
                joints.append(place)  # the code there stands for no zero
        if place > size:
            if not self._reduced:
                raise self._beyond(content, place - code, offset)
            out.append(code)  # [F42]
        if not joints:
            return bytes(memoryview(out)[1:])
        ends, view = [*(joint for joint in joints if joint < size), len(out)], memoryview(out)
        return b"".join([view[begin + 1 : end] for begin, end in zip([0, *ends], ends, strict=False)])

    def _beyond(self, content: bytes, place: int, offset: int) -> HeaderError:
        return HeaderError(
            "a code of COBS points beyond the frame's end",
            offset=offset + place,
            field="code",
            expected=f"at most {len(content) - place}",
            found=content[place],
            hint="the other end may use COBS/R: reduced=true",
        )

    def unstuffed_many(self, contents: list[bytes], window: bytes) -> list[bytes]:  # noqa: ARG002 - the contract's signature
        """Do the same for several; most have no zero or one, and so one code or two."""
        if self._reduced:
            return self._unreduced_many(contents)
        most, unstuffed = _MOST, self.unstuffed
        return [
            content[1:]
            if content[0] == len(content)
            else b"\0".join((content[1:code], content[code + 1 :]))
            if (code := content[0]) < (size := len(content)) and code != most and code + content[code] == size
            else unstuffed(content, 0)
            for content in contents
        ]

    def _unreduced_many(self, contents: list[bytes]) -> list[bytes]:
        most, codes, unstuffed = _MOST, _CODES, self.unstuffed
        return [
            content[1:] + codes[code]
            if (code := content[0]) > (size := len(content))
            else content[1:]
            if code == size
            else b"\0".join((content[1:code], content[code + 1 :] + codes[second][:beyond]))
            if code != most and (beyond := code + (second := content[code]) - size) >= 0
            else unstuffed(content, 0)
            for content in contents
        ]

    def stuffed(self, payload: bytes) -> bytes:
        """Write a code for each zero and after each 254 bytes without one. [F41]"""
        *parts, last = payload.split(b"\0")
        pieces = [_CODES[len(part) + 1] + part if len(part) < _MOST - 1 else _long(part) for part in parts]
        full_size = max(0, len(last) - 1) // (_MOST - 1) * (_MOST - 1)  # the last block is never empty for nothing
        if full_size:
            pieces.append(_long(last[:full_size])[:-1])
            last = last[full_size:]
        code = len(last) + 1
        if self._reduced and last and last[-1] >= code:  # [F42]
            pieces.append(last[-1:] + last[:-1])
        else:
            pieces.append(_CODES[code] + last)
        return b"".join(pieces)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the stuffed payload and the flag."""
        return {"": (Part("payload", None, "stuffed"), Part("flag", 1, "00"))}

    def __repr__(self) -> str:
        shown = [f"{name}=True, " for name, value in (("reduced", self._reduced), ("skip_empty", self.skips)) if value]
        return f"CobsFormat({''.join(shown)}max_frame_size={self.max_frame_size})"


def _long(part: bytes) -> bytes:
    """Return the blocks of bytes without a zero, and of the zero that follows."""
    step = _MOST - 1
    full_size = len(part) // step * step
    blocks = [b"\xff" + part[place : place + step] for place in range(0, full_size, step)]
    return b"".join(blocks) + _CODES[len(part) - full_size + 1] + part[full_size:]
