"""HDLC, against a receiver that goes a byte at a time, as the RFC's text does."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from framing import ChecksumError, DefinitionError, HeaderError
from framing.formats.fields.checksums import CHECKSUMS
from framing.formats.hdlc import HdlcFormat
from framing.testing import check_format, outcome

XON_XOFF = 1 << 0x11 | 1 << 0x13


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fcs": 0},
        {"fcs": 32},
        {"opening": False},
        {"accm": 0xFFFFFFFF},
        {"fcs": 0, "accm": XON_XOFF, "opening": False},
    ],
)
def test_the_contract(options):
    check_format(HdlcFormat(**options), [b"a", b"hello", b"~}~", b"}", b"\x11\x13\x5e", b"x" * 60])


def received(content, mapped):
    """Return the data bytes between two flags, each with its place on the wire; `None`: aborted."""
    data, escaped_at = [], None
    for place, byte in enumerate(content):
        if byte in mapped:
            continue
        if escaped_at is not None:
            data.append((byte ^ 0x20, escaped_at))
            escaped_at = None
        elif byte == 0x7D:
            escaped_at = place
        else:
            data.append((byte, place))
    return None if escaped_at is not None else data


contents = st.lists(st.sampled_from([b"\x7d", b"\x5d", b"\x5e", b"\x11", b"\x31", b"a", b"\xff"]), min_size=1).map(
    b"".join
)


@given(contents, st.sampled_from([0, XON_XOFF]))
@example(b"\x7d\x7d", 0)
@example(b"\x7d\x7d\x7d\x5e", 0)
@example(b"\x7d\x11\x5e", XON_XOFF)
def test_escapes_are_undone_as_a_receiver_does(content, accm):
    data = received(content, (0x11, 0x13) if accm else ())
    form = HdlcFormat(fcs=0, accm=accm)
    for count in (1, 40):
        stream, scanned = (content + b"\x7e") * count, []
        whole = outcome(form, [stream], finish=False)
        if data is None:
            assert whole.error[0] is HeaderError
            assert whole.error[2][0] == content.rindex(b"\x7d")
        else:
            assert whole.payloads == [bytes(byte for byte, _ in data)] * count
        form.scan(stream, 0, len(stream), 1 << 62, scanned)
        assert scanned == whole.payloads


@given(contents, st.sampled_from([0, XON_XOFF]), st.sampled_from([16, 32]))
@example(b"\x7d\x11\x7d\x7d\x7d", XON_XOFF, 16)
def test_a_wrong_check_sequence_is_told_with_its_place(content, accm, fcs):
    data = received(content, (0x11, 0x13) if accm else ())
    size = fcs // 8
    error = outcome(HdlcFormat(fcs=fcs, accm=accm), [b"\x7e" + content + b"\x7e"]).error
    if data is None:
        assert error[0] is HeaderError
    elif len(data) < size:
        assert (error[0], error[2][0], error[2][2]) == (HeaderError, 1, "fcs")
    elif error is not None:  # by chance it may be right
        assert (error[0], error[2][2]) == (ChecksumError, "fcs")
        assert error[2][0] == 1 + data[-size][1]
        assert error[2][4] == bytes(byte for byte, _ in data[-size:])


@pytest.mark.parametrize(("fcs", "name"), [(16, "crc16_x25"), (32, "crc32")])
@given(payload=st.binary(max_size=60))
def test_the_check_sequence_goes_low_byte_first(fcs, name, payload):
    size, compute = CHECKSUMS[name]
    plain = HdlcFormat(fcs=0).serialize(payload + compute(payload).to_bytes(size, "little"))
    assert HdlcFormat(fcs=fcs).serialize(payload) == plain


@pytest.mark.parametrize("fcs", [16, 32])
def test_one_wrong_frame_among_many_is_found(fcs):
    form = HdlcFormat(fcs=fcs)
    good = form.serialize(b"hello")
    bad = good.replace(b"l", b"k", 1)
    whole = outcome(form, [good * 50 + bad + good * 50])
    assert whole.payloads == [b"hello"] * 50
    kind, text, facts = whole.error
    assert (kind, facts[2]) == (ChecksumError, "fcs")
    assert facts[0] == len(good) * 50 + 6
    assert "check sequence is wrong" in text
    assert facts[3] != facts[4] == good[6:-1]


@pytest.mark.parametrize("fcs", [16, 32])
def test_a_short_frame_among_many_is_found(fcs):
    form = HdlcFormat(fcs=fcs)
    for short in (b"a", b"\x0f"):
        kind, text, facts = outcome(form, [form.serialize(b"hello") * 50 + short + b"\x7e"]).error
        assert (kind, facts[2], facts[4]) == (HeaderError, "fcs", short)
        assert "shorter than" in text


def test_an_abort_is_told():
    kind, text, facts = outcome(HdlcFormat(), [b"\x7e\x01\x02\x7d\x7e"]).error
    assert (kind, facts[0], facts[2], facts[4]) == (HeaderError, 3, "escape", b"\x7d\x7e")
    assert "aborted" in text


def test_every_byte_of_the_map_is_escaped():
    wire = HdlcFormat(accm=0xFFFFFFFF).serialize(bytes(range(256)))
    assert min(wire) == 0x20
    assert b"\x7d\x31" in HdlcFormat(accm=XON_XOFF).serialize(b"\x11")
    assert b"\x11" in HdlcFormat(accm=~XON_XOFF & 0xFFFFFFFF).serialize(b"\x11")


def test_the_first_frame_of_a_ppp_link():
    # RFC 1662's framing of an LCP Configure-Request: address ff, control 03, protocol c021, all below 20 escaped.
    payload = bytes.fromhex("ff03c0210101000e0506")
    form = HdlcFormat(accm=0xFFFFFFFF)
    wire = form.serialize(payload)
    assert wire.startswith(bytes.fromhex("7eff7d23c0217d217d217d207d2e7d257d26"))
    assert form.payload(wire, 0, len(wire)) == payload


def test_what_is_refused():
    for options in (
        {"fcs": 8},
        {"accm": -1},
        {"accm": 1 << 32},
        {"max_frame_size": 3},
        {"fcs": 32, "max_frame_size": 5},
    ):
        with pytest.raises(DefinitionError) as caught:
            HdlcFormat(**options)
        assert caught.value.key == list(options)[-1]
        assert caught.value.allowed
    for options in ({"fcs": "16"}, {"fcs": True}, {"accm": b""}, {"opening": 1}):
        with pytest.raises(TypeError):
            HdlcFormat(**options)


@pytest.mark.parametrize(
    "options", [{}, {"fcs": 0, "opening": False}, {"fcs": 32, "accm": XON_XOFF, "max_frame_size": 77}]
)
def test_repr_makes_the_format_again(options):
    form = HdlcFormat(**options)
    assert eval(repr(form), {"HdlcFormat": HdlcFormat}) == form
