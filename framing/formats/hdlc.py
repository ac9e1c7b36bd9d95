"""HDLC on asynchronous lines, as PPP has it.

    payload         31 7e 32, FCS-16
    on the wire     7e 31 7d 5e 32 4d 42 7e
                    |     |        |     +-- flag; it may be the next frame's opening one as well
                    |     |        +-------- frame check sequence, the low byte first, escaped like the rest
                    |     +----------------- escape: the next byte xor 20
                    +----------------------- flag

What PPP calls address, control and protocol is the payload's beginning. Spec: [F43], [F45] to [F48], after RFC 1662,
whose sections the code names.
"""

from binascii import crc_hqx
from itertools import repeat
from operator import itemgetter

from framing.errors import ChecksumError, DefinitionError, HeaderError
from framing.formats.escapes import Escapes
from framing.formats.fields.checksums import CHECKSUMS, PURE_CRCS, REVERSED_BITS
from framing.formats.stuffing import StuffedFormat
from framing.frame import DEFAULT_MAX_FRAME_SIZE, check_limit, check_option
from framing.picture import Part

__all__ = ["HdlcFormat"]

_FLAG, _ESCAPE = b"\x7e", b"\x7d"
_ESCAPES = Escapes(_FLAG, _ESCAPE, for_flag=b"\x7d\x5e", for_escape=b"\x7d\x5d")
_CHECKSUMS = {16: CHECKSUMS["crc16_x25"], 32: CHECKSUMS["crc32"]}

# What cuts them off: in a `map` quicker than the slice itself.
_CUTS = {bits: itemgetter(slice(None, -size)) for bits, (size, _) in _CHECKSUMS.items()}

# What a CRC comes to over a good frame and its check sequence, whatever the frame. (RFC 1662, appendix C, before the
# inversion, without which the second one has debb20e3.) `crc_hqx` sees the bits of the first in the opposite order.
_GOOD_16, _GOOD_16_TURNED, _GOOD_32 = 0xF0B8, 0x1D0F, 0x2144DF1C

# Each byte as it stands behind an escape.
_TURNED = [bytes((byte ^ 0x20,)) for byte in range(256)]


