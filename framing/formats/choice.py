"""The first bytes say which of several formats a frame has.

    +--------+---------+-----------------+- - - - -+
    |   24   | channel |     length      |   RTP   |        "$": media between the lines of RTSP (RFC 2326, 10.12)
    +--------+---------+-----------------+- - - - -+
    +- - - - - - - - - - - - - -+----+----+
    |  "RTSP/1.0 200 OK" …      | 0d | 0a |                 any other byte: text
    +- - - - - - - - - - - - - -+----+----+

Spec: [F67] and [F68].
"""

import copy
from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.formats.fields.magic import constants_resync, masked_pattern
from framing.formats.prefix import UNDECIDED, Key, Prefixes, parse_prefix
from framing.formats.scans.choice_loop import choice_scans
from framing.frame import Buffer, FrameFormat, Measure, check_limit, check_option
from framing.picture import Part

__all__ = ["ChoiceFormat"]


class ChoiceFormat(FrameFormat):
    """Frames of several formats, told apart by how they begin.

    >>> from framing import FrameParser, get_format
    >>> media = get_format("header", header="magic:u8=0x24 channel:u8 length:u16be")
    >>> parser = FrameParser(ChoiceFormat({"$": media}, default=get_format("lines")))
    >>> parser.feed(b"RTSP/1.0 200 OK\\r\\n$\\0\\0\\2ab")
    >>> [(frame.fields, frame.payload) for frame in parser.take_frames()]
    [({'choice': b'', 'channel': None}, b'RTSP/1.0 200 OK'), ({'choice': b'$', 'channel': 0}, b'ab')]

    Args:
        cases: formats by how their frames begin: bytes; text, which stands for its bytes, or for others as `0x24`; or
            only some bits of the bytes, as `(mask, value)` or the text `0x40/0xc0`, which is value and mask. The first
            one that fits is taken, in this order, and waited for as long as it may fit. [F67]
        default: the format of all other frames; without one they are a `HeaderError`.
        field: the field that names the case by its bytes, the value where there is a mask, nothing for the default. To
            serialize it may be left out: the first case is taken that can write the fields and the payload. [F68]
        max_frame_size: limit on the whole frame in every case; by default each format's own.

    Raises:
        DefinitionError: a case that is never reached, or that has another one's name; no case.
    """

    name = "choice"
    resyncs_at = "magic"

    def __init__(
        self,
        cases: Mapping[Key, FrameFormat],
        *,
        default: FrameFormat | None = None,
        field: str = "choice",
        max_frame_size: int | None = None,
    ) -> None:
        check_option("cases", cases, dict)
        check_option("field", field, str)
        self.field = field
        self._prefixes = Prefixes(map(parse_prefix, cases), has_default=default is not None)
        self._formats: tuple[FrameFormat, ...] = (*cases.values(), *(() if default is None else (default,)))
        for number, one in enumerate(self._formats):
            check_option("default" if number == len(cases) else "cases", one, FrameFormat)
        if max_frame_size is not None:
            self._formats = tuple(one.limited(max_frame_size) for one in self._formats)
        if any(one.remembers for one in self._formats):
            raise DefinitionError("a case cannot depend on the frames before", key="cases")
        self._learn_names()
        self.max_frame_size = max(one.max_frame_size for one in self._formats)
        self._prepare()

    def _learn_names(self) -> None:
        names = dict.fromkeys(name for one in self._formats for name in one.header_names)
        if self.field in names:
            raise DefinitionError("a case has a field of this name", key="field", found=self.field)
        self.header_names = (self.field, *names)
        free = {name for one in self._formats for name in one.field_names}
        self.field_names = (self.field, *(name for name in names if name in free))

    def _prepare(self) -> None:
        if any(one.verify is not None for one in self._formats):
            self.verify = self._verify
        if any(one.skip is not None for one in self._formats[: len(self._prefixes.keys)]):
            raise DefinitionError("only the default may have filler between its frames", key="cases")
        if self._formats[-1].skip is not None:
            self.skip = self._skip
        if self._prefixes.default == UNDECIDED:
            self.resync = constants_resync(masked_pattern(one.mask, one.value) for one in self._prefixes.tried)
        self.size_first = self.skip is None and all(one.size_first for one in self._formats)
        self.scan, self.scan_frames = choice_scans(self, self._formats, self._prefixes)

    def limited(self, max_frame_size: int) -> "ChoiceFormat":
        """Return the same choice with another limit, for all of its formats."""
        check_limit(self.name, max_frame_size, self.min_size)
        limited = copy.copy(self)
        vars(limited).pop("_frame_class", None)
        limited._formats = tuple(one.limited(max_frame_size) for one in self._formats)
        limited.max_frame_size = max_frame_size
        limited._prepare()
        return limited

    def decide(self, buffer: Buffer, start: int, end: int) -> int:
        """Return the number of the case of the frame that begins at `start`, or -1: more bytes are needed to tell.

        Raises:
            HeaderError: no case begins like this.
        """
        return self._prefixes.decide(buffer, start, end)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size as the case's format does. [F67]"""
        return self.measurer()(buffer, start, end)

    def measurer(self) -> Measure:
        """Return a `measure` that remembers the case, and what the case's format remembers."""
        return _ChoiceMeasure(self, self._formats)

    def checked_total(self, total: int, number: int, start: int) -> int:
        """Return the size of a frame of a case.

        Raises:
            FrameTooLargeError: it is over the limit of the case.
            HeaderError: it ends within the bytes that have chosen the case.
        """
        most = self._formats[number].max_frame_size
        if total > most:
            raise FrameTooLargeError(
                "a frame of this case is too large", offset=start, frame_size=total, max_frame_size=most
            )
        if total < len(self._prefixes.values[number]):
            raise HeaderError(
                "a frame ends within the bytes that chose its case",
                offset=start,
                field=self.field,
                expected=f"{len(self._prefixes.values[number])} bytes or more",
                found=total,
            )
        return total

    def measure_last(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the size of what is left at the end of the stream, of the case that it then has."""
        decided = self.decide(buffer, start, end) != UNDECIDED
        number = self._prefixes.decide(buffer, start, end, ended=True)
        if number == UNDECIDED:
            return None
        form = self._formats[number]
        try:
            total = form.measure(buffer, start, end)
        except FrameError:
            if decided:
                raise
            return None  # it was about to become a frame of another case
        if total is None:
            total = form.measure_last(buffer, start, end)
        return total if total is None else self.checked_total(total, number, start)

    def _format_of(self, buffer: Buffer, start: int, end: int) -> FrameFormat:
        return self._formats[self._prefixes.decide(buffer, start, end, ended=True)]

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        form = self._format_of(buffer, start, end)
        if form.verify is not None:
            form.verify(buffer, start, end)

    def _skip(self, buffer: Buffer, start: int, end: int, ended: bool) -> int:
        """Pass over the default's filler, which must not look like a case."""
        skip = self._formats[-1].skip
        if skip is None or start == end or self._prefixes.by_byte[buffer[start]] != self._prefixes.default:
            return start
        return skip(buffer, start, end, ended)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies, as the case's format does."""
        return self._format_of(buffer, start, end).bounds(buffer, start, end)

    def payload(self, buffer: Buffer, start: int, end: int) -> bytes:
        """Return the payload, as the case's format does."""
        return self._format_of(buffer, start, end).payload(buffer, start, end)

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the name of the case and every field of any case; those of other cases are `None`."""
        number = self._prefixes.decide(data, 0, len(data), ended=True)
        fields: dict[str, Any] = dict.fromkeys(self.header_names)
        return fields | {self.field: self._prefixes.values[number]} | self._formats[number].header(data)

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the frame of the case that the field names, or of the first one that can write it. [F68]

        Fields that are `None` count as left out.
        """
        given = {name: value for name, value in (fields or {}).items() if value is not None}
        if strange := [name for name in given if name not in self.header_names]:
            raise EncodeError(
                f"this format has no field {strange[0]}", hint=f"its fields are {', '.join(self.field_names)}"
            )
        named = given.pop(self.field, None)
        if named is not None:
            return self._written(self._number_of(named), payload, given)
        failed: list[FrameTooLargeError | EncodeError] = []
        for number, form in enumerate(self._formats):
            if given.keys() <= {*form.field_names}:
                try:
                    return self._written(number, payload, given)
                except (EncodeError, FrameTooLargeError) as error:
                    failed.append(error)
        if not failed:
            raise EncodeError("no case has these fields", found=tuple(given))
        # That a frame is too large is more use to know than that another case cannot have it at all.
        raise next((error for error in failed if isinstance(error, FrameTooLargeError)), failed[-1])

    def has_field(self, name: str, fields: Mapping[str, Any]) -> bool:
        """Tell whether the case that the fields name has a field."""
        named = fields.get(self.field)
        return name in (self if named is None else self._formats[self._number_of(named)]).field_names

    def _number_of(self, named: object) -> int:
        value = parse_prefix(named).value if isinstance(named, str) and named else named or b""
        if value not in self._prefixes.values:
            raise EncodeError("there is no such case", path=self.field, found=value)
        return self._prefixes.values.index(value)

    def _written(self, number: int, payload: bytes, fields: dict[str, Any]) -> bytes:
        data = self._formats[number].serialize(payload, fields)
        try:
            read = self.decide(data, 0, len(data))
        except HeaderError:
            read = UNDECIDED
        if read != number:
            raise EncodeError("a frame of this case would not be read as one: it begins otherwise", path=self.field)
        return data

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the parts of each case, by how it begins."""
        keys = (*self._prefixes.keys, "other")
        return {
            f"{key} {inner}".rstrip(): parts
            for key, form in zip(keys, self._formats, strict=False)
            for inner, parts in form.layouts().items()
        }

    def __repr__(self) -> str:
        cases = ", ".join(f"{key!r}: {one!r}" for key, one in zip(self._prefixes.keys, self._formats, strict=False))
        default = "" if self._prefixes.default == UNDECIDED else f", default={self._formats[-1]!r}"
        field = "" if self.field == "choice" else f", field={self.field!r}"
        return f"ChoiceFormat({{{cases}}}{default}{field})"


class _ChoiceMeasure:
    """A `measure` for one stream that remembers the case of one unfinished frame."""

    __slots__ = ("_choice", "_measures", "_number")

    def __init__(self, choice: ChoiceFormat, formats: tuple[FrameFormat, ...]) -> None:
        self._choice = choice
        self._measures = [one.measurer() for one in formats]
        self._number = UNDECIDED

    def __call__(self, buffer: Buffer, start: int, end: int) -> int | None:
        number = self._number
        if number == UNDECIDED:
            number = self._number = self._choice.decide(buffer, start, end)
            if number == UNDECIDED:
                return None
        total = self._measures[number](buffer, start, end)
        if total is None:
            return None
        self._number = UNDECIDED
        return self._choice.checked_total(total, number, start)
