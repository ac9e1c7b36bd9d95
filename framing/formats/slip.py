"""SLIP: IP packets over serial lines.

    payload         01 c0 02 db
    on the wire     01 db dc 02 db dd c0
                       |        |     +-- END
                       |        +-------- ESC ESC_ESC stands for ESC
                       +----------------- ESC ESC_END stands for END

Spec: [F43], [F44], after RFC 1055.
"""

from framing.errors import HeaderError
from framing.formats.escapes import Escapes
from framing.formats.stuffing import StuffedFormat
from framing.frame import DEFAULT_MAX_FRAME_SIZE, check_limit, check_option
from framing.picture import Part

__all__ = ["SlipFormat"]

_END, _ESC = b"\xc0", b"\xdb"
_ESC_END, _ESC_ESC = b"\xdb\xdc", b"\xdb\xdd"
_ESCAPES = Escapes(_END, _ESC, for_flag=_ESC_END, for_escape=_ESC_ESC)


class SlipFormat(StuffedFormat):
    """SLIP. ENDs in a row are no frames but an idle line, so that an empty payload cannot be written. [F43]

    >>> SlipFormat().serialize(b"\\x01\\xc0\\x02").hex(" ")
    '01 db dc 02 c0'

    Args:
        opening: write an END in front of each frame, too, which flushes what noise has left in the receiver. Whoever
            reads takes both.
        max_frame_size: limit on the whole frame: escapes and ENDs count.
    """

    name = "slip"
    flag = _END

    def __init__(self, *, opening: bool = False, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        check_option("opening", opening, bool)
        self.opening = _END if opening else b""
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, len(self.opening) + 2)
        super()._prepare()

    def unstuffed(self, content: bytes, offset: int) -> bytes:
        """Replace the escape sequences. [F44]"""
        if _ESC not in content:
            return content
        replaced = _ESCAPES.undone(content)
        if len(content) - len(replaced) != content.count(_ESC):  # each pair has become one byte
            raise self._strange(content, offset)
        return replaced

    def _strange(self, content: bytes, offset: int) -> HeaderError:
        place = content.find(_ESC)
        while content.startswith((_ESC_END, _ESC_ESC), place):
            place = content.find(_ESC, place + 2)
        return HeaderError(
            "SLIP escapes nothing but END and ESC",
            offset=offset + place,
            field="escape",
            expected=(_ESC_END, _ESC_ESC),
            found=(content + _END)[place : place + 2],
        )

    def unstuffed_many(self, contents: list[bytes], window: bytes) -> list[bytes]:
        """Do the same for several, most of which have none."""
        payloads = _ESCAPES.undone_many(contents) if _ESC in window else contents
        if payloads is None:
            raise HeaderError("one of these frames has an escape that is none")
        return payloads

    def stuffed(self, payload: bytes) -> bytes:
        """Escape ENDs and ESCs. [F44]"""
        return _ESCAPES.done(payload)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the stuffed payload and the flag."""
        return {"": (Part("payload", None, "stuffed"), Part("flag", 1, "c0"))}

    def __repr__(self) -> str:
        opening = "opening=True, " if self.opening else ""
        return f"SlipFormat({opening}max_frame_size={self.max_frame_size})"
