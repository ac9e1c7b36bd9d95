"""The loop that looks up what the bytes of a header decided before."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, FrameError, FrameTooLargeError, get_format
from framing.formats.scans.regions import key_reader

WEBSOCKET = {
    "header": "(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 "
    "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
    "length": "long | medium | length",
    "xor": "key",
    "minimal": True,
}
FORMATS = {
    "bits": get_format("header", header="(last:1 length:7):u8"),
    "bits and a constant": get_format("header", header="mark:u8=7|8 id:u8 (last:1=1 length:7):u8"),
    "sum and padding": get_format(
        "header",
        header="a:u8 id:u8 p:u8",
        length="a + p",
        counts="payload pad",
        pad={"field": "p", "multiple": 4},
    ),
    "padding alone": get_format("header", header="length:u8 id:u8", pad=4),
    "scale": get_format("header", header="id:u8 length:u8*4", max_frame_size=40),
    "told byte order": get_format("header", header="o:u8 length:u16", byteorder={"field": "o", "little": 1, "big": 0}),
    "constant trailer": get_format("header", header="id:u8 length:u8", trailer="end:u8=1|2 more:u8=3"),
    "free trailer": get_format("header", header="id:u8 length:u8", trailer="end:u8=1|2 more:u8"),
    "checksum": get_format("header", header="length:u8", trailer="crc:u8=xor8(header payload)"),
    "early checksum": get_format("header", header="(a:1 length:7):u8 crc:u8=xor8(length)"),
    "fixed payload": get_format("header", header="id:u8=1|2", payload_size=3),
    "websocket": get_format("header", **WEBSOCKET),
    "escape": get_format("header", header="length:u8 long:u16be?length=3", length="long | length"),
    "conditional trailer": get_format(
        "header", header="id:u8 (a:1 b:7):u8 length:u8", trailer="end:u8=1 more:u8?a=1", max_frame_size=30
    ),
    "conditional checksum": get_format("header", header="kind:u8=1|2 length:u8 crc:u8=xor8(kind length)?kind=2"),
    "digits": get_format("digits", digits=2, before="id:u8 mark:u8=7", separator="/", end="\x03"),
    "varint": get_format("header", header="type:quic length:quic more:u8"),
    "gob": get_format("header", header="length:gob", minimal=True),
    "choice": get_format(
        "choice",
        cases={
            "0x01": {"header": "kind:u8 id:u8 length:u8"},
            "0x02": {"header": "kind:u8 (a:1 length:7):u8", "trailer": "end:u8=1"},
        },
        default={"format": "u8"},
    ),
    "delimiters": get_format("delimiter", delimiters=["\2\3\4", "\1", "\1\2"], max_frame_size=9),
    "delimiters replaced": get_format("delimiter", delimiters=["\1\2\1", "\2", "\3"], max_frame_size=9),
    "delimiters kept": get_format("delimiter", delimiters=["\1\2", "\3"], keep=True),
}


def carefully(form, data, limit):
    """Take payloads with nothing but the careful methods."""
    measure, start, out = form.measure, 0, []
    try:
        while len(out) < limit and start < len(data):
            total = measure(data, start, len(data))
            if total is None or total > form.max_frame_size or start + total > len(data):
                break
            if form.verify is not None:
                form.verify(data, start, start + total)
            out.append(form.payload(data, start, start + total))
            start += total
    except FrameError:
        pass
    return start, out


def places(frames):
    """Return where frames begin that follow each other from 0 on."""
    return list(accumulate((len(frame.data) for frame in frames), initial=0))[: len(frames)]


pieces = st.lists(
    st.one_of(
        st.sampled_from([b"\1", b"\2", b"\3", b"\7", b"\x83", b"\x81\x83", b"02/", b"~\0~", b"\x80\3", b"\xff\3"]),
        st.binary(max_size=6),
    ),
    max_size=30,
).map(b"".join)


@pytest.mark.parametrize("name", FORMATS)
@given(data=pieces, limit=st.sampled_from([0, 1, 3, 1 << 60]))
def test_the_scan_is_a_twin_of_the_careful_methods(name, data, limit):
    form = FORMATS[name]
    for _ in range(2):  # the second time everything is known
        out = []
        stop = form.scan(data, 0, len(data), limit, out)
        # Near the end a delimiter may be the beginning of a longer one: about that a scan need not decide.
        count = len(out) if name.startswith("delimiters") else limit
        assert (stop, out) == carefully(form, data, count)
        if form.scan_frames is not None:
            frames = []
            assert form.scan_frames(data, 0, len(data), limit, frames, 1000) == stop
            assert [frame.payload for frame in frames] == out
            assert [frame.offset for frame in frames] == [1000 + place for place in places(frames)]


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_good_frames_are_taken_like_this(name, data):
    form = FORMATS[name]
    stream, payloads = b"", []
    for _ in range(data.draw(st.integers(0, 6))):
        payload = data.draw(st.binary(max_size=9))
        fields = {one: data.draw(st.integers(0, 3)) for one in form.field_names if one not in ("key", "pad", "choice")}
        try:
            wire = form.serialize(payload, fields)
        except (EncodeError, FrameTooLargeError):
            continue
        stream, payloads = stream + wire, [*payloads, form.payload(wire, 0, len(wire))]
    out = []
    stop = form.scan(stream + b"\xff", 0, len(stream), 1 << 60, out)
    # A scan may leave what it cannot be sure of, never take something else.
    assert out == payloads[: len(out)]
    assert (stop == len(stream)) == (len(out) == len(payloads))


def test_bytes_between_that_decide_nothing_are_passed_over():
    form = get_format("header", header="mark:u8=7 id:u32be (a:1 length:15):u16be")
    assert form.deciding() == ((0, 1), (5, 7))
    assert key_reader(form.deciding())(b".\7....\0\2xx", 1) == (b"\7", b"\0\2")
    (known,) = (cell.cell_contents for cell in form.scan.__closure__ if isinstance(cell.cell_contents, dict))
    stream = b"".join(form.serialize(b"xx", {"id": number, "a": 0}) for number in range(50))
    out = []
    assert form.scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert (len(out), len(known)) == (50, 1)
