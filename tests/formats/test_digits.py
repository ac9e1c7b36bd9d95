"""Lengths in ASCII digits; netstrings have a file of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError, TruncatedFrameError
from framing.formats.digits import DigitsFormat, OctetCountingFormat, PktLineFormat
from framing.testing import check_format, outcome

UCP = {
    "digits": 5,
    "before": "start:u8=2 transaction:bytes2 slash:bytes1=/",
    "separator": "/",
    "end": "\x03",
    "counts": "transaction slash length separator payload",
}
FORMS = [
    DigitsFormat(4, base=16),
    DigitsFormat(3, max_frame_size=300),
    DigitsFormat(4, separator=b": ", end="\r\n"),
    DigitsFormat(separator="\r\n", end="\r\n", before="type:bytes1=$"),
    DigitsFormat(base=16, separator="\r\n", end="\r\n"),
    DigitsFormat(6, base=16, counts="frame", end=";"),
    DigitsFormat(separator="/", counts="separator payload end", end=";"),
    DigitsFormat(20),
    OctetCountingFormat(),
    PktLineFormat(),
]


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_the_contract(form):
    check_format(form)


def test_the_contract_with_fields():
    check_format(DigitsFormat(**UCP), fields={"transaction": b"07"})
    for control in (PktLineFormat.FLUSH, PktLineFormat.DELIM, PktLineFormat.RESPONSE_END, PktLineFormat.DATA):
        check_format(PktLineFormat(), [b""], fields={"control": control})
    check_format(PktLineFormat(), [b"a", b"0000"], fields={"control": PktLineFormat.DATA})


@pytest.mark.parametrize("form", FORMS, ids=repr)
@given(payloads=st.lists(st.binary(min_size=1, max_size=120), max_size=4), size=st.integers(1, 20))
def test_what_is_written_is_read(form, payloads, size):
    stream = b"".join(map(form.serialize, payloads))
    whole = outcome(form, [stream[place : place + size] for place in range(0, len(stream), size)])
    assert (whole.payloads, whole.error) == (payloads, None)


@pytest.mark.parametrize("form", FORMS, ids=repr)
@given(data=st.text("01234567afF:/;\r\n $x", max_size=40).map(str.encode), place=st.integers(0, 40))
def test_the_hot_loops_and_any_cut_give_the_same(form, data, place):
    whole, cut = outcome(form, [data]), outcome(form, [data[:place], data[place:]])
    assert cut[:3] == whole[:3]
    parser, taken = FrameParser(form), []
    parser.feed(data)
    try:
        while some := parser.take_payloads():
            taken += some
    except (HeaderError, FrameTooLargeError):
        pass
    assert taken == whole.payloads


def test_ucp():
    # EMI-UCP interface specification 4.0, section 3: the length counts all between STX and ETX.
    wire = b"\x0201/00045/O/30/66677789///1//////68656C6C6F/CE\x03"
    form = DigitsFormat(**UCP)
    frame = form.frame(wire)
    assert form.measure(wire, 0, len(wire)) == len(wire)
    assert frame.fields == {"transaction": b"01"}
    assert frame.header == {"start": 2, "transaction": b"01", "slash": b"/", "length": 45}
    assert form.serialize(frame.payload, frame.fields) == wire


@pytest.mark.parametrize(
    ("form", "data", "offset", "field", "expected"),
    [
        (FORMS[0], b"00zz", 2, "length", "a digit"),
        (FORMS[0], b"+01a", 0, "length", "a digit"),
        (FORMS[0], b"0x1f", 1, "length", "a digit"),
        (FORMS[0], b"1_00", 1, "length", "a digit"),
        (FORMS[0], b"  1a", 0, "length", "a digit"),
        (FORMS[1], b"00a", 2, "length", "a digit"),
        (FORMS[2], b"0001:-", 4, "separator", b": "),
        (FORMS[2], b"0001: a\n\n", 7, "end", b"\r\n"),
        (FORMS[3], b"#1\r\na\r\n", 0, "type", (b"$",)),
        (FORMS[3], b"$\r\n", 1, "length", "a digit"),
        (FORMS[3], b"$01\r\n", 2, "length", "the separator: a length has no leading zeros"),
        (FORMS[3], b"$1a", 2, "length", "a digit or the separator"),
        (FORMS[3], b"$1\r\r", 2, "separator", b"\r\n"),
        (FORMS[5], b"000006", 0, "length", "7 or more"),
        (FORMS[8], b"0 ", 0, "length", "1 or more"),
        (FORMS[9], b"0003", 0, "length", "4 or more"),
        (DigitsFormat(**UCP), b"\x0201-00045/", 3, "slash", (b"/",)),
    ],
)
def test_each_way_to_be_malformed_is_told(form, data, offset, field, expected):
    kind, text, facts = outcome(form, [data]).error
    assert (kind, facts[0], facts[2], facts[3]) == (HeaderError, offset, field, expected)
    assert "found" in text
    for place in range(len(data)):
        assert outcome(form, [data[:place], data[place:]]).error == (kind, text, facts)


def test_the_texts_differ():
    texts = {
        outcome(form, [data]).error[1].partition(" (")[0]
        for form, data in [(FORMS[0], b"zzzz"), (FORMS[2], b"0001:-"), (FORMS[2], b"0001: a\n\n"),
                           (FORMS[8], b"0 "), (FORMS[9], b"0003")]
    }  # fmt: skip
    assert len(texts) == 5


def test_a_run_of_digits_is_refused_before_it_is_a_number():
    form = OctetCountingFormat(max_frame_size=100)
    assert form.measure(b"999", 0, 3) is None
    with pytest.raises(FrameTooLargeError):
        form.measure(b"9999", 0, 4)
    assert outcome(OctetCountingFormat(), [b"9" * 100_000]).error[0] is FrameTooLargeError


def test_the_length_may_stand_alone_before_the_end():
    assert outcome(FORMS[0], [b"00"]).error[0] is TruncatedFrameError
    assert outcome(FORMS[8], [b"5"]).error[0] is TruncatedFrameError


def test_hex_in_either_case_is_written_in_lower_case():
    whole = outcome(FORMS[0], [b"000AxxxxxxxxxX000axxxxxxxxxx"])
    assert whole.payloads == [b"xxxxxxxxxX", b"x" * 10]
    assert FORMS[0].serialize(b"x" * 10)[:4] == b"000a"


def test_control_packets_are_told_from_data():
    parser = FrameParser(PktLineFormat())
    parser.feed(b"0005a" + b"0000" + b"0001" + b"0002" + b"0004")
    frames = parser.take_frames()
    assert [(frame.payload, frame.fields["control"]) for frame in frames] == [
        (b"a", 4), (b"", 0), (b"", 1), (b"", 2), (b"", 4),
    ]  # fmt: skip
    assert [frame.header["length"] for frame in frames] == [5, 0, 1, 2, 4]


@pytest.mark.parametrize(
    ("payload", "fields"),
    [(b"a", {"control": 0}), (b"", {"control": 3}), (b"", {"control": -1}), (b"", {"control": b"flush"}),
     (b"", {"length": 1})],
)  # fmt: skip
def test_what_is_no_control_packet(payload, fields):
    with pytest.raises(EncodeError):
        PktLineFormat().serialize(payload, fields)


def test_what_cannot_be_written():
    with pytest.raises(EncodeError):
        OctetCountingFormat().serialize(b"")
    with pytest.raises(EncodeError):
        DigitsFormat(**UCP).serialize(b"", {"transaction": b"123"})
    with pytest.raises(EncodeError):
        DigitsFormat(**UCP).serialize(b"")
    with pytest.raises(FrameTooLargeError):
        DigitsFormat(2).serialize(b"x" * 100)
    with pytest.raises(FrameTooLargeError):
        PktLineFormat().serialize(b"x" * 65517)
    assert len(PktLineFormat().serialize(b"x" * 65516)) == 65520


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "separator"),
        ({"separator": "1"}, "separator"),
        ({"separator": "a", "base": 16}, "separator"),
        ({"digits": -1}, "digits"),
        ({"digits": 21}, "digits"),
        ({"digits": 4, "base": 8}, "base"),
        ({"digits": 4, "control_count": -1}, "control_count"),
        ({"digits": 4, "control_count": 1}, "control_count"),
        ({"digits": 4, "counts": "length"}, "counts"),
        ({"digits": 4, "counts": "length payload length"}, "counts"),
        ({"digits": 4, "counts": "header length payload"}, "counts"),
        ({"digits": 4, "counts": "payload trailer end", "end": ";"}, "counts"),
        ({"separator": ":", "counts": "length payload"}, "counts"),
        ({"separator": ":", "counts": "frame"}, "counts"),
        ({"digits": 4, "before": "end:u8"}, "before"),
        ({"digits": 4, "before": "length:u8"}, "before"),
        ({"digits": 4, "before": "size:varint"}, "before"),
        ({"digits": 4, "before": "size:u8*4"}, "before"),
        ({"digits": 4, "max_frame_size": 3}, "max_frame_size"),
        ({"digits": 1, "max_frame_size": 11}, "max_frame_size"),
        ({"digits": 1, "empty": False, "max_frame_size": 1}, "max_frame_size"),
        ({"separator": " ", "empty": False, "max_frame_size": 2}, "max_frame_size"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, key):
    with pytest.raises(DefinitionError) as caught:
        DigitsFormat(**options)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "options",
    [{"digits": "4"}, {"digits": True}, {"digits": 4, "separator": 5}, {"digits": 4, "end": None},
     {"digits": 4, "empty": 1}, {"digits": 4, "before": b""}, {"digits": 4, "max_frame_size": "9"}],
)  # fmt: skip
def test_options_of_a_wrong_type_are_a_bug(options):
    with pytest.raises(TypeError):
        DigitsFormat(**options)


def test_limits_are_lowered_to_what_the_digits_can_announce():
    assert DigitsFormat(2).max_frame_size == 101
    assert DigitsFormat(2).limited(5000).max_frame_size == 101
    assert PktLineFormat().limited(1 << 20).max_frame_size == 65535


@pytest.mark.parametrize("form", [*FORMS, DigitsFormat(**UCP)], ids=repr)
def test_repr_makes_an_equal_format(form):
    names = {"DigitsFormat": DigitsFormat, "OctetCountingFormat": OctetCountingFormat, "PktLineFormat": PktLineFormat}
    assert eval(repr(form), names) == form
