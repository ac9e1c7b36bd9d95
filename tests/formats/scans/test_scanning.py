"""The loops that run are the compiled ones where they can. What loops do is tested in `test_loops.py`."""

from framing import get_format
from framing.compiled import twins
from framing.formats.scans.loops import PlainHeader
from framing.formats.scans.scanning import compiled_scans, scans

PLAIN = PlainHeader(0, 2, "big", 2, 2, 2, 100)


def test_which_ones_run(monkeypatch):
    frame_format = get_format("u16be")
    assert (compiled_scans(PLAIN, frame_format) is None) == (not twins().modules)
    monkeypatch.setenv("FRAMING_PURE", "1")
    assert compiled_scans(PLAIN, frame_format) is None
    assert all(scan.__module__ == "framing.formats.scans.loops" for scan in scans(PLAIN, frame_format))


def test_a_header_that_the_compiled_ones_do_not_know_gets_the_python_ones():
    frame_format = get_format("u16be")
    many = tuple((2 + place, (b"\0",)) for place in range(100))
    for odd in (PLAIN._replace(base=-(1 << 70)), PLAIN._replace(constants=many, header_size=102)):
        assert compiled_scans(odd, frame_format) is None
        assert len(scans(odd, frame_format)) == 2


def test_a_limit_beyond_any_buffer():
    frame_format = get_format("u64be", max_frame_size=2**64 + 7)
    payloads, frames = [], []
    data = bytes(7) + b"\1a" + b"\xff" * 8 + b"b"
    assert frame_format.scan(data, 0, len(data), 1 << 62, payloads) == 9
    assert frame_format.scan_frames(data, 0, len(data), 1 << 62, frames, 5) == 9
    assert (payloads, [(frame.data, frame.offset) for frame in frames]) == ([b"a"], [(data[:9], 5)])
    assert type(frames[0]) is frame_format.frame_class
