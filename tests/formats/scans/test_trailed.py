"""The loop that looks up a trailer and the header behind it in one step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import get_format
from framing.formats.scans import regions, tables
from framing.formats.scans.decided import decided_scans
from framing.formats.scans.regions import Region
from framing.formats.scans.trailed import trailed_scan
from framing.testing import outcome
from framing.testing.format import check_scans

FORMATS = {
    "amqp": get_format("header", header="type:u8 channel:u16be length:u32be", trailer="end:u8=0xce", max_frame_size=99),
    "several": get_format("header", header="mark:u8=7|8 id:u8 length:u8", trailer="end:u8=1|2 more:u8=3"),
    "no region": get_format("header", header="id:u8", payload_size=3, trailer="end:u8=0xce"),
    "ucp": get_format("digits", before="stx:u8=2 trn:u8 slash:bytes1=/", digits=2, separator="/", end="\x03"),
    "two": get_format("digits", before="id:u8", digits=1, end="\r\n"),
}


def frames_of(form, sizes):
    values = {"mark": 7, "end": 1, "channel": 5}
    for number, size in enumerate(sizes):
        fields = {name: values.get(name, number % 251) for name in form.field_names}
        size = 3 if form is FORMATS["no region"] else size
        yield form.serialize(bytes((number % 251,)) * size, fields)


def cut_alike(form, stream, end, limit):
    """Hold the scan against the careful methods, which stop where it does; return how many frames it took."""
    good, out = outcome(form, [stream[:end]], finish=False), []
    stop = form.scan(stream, 0, end, limit, out)
    assert out == good.payloads[:limit]
    offset, data = good.frames[len(out) - 1] if out else (0, b"")
    assert stop == offset + len(data)
    return len(out)


@pytest.mark.parametrize("name", FORMATS)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from([*b"\0\1\2\3\7\xce09/\r"])), max_size=2),
    st.integers(0, 20),
    st.sampled_from([0, 1, 3, 1 << 62]),
)
def test_it_cuts_what_measure_cuts(name, sizes, changes, cut, limit):
    form = FORMATS[name]
    stream = bytearray(b"".join(frames_of(form, sizes)))
    for place, value in changes:
        stream[place % len(stream)] = value
    for _ in range(2):  # the second time everything is known
        cut_alike(form, bytes(stream), max(0, len(stream) - cut), limit)


@pytest.mark.parametrize("name", FORMATS)
def test_the_contract_of_many(name):
    check_scans(FORMATS[name], b"".join(frames_of(FORMATS[name], range(9))) * 4)


@pytest.mark.parametrize("name", FORMATS)
def test_a_wrong_trailer_ends_it_wherever_it_stands(name):
    form = FORMATS[name]
    frames = [*frames_of(form, [3, 5, 3, 5, 3, 5])] * 3
    assert cut_alike(form, b"".join(frames), 1 << 60, 1 << 60) == 18
    for place in range(18):
        bad = frames[place][:-1] + b"\x55"
        stream = b"".join([*frames[:place], bad, *frames[place + 1 :]])
        assert cut_alike(form, stream, len(stream), 1 << 60) == place


def counted(form, region):
    """Return the scan of a format, and how often the one behind it is asked for how many frames."""
    asked = []
    plain, _ = decided_scans(form, Region(region.spans))
    shapes = {}
    learn = regions.learner(form, region, shapes)

    def counting(buffer, start, end, limit, out):
        before = len(out)
        stop = plain(buffer, start, end, limit, out)
        asked.append(len(out) - before)
        return stop

    return trailed_scan(counting, region, learn, shapes), asked, shapes


def test_only_the_last_frame_is_left_to_others():
    form = FORMATS["amqp"]
    scan, asked, shapes = counted(form, Region(((3, 7),), trailers=frozenset((b"\xce",))))
    stream, out = b"".join(frames_of(form, [1, 5, 5, 90] * 20)), []
    assert scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert (len(out), asked, len(shapes)) == (80, [1], 3)
    assert scan(stream, 0, len(stream), 7, out) > 0
    assert (len(out), asked) == (87, [1, 0])


def met(scan, shapes):
    (found,) = (
        cell.cell_contents
        for cell in scan.__closure__
        if isinstance(cell.cell_contents, dict) and cell.cell_contents is not shapes
    )
    return found


def test_what_is_met_is_bounded(monkeypatch):
    monkeypatch.setattr(tables, "MAX_KNOWN", 5)
    scan, _, shapes = counted(FORMATS["amqp"], Region(((3, 7),), trailers=frozenset((b"\xce",))))
    stream, out = b"".join(frames_of(FORMATS["amqp"], range(80))), []
    assert scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert len(out) == 80
    assert 0 < len(met(scan, shapes)) <= 5


def test_what_the_region_does_not_decide_is_not_kept():
    region = Region(((3, 7),), lambda buffer, start: buffer[start] != 1, frozenset((b"\xce",)))
    scan, _, shapes = counted(FORMATS["amqp"], region)
    stream, out = FORMATS["amqp"].serialize(b"", {"type": 1, "channel": 0}) * 9, []
    assert scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert (len(out), shapes, met(scan, shapes)) == (9, {}, {})


@pytest.mark.parametrize("trailers", [None, frozenset((b"",)), frozenset((b"a", b"bc"))])
def test_there_is_none_without_trailers_of_one_size(trailers):
    assert counted(FORMATS["amqp"], Region(((3, 7),), trailers=trailers))[0] is None


def test_there_is_none_for_payloads_with_keys():
    region = Region(((3, 7),), trailers=frozenset((b"\xce",)), key=lambda buffer, start: (0, 0))
    assert counted(FORMATS["amqp"], region)[0] is None
