"""RESP values as frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, FrameParser, FrameTooLargeError, HeaderError, get_format
from framing.formats.resp import RespFormat
from framing.testing import check_format, outcome
from framing.testing.format import check_scans

VALUES = [
    b"+OK\r\n",
    b"+\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
    b"%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n",
    b"|1\r\n+ttl\r\n:3600\r\n$5\r\nhello\r\n",
    b"|0\r\n|0\r\n_\r\n",
    b"~1\r\n#t\r\n",
    b"=8\r\ntxt:\r\nab\r\n",
    b"$2000\r\n" + b"x" * 2000 + b"\r\n",
]
ALPHABET = [b"+", b"-", b"$", b"*", b"%", b"|", b"1", b"0", b"2", b"-1", b"12", b"\r\n", b"\r", b"\n", b"a"]

lines = st.sampled_from([b"+OK", b"-ERR no", b":1", b"_", b"#f", b",-inf", b"(1"]).map(lambda line: line + b"\r\n")
bulks = st.tuples(st.sampled_from([b"$", b"!", b"="]), st.binary(max_size=20)).map(
    lambda pair: b"%b%d\r\n%b\r\n" % (pair[0], len(pair[1]), pair[1])
)
nulls = st.sampled_from([b"$-1\r\n", b"*-1\r\n"])


def container(kind, factor, values):
    size = len(values) // factor
    return b"%b%d\r\n%b" % (kind, size, b"".join(values[: size * factor]))


def containers(inner):
    lists = st.lists(inner, max_size=5)
    plain = st.builds(container, st.sampled_from([b"*", b"~", b">"]), st.just(1), lists)
    attributed = st.builds(lambda values, value: container(b"|", 2, values) + value, lists, inner)
    return plain | st.builds(container, st.just(b"%"), st.just(2), lists) | attributed


values = st.recursive(lines | bulks | nulls, containers, max_leaves=12)


@pytest.mark.parametrize("options", [{}, {"max_depth": 2}, {"max_frame_size": 4000}])
def test_the_contract(options):
    check_format(RespFormat(**options), VALUES)


def test_the_contract_of_commands():
    check_format(RespFormat(outer="*"), [b"*1\r\n$4\r\nPING\r\n", b"*0\r\n", b"*-1\r\n"])


def test_the_contract_of_many_values():
    check_scans(RespFormat(), b"".join(VALUES * 4))


@given(st.lists(values, max_size=8), st.integers(1, 30))
def test_values_are_cut_where_they_end(wires, size):
    stream = b"".join(wires)
    assert outcome(RespFormat(), [stream]).payloads == wires
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert outcome(RespFormat(), chunks).payloads == wires


@given(st.lists(st.sampled_from(ALPHABET), max_size=30).map(b"".join), st.integers(1, 3), st.integers(3, 40))
def test_the_loop_and_the_walk_agree_about_any_bytes(data, depth, limit):
    form = RespFormat(max_depth=depth, max_frame_size=limit)
    stream = b"+OK\r\n"[: limit if limit >= 5 else 0] + data
    whole = outcome(form, [stream])
    for size in (1, 2, 5):
        assert outcome(form, [stream[at : at + size] for at in range(0, len(stream), size)])[:3] == whole[:3]
    parser = FrameParser(form)
    parser.feed(stream)
    assert parser.take_payloads() == whole.payloads if whole.payloads else True


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (b"PING\r\n", 0, "no frame begins like this"),
        (b"*1\r\nx", 4, "no value begins with this byte"),
        (b"$x", 1, "no size or count"),
        (b"$\r", 1, "no size or count"),
        (b"$01", 2, "no size or count"),
        (b"$-2", 2, "no size or count"),
        (b"$-10", 3, "no size or count"),
        (b"~-1", 1, "no size or count"),
        (b"$1\rx", 3, "no size or count"),
        (b"$1\r\naxx", 5, "a bulk does not end where its size says"),
        (b"$1\r\na\rx", 6, "a bulk does not end where its size says"),
        (b"*1\r\n" * 513, 512 * 4 + 4, "nested too deeply"),
    ],
)
def test_each_mistake_has_its_words(data, offset, reason):
    with pytest.raises(HeaderError) as caught:
        RespFormat().measure(data, 0, len(data))
    assert (caught.value.reason, caught.value.offset) == (reason, offset)
    assert caught.value.expected


@pytest.mark.parametrize("data", [b"$95\r\n", b"*33\r\n", b"+" + b"x" * 99, b"$" + b"1" * 21, b"*2\r\n$80\r\n"])
def test_limits(data):
    with pytest.raises(FrameTooLargeError):
        RespFormat(max_frame_size=90).measure(data, 0, len(data))


def test_no_byte_of_a_line_or_bulk_is_looked_at_twice():
    class Counted(bytearray):
        looked_size = 0

        def find(self, part, start=0, end=None):
            place = super().find(part, start, end)
            self.looked_size += (end if place < 0 else place + len(part)) - start
            return place

    measure = RespFormat().measurer()
    buffer = Counted()
    for byte in b"*2\r\n+" + b"x" * 3000 + b"\r\n$3000\r\n" + b"y" * 3000:
        buffer.append(byte)
        assert measure(buffer, 0, len(buffer)) is None
    assert buffer.looked_size <= 3 * 3000


def test_outer_is_types():
    with pytest.raises(DefinitionError) as caught:
        RespFormat(outer="*a")
    assert caught.value.key == "outer"
    with pytest.raises(TypeError):
        RespFormat(outer=b"*")


def test_repr_makes_the_format_again():
    form = RespFormat(outer="*", max_depth=3, max_frame_size=77)
    assert eval(repr(form), {"RespFormat": RespFormat}) == form
    assert get_format("resp") == RespFormat()
