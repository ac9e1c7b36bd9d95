import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.codecs.raw import RawCodec
from framing.errors import EncodeError
from framing.testing import check_codec


def test_the_contract_holds() -> None:
    check_codec(RawCodec, [b"", b"abc", bytearray(b"abc"), memoryview(b"abc"), bytes(range(256))])


@settings(deadline=None)
@given(st.binary())
def test_bytes_go_through_without_a_copy(data: bytes) -> None:
    assert RawCodec().encode(data) is data
    assert RawCodec().decode(data) is data


def test_buffers_are_copied() -> None:
    buffer = bytearray(b"abc")
    payload = RawCodec().encode(buffer)
    buffer[0] = 0
    assert payload == b"abc"


def test_a_memoryview_that_skips_bytes_is_what_it_shows() -> None:
    assert RawCodec().encode(memoryview(b"abcd")[::2]) == b"ac"


@pytest.mark.parametrize("message", [None, 5, "abc", [1, 2], array.array("B", b"abc"), object()])
def test_anything_else_is_refused(message: object) -> None:
    with pytest.raises(EncodeError) as caught:
        RawCodec().encode(message)  # type: ignore[arg-type]
    assert (caught.value.codec, caught.value.found) == ("raw", type(message).__name__)


def test_a_view_of_wider_items_is_refused() -> None:
    with pytest.raises(EncodeError, match="view of bytes"):
        RawCodec().encode(memoryview(array.array("H", [1, 2])))
