"""The hot loop of HTTP/1.1 messages."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameParser, FrameTooLargeError
from framing.formats.http1 import Http1Format
from framing.formats.scans import http1_loop
from framing.testing import outcome
from framing.testing.format import check_scans

HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
OTHER = b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE = HEAD + b"5\r\nhello\r\n0\r\n\r\n"
MESSAGES = [
    ONE,
    HEAD + b"A\r\n0123456789\r\n0\r\n\r\n",
    HEAD + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    HEAD + b"2\r\nab\r\n10\r\n" + bytes(16) + b"\r\n0000001\r\nc\r\n0\r\n\r\n",
    HEAD + b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
    HEAD + b"0\r\n\r\n",
    HEAD + b"000\r\n\r\n",
    HEAD + b"3;a=b\r\nabc\r\n0\r\n\r\n",
    HEAD + b"003\r\nabc\r\n0\r\nX: y\r\n\r\n",
    HEAD + b"0000000003\r\nabc\r\n0\r\n\r\n",
    HEAD + b"1000\r\n" + bytes(4096) + b"\r\n0\r\n\r\n",
    OTHER + b"1\r\nx\r\n0\r\n\r\n",
    OTHER + b"1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    b"PUT / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    b"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
]
ODD = [
    HEAD + b"5\r\nhellox\r\n0\r\n\r\n",
    HEAD + b"5\r\nhello\r\n0\r\n\n",
    HEAD + b"5\r\nhello0\r\n\r\n",
    HEAD + b"5\r\nhello5\r\nhello\r\n0\r\n\r\n",
    HEAD + b"-5\r\nhello\r\n0\r\n\r\n",
    HEAD + b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    HEAD + b"5\nhello\r\n0\r\n\r\n",
    HEAD + b"5 \r\nhello\r\n0\r\n\r\n",
    HEAD + b"ffffffff\r\nhello",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    HEAD + b"5\r\nhel",
    HEAD,
]
streams = st.lists(st.sampled_from([*MESSAGES * 2, *[ONE] * 20, *MESSAGES[:4] * 3, *ODD]), max_size=20).map(b"".join)


@st.composite
def damaged(draw):
    stream = draw(streams)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(stream)))
        piece = draw(st.sampled_from([b"", b"\r\n", b"\n", b"0\r\n", b"\r\n0\r\n\r\n", b"1", b"x", HEAD]))
        stream = stream[:place] + piece + stream[place + draw(st.integers(0, 2)) :]
    return stream


@given(damaged(), st.sampled_from([0, 1, 3, 1 << 62]), st.sampled_from([64, 70, 1 << 20]), st.integers(0, 9))
def test_it_cuts_what_measure_cuts(stream, limit, most, cut):
    end = max(0, len(stream) - cut)
    form = Http1Format("request", max_frame_size=most)
    good = outcome(form, [stream[at : min(end, at + 7)] for at in range(0, end, 7)], finish=False)
    for _ in range(2):  # the second time it knows the heads
        out, frames = [], []
        stop = form.scan(stream, 0, end, limit, out)
        assert out == good.payloads[: len(out)]
        assert len(out) <= limit
        offset, data = good.frames[len(out) - 1] if out else (0, b"")
        assert stop == offset + len(data)
        assert form.scan_frames(stream, 0, end, limit, frames, 0) == stop
        assert [(frame.offset, frame.data) for frame in frames] == good.frames[: len(out)]
        # Nothing is left that is whole and good.
        assert len(out) == min(limit, len(good.payloads))


@pytest.mark.parametrize("message", MESSAGES)
def test_every_good_message_is_cut(message):
    form, out, frames = Http1Format("request"), [], []
    assert form.scan(message * 3, 0, 3 * len(message), 1 << 62, out) == 3 * len(message)
    assert form.scan_frames(message * 3, 0, 3 * len(message), 1 << 62, frames, 0) == 3 * len(message)
    assert out == [form.payload(message, 0, len(message))] * 3 == [frame.payload for frame in frames]


def test_the_contract_of_many():
    check_scans(Http1Format("request"), b"".join(MESSAGES[:7] + MESSAGES[11:]) * 2)


@pytest.mark.parametrize("method", ["", "HEAD", "CONNECT"])
def test_responses(method):
    parts = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + b"abc" * (method != "HEAD" and method != "CONNECT"),
        b"HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n0\r\n\r\n" * (method != "HEAD"),
    ]
    form, out, stream = Http1Format("response", method=method), [], b"".join(parts * 4)
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(stream)
    assert out == [form.payload(part, 0, len(part)) for part in parts] * 4


@pytest.mark.parametrize("limit", range(9))
def test_no_more_are_cut_than_asked_for(limit):
    # With the larger limit all are one run, with the smaller one each run is of two.
    for most in (len(ONE), 1 << 20):
        form, out, stream = Http1Format("request", max_frame_size=most), [], ONE * 8
        assert form.scan(stream, 0, len(stream), limit, out) == limit * len(ONE)
        assert out == [b"hello"] * limit


def test_a_body_that_goes_on_until_the_stream_ends_is_left():
    stream = b"HTTP/1.1 204 \r\n\r\nHTTP/1.1 200 OK\r\n\r\nHTTP/1.1 204 \r\n\r\n"
    form, out = Http1Format("response"), []
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == stream.index(b"HTTP", 1)
    assert out == [b""]


def test_what_is_known_is_bounded(monkeypatch):
    monkeypatch.setattr(http1_loop, "_KNOWN_COUNT", 3)
    monkeypatch.setattr(http1_loop, "_LINE_COUNT", 3)
    heads, lines = http1_loop._Heads(Http1Format("request").told), http1_loop._Lines()
    for number in range(50):
        head = HEAD.replace(b"/", b"/%d" % number, 1)
        assert heads.learn(head, 0, len(head)) == (len(head), -1)
        line = b"\r\n%x\r\n" % (number + 1)
        assert lines.learn(line, 0, len(line)) == (len(line), number + 1)
        assert len(heads.sizes) <= 3
        assert len(lines.first) <= 3
        assert len(lines.others) <= 3 + 3
    long = HEAD.replace(b"/", b"/" + b"x" * http1_loop._KNOWN_SIZE, 1)
    before = dict(heads.sizes)
    assert heads.learn(long, 0, len(long)) == (len(long), -1)
    assert heads.sizes == before
    form, out = Http1Format("request"), []
    stream = b"".join(
        HEAD.replace(b"/", b"/%d" % one, 1) + b"%x\r\n%b\r\n0\r\n\r\n" % (one, b"x" * one) for one in range(1, 50)
    )
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(stream)
    assert [*map(len, out)] == [*range(1, 50)]


@pytest.mark.parametrize("message", [ONE, MESSAGES[2], MESSAGES[7]])
@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_the_limit_holds_for_each_message_of_many(message, count):
    large = message.replace(b"\r\n0\r\n", b"\r\n2\r\nxy\r\n0\r\n")
    form, out = Http1Format("request", max_frame_size=len(large) - 1), []
    stream = message * count + large + message
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(message) * count
    assert out == [form.payload(message, 0, len(message))] * count
    assert outcome(form, [stream]).error[0] is FrameTooLargeError


def test_of_a_body_over_the_limit_no_more_is_copied_than_the_limit():
    form, stream = Http1Format("request", max_frame_size=1000), ONE + HEAD + b"20\r\n%b\r\n" % bytes(32) * 50_000
    for scan, more in ((form.scan, ()), (form.scan_frames, (0,))):
        tracemalloc.start()
        assert scan(stream, 0, len(stream), 1 << 62, [], *more) == len(ONE)
        assert tracemalloc.get_traced_memory()[1] < 50_000
        tracemalloc.stop()


def test_a_body_of_many_chunks_is_read_over_once():
    # No clock: read again for each piece that arrives it would take an hour.
    parser = FrameParser(Http1Format("request", max_frame_size=1 << 30))
    body = b"1\r\nx\r\n" * 200_000
    stream, taken = ONE + HEAD + body + b"0\r\n\r\n" + ONE, []
    for at in range(0, len(stream), 100):
        parser.feed(stream[at : at + 100])
        taken += parser.take_payloads()
    assert taken == [b"hello", b"x" * 200_000, b"hello"]