class HdlcFormat(StuffedFormat):
    """Asynchronous HDLC framing with a frame check sequence. Flags in a row are an idle line. [F43]

    >>> HdlcFormat().serialize(b"123456789").hex(" ")
    '7e 31 32 33 34 35 36 37 38 39 6e 90 7e'

    Args:
        fcs: bits of the frame check sequence: 16, 32, or 0 for none. [F48]
        accm: the "async control character map": bit n set means that byte n, below 20, is written escaped, and where
            it stands without an escape was put in by a modem and is dropped. PPP begins with 0xffffffff. [F46]
        opening: write a flag in front of each frame, too; else its predecessor's has to do. Whoever reads takes both.
        max_frame_size: limit on the whole frame: flags, escapes and the check sequence count.
    """

    name = "hdlc"
    flag = _FLAG

    def __init__(
        self, *, fcs: int = 16, accm: int = 0, opening: bool = True, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE
    ) -> None:
        check_option("fcs", fcs, int)
        check_option("accm", accm, int)
        check_option("opening", opening, bool)
        if fcs not in (0, *_CHECKSUMS):
            raise DefinitionError("there is no such frame check sequence", key="fcs", found=fcs, allowed="0, 16 or 32")
        if accm >> 32:
            raise DefinitionError("the map has a bit for each byte below 20 hex", key="accm", found=accm,
                                  allowed="0 to 0xffffffff")  # fmt: skip
        self._fcs, self._accm = fcs, accm
        self._mapped = bytes(byte for byte in range(32) if accm >> byte & 1)
        self.opening = _FLAG if opening else b""
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, len(self.opening) + (self._fcs // 8 or 1) + 1)
        super()._prepare()

    def unstuffed(self, content: bytes, offset: int) -> bytes:
        """Undo the escapes and check the check sequence."""
        data = self._unescaped(content, offset)
        if not self._fcs:
            return data
        size, compute = _CHECKSUMS[self._fcs]
        if len(data) < size:  # section 4.3
            raise HeaderError(
                "a frame shorter than its frame check sequence",
                offset=offset,
                field="fcs",
                expected=f"{size} bytes or more",
                found=data,
            )
        expected, found = compute(data[:-size]).to_bytes(size, "little"), data[-size:]
        if expected != found:
            place = offset + self._place_of_last(content, size)
            raise ChecksumError(
                "the frame check sequence is wrong", offset=place, field="fcs", expected=expected, found=found
            )
        return data[:-size]

    def _unescaped(self, content: bytes, offset: int) -> bytes:
        data = content.translate(None, self._mapped) if self._mapped else content  # section 4.2
        if _ESCAPE in data:
            # An escaped escape first: its second byte escapes nothing. Then every other one begins a sequence.
            first, *others = data.replace(b"\x7d\x7d", b"\x5d").split(_ESCAPE)
            if others and not others[-1]:
                raise self._aborted(content, offset)
            data = first + b"".join([_TURNED[part[0]] + part[1:] for part in others])
        return data

    def _aborted(self, content: bytes, offset: int) -> HeaderError:
        return HeaderError(  # [F47]
            "the sender has aborted the frame: an escape before the flag",
            offset=offset + content.rindex(_ESCAPE),
            field="escape",
            expected="any byte but a flag",
            found=_ESCAPE + _FLAG,
        )

    def _place_of_last(self, content: bytes, count: int) -> int:
        """Return where the last `count` bytes begin as they were sent, escapes included."""
        kept = content.translate(None, self._mapped)
        place = len(kept)
        for _ in range(count):
            before = kept[: place - 1]
            escape_count = len(before) - len(before.rstrip(_ESCAPE))
            place -= 1 + escape_count % 2  # of a row of escapes every other one is escaped itself
        # What was dropped between them stands in the content nevertheless.
        kept_count, place = len(kept) - place, len(content)
        while kept_count:
            place -= 1
            kept_count -= content[place] not in self._mapped
        return place

    def unstuffed_many(self, contents: list[bytes], window: bytes) -> list[bytes]:
        """Do the same for several: one call computes all their check sequences."""
        datas = self._unescaped_many(contents, window)
        if not self._fcs:
            return datas
        good = _are_good_16(datas) if self._fcs == 16 else {*map(_CHECKSUMS[32].compute, datas)} == {_GOOD_32}
        payloads = [*map(_CUTS[self._fcs], datas)]
        # An empty one is all that may have had too few bytes.
        if not good or not (all(payloads) or min(map(len, datas)) >= self._fcs // 8):
            raise ChecksumError("one of these frames is wrong")
        return payloads

    def _unescaped_many(self, contents: list[bytes], window: bytes) -> list[bytes]:
        if self._mapped and len(window.translate(None, self._mapped)) < len(window):
            return [self._unescaped(content, 0) for content in contents]
        if _ESCAPE not in window:
            return contents
        # The rule: without a map no other bytes are escaped, and with one some are.
        datas = None if self._mapped else _ESCAPES.undone_many(contents)
        if datas is None:
            datas = [self._unescaped(content, 0) if _ESCAPE[0] in content else content for content in contents]
        return datas

    def stuffed(self, payload: bytes) -> bytes:
        """Append the check sequence and escape what must not be seen. [F46]"""
        data = payload
        if self._fcs:
            size, compute = _CHECKSUMS[self._fcs]
            data += compute(payload).to_bytes(size, "little")
        data = _ESCAPES.done(data)
        for byte in self._mapped:
            if byte in data:
                data = data.replace(bytes((byte,)), _ESCAPE + _TURNED[byte])
        return data

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the stuffed payload and check sequence, and the flags."""
        flag = Part("flag", 1, "7e")
        check = (Part("fcs", None, f"{self._fcs} bits, stuffed"),) if self._fcs else ()
        return {"": (*([flag] if self.opening else ()), Part("payload", None, "stuffed"), *check, flag)}

    def __repr__(self) -> str:
        accm = f"accm={self._accm:#x}, " if self._accm else ""
        opening = "" if self.opening else "opening=False, "
        return f"HdlcFormat(fcs={self._fcs}, {accm}{opening}max_frame_size={self.max_frame_size})"


def _are_good_16(datas: list[bytes]) -> bool:
    compute = _CHECKSUMS[16].compute
    if compute is not PURE_CRCS["crc16_x25"]:
        return {*map(compute, datas)} == {_GOOD_16 ^ 0xFFFF}
    turned = map(bytes.translate, datas, repeat(REVERSED_BITS))
    return {*map(crc_hqx, turned, repeat(0xFFFF))} == {_GOOD_16_TURNED}
