"""The hot loop of a choice."""

from hypothesis import given
from hypothesis import strategies as st

from framing import get_format
from framing.formats.prefix import Prefixes, parse_prefix
from framing.formats.scans import choice_loop
from framing.formats.scans.choice_loop import choice_scans
from framing.testing import outcome
from framing.testing.format import check_scans

MEDIA = {"header": "magic:u8=0x24 channel:u8 length:u8"}
CHOICES = [
    get_format("choice", cases={"$": MEDIA}, default={"format": "lines", "max_frame_size": 30}),
    get_format("choice", cases={"$": MEDIA, "#": {"header": "magic:u8=0x23 length:u8", "trailer": "end:u8=0xce"}}),
    get_format("choice", cases={"$$": MEDIA, "$": {"format": "lines"}}, default={"format": "u8"}),
    get_format("choice", cases={"$": MEDIA}, default={"format": "json_stream"}),
    get_format("choice", cases={"$": MEDIA}, default={"format": "delimiter", "delimiters": "\n", "max_frame_size": 30}),
    get_format("choice", cases={"$": MEDIA}, default={"format": "lines", "keep": True}),
    get_format("choice", cases={"$": {"header": "a:u8 id:u8 length:u8 b:u8 c:u8=0|2"}}, default={"format": "u8"}),
    get_format(
        "choice",
        cases={
            "0x20/0xf0": {"header": "kind:u8 length:u8", "trailer": "sum:u8=xor8(header payload)"},
            "h": {"header": "a:u8", "payload_size": 5},
        },
    ),
    # What a frame is its first byte does not say.
    get_format(
        "choice",
        cases={
            "$\0": {"header": "kind:u16be length:u8"},
            "$\1\0": {"header": "kind:u16be id:u8 more:u8 length:u8", "max_frame_size": 20},
            "$\1": {"header": "kind:u16be id:u8 (a:4 length:4):u8", "trailer": "end:u8=1|0x63"},
            "0x68/0x78": {"header": "a:u8 id:u8", "payload_size": 4},
        },
    ),
    get_format("choice", cases={"$\0\2": MEDIA}, default={"header": "magic:u8=0x24 kind:u8 (a:1 length:7):u8"}),
]
PIECES = [b"$\0\2ab", b"$$\0", b"hello\n", b"a $ in it\n", b"#\1a\xce", b"#\1ax", b"{}", b" [1]\n", b"$", b"\n"]
PIECES += [
    b"$\1\2\0\0ab",
    b"$\1\2\0\2ab",
    b"$\1aD",
    b"$\1aE",
    b"$\1\0a\2ab",
    b"$\1b\2ab\1",
    b"h.abcd",
    b"$\2\2ab",
    b"$\1c",
]
ENDS = [b"\r\n", b"cr\r\n", b"$\0\1\r", b"x" * 29 + b"\n", b"x" * 30 + b"\n"]
pieces = st.sampled_from(PIECES + ENDS)


@given(st.sampled_from(CHOICES), st.lists(pieces, max_size=90), st.sampled_from([0, 1, 2, 40, 1 << 62]))
def test_it_cuts_what_measure_cuts(form, parts, limit):
    stream = b"".join(parts)
    whole = outcome(form, [bytes((byte,)) for byte in stream], finish=False)
    scanned = []
    stop = form.scan(stream, 0, len(stream), limit, scanned)
    assert scanned == whole.payloads[: len(scanned)]
    assert len(scanned) <= limit
    offset, data = whole.frames[len(scanned) - 1] if scanned else (0, b"")
    assert stop == offset + len(data)
    if form.scan_frames is not None:
        for _ in range(2):  # the second time everything is known
            frames = []
            stop = form.scan_frames(stream, 0, len(stream), limit, frames, 7)
            assert len(frames) <= limit
            assert [(one.offset - 7, one.data) for one in frames] == whole.frames[: len(frames)]
            assert stop == sum(len(one.data) for one in frames)


@given(st.sampled_from(CHOICES), st.lists(pieces, max_size=20), st.integers(1, 9))
def test_bytes_behind_the_end_are_not_looked_at(form, parts, cut):
    stream = b"".join(parts)
    end = max(0, len(stream) - cut)
    for _ in range(2):
        whole, beyond = [], []
        stop = form.scan(stream[:end], 0, end, 1 << 62, whole)
        assert (form.scan(stream, 0, end, 1 << 62, beyond), beyond) == (stop, whole)
        if form.scan_frames is not None:
            frames, more = [], []
            stop = form.scan_frames(stream[:end], 0, end, 1 << 62, frames, 0)
            assert form.scan_frames(stream, 0, end, 1 << 62, more, 0) == stop
            assert frames == more


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(choice_loop, "MAX_KNOWN", 5)
    shapes = choice_loop._Shapes()
    for byte in range(100):
        shapes.add(byte, b"", (1, 1, 1, None))
        assert sum(map(len, shapes.by_byte)) <= 5
    form, out = CHOICES[0], []
    stream = b"".join(b"$%c%c" % (size, size) + bytes(size) for size in range(200)) * 2
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(stream)
    assert [*map(len, out)] == [*range(200)] * 2


def test_many_lines_with_some_media_between():
    check_scans(CHOICES[0], (b"line\n" * 40 + b"$\0\2\n\n") * 5)


def test_a_byte_of_a_case_is_not_sought_again_for_each_frame():
    # The default's own loop stops at once here, as it does before something odd; the first line is cut alone.
    sought = []

    class Line(type(get_format("lines"))):
        def _prepare(self):
            super()._prepare()
            self.scan = lambda buffer, start, end, limit, out: sought.append(start) or start

    form = Line()
    formats = get_format("header", **MEDIA), form
    scan, _ = choice_scans(CHOICES[0], formats, Prefixes([parse_prefix("$")], has_default=True))
    out = []
    assert scan(b"ab\n" * 1000, 0, 3000, 1 << 62, out) == 3000
    assert (len(out), sought) == (1000, [3])
