"""The elements of an XML stream, one after another, inside of a root element that stays open.

    <?xml version='1.0'?>                    each of these is a frame; white space between them belongs to none
    <stream:stream to='example.net'>         the root's start tag alone
    <message to='kim'><body/></message>      an element with all that is in it
    </stream:stream>                         the root's end tag alone

Only tags, quotes, comments, CDATA sections and processing instructions are looked at, for they tell where an element
ends; the rest is for a codec to judge. Spec: [F62], [F111] and [F112], after RFC 6120 section 4 and XML 1.0.
"""

import re

from framing.errors import DefinitionError, HeaderError
from framing.formats.self_delimiting import SelfDelimitingFormat, Walk
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, Measure, check_option

__all__ = ["XmlStreamFormat"]

_match_spaces = re.compile(rb"[ \t\r\n]*").match
_find_tag_end = re.compile(rb"[>\"']").search
_match_name = re.compile(r"[^\s<>/&'\"=?!]+").fullmatch

# What begins with "<" and is no tag, and what it ends with. Any other "<!" declares something.
_SECTIONS = {b"<?": b"?>", b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_LONGEST = max(map(len, _SECTIONS))
_CDATA = b"<![CDATA["


class XmlStreamFormat(SelfDelimitingFormat):
    """Frames that are the children of a root element, its start tag, its end tag, and what stands outside of it.

    >>> from framing import FrameParser
    >>> parser = FrameParser(XmlStreamFormat("stream:stream"))
    >>> parser.feed(b"<stream:stream id='1'> <a><b/>text</a><c/></stream:stream>")
    >>> parser.take_payloads()
    [b"<stream:stream id='1'>", b'<a><b/>text</a>', b'<c/>', b'</stream:stream>']

    Args:
        root: the name of the root element, with its prefix. The stream may begin anew within itself, as XMPP's does.
        max_depth: how many elements may stand in each other, the root not counted.
        max_frame_size: limit on the whole element.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "xml_stream"
    least_size = len(b"<a/>")

    def __init__(self, root: str, *, max_depth: int = 512, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        check_option("root", root, str)
        if not _match_name(root):
            raise DefinitionError("no name of an element", key="root", found=root)
        self.root = root
        self.match_root = re.compile(b"</?" + re.escape(root.encode()) + rb"(?=[\s/>])").match
        super().__init__(max_depth=max_depth, max_frame_size=max_frame_size)

    def _prepare(self) -> None:
        super()._prepare()
        self.skip = _skip_space

    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped. [F62]"""
        return _XmlWalk(self)

    def __repr__(self) -> str:
        return f"XmlStreamFormat({self.root!r}, max_depth={self.max_depth}, max_frame_size={self.max_frame_size})"


def _skip_space(buffer: Buffer, start: int, end: int, ended: bool) -> int:  # noqa: ARG001 - the contract's signature
    """Tell where white space stops. [F112]"""
    found = _match_spaces(buffer, start, end)
    assert found is not None  # it matches nothing, too
    return found.end()


class _XmlWalk(Walk):
    """The walk over XML: how many elements are open, and in what it stopped.

    `_until` is what ends that: of a tag one of `>`, `"` and `'`, of a value in quotes the quote, of a section its end,
    and nothing of text, which the next `<` ends. `_begun` is where the tag began.
    """

    __slots__ = ("_begun", "_depth", "_in_tag", "_until")
    _format: XmlStreamFormat

    def _begin(self) -> None:
        self._looked_size = self._depth = self._begun = 0
        self._until, self._in_tag = b"", False

    def _walk(self, buffer: Buffer, start: int, stop: int) -> int | None:
        place, last = start + self._looked_size, -1
        while place != last:  # until a step finds that more bytes are needed
            last = place
            place = self._step(buffer, start, place, stop)
            if place < 0:
                return -place - start
        self._looked_size = place - start
        return None

    def _step(self, buffer: Buffer, start: int, place: int, stop: int) -> int:
        """Take the next piece; return the place behind it, the negative of that if the frame ends there."""
        if self._in_tag:
            return self._step_tag(buffer, start, place, stop)
        if self._until:
            return self._step_section(buffer, place, stop)
        begun = buffer.find(b"<", place, stop)
        if begun < 0:
            begun = stop
        if not self._depth and begun > place:
            raise _bad("text outside of the elements", buffer, place)
        return self._enter(buffer, start, begun, stop)

    def _enter(self, buffer: Buffer, start: int, place: int, stop: int) -> int:
        """Look what begins with the `<` at `place`; stay there as long as that cannot be told."""
        head = bytes(buffer[place : min(stop, place + _LONGEST)])
        section = next((one for one in _SECTIONS if head.startswith(one)), None)
        if section:
            if section == _CDATA and not self._depth:
                raise _bad("text outside of the elements", buffer, place)
            self._until = _SECTIONS[section]
            return place + len(section)
        if len(head) < 2 or any(one.startswith(head) for one in _SECTIONS):
            return place
        if head.startswith(b"<!"):
            raise _bad("a declaration, which no stream may have", buffer, place, "an element")
        self._begun, self._in_tag = place - start, True
        return place + 1

    def _step_section(self, buffer: Buffer, place: int, stop: int) -> int:
        found = buffer.find(self._until, place, stop)
        if found < 0:
            return max(place, stop - len(self._until) + 1)  # its end may have begun in the last bytes
        place = found + len(self._until)
        self._until = b""
        return place if self._depth else -place

    def _step_tag(self, buffer: Buffer, start: int, place: int, stop: int) -> int:
        if self._until:
            found = buffer.find(self._until, place, stop)
            if found >= 0:
                self._until = b""
            return stop if found < 0 else found + 1
        end = _find_tag_end(buffer, place, stop)
        if end is None:
            return stop
        place = end.end()
        if end[0] != b">":
            self._until = bytes(end[0])
            return place
        self._in_tag = False
        return -place if self._is_last(buffer, start + self._begun, place) else place

    def _is_last(self, buffer: Buffer, begun: int, end: int) -> bool:
        """Whether the frame ends with the tag from `begun` to `end`."""
        closes, is_empty = buffer[begun + 1] == ord("/"), buffer[end - 2] == ord("/")
        if not self._depth and self._format.match_root(buffer, begun, end):
            return True
        if closes:
            if not self._depth:
                raise _bad("an element ends that has not begun", buffer, begun, "the tag that begins it")
            self._depth -= 1
        elif not is_empty:
            if self._depth >= self._format.max_depth:
                raise self._format.too_deep(begun)
            self._depth += 1
        return not self._depth


def _bad(reason: str, buffer: Buffer, place: int, expected: str = "a tag") -> HeaderError:
    return HeaderError(reason, offset=place, expected=expected, found=bytes(buffer[place : place + 1]))
