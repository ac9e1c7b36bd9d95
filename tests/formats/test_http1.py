"""HTTP/1.1 messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameError, FrameParser, FrameTooLargeError, HeaderError
from framing.formats.http1 import Http1Format
from framing.testing import check_format, outcome

REQUEST = Http1Format("request")
RESPONSE = Http1Format("response")
BODILESS = Http1Format("response", method="HEAD")
SMALL = Http1Format("response", max_header_size=60, max_frame_size=80)
GET = {"method": "GET", "target": "/"}
CHUNKED = [["Transfer-Encoding", "chunked"]]


@pytest.mark.parametrize(
    ("form", "payloads", "fields"),
    [
        (REQUEST, [b"", b"abc"], {"method": "POST", "target": "/a?b"}),
        (REQUEST, [b"", b"abc", b"x" * 300], {**GET, "headers": [["Host", "a"], *CHUNKED]}),
        (RESPONSE, [b"", b"abc"], {"status": 200, "reason": "OK"}),
        (RESPONSE, [b"abc"], {"status": 200, "headers": CHUNKED, "chunks": ["2;a=b", "001", "0"]}),
        (RESPONSE, [b""], {"status": 200, "headers": CHUNKED, "chunks": ["000"], "trailers": [["X", "y"]]}),
        (RESPONSE, [b""], {"status": 304, "reason": None, "headers": [["Content-Length", "5"]]}),
        (BODILESS, [b""], {"status": 200, "headers": [["Content-Length", "5"]]}),
        (SMALL, [b"", b"abc"], {"status": 404, "reason": None}),
    ],
)  # fmt: skip
def test_the_contract(form, payloads, fields):
    check_format(form, payloads, fields=fields)


def error_of(form, chunks):
    parser = FrameParser(form)
    for chunk in chunks:
        parser.feed(chunk)
        try:
            assert parser.next_frame() is None
        except FrameError as error:
            return error
    return None


def test_a_body_may_go_on_until_the_stream_ends():
    wire = b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello"
    parser = FrameParser(RESPONSE)
    for byte in wire:
        parser.feed(bytes((byte,)))
        assert parser.next_frame() is None
    parser.finish()
    frame = parser.next_frame()
    assert (frame.payload, frame.header["until_close"]) == (b"hello", True)
    assert RESPONSE.serialize(frame.payload, frame.fields) == wire


def test_content_length_is_written_where_nothing_tells_the_size():
    assert RESPONSE.serialize(b"", {"status": 200}) == b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"
    assert RESPONSE.serialize(b"", {"status": 204}) == b"HTTP/1.1 204 \r\n\r\n"
    assert REQUEST.serialize(b"", GET) == b"GET / HTTP/1.1\r\n\r\n"
    assert REQUEST.serialize(b"a", GET) == b"GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\na"
    assert BODILESS.serialize(b"", {"status": 200}) == b"HTTP/1.1 200 \r\n\r\n"


@pytest.mark.parametrize(
    ("form", "payload", "fields"),
    [
        (REQUEST, b"a", {**GET, "headers": [["Content-Length", "2"]]}),
        (REQUEST, b"", {"method": "GET"}),
        (REQUEST, b"", {"method": "G T", "target": "/"}),
        (REQUEST, b"", {"method": "GET", "target": "/ HTTP/1.1\r\nX: y"}),
        (REQUEST, b"", {**GET, "version": "2.0"}),
        (REQUEST, b"", {**GET, "color": "red"}),
        (REQUEST, b"", {**GET, "headers": [["A", "b\r\nC: d"]]}),
        (REQUEST, b"", {**GET, "headers": {"A": "b"}}),
        (REQUEST, b"", {**GET, "headers": [["Content-Length", "0"], *CHUNKED]}),
        (REQUEST, b"", {**GET, "chunks": ["0"]}),
        (REQUEST, b"ab", {**GET, "headers": CHUNKED, "chunks": ["1", "0"]}),
        (REQUEST, b"ab", {**GET, "headers": CHUNKED, "chunks": ["2"]}),
        (REQUEST, b"ab", {**GET, "headers": CHUNKED, "chunks": ["2\r\n", "0"]}),
        (RESPONSE, b"a", {"status": 204}),
        (RESPONSE, b"a", {"status": "200"}),
        (RESPONSE, b"a", {"status": 200, "headers": [["Content-Length", "1"]], "until_close": True}),
        (BODILESS, b"a", {"status": 200}),
        (SMALL, b"", {"status": 200, "headers": [["A", "b" * 38]]}),
    ],
)  # fmt: skip
def test_what_would_be_read_differently_is_not_written(form, payload, fields):
    with pytest.raises(EncodeError):
        form.serialize(payload, fields)


@pytest.mark.parametrize(
    ("form", "wire", "offset", "field"),
    [
        (REQUEST, b"GET /\r\n", 0, "start"),
        (REQUEST, b"GET / HTTP/1.1\n", 0, "start"),
        (REQUEST, b"GET  / HTTP/1.1\r\n", 0, "start"),
        (REQUEST, b"GET / HTTP/2.0\r\n", 0, "start"),
        (REQUEST, b"\r\nGET / HTTP/1.1\r\n\r\n", 0, "start"),
        (RESPONSE, b"HTTP/1.1 20 OK\r\n", 0, "start"),
        (REQUEST, b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 16, "headers"),
        (REQUEST, b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 22, "headers"),
        (REQUEST, b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 19, "headers"),
        (REQUEST, b"GET / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", 32, "length"),
        (REQUEST, b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 51, "headers"),
        (REQUEST, b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 54, "headers"),
        (REQUEST, b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 35, "headers"),
        (REQUEST, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 35, "headers"),
        (REQUEST, b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 35, "headers"),
        (REQUEST, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 46, "chunks"),
        (REQUEST, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab", 50, "chunks"),
        (REQUEST, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\ra", 50, "chunks"),
        (REQUEST, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\na", 47, "chunks"),
        (REQUEST, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n", 49, "headers"),
        (SMALL, b"HTTP/1.1 200 \r\n" + b"x" * 45, 0, "headers"),
    ],
)
def test_each_mistake_has_its_place(form, wire, offset, field):
    for chunks in ([wire], [bytes((byte,)) for byte in wire]):
        error = error_of(form, chunks)
        assert type(error) is HeaderError
        assert (error.offset, error.field) == (offset, field)


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 60,
    ],
)
def test_what_is_too_large_is_refused_before_it_is_kept(wire):
    for chunks in ([wire], [bytes((byte,)) for byte in wire]):
        assert type(error_of(SMALL, chunks)) is FrameTooLargeError


@pytest.mark.parametrize("form", [BODILESS, RESPONSE, SMALL])
def test_a_body_that_does_not_come_may_be_of_any_size(form):
    status = b"200" if form is BODILESS else b"304"
    wire = b"HTTP/1.1 %b \r\nContent-Length: 104857600\r\n\r\n" % status
    for chunks in ([wire * 3], [bytes((byte,)) for byte in wire * 3]):
        assert outcome(form, chunks).payloads == [b""] * 3


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"side": "peer"}, "side"),
        ({"side": "request", "method": "HEAD"}, "method"),
        ({"side": "response", "method": "GET"}, "method"),
        ({"side": "request", "max_header_size": 3}, "max_header_size"),
    ],
)
def test_options_that_cannot_be(options, key):
    with pytest.raises(DefinitionError) as caught:
        Http1Format(**options)
    assert caught.value.key == key


PARTS = [
    b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 \r\n", b"Content-Length: 3\r\n", b"A:\r\n", b"\r\n",
    b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n", b"0\r\n", b"abc", b"5;x=y\r\n", b"\n", b"\r", b"x",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=14))
def test_any_cut_gives_the_same(parts):
    data = b"".join(parts)
    for form in (REQUEST, RESPONSE, BODILESS, SMALL):
        whole = outcome(form, [data])
        for place in range(len(data)):
            assert outcome(form, [data[:place], data[place:]])[:3] == whole[:3]
        assert outcome(form, [bytes((byte,)) for byte in data])[:3] == whole[:3]


@given(
    st.binary(max_size=60),
    st.lists(st.tuples(st.text("abcX-", min_size=1, max_size=5), st.text("abc ,;", max_size=6).map(str.strip))),
    st.booleans(),
)
def test_what_is_written_is_read(payload, headers, is_chunked):
    given = [list(pair) for pair in headers] + (CHUNKED if is_chunked else [])
    wire = RESPONSE.serialize(payload, {"status": 200, "headers": given})
    parser = FrameParser(RESPONSE)
    parser.feed(wire * 2)
    frames = parser.take_frames()
    assert [frame.payload for frame in frames] == [payload, payload]
    assert frames[0].header["headers"][: len(given)] == given
    assert RESPONSE.serialize(payload, frames[0].fields) == wire


def test_it_shows_what_it_is():
    assert repr(BODILESS) == "Http1Format('response', method='HEAD', max_frame_size=1048576)"
