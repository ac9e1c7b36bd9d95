"""A header or trailer whose fields are not all always there, and a length that moves.

    ConditionalFormat(                                                                          WebSocket (RFC 6455)
        "(fin:1 reserved:3 opcode:4):u8 (masked:1 length:7):u8 "
        "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
        length="long | medium | length", xor="key", minimal=True)

    0             1             2            2 or 8 bytes       4 bytes later
    +-------------+-------------+- - - - - - - - - - - -+- - - - - - - - +- - - - - - -+
    |fin|res| op  |mask| length |    medium or long     |      key       |   payload   |
    +-------------+-------------+- - - - - - - - - - - -+- - - - - - - - +- - - - - - -+
    81 05 48 65 6c 6c 6f                         length 5: no other length; masked 0: no key
    82 7e 01 00 …                                length 126: medium is there, and says 256
    81 85 37 fa 21 3d 7f 9f 4d 51 58             masked 1: a key, with which the payload is xored

    ConditionalFormat(                                                                          MAVLink 2
        "start:u8=0xfd length:u8 (flags:7 signed:1):u8 compatible:u8 sequence:u8 system:u8 component:u8 message:u24le",
        trailer="checksum:u16le signature:bytes13?signed=1")

The length is the first of the alternatives whose fields are there. What is written is the shortest form that can say
the size, and with it the value that announces the form.

Spec: [F90] to [F96].
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.fields.conditions import Key
from framing.formats.fields.forms import Form, Parts, make_forms
from framing.formats.fields.magic import layout_resync
from framing.formats.fields.notation import parse_notation
from framing.formats.fields.parts import field_parts
from framing.formats.header import HeaderFormat
from framing.formats.scans.decided import decided_scans
from framing.formats.scans.masked import xored
from framing.formats.scans.regions import Kind, Region, Ruler, joined
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, OpenFrame, check_limit, check_option
from framing.picture import Part

__all__ = ["ConditionalFormat"]

# How many of the largest sizes are tried to find the largest that a form can say: the values that announce another
# form are among them, and seldom more than a few.
_LOOKED_AT = 256


class ConditionalFormat(FrameFormat):
    """Frames whose header is named fields, some of which are there only where earlier ones have certain values.

    >>> from framing import FrameParser
    >>> format = ConditionalFormat("length:u8 long:u32be?length=255", length="long | length")
    >>> format.serialize(b"x" * 300)[:6].hex(" ")
    'ff 00 00 01 2c 78'
    >>> parser = FrameParser(format)
    >>> parser.feed(format.serialize(b"hi"))
    >>> frame = parser.next_frame()
    >>> frame.header, frame.payload
    ({'length': 2, 'long': None}, b'hi')

    Args:
        header: the fields, in the notation of `framing.formats.fields.notation`, with conditions.
        trailer: the fields after the payload; their conditions test fields of the header.
        length: fields, or sums of fields, with bars between them: the first one whose fields are there is the length.
        counts, payload_size, pad, byteorder: as for `HeaderFormat`.
        xor: a field of bytes with which the payload is xored on the wire, again and again; where that field is not
            there, the payload is as it is. [F96]
        minimal: whether a length that a shorter form could have said is an error; if not, it is taken, and the shortest
            form is written. [F95]
        max_frame_size: limit on the whole frame; by default 1 MiB, or what the largest form can announce.

    Raises:
        DefinitionError: the declaration cannot work, in one of its forms; it says in which.
    """

    name = "conditional"
    size_first = True
    resyncs_at = "magic"

    def __init__(
        self,
        header: str = "",
        *,
        trailer: str = "",
        length: str = "length",
        counts: str = "payload",
        payload_size: int | None = None,
        pad: int | str | Mapping[str, Any] | None = None,
        byteorder: str | Mapping[str, Any] | None = None,
        xor: str = "",
        minimal: bool = False,
        max_frame_size: int | None = None,
    ) -> None:
        self._declared = {"header": header, "trailer": trailer, "length": length, "counts": counts, "xor": xor}
        for key, value in self._declared.items():
            check_option(key, value, str)
        check_option("minimal", minimal, bool)
        given: dict[str, Any] = {"payload_size": payload_size, "pad": pad, "byteorder": byteorder}
        self._options = {key: value for key, value in given.items() if value is not None}
        self._minimal, self._xor = minimal, xor
        ordered = byteorder is None
        head = parse_notation(header, ordered=ordered, computed=True, conditional=True)
        tail = parse_notation(trailer, "trailer", ordered=ordered, computed=True, conditional=True)
        parts = Parts(head, tail, texts=(header, trailer), length=length, counts=counts, options=self._options)
        self._fields = head, tail
        self._conditions, self._forms = parts.conditions, make_forms(parts)
        self._check_lengths(parts)
        self._learn_names(parts)
        self._learn_key(parts)
        if parts.conditions.prefix.has_constants:
            self.resync = layout_resync([parts.conditions.prefix])
        self.largest = max(form.format.largest for form in self._forms)
        self.min_size = max(1, parts.conditions.prefix.size)
        default = self.largest if payload_size is not None else min(DEFAULT_MAX_FRAME_SIZE, self.largest)
        self.max_frame_size = default if max_frame_size is None else max_frame_size
        check_limit(self.name, self.max_frame_size, self._forms[0].format.smallest, self.largest)
        self._prepare()

    def _check_lengths(self, parts: Parts) -> None:
        used = {form.length for form in self._forms}
        for one in parts.lengths:
            if one not in used:
                raise DefinitionError(
                    f"{one} is never the length: another alternative before it is always there",
                    key="length",
                    found=" | ".join(parts.lengths),
                    allowed="the one that is always there as the last",
                )
        if self._minimal and (any("+" in one for one in parts.lengths) or "pad" in self._options):
            raise DefinitionError(
                "only lengths that are one field, without padding, can be told to be minimal", key="minimal", found=True
            )

    def _learn_names(self, parts: Parts) -> None:
        heads = dict.fromkeys(name for field in parts.head for name in field.names)
        tails = dict.fromkeys(name for field in parts.tail for name in field.names)
        pad = ("pad",) if any("pad" in form.names for form in self._forms) else ()
        self.header_names = (*dict.fromkeys((*heads, *pad, *tails)),)
        free = {name for form in self._forms for name in form.field_names}
        self.field_names = tuple(name for name in self.header_names if name in free)
        self._computed = {*parts.length_names} - free

    def _learn_key(self, parts: Parts) -> None:
        fields = [field for field in parts.head if field.name == self._xor]
        if self._xor and (not fields or any(field.kind != "bytes" for field in fields)):
            raise DefinitionError(
                "a payload is xored with a header field of bytes", key="xor", found=self._xor, allowed="key:bytes4, say"
            )
        if len(sizes := {field.size for field in fields}) > 1:
            raise DefinitionError("the key has several sizes", key="xor", found=self._xor, allowed="one field")
        self._key_size = sizes.pop() if sizes else 0

    def _prepare(self) -> None:
        self.max_frame_size = min(self.max_frame_size, self.largest)
        check_limit(self.name, self.max_frame_size, self._forms[0].format.smallest)
        formats = [form.format.limited(max(self.max_frame_size, form.format.smallest)) for form in self._forms]
        self._by_key: dict[Key, tuple[Form, HeaderFormat]] = {
            key: (form, one) for form, one in zip(self._forms, formats, strict=True) for key in form.keys
        }
        self._formats = formats
        self.payload_last = not self._xor and all(one.payload_last for one in formats)
        if any(one.verify is not None for one in formats):
            self.verify = self._verify
        self.scan, self.scan_frames = decided_scans(self, self._region())

    def _region(self) -> Region:
        """Return the bytes that say which form a frame has, and of the shortest one the length."""
        prefix = self._conditions.prefix
        names = {selector.name for selector in self._conditions.selectors} | prefix.constant_names
        spans = joined((*prefix.spans(names), *self._forms[0].format.deciding()))
        told = {form for form in self._forms if joined((*spans, *form.format.deciding())) == spans}
        return Region(
            spans,
            decided=lambda buffer, start: self._form(buffer, start)[0] in told,
            key=self._key_place if self._xor else None,
            key_size=self._key_size,
            kind=Kind(prefix.size, prefix.mask(names, prefix.size), self._ruler),
        )

    def _ruler(self, buffer: bytes, start: int) -> Ruler | None:
        """Return what computes the size of frames like the good one at `start`, if the prefix says all the rest."""
        form, one = self._form(buffer, start)
        is_told = one.constant_names <= self._conditions.prefix.constant_names and "byteorder" not in self._options
        ruler = one.ruler(buffer, start) if is_told else None
        least = self._needed_from(form) if self._minimal else 0
        if ruler is None or least is None:
            return None
        place, size = self._key_place(buffer, start)
        return ruler._replace(
            least=max(ruler.least, form.format.smallest + least),
            most=min(ruler.most, self.max_frame_size),
            key=place,
            key_end=place + size,
        )

    def _needed_from(self, form: Form) -> int | None:
        """Return the payload size from which on no shorter form can do, or `None`: that is not easily said. [F95]"""
        least = 0
        for one in self._shorter_forms(form):
            largest = one.format.largest - one.format.smallest
            fitting = (size for size in range(largest, max(largest - _LOOKED_AT, -1), -1) if one.can_say(size))
            size = next(fitting, None)
            if size is None:
                return None
            least = max(least, size + 1)
        return least

    def _key_place(self, buffer: Buffer, start: int) -> tuple[int, int]:
        place = self._form(buffer, start)[0].place.get(self._xor)
        return (0, 0) if place is None else (place, self._key_size)

    def _form(self, buffer: Buffer, start: int) -> tuple[Form, HeaderFormat]:
        """Return the form of the frame that begins at `start`, and its format. [F91]

        Raises:
            HeaderError: a field that is tested is none of its constants.
        """
        found = self._by_key.get(self._conditions.read(buffer, start))
        if found is None:
            self._conditions.prefix.check(buffer, start)
            raise AssertionError("a field that is tested has a value that was not thought of")
        return found

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size as the form does that the tested fields say."""
        if end - start < self._conditions.prefix.size:
            return None
        form, one = self._form(buffer, start)
        if one.smallest > self.max_frame_size:  # before its header is waited for [F5]
            raise FrameTooLargeError(
                f"a frame {form.shown} is too large, whatever its payload",
                offset=start,
                frame_size=one.smallest,
                max_frame_size=self.max_frame_size,
            )
        total = one.measure(buffer, start, end)
        if total is not None and self._minimal and (shorter := self._shorter(form, total)):
            raise HeaderError(
                f"{form.length} is in a longer form than it needs",
                offset=start + form.place[form.length],
                field=form.length,
                expected=f"a frame of {shorter} bytes",
                found=f"one of {total}",
            )
        return total

    def _shorter(self, form: Form, total: int) -> int | None:
        """Return the size that a frame would have in a shorter form, if there is one that can say it. [F95]"""
        size = total - form.format.smallest
        return next((one.format.smallest + size for one in self._shorter_forms(form) if one.can_say(size)), None)

    def _shorter_forms(self, form: Form) -> list[Form]:
        """Return the forms with a shorter header and the same fields, but for their lengths."""
        shorter = []
        for one in self._forms[: self._forms.index(form)]:
            lengths = {form.length, one.length}
            if one.optional - lengths == form.optional - lengths:
                shorter.append(one)
        return shorter

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        _, one = self._form(buffer, start)
        if one.verify is not None:
            one.verify(buffer, start, end)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies, as the form does."""
        return self._form(buffer, start)[1].bounds(buffer, start, end)

    def payload(self, buffer: Buffer, start: int, end: int) -> bytes:
        """Return the payload, without the key."""
        first, last = self.bounds(buffer, start, end)
        data = bytes(buffer[first:last])
        place, size = self._key_place(buffer, start)
        return xored(data, bytes(buffer[start + place : start + place + size])) if size else data

    @property
    def comes_in_pieces(self) -> bool:
        """Where all forms do. [F105]"""
        return all(one.comes_in_pieces for one in self._formats)

    def opened(self, head: bytes, total: int) -> OpenFrame:
        """Return what looks at a frame in pieces, as the form does, and takes the key off them."""
        form, one = self._form(head, 0)
        place, size = self._key_place(head, 0)
        opened = one.opened(head, total)
        names = [name for name in self.header_names if name in opened.header or name not in form.names]
        return _OpenForm(opened, {name: opened.header.get(name) for name in names}, head[place : place + size])

    def header(self, data: bytes) -> dict[str, Any]:
        """Return every named field; those that are not there are `None`."""
        fields: dict[str, Any] = dict.fromkeys(self.header_names)
        return fields | self._form(data, 0)[1].header(data)

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame, in the shortest form that has the fields and can say the size. [F93] [F94]

        Fields that are `None` count as left out.
        """
        given = {name: value for name, value in (fields or {}).items() if value is not None}
        if strange := sorted(given.keys() - {*self.header_names}):
            raise EncodeError(
                f"this format has no field {', '.join(strange)}",
                hint=f"its fields are {', '.join(self.field_names) or 'none'}",
            )
        given = {name: value for name, value in given.items() if name not in self._computed}
        failed: list[EncodeError | FrameTooLargeError] = []
        for form, one in zip(self._forms, self._formats, strict=True):
            values = form.values(given)
            if values is not None:
                try:
                    return self._written(form, one, payload, values)
                except (EncodeError, FrameTooLargeError) as error:
                    failed.append(error)
        if not failed:
            raise self._unfitting(given)
        # That a frame is too large is more use to know than that another form cannot have it at all.
        raise next((error for error in reversed(failed) if isinstance(error, FrameTooLargeError)), failed[-1])

    def _written(self, form: Form, one: HeaderFormat, payload: bytes, values: dict[str, Any]) -> bytes:
        self._check_room(form, one, len(payload))
        key = values.get(self._xor)
        if isinstance(key, bytes) and key and self._xor in form.place:
            payload = xored(payload, key)
        data = one.serialize(payload, values)
        self.check_size(len(data))  # with its padding, too
        if self._form(data, 0)[0] is not form:
            name = form.length or form.shown
            raise EncodeError(
                f"a frame with such a {name} would be read as one of another form", path=form.length or None
            )
        if self._minimal and (shorter := self._shorter(form, len(data))):
            raise EncodeError(
                f"{form.length} would be in a longer form than it needs: {shorter} bytes are enough", path=form.length
            )
        return data

    def _check_room(self, form: Form, one: HeaderFormat, payload_size: int) -> None:
        total = one.smallest + (payload_size if form.length else 0)
        self.check_size(total)
        if total > one.largest:
            raise FrameTooLargeError(
                f"{form.length} has no room for such a size, and no other form has these fields",
                frame_size=total,
                max_frame_size=one.largest,
                field=form.length,
            )

    def _unfitting(self, given: dict[str, Any]) -> EncodeError:
        """Return what is wrong with fields that no form has."""
        for selector in self._conditions.selectors:
            if selector.name in given:
                self._conditions.prefix.chosen(selector.name, given)
        form = next((form for form in self._forms if form.keys_of(given)), self._forms[0])
        name = form.missing(given)
        if name in given:
            reason = f"the header field {name} is not in a frame with these others"
        else:
            reason = f"the header field {name} is missing"
        return EncodeError(reason, path=name, hint=f"it is there where {form.condition_of(name)}")

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell all fields, with the conditions of those that are not always there, the payload and the padding."""
        head, tail = map(field_parts, self._fields)
        pad = (Part("pad"),) if "pad" in self.header_names else ()
        size = self._options.get("payload_size")
        payload = () if size == 0 else (Part("payload", size),)
        return {"": (*head, *payload, *pad, *tail)}

    def __repr__(self) -> str:
        plain = {"trailer": "", "length": "length", "counts": "payload", "xor": ""}
        given = {key: " ".join(value.split()) for key, value in self._declared.items()}
        shown = [f"{key}={value!r}" for key, value in given.items() if plain.get(key) != value]
        shown += [f"{key}={value!r}" for key, value in self._options.items()]
        if self._minimal:
            shown.append("minimal=True")
        return f"ConditionalFormat({', '.join(shown)}, max_frame_size={self.max_frame_size})"


class _OpenForm(OpenFrame):
    """A frame of one of the forms whose payload comes in pieces."""

    __slots__ = ("_key", "_opened")

    def __init__(self, opened: OpenFrame, header: dict[str, Any], key: bytes) -> None:
        super().__init__(header)
        self._opened, self._key = opened, key

    def update(self, piece: bytes) -> bytes:
        """Run over the next piece of the payload, and take the key off."""
        piece = self._opened.update(piece)
        if not self._key:
            return piece
        turn, key = len(piece) % len(self._key), self._key
        self._key = key[turn:] + key[:turn]  # with which the next piece begins
        return xored(piece, key)

    def close(self, rest: bytes) -> dict[str, Any]:
        """Check trailer and checksums, and return padding and trailer."""
        return self._opened.close(rest)
