"""What decides the body of an ordinary head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameError
from framing.formats.http1 import Http1Format
from framing.formats.scans.http1_head import CHUNKED, UNTIL_CLOSE, head_reader

FORMS = [
    Http1Format("request"),
    Http1Format("response"),
    Http1Format("request", max_header_size=120, max_frame_size=150),
    Http1Format("response", max_header_size=70),
]
REQUEST, RESPONSE = b"POST /a?b HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n"
TOLD = [
    (REQUEST, 0),
    (REQUEST + b"Host: a\r\nA:\r\n", 0),
    (REQUEST + b"Content-Length: 12\r\n", 12),
    (REQUEST + b"A: \xe4 b \r\ncontent-LENGTH:\t 12 \t\r\nContent-Length-X: 7\r\nTE: chunked\r\n", 12),
    (REQUEST + b"transfer-encoding:CHUNKED\r\nContent: 5\r\nTransfer: chunked\r\n", CHUNKED),
    (RESPONSE, UNTIL_CLOSE),
    (b"HTTP/1.1 200\r\nContent-Length: 0\r\n", 0),
    (b"HTTP/1.9 200 \r\nTransfer-Encoding: chunked \r\nA: b\r\n", CHUNKED),
    (b"HTTP/1.1 204 No\r\n", 0),
    (b"HTTP/1.1 304 \r\nContent-Length: 12\r\n", 0),
    (b"HTTP/1.1 304 \r\nContent-Length: 12345678901234567890\r\n", 0),
    (REQUEST + b"Content-Length: 12345678901234567890\r\n", 12345678901234567890),
    (b"HTTP/1.1 103 \r\nTransfer-Encoding: chunked\r\n", 0),
]
NOT_ORDINARY = [
    b"POST /a HTTP/1.0\r\nContent-Length: 1\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n",
    b"HTTP/1.1 304 \r\nContent-Length: 123456789012345678901\r\n",
    b"GET /\r\n",
    b"HTTP/1.1 20 \r\n",
    *(
        REQUEST + headers
        for headers in (
            b"Content-Length: 1\r\nContent-Length: 1\r\n",
            b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n",
            b"Transfer-Encoding: chunked,\r\n",
            b"Transfer-Encoding: xchunked\r\n",
            b"Transfer-Encoding: \x0bchunked\r\n",
            b"Transfer-Encoding:\r\n",
            b"Content-Length: 01\r\n",
            b"Content-Length: +1\r\n",
            b"Content-Length: 1 1\r\n",
            b"Content-Length: 0x1\r\n",
            b"Content-Length: 1,1\r\n",
            b"Content-Length: 123456789012345678901\r\n",
            b"Content-Length: \xb2\r\n",
            b"Content-Length:\r\n",
            b"Content-Length : 1\r\n",
            b" Content-Length: 1\r\n",
            b"A: b\r\n Content-Length: 1\r\n",
            b"A: b\nContent-Length: 1\r\n",
            b"A: b\rContent-Length: 1\r\n",
            b"A: b\r\r\nContent-Length: 1\r\n",
            b"A: b\0\r\n",
            b"A: \x7f\r\n",
            b"A\r\n",
            b": a\r\n",
            b"A b: c\r\n",
            b"\xe4: c\r\n",
        )
    ),
]


def ordinary(form, head):
    return head_reader(form.side, form.block_limit)(head, 0, len(head))


@pytest.mark.parametrize(("head", "size"), TOLD)
def test_an_ordinary_head(head, size):
    form = FORMS[head.startswith(b"HTTP")]
    head += b"\r\n"
    assert ordinary(form, head + b"\r\nabc") == (len(head), size)
    assert form.read_head(head, 0, len(head)).told == size
    assert [ordinary(form, head[:end]) for end in range(len(head))] == [None] * len(head)


@pytest.mark.parametrize("head", NOT_ORDINARY)
def test_all_else_is_left_to_who_reads_it_carefully(head):
    assert ordinary(FORMS[head.startswith(b"HTTP")], head + b"\r\n") is None


def test_a_head_over_the_limit_is_left():
    head = REQUEST + b"A: b\r\n\r\n"
    assert head_reader("request", len(head))(head, 0, len(head)) == (len(head), 0)
    assert head_reader("request", len(head) - 1)(head, 0, len(head)) is None


LINES = [one for head in NOT_ORDINARY + [head for head, _ in TOLD] for one in head.split(b"\r\n")]
lines = st.one_of(st.sampled_from(LINES), st.sampled_from([b"Content-Length: 1", b"Transfer-Encoding: chunked"]))


@given(st.sampled_from([REQUEST, RESPONSE, *NOT_ORDINARY]), st.lists(lines, max_size=5), st.data())
def test_what_it_tells_is_what_is_read(start, headers, data):
    head = b"\r\n".join([start + b"\r\n".join(headers), b"", b""]).replace(b"\r\n\r\n", b"\r\n") + b"\r\n"
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(head)))
        piece = data.draw(st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b":", b"\0", b"\xff", b"0", b"c"]))
        head = head[:place] + piece + head[place + data.draw(st.integers(0, 1)) :]
    for form in FORMS:
        told = ordinary(form, head)
        if told is not None:
            stop = form.head_end(head, 0, len(head))
            assert told == (stop, form.read_head(head, 0, stop).told)
            assert form.told(bytearray(head), 0, len(head)) == told


@given(st.sampled_from([REQUEST, RESPONSE]), st.lists(lines, max_size=5))
def test_most_good_heads_are_ordinary(start, headers):
    head = b"\r\n".join([start[:-2], *filter(None, headers), b"", b""])
    form = FORMS[start == RESPONSE]
    try:
        read = form.read_head(head, 0, len(head))
    except FrameError:
        assert ordinary(form, head) is None
        return
    names = [name.lower() for name, _ in read.headers]
    decisive = names.count("content-length") + names.count("transfer-encoding")
    codings = [text.lower() for name, text in read.headers if name.lower() == "transfer-encoding"]
    assert (ordinary(form, head) is not None) == (decisive < 2 and codings in ([], ["chunked"]))


def test_time_is_linear_in_what_is_no_head():
    # No clock: if a part could end at two places, a minute would not do for one of these.
    read = head_reader("request", 1 << 20)
    for part in (b"A", b"A: b\r\n", b"Content-Length: 1\r\n", b"\r\n", b":", b" ", b"C: \r\n", b"Content-Length:   "):
        head = REQUEST + part * 20_000
        assert read(head, 0, len(head)) in (None, (len(REQUEST) + 2, 0))
