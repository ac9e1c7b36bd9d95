"""The hot loops that know headers again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameParser
from framing.formats.digits import DigitsFormat, NetstringFormat, OctetCountingFormat, PktLineFormat
from framing.formats.header_block import HeaderBlockFormat
from framing.formats.scans import known, tables
from framing.formats.scans.known import known_scans
from framing.formats.scans.tables import MAX_KNOWN
from framing.formats.varint import VarintFormat


class Counting(NetstringFormat):
    """Netstrings that count how often a length is read."""

    measured = read = 0

    def measure(self, buffer, start, end):
        self.measured += 1
        return super().measure(buffer, start, end)

    def _size_of(self, header):
        self.read += 1
        return super()._size_of(header)


def test_a_header_is_read_once():
    form = Counting()
    out = []
    stream = b"1:a,2:bb,1:c," * 100
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(stream)
    assert len(out) == 300
    assert (form.read, form.measured) == (2, 0)
    stream = b"0:,02:bb," + stream
    assert form.scan(stream, 0, len(stream), 1 << 62, []) == 3
    assert (form.read, form.measured) == (4, 1)


def test_what_is_remembered_is_bounded():
    form = Counting(max_frame_size=1 << 16)
    stream = b"".join(form.serialize(b"x" * size) for size in range(2 * MAX_KNOWN + 100))
    assert form.scan(stream, 0, len(stream), 1 << 62, []) == len(stream)
    assert form.read == 2 * MAX_KNOWN + 100
    (held,) = (one.cell_contents for one in form.scan.__closure__ if isinstance(one.cell_contents, known._Known))
    assert MAX_KNOWN // 2 <= len(held.sizes) <= MAX_KNOWN


@pytest.mark.parametrize(
    "form",
    [
        NetstringFormat(),
        PktLineFormat(),
        OctetCountingFormat(),
        DigitsFormat(3, base=16),
        HeaderBlockFormat(),
        HeaderBlockFormat(length="L", required=False),
    ],
    ids=repr,
)
@given(data=st.data())
def test_what_is_quickly_said_of_a_header_measure_says_too(form, data):
    block = isinstance(form, HeaderBlockFormat)
    digits = data.draw(st.text("0123456789aFx +", max_size=9) | st.integers(0, 1 << 70).map(str)).encode()
    before = data.draw(st.sampled_from([b"Content-Length: ", b"L: ", b"l: ", b"L:"])) if block else b""
    header = before + digits + (b"\r\n\r\n" if block else form._separator)
    size = form._size_of(header)
    if size is not None and len(header) + size <= form.max_frame_size:  # if it is larger, the loop stops before it
        assert form.measure(header, 0, len(header)) == len(header) + size


def test_headers_of_several_widths_are_found_by_how_they_begin():
    form = VarintFormat("type:quic length:quic", minimal=True)
    ends = []

    def header_end(buffer, start, end):
        ends.append(start)
        return form._header_end(buffer, start, end)

    scan, scan_frames = known_scans(form, header_end)
    stream = b"".join(form.serialize(bytes(size), {"type": 0}) for size in (60, 70, 60, 70, 70, 60, 300, 60, 70, 300))
    for _ in range(2):
        assert scan(stream, 0, len(stream), 10, []) == scan_frames(stream, 0, len(stream), 10, [], 0)
    assert len(ends) == 3


def test_the_widths_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(tables, "MAX_KNOWN", 3)
    form, out = VarintFormat("type:quic length:quic", minimal=True), []
    stream = b"".join(form.serialize(bytes(size), {"type": size}) for size in range(50)) * 2
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(stream)
    assert [*map(len, out)] == [*range(50)] * 2
    cells = [cell.cell_contents for cell in form.scan.__closure__ if isinstance(cell.cell_contents, known._Known)]
    assert all(len(one.sizes) <= 3 for one in cells)
    (widths,) = (cell.cell_contents for cell in cells[0].guess.__closure__ if isinstance(cell.cell_contents, dict))
    assert 0 < len(widths) <= 3


def test_a_long_header_is_not_remembered():
    form = HeaderBlockFormat()
    stream = form.serialize(b"{}", {"headers": {"x": "y" * 5000}})
    for _ in range(2):
        out = []
        assert form.scan(stream * 3, 0, 3 * len(stream), 2, out) == 2 * len(stream)
        assert out == [b"{}", b"{}"]


@pytest.mark.parametrize("form", [NetstringFormat(), DigitsFormat(3), DigitsFormat(3, end="\r\n")], ids=repr)
def test_both_loops_cut_the_same(form):
    stream = b"".join(form.serialize(b"x" * size) for size in (0, 1, 12, 1, 700, 0)) + b"00"
    scan, scan_frames = known_scans(form, form._header_end, form._end)
    for end in (0, 1, 5, 9, 20, len(stream)):
        payloads, frames = [], []
        assert scan(stream, 0, end, 5, payloads) == scan_frames(stream, 0, end, 5, frames, 70)
        assert [frame.payload for frame in frames] == payloads
        assert all(frame.data == stream[frame.offset - 70 :][: frame.size] for frame in frames)


def test_a_limit_changed_afterwards_holds():
    stream = b"1:a,9:123456789,"
    form = NetstringFormat()
    out = []
    assert form.scan(stream, 0, len(stream), 9, out) == len(stream)
    small = form.limited(8)
    out = []
    assert small.scan(stream, 0, len(stream), 9, out) == 4
    parser = FrameParser(small)
    parser.feed(stream)
    assert parser.take_payloads() == [b"a"]
