"""The fixed-layout header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameTooLargeError, HeaderError, get_format
from framing.formats.header import HeaderFormat
from framing.testing import check_format, outcome

DECLARED = [
    (HeaderFormat("length:u8"), None),
    (HeaderFormat("length:u24le sequence:u8"), {"sequence": 3}),
    (HeaderFormat("type:u8 length:u32be", counts="length payload"), {"type": 0x51}),
    (HeaderFormat("marker:bytes16=ff*16 length:u16be type:u8", counts="frame"), {"type": 4}),
    (HeaderFormat("type:u8 channel:u16be length:u32be", trailer="end:u8=0xce"), {"type": 1, "channel": 9}),
    (HeaderFormat("(last:1 length:31):u32be"), {"last": 1}),
    (HeaderFormat("(length:14 flag:1 more:1):u16le", counts="frame"), {"flag": 1, "more": 0}),
    (HeaderFormat("start:u8=0xfe|0xfd length:u8 id:u24le"), {"start": 0xFD, "id": 77}),
    (HeaderFormat("length:u16be", trailer="end:u8", counts="payload trailer"), {"end": 255}),
    (HeaderFormat("length:u16be", trailer="crc:bytes2", counts="length payload"), {"crc": b"\1\2"}),
    (HeaderFormat("a:u8 length:u64le b:u8", counts="b payload"), {"a": 1, "b": 2}),
    (HeaderFormat("size:u48be", length="size", max_frame_size=5000), None),
]


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:60])
def test_the_contract(form, fields):
    check_format(form, fields=fields)


def test_the_contract_where_sizes_are_scaled_or_fixed():
    check_format(HeaderFormat("length:u16be*4"), [b"", b"abcd", b"x" * 400])
    check_format(HeaderFormat("length:u8*2 type:u8", counts="frame"), [b"", b"ab", b"xy" * 100], fields={"type": 2})
    check_format(HeaderFormat("(ack:1 length:7*4):u8"), [b"", b"abcd", b"x" * 400], fields={"ack": 1})
    check_format(HeaderFormat("id:u8", payload_size=3), [b"abc", b"\0\0\0"], fields={"id": 1})
    check_format(HeaderFormat(trailer="end:u8=0xce", payload_size=5), [b"abcde", b"fghij"])


@st.composite
def declarations(draw):
    """A header of some fields, a trailer perhaps, and what the length counts."""
    width = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8]))
    order = draw(st.sampled_from(["be", "le"])) if width > 1 else ""
    before = draw(st.lists(st.sampled_from(["u8", "u16be", "u24le", "bytes3", "u64le"]), max_size=3))
    after = draw(st.lists(st.sampled_from(["u8", "u32be", "bytes2"]), max_size=2))
    trailer = draw(st.lists(st.sampled_from(["u8", "u16le", "bytes3"]), max_size=2))
    types = {f"f{number}": name for number, name in enumerate([*before, *after, *trailer])}
    names = list(types)
    head, foot = names[: len(before + after)], names[len(before + after) :]
    parts = [f"{name}:{types[name]}" for name in head]
    parts.insert(len(before), f"length:u{8 * width}{order}")
    counted = draw(st.sets(st.sampled_from(["length", *names])))
    counts = draw(
        st.sampled_from(["frame", "payload", "header payload", "payload trailer", " ".join(["payload", *counted])])
    )
    form = HeaderFormat(" ".join(parts), trailer=" ".join(f"{name}:{types[name]}" for name in foot), counts=counts)
    size = {name: int(kind[5:]) if kind[0] == "b" else int(kind[1:].rstrip("bel")) // 8 for name, kind in types.items()}
    fields = {
        name: draw(st.binary(min_size=size[name], max_size=size[name]))
        if types[name][0] == "b"
        else draw(st.integers(0, 256 ** size[name] - 1))
        for name in names
    }
    counted_size = {
        "frame": width + sum(size.values()),
        "header payload": width + sum(size[name] for name in head),
        "payload trailer": sum(size[name] for name in foot),
    }.get(counts, sum(size.get(name, width) for name in counts.split() if name != "payload"))
    return form, fields, counted_size, width, sum(size.values())


@given(declarations(), st.lists(st.binary(max_size=30), max_size=4))
def test_whatever_is_declared_comes_back_and_counts_what_it_says(declared, payloads):
    form, fields, counted_size, width, rest_size = declared
    wires = [form.serialize(payload, fields) for payload in payloads]
    for payload, wire in zip(payloads, wires, strict=True):
        frame = form.frame(wire)
        assert frame.header["length"] == len(payload) + counted_size
        assert (frame.fields, frame.payload) == (fields, payload)
        assert len(wire) == width + rest_size + len(payload)
    whole = outcome(form, [b"".join(wires)])
    assert (whole.payloads, whole.error, [data for _, data in whole.frames]) == (payloads, None, wires)


@pytest.mark.parametrize("form", [form for form, _ in DECLARED], ids=repr)
@given(data=st.binary(max_size=40))
def test_the_quick_measure_is_the_careful_one(form, data):
    def told(measure):
        try:
            return measure(data, 0, len(data))
        except HeaderError as error:
            return str(error)

    assert told(form.measurer()) == told(form.measure)


def test_a_trailer_is_never_part_of_the_payload():
    # The length counts as much beside the payload as the trailer has: the sum is that of a format without one.
    form = HeaderFormat("length:u16be", trailer="end:u8", counts="payload trailer")
    wire = form.serialize(b"ab", {"end": 7})
    assert wire == b"\0\3ab\7"
    assert outcome(form, [wire, wire + wire]).payloads == [b"ab"] * 3


def test_the_default_limit_is_what_the_length_can_announce():
    assert HeaderFormat("length:u8").max_frame_size == 256
    assert HeaderFormat("type:u8 length:u16be", counts="frame").max_frame_size == 65535
    assert HeaderFormat("length:u32be").max_frame_size == 1 << 20
    assert HeaderFormat("length:u8*4").max_frame_size == 1 + 255 * 4


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        ({"header": ""}, "length", "nothing tells where a frame ends"),
        ({"header": "size:u8"}, "length", "no header field is called length"),
        ({"header": "length:bytes2"}, "length", "free integer"),
        ({"header": "length:u8=4"}, "length", "free integer"),
        ({"header": "(length:4=1 rest:4):u8"}, "length", "free integer"),
        ({"header": "length:u8", "counts": "body"}, "counts", "cannot count body"),
        ({"header": "length:u8", "counts": "payload payload"}, "counts", "counts payload twice"),
        ({"header": "length:u8", "counts": ""}, "counts", "must count the payload"),
        ({"header": "length:u8", "counts": "header length payload"}, "counts", "counts length twice"),
        ({"header": "length:u8", "trailer": "end:u8", "counts": "payload trailer end"}, "counts", "counts end twice"),
        ({"header": "(a:1 length:7):u8", "counts": "a length payload"}, "counts", "counts a twice"),
        ({"header": "pad:bytes300 length:u8", "counts": "frame"}, "counts", "cannot count as much"),
        ({"header": "length:u8", "max_frame_size": 257}, "max_frame_size", "limit"),
        ({"header": "length:u8", "max_frame_size": 0}, "max_frame_size", "limit"),
        ({"header": "pad:bytes2000000 length:u32be"}, "max_frame_size", "limit"),
        ({"header": "", "payload_size": 5}, "header", "neither a header nor a trailer"),
        ({"header": "a:u8", "payload_size": -1}, "payload_size", "so small"),
        ({"header": "a:u8", "payload_size": 3, "max_frame_size": 3}, "max_frame_size", "limit"),
        ({"header": "a:u8 length:u8", "trailer": "a:u8"}, "a", "header and trailer both"),
        ({"header": "a:u8*2 length:u8"}, None, "a has a scale"),
        ({"header": "(a:4*2 b:4):u8 length:u8"}, None, "a has a scale"),
        ({"header": "length:u8", "trailer": "a:u8*2"}, None, "a has a scale"),
        ({"header": "length:varint"}, None, "no fixed width"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, key, text):
    with pytest.raises(DefinitionError, match=text) as caught:
        HeaderFormat(**options)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "options",
    [{"header": 5}, {"header": "length:u8", "counts": ["payload"]}, {"header": "length:u8", "max_frame_size": "9"},
     {"header": "a:u8", "payload_size": "3"}, {"header": "length:u8", "trailer": None}],
)  # fmt: skip
def test_options_of_a_wrong_type_are_a_bug(options):
    with pytest.raises(TypeError):
        HeaderFormat(**options)


def test_counting_a_trailer_field_beside_the_header_is_fine():
    form = HeaderFormat("length:u8", trailer="a:u8 b:u8", counts="header payload a")
    assert form.serialize(b"x", {"a": 1, "b": 2}) == b"\3x\1\2"


@pytest.mark.parametrize(
    ("fields", "path"),
    [({}, "type"), ({"type": 256, "id": b"ab"}, "type"), ({"type": -1, "id": b"ab"}, "type"),
     ({"type": "1", "id": b"ab"}, "type"), ({"type": 1}, "id"), ({"type": 1, "id": b"a"}, "id"),
     ({"type": 1, "id": "ab"}, "id"), ({"type": 1, "id": memoryview(bytes(8)).cast("I")}, "id"),
     ({"type": 1, "id": b"ab", "magic": b"no"}, "magic")],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named(fields, path):
    form = HeaderFormat("magic:bytes2=ok type:u8 id:bytes2 length:u8")
    with pytest.raises(EncodeError) as caught:
        form.serialize(b"", fields)
    assert caught.value.path == path


def test_an_unknown_field_is_refused():
    with pytest.raises(EncodeError, match="no field color"):
        get_format("u8").serialize(b"", {"color": 1})


def test_a_header_as_it_was_read_can_be_written_again():
    form = HeaderFormat("magic:bytes2=ok type:u8 length:u8")
    wire = form.serialize(b"hi", {"type": 3})
    assert form.serialize(b"hi", form.frame(wire).header) == wire


def test_a_size_that_no_length_says_is_refused():
    form = HeaderFormat("length:u8*4 pad:u8", counts="frame", max_frame_size=1000)
    assert form.serialize(b"ab", {"pad": 0}) == b"\1\0ab"
    with pytest.raises(EncodeError) as caught:
        form.serialize(b"abc", {"pad": 0})
    assert caught.value.path == "length"


def test_many_frames_are_the_frames_one_by_one():
    for form in (get_format("u8"), get_format("u16be"), HeaderFormat("length:u8*2"), HeaderFormat("length:u24le")):
        for payloads in ([], [b"ab"], [b"ab", b"", b"abcd", b"cd"], [b"ab", b"cd"]):
            assert form.serialize_many(payloads) == b"".join(map(form.serialize, payloads))
    with pytest.raises(FrameTooLargeError):
        get_format("u8").serialize_many([b"a", b"x" * 256])
    with pytest.raises(EncodeError):
        HeaderFormat("length:u8*2").serialize_many([b"ab", b"a"])


@pytest.mark.parametrize("form", [form for form, _ in DECLARED], ids=repr)
def test_repr_makes_the_format_again(form):
    assert eval(repr(form), {"HeaderFormat": HeaderFormat}) == form
