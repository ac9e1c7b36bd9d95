"""Shapes of RESP values."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.formats.resp import RespFormat
from framing.formats.scans.resp_shapes import shape
from framing.testing.format import check_scans


def bulk(data, kind=b"$"):
    return b"%b%d\r\n%b\r\n" % (kind, len(data), data)


def command(*parts):
    return b"*%d\r\n" % len(parts) + b"".join(map(bulk, parts))


ITEMS = [b"+OK\r\n", b":12\r\n", b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"%1\r\n+a\r\n:1\r\n", bulk(b"txt:a", b"=")]
ODD = [b"$1\r\nxx\r\n", b"|1\r\n+a\r\n:1\r\n+b\r\n", b"?\r\n", b"*2\r\n+a\r\n", b"+a\rb\r\n", bulk(bytes(200))]
commands = st.lists(st.binary(max_size=70), min_size=1, max_size=3).map(lambda parts: command(*parts))


@given(
    st.lists(commands | st.sampled_from(ITEMS + ODD), max_size=40),
    st.sampled_from([0, 1, 30, 1 << 62]),
    st.sampled_from(["", "*", "*$"]),
)
def test_what_was_learned_cuts_what_the_walk_cuts(values, limit, outer):
    form = RespFormat(outer=outer, max_frame_size=150)
    for value in [command(b"GET", b"a"), command(b"SET", b"a", b"b"), command(b"x")]:
        form.scan(value * 400, 0, 400 * len(value), 1 << 62, [])
    stream = b"".join(values)
    walked, scanned = [], []
    stop = form._walked(stream, 0, len(stream), limit, walked)
    assert form.scan(stream, 0, len(stream), limit, scanned) == stop
    assert scanned == walked


@pytest.mark.parametrize("item", [*ITEMS, command(b"GET", b"k"), command(b"", bytes(500))], ids=repr)
def test_a_shape_fits_what_it_was_made_from(item):
    assert re.fullmatch(shape(item), item, re.DOTALL)
    assert not re.fullmatch(shape(item), item + b"+\r\n", re.DOTALL)
    assert not re.fullmatch(shape(item), item[:-1], re.DOTALL)


def test_strings_of_other_sizes_have_the_same_shape():
    assert re.fullmatch(shape(command(b"GET", b"k")), command(b"HGETALL", b"x" * 63), re.DOTALL)
    assert not re.fullmatch(shape(command(b"GET", b"k")), command(b"GET"), re.DOTALL)


@pytest.mark.parametrize("item", [b"|1\r\n+a\r\n:1\r\n+b\r\n", bulk(bytes(1025)), b"*70\r\n" + b":1\r\n" * 70])
def test_what_has_no_shape(item):
    assert shape(item) is None


def test_the_contract_of_many_commands():
    form = RespFormat()
    form.scan(command(b"GET", b"a") * 100, 0, 100 * len(command(b"GET", b"a")), 1 << 62, [])
    check_scans(form, b"".join(command(b"GET", b"k" * size) for size in range(40)))
