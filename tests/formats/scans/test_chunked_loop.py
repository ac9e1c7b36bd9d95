"""The hot loop of chunked messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameParser
from framing.formats.http1 import Http1Format
from framing.formats.scans import chunked_loop
from framing.testing import outcome
from framing.testing.format import check_scans

HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE = HEAD + b"5\r\nhello\r\n0\r\n\r\n"
MESSAGES = [
    ONE,
    HEAD + b"A\r\n0123456789\r\n0\r\n\r\n",
    HEAD + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    HEAD + b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
    HEAD + b"0\r\n\r\n",
    HEAD + b"3;a=b\r\nabc\r\n0\r\n\r\n",
    HEAD + b"003\r\nabc\r\n0\r\nX: y\r\n\r\n",
    HEAD + b"1000\r\n" + bytes(4096) + b"\r\n0\r\n\r\n",
    b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
]
ODD = [
    HEAD + b"5\r\nhellox\r\n0\r\n\r\n",
    HEAD + b"5\r\nhello\r\n0\r\n\n",
    HEAD + b"-5\r\nhello\r\n0\r\n\r\n",
    HEAD + b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    HEAD + b"5\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    HEAD + b"5\r\nhel",
    HEAD,
]


@given(
    st.lists(st.sampled_from(MESSAGES * 3 + ODD), max_size=20),
    st.sampled_from([0, 1, 3, 1 << 62]),
    st.sampled_from([64, 1 << 20]),
)
def test_it_cuts_what_measure_cuts(messages, limit, most):
    stream, out = b"".join(messages), []
    form = Http1Format("request", max_frame_size=most)
    good = outcome(form, [stream[at : at + 7] for at in range(0, len(stream), 7)], finish=False)
    for _ in range(2):  # the second time it knows the heads
        out = []
        stop = form.scan(stream, 0, len(stream), limit, out)
        assert out == good.payloads[: len(out)]
        assert len(out) <= limit
        offset, data = good.frames[len(out) - 1] if out else (0, b"")
        assert stop == offset + len(data)


@pytest.mark.parametrize("message", MESSAGES)
def test_every_good_message_is_cut(message):
    form, out = Http1Format("request"), []
    assert form.scan(message * 3, 0, 3 * len(message), 1 << 62, out) == 3 * len(message)
    assert out == [form.payload(message, 0, len(message))] * 3


def test_the_contract_of_many():
    check_scans(Http1Format("request"), b"".join(MESSAGES[:5] + MESSAGES[8:]) * 2)


def test_what_is_known_is_bounded(monkeypatch):
    monkeypatch.setattr(chunked_loop, "_KNOWN_COUNT", 3)
    form, out = Http1Format("request"), []
    stream = b"".join(HEAD.replace(b"/", b"/%d" % one, 1) + b"1\r\nx\r\n0\r\n\r\n" for one in range(50))
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(stream)
    assert out == [b"x"] * 50


def test_a_body_of_many_chunks_is_read_over_once():
    # No clock: read again for each piece that arrives it would take an hour.
    parser = FrameParser(Http1Format("request", max_frame_size=1 << 30))
    body = b"1\r\nx\r\n" * 200_000
    stream, taken = ONE + HEAD + body + b"0\r\n\r\n" + ONE, []
    for at in range(0, len(stream), 100):
        parser.feed(stream[at : at + 100])
        taken += parser.take_payloads()
    assert taken == [b"hello", b"x" * 200_000, b"hello"]
