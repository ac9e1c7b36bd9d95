"""Header blocks with a Content-Length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError, TruncatedFrameError
from framing.formats.header_block import HeaderBlockFormat
from framing.testing import check_format, outcome

LSP = HeaderBlockFormat()
RTSP = HeaderBlockFormat(start_line=True, required=False)
BARE = HeaderBlockFormat(required=False)
OTHER = HeaderBlockFormat(length="Size", max_header_size=64)


SIP = HeaderBlockFormat(short="l", start_line=True)


@pytest.mark.parametrize("form", [LSP, BARE, OTHER], ids=repr)
def test_the_contract(form):
    check_format(form)
    check_format(form, [b"", b"{}"], fields={"headers": {"content-type": "a/b; c=d", "x": ""}})


def test_the_contract_with_a_start_line():
    check_format(RTSP, fields={"start": "OPTIONS * RTSP/1.0", "headers": {"cseq": "1"}})


names = st.text("abcxyz-", min_size=1, max_size=8)
values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12).map(
    lambda text: text.strip(" \t")
)


@given(st.binary(max_size=60), st.dictionaries(names, values, max_size=4), st.integers(1, 30))
def test_what_is_written_is_read(payload, headers, size):
    wire = LSP.serialize(payload, {"headers": headers})
    parser = FrameParser(LSP)
    frames = []
    for place in range(0, len(wire), size):
        parser.feed(wire[place : place + size])
        frames += parser.take_frames()
    (frame,) = frames
    assert (frame.payload, frame.fields) == (payload, {"headers": headers})


@given(
    st.lists(
        st.sampled_from([b"Content-Length: 1", b"content-length:2", b"\r\n", b"\n", b"\r", b"a: b", b":", b" ", b"x"]),
        max_size=12,
    )
)
def test_any_cut_gives_the_same(parts):
    data = b"".join(parts)
    for form in (LSP, RTSP, BARE):
        whole = outcome(form, [data])
        for place in range(len(data)):
            assert outcome(form, [data[:place], data[place:]])[:3] == whole[:3]
        assert outcome(form, [bytes((byte,)) for byte in data])[:3] == whole[:3]


def test_the_other_headers_are_the_applications():
    data = b"X-A: 1\r\ncontent-LENGTH:\t2 \r\nx-a:  two\r\nVary:\r\n\r\n{}"
    frame = LSP.frame(data)
    assert LSP.measure(data, 0, len(data)) == len(data)
    assert frame.header == {"length": 2, "headers": {"x-a": "1, two", "vary": ""}}
    assert frame.payload == b"{}"
    assert LSP.serialize(b"{}", frame.fields) == b"Content-Length: 2\r\nx-a: 1, two\r\nvary: \r\n\r\n{}"


def test_bytes_above_127_come_back():
    data = b"Content-Length: 0\r\nx: \xe4\xff\r\n\r\n"
    assert LSP.serialize(b"", LSP.frame(data).fields) == data


def test_equal_lengths_are_one():
    assert outcome(LSP, [b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"]).payloads == [b"{}"]


def test_a_second_name_of_the_length():
    data = b"BYE sip:a SIP/2.0\r\nL: 2\r\n\r\nhi"
    assert outcome(SIP, [data]).payloads == [b"hi"]
    frame = SIP.frame(data)
    assert frame.header == {"start": "BYE sip:a SIP/2.0", "length": 2, "headers": {}}
    assert SIP.serialize(b"hi", frame.fields) == b"BYE sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"
    assert outcome(SIP, [b"x\r\nl: 2\r\nContent-Length: 3\r\n\r\n"]).error[0] is HeaderError
    assert outcome(SIP, [b"x\r\nl: 2\r\nContent-Length: 2\r\n\r\nhi"]).payloads == [b"hi"]
    with pytest.raises(EncodeError):
        SIP.serialize(b"", {"start": "x", "headers": {"l": "0"}})
    assert eval(repr(SIP), {"HeaderBlockFormat": HeaderBlockFormat}) == SIP
    with pytest.raises(DefinitionError):
        HeaderBlockFormat(short="a b")


def test_requests_without_a_body():
    stream = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nSETUP a\r\nContent-Length: 1\r\n\r\nxGET\r\n\r\n"
    parser = FrameParser(RTSP)
    parser.feed(stream)
    frames = parser.take_frames()
    assert [(frame.header["start"], frame.header["headers"], frame.payload) for frame in frames] == [
        ("OPTIONS * RTSP/1.0", {"cseq": "1"}, b""),
        ("SETUP a", {}, b"x"),
        ("GET", {}, b""),
    ]
    assert outcome(BARE, [b"\r\n\r\nContent-Length: 1\r\n\r\nx"]).payloads == [b"", b"", b"x"]


MALFORMED = [
    (LSP, b"Content-Length: 2\n\r\n", 17, "headers", "LF alone"),
    (LSP, b"\r\n", 0, "length", "there is no Content-Length"),
    (LSP, b"a: b\r\n\r\n", 0, "length", "there is no Content-Length"),
    (LSP, b"a: b\r\n folded\r\n", 6, "headers", "folded"),
    (LSP, b"junk\r\n", 0, "headers", "no header"),
    (LSP, b"Content-Length : 2\r\n", 0, "headers", "no name"),
    (LSP, b": 2\r\n", 0, "headers", "no name"),
    (LSP, b"N\xe4me: 2\r\n", 0, "headers", "no name"),
    (LSP, b"a: b\rc\r\n", 3, "headers", "control character"),
    (LSP, b"a: \0\r\n", 3, "headers", "control character"),
    (LSP, b"Content-Length: \r\n", 18 - 2, "length", "no number"),
    (LSP, b"Content-Length: +2\r\n", 16, "length", "no number"),
    (LSP, b"Content-Length: -2\r\n", 16, "length", "no number"),
    (LSP, b"Content-Length: 1_0\r\n", 16, "length", "no number"),
    (LSP, b"Content-Length: 0x2\r\n", 16, "length", "no number"),
    (LSP, b"Content-Length: 2, 2\r\n", 16, "length", "no number"),
    (LSP, b"Content-Length: 1 2\r\n", 16, "length", "no number"),
    (LSP, b"Content-Length: \xb2\r\n", 16, "length", "no number"),
    (LSP, b"Content-Length: 02\r\n", 16, "length", "leading zeros"),
    (LSP, b"Content-Length: 2\r\nCONTENT-LENGTH: 3\r\n", 35, "length", "twice"),
    (LSP, b"Transfer-Encoding: chunked\r\n", 19, "headers", "in another way"),
    (RTSP, b"\r\n", 0, "start", "first line"),
    (RTSP, b"GET\0\r\n", 0, "start", "first line"),
    (OTHER, b"x" * 64, 0, "headers", "do not end"),
    (OTHER, b"Size: 0\r\nx: " + b"x" * 60 + b"\r\n\r\n", 0, "headers", "do not end"),
]


@pytest.mark.parametrize(("form", "data", "offset", "field", "text"), MALFORMED)
def test_each_way_to_be_malformed_is_told(form, data, offset, field, text):
    good = form.serialize(b"{}", {"start": "a"} if form is RTSP else None)
    kind, shown, facts = outcome(form, [good + data]).error
    assert (kind, facts[0], facts[2]) == (HeaderError, len(good) + offset, field)
    assert text in shown
    assert "expected" in shown
    for place in range(len(data)):
        assert outcome(form, [good, data[:place], data[place:]]).error == (kind, shown, facts)


def test_a_bad_line_is_told_before_the_block_is_whole():
    with pytest.raises(HeaderError):
        LSP.measure(b"a b\r\n", 0, 5)
    assert LSP.measure(b"a: b\r\n\r", 0, 7) is None


def test_limits():
    wire = LSP.serialize(b"12345")
    assert outcome(LSP.limited(len(wire) - 1), [wire]).error[0] is FrameTooLargeError
    assert outcome(LSP, [b"Content-Length: " + b"9" * 5000 + b"\r\n"]).error[0] is FrameTooLargeError
    assert outcome(LSP, [b"x" * 8191]).error[0] is TruncatedFrameError
    assert outcome(LSP, [b"x" * 8192]).error[0] is HeaderError
    assert outcome(LSP.limited(100), [b"x" * 100]).error[0] is FrameTooLargeError
    exact = HeaderBlockFormat(max_header_size=len("Content-Length: 5\r\n\r\n"))
    assert outcome(exact, [wire]).payloads == [b"12345"]
    with pytest.raises(EncodeError):
        exact.serialize(b"12345", {"headers": {"a": "b"}})


class Counted(bytearray):
    """Bytes that count how many of them `find` has looked at."""

    looked_size = 0

    def find(self, part, start=0, end=None):
        end = len(self) if end is None else end
        place = super().find(part, start, end)
        self.looked_size += (end if place < 0 else place + len(part)) - start
        return place


def test_no_line_is_looked_at_twice():
    measure = HeaderBlockFormat().measurer()
    buffer = Counted()
    for byte in b"a: " + b"x" * 3000 + b"\r\n" + b"b: c\r\n" * 700:
        buffer.append(byte)
        assert measure(buffer, 0, len(buffer)) is None
    assert buffer.looked_size <= 2 * len(buffer)


@pytest.mark.parametrize(
    "fields",
    [
        {"length": 2},
        {"headers": None},
        {"headers": [("a", "b")]},
        {"headers": {"a b": "c"}},
        {"headers": {"": "c"}},
        {"headers": {5: "c"}},
        {"headers": {"a": 5}},
        {"headers": {"a": None}},
        {"headers": {"a": "b\r\nc: d"}},
        {"headers": {"a": "\x00"}},
        {"headers": {"a": " b"}},
        {"headers": {"a": "\u20ac"}},
        {"headers": {"a": "b", "A": "c"}},
        {"headers": {"content-length": "3"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"start": "GET"},
    ],
)
def test_what_cannot_be_written(fields):
    with pytest.raises(EncodeError):
        LSP.serialize(b"", fields)


@pytest.mark.parametrize("start", [None, "", "a\r\nb: c", 5])
def test_a_start_line_is_a_line(start):
    with pytest.raises(EncodeError):
        RTSP.serialize(b"", {"start": start})


@pytest.mark.parametrize(
    ("options", "key"),
    [({"length": ""}, "length"), ({"length": "a b"}, "length"), ({"length": "\ud800"}, "length"),
     ({"max_header_size": 20}, "max_header_size"), ({"max_frame_size": 20}, "max_frame_size")],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_once(options, key):
    with pytest.raises(DefinitionError) as caught:
        HeaderBlockFormat(**options)
    assert caught.value.key == key


@pytest.mark.parametrize("options", [{"length": b"a"}, {"start_line": 1}, {"required": "no"}, {"max_header_size": "1"}])
def test_options_of_a_wrong_type_are_a_bug(options):
    with pytest.raises(TypeError):
        HeaderBlockFormat(**options)


@pytest.mark.parametrize("form", [LSP, RTSP, BARE, OTHER], ids=repr)
def test_repr_makes_an_equal_format(form):
    assert eval(repr(form), {"HeaderBlockFormat": HeaderBlockFormat}) == form
