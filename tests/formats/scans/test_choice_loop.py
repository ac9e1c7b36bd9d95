"""The hot loop of a choice."""

from hypothesis import given
from hypothesis import strategies as st

from framing import get_format
from framing.formats.prefix import Prefixes, parse_prefix
from framing.formats.scans.choice_loop import choice_scan
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
]
PIECES = [b"$\0\2ab", b"$$\0", b"hello\n", b"a $ in it\n", b"#\1a\xce", b"#\1ax", b"{}", b" [1]\n", b"$", b"\n"]
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
    scan = choice_scan((get_format("header", **MEDIA), form), Prefixes([parse_prefix("$")], has_default=True))
    out = []
    assert scan(b"ab\n" * 1000, 0, 3000, 1 << 62, out) == 3000
    assert (len(out), sought) == (1000, [3])
