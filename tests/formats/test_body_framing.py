"""Where the body of an HTTP/1.1 message ends."""

import pytest

from framing import FrameTooLargeError, HeaderError
from framing.formats.body_framing import BodyFraming

POST = (b"POST", b"/", b"1.1")
CHUNKED, UNTIL_CLOSE, NONE = (None, True), (None, False), (0, False)


def told(side, start, *headers, method=""):
    framing = BodyFraming(side, 1000, 0)
    for place, (name, text) in enumerate(headers):
        framing.take(name, text, place)
    return framing.told(start, method=method)


@pytest.mark.parametrize(
    ("side", "start", "headers", "expected"),
    [
        ("request", POST, [], NONE),
        ("request", POST, [(b"content-length", b"7"), (b"content-length", b"7")], (7, False)),
        ("request", POST, [(b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"Chunked")], CHUNKED),
        ("response", (b"1.1", b"200", b""), [], UNTIL_CLOSE),
        ("response", (b"1.1", b"200", b""), [(b"transfer-encoding", b"gzip")], UNTIL_CLOSE),
        ("response", (b"1.1", b"200", b""), [(b"transfer-encoding", b"gzip, chunked")], CHUNKED),
        ("response", (b"1.1", b"100", None), [], NONE),
        ("response", (b"1.1", b"204", b""), [(b"transfer-encoding", b"chunked")], NONE),
        ("response", (b"1.1", b"304", b""), [(b"content-length", b"10000000")], NONE),
    ],
)
def test_the_table_of_rfc_9112(side, start, headers, expected):
    assert told(side, start, *headers) == expected


def test_a_response_to_head_has_no_body():
    assert told("response", (b"1.1", b"200", b""), (b"content-length", b"7"), method="HEAD") == NONE


@pytest.mark.parametrize(("status", "expected"), [(b"200", NONE), (b"407", (7, False))])
def test_only_a_successful_response_to_connect_has_no_body(status, expected):
    assert told("response", (b"1.1", status, b""), (b"content-length", b"7"), method="CONNECT") == expected


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"7"), (b"content-length", b"8")],
        [(b"content-length", b"7"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked, chunked")],
        [(b"transfer-encoding", b"identity")],
        [(b"content-length", b"+7")],
    ],
)
def test_what_two_peers_might_read_differently_is_refused(headers):
    with pytest.raises(HeaderError):
        told("request", POST, *headers)


def test_a_length_may_have_more_digits_than_the_limit_but_not_more_than_64_bits():
    assert told("request", POST, (b"content-length", b"9" * 20)) == (10**20 - 1, False)
    with pytest.raises(FrameTooLargeError) as caught:
        told("request", POST, (b"content-length", b"1" * 21))
    assert caught.value.max_frame_size == 1000
