"""The hot loop of FIX messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.formats.fix import FixFormat
from framing.formats.scans import fix_loop
from framing.formats.scans.fix_loop import checksum
from framing.testing import outcome
from framing.testing.format import check_scans

FORM = FixFormat()
HEAD = b"8=FIX.4.4\x019="


def message(body, begin=b"8=FIX.4.4\x01", *, width=1, off=0):
    """Return a message; the checksum is wrong by `off`, the length has at least `width` digits."""
    data = begin + b"9=%0*d\x01" % (width, len(body)) + body
    return data + b"10=%03d\x01" % ((sum(data) + off) % 256)


def order(number, text=b""):
    return b"35=D\x0134=%d\x0158=%b\x01" % (number, text)


GOOD = [
    message(order(1)),
    message(order(12, b"x" * 80)),
    message(b"\x01"),
    message(b"a\x01\x01"),
    message(b"\xff" * 300 + b"\x01"),
    message(b"~" * 600 + b"\x01"),
    # What looks like the end of a message, and is data.
    message(order(2, b"x\x0110=163\x018=FIX.4.4\x019=5\x01y")),
    message(b"10=163\x018=FIX.4.4\x019=5\x01"),
    message(order(3, message(order(4)) + message(order(5)))),
    message(order(6), b"8=FIXT.1.1\x01"),
    message(order(7), b"8=FIX.4.2\x01"),
    message(order(8), width=4),
]
ODD = [
    message(order(1), off=1),
    message(b""),
    message(order(1)[:-1]),
    message(order(1)).replace(b"9=", b"9=1", 1),
    message(order(1)).replace(b"9=", b"9= ", 1),
    message(order(1)).replace(b"10=", b"11="),
    message(order(1)).replace(b"8=", b"\x008=")[:-1],
    message(order(1))[:-1] + b"\x02",
    message(order(1), b"8=FIX.5.0\x01"),
    message(order(1))[:-9],
    b"10=163\x01",
    HEAD,
    HEAD + b"5",
]


def cut_alike(stream, limit, most=1 << 20):
    """Hold the scan against what `measure` and `verify` say; return how many messages it took."""
    form, out = FORM.limited(most), []
    good = outcome(form, [stream], finish=False)
    stop = form.scan(stream, 0, len(stream), limit, out)
    assert out == good.payloads[: min(limit, len(good.payloads))]
    offset, data = good.frames[len(out) - 1] if out else (0, b"")
    assert stop == offset + len(data)
    return len(out)


@given(
    st.lists(st.tuples(st.sampled_from(GOOD), st.integers(1, 12)), max_size=8),
    st.sampled_from([*ODD, b""]),
    st.lists(st.sampled_from(GOOD), max_size=5),
    st.sampled_from([(1, 2, 64), (2, 2, 300), (2, 8, 1 << 16), (8, 8, 1 << 16)]),
    st.sampled_from([0, 1, 5, 20, 1 << 62]),
    st.sampled_from([31, 100, 400, 1 << 20]),
)
def test_windows_cut_what_measure_cuts(runs, odd, behind, sizes, limit, most):
    stream = b"".join(one * count for one, count in runs) + odd + b"".join(behind)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zip(("_COUNT", "_GROWTH", "_WINDOW_SIZE"), sizes, strict=True):
            patch.setattr(fix_loop, name, value)
        cut_alike(stream, limit, most)


@pytest.mark.parametrize("odd", ODD)
def test_a_window_stops_in_front_of_what_is_odd(odd):
    some = message(order(1)) * 50
    assert cut_alike(some + odd + some, 1 << 62) == 50


def test_a_window_stops_in_front_of_what_is_too_large():
    some, large = message(order(1)) * 50, message(order(1, b"x" * 60))
    assert cut_alike(some + large + some, 1 << 62, len(large)) == 101
    assert cut_alike(some + large + some, 1 << 62, len(large) - 1) == 50


@given(
    st.lists(st.integers(0, 10**9), min_size=30, max_size=60),
    st.lists(st.tuples(st.integers(0, 4000), st.sampled_from([*b"\x00\x01089=1\xff"])), max_size=3),
    st.integers(0, 4000),
)
def test_changed_and_truncated_streams(numbers, changes, end):
    stream = bytearray(b"".join(message(order(one, b"x" * (one % 50))) for one in numbers))
    for place, value in changes:
        stream[place % len(stream)] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fix_loop, "_COUNT", 2)
        cut_alike(bytes(stream[: max(end, len(stream) - end)]), 1 << 62)


def test_the_contract_of_many():
    check_scans(FORM, b"".join(message(order(one, b"y" * (one % 7))) for one in range(80)))
    check_scans(FORM, b"".join(GOOD) * 2)


@pytest.fixture
def windows():
    """Return how each window comes out: its size, how many bytes of it were cut, whether it was good."""
    seen = []

    class Seen(fix_loop._Windows):
        __slots__ = ()

        def cut(self, buffer, start, end, limit, out):
            stop, good = super().cut(buffer, start, end, limit, out)
            seen.append((end - start, stop - start, good))
            return stop, good

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fix_loop, "_Windows", Seen)
        yield seen


def test_most_of_a_stream_is_cut_in_windows(windows):
    stream = b"".join(message(order(one, b"x" * (one % 90))) for one in range(3000))
    assert cut_alike(stream, 1 << 62) == 3000
    assert sum(cut for _, cut, good in windows if good) > 0.9 * len(stream)
    assert max(size for size, _, _ in windows) == fix_loop._WINDOW_SIZE


@pytest.mark.parametrize("every", [1, 3, 10, 50, 200, 1000])
@pytest.mark.parametrize("odd", [GOOD[6], GOOD[8], GOOD[9], GOOD[11]])
def test_what_is_looked_at_in_vain_stays_in_proportion(windows, odd, every):
    stream = b"".join(message(order(one)) if one % every else odd for one in range(3000))
    assert cut_alike(stream, 1 << 62) == 3000
    assert sum(size - cut for size, cut, _ in windows) < len(stream)


def test_a_window_is_cut_up_to_what_is_odd(windows):
    stream = b"".join(message(order(one)) for one in range(60)) + message(order(60), off=1) + message(order(61)) * 30
    assert cut_alike(stream, 1 << 62) == 60
    assert windows[0][1] > 50 * 30
    assert not windows[0][2]


def test_few_messages_and_long_ones_are_taken_one_by_one(windows):
    assert cut_alike(message(order(1)) * 11, 1 << 62) == 11
    assert cut_alike(message(order(1)) * 200, 7) == 7
    assert cut_alike(message(order(1, b"x" * 1000)) * 50, 1 << 62) == 50
    assert not windows


@pytest.mark.parametrize("size", [1, 10, 100])
def test_every_checksum_and_no_other(size):
    """Any other three digits behind `10=` are refused by a window, for each sum there is."""
    cut, rest = fix_loop._Windows(b"8=FIX.4.4\x01", 1 << 20).cut, message(order(1)) * 2
    seen = set()
    for one in range(256):
        good = message(bytes((one,)) + b"x" * size + b"\x01")
        seen.add(good[-4:-1])
        out = []
        assert cut(good + rest, 0, len(good + rest), 9, out) == (len(good) + len(rest) // 2, True)
        for other in range(1000 if one == 7 else 256):
            data = good[:-4] + b"%03d\x01" % other + rest
            stop, taken = cut(data, 0, len(data), 9, out)
            assert (stop > 0, taken) == ((data[: len(good)] == good,) * 2)
    assert len(seen) == 256


@pytest.mark.parametrize("byte", [b"\x7f", b"\xff", b"\x80"])
@pytest.mark.parametrize("value", [0, 1, 255])
def test_the_sum_of_any_size(byte, value):
    for size in (0, 1, 200, 254, 255, 256, 257, 509, 510, 511, 512, 765, 766, 1020, 1021, 70_000):
        assert checksum(byte * size, value) == (sum(byte * size) + value) % 256
        assert checksum(bytearray(byte * size), value) == (sum(byte * size) + value) % 256


@pytest.mark.parametrize("byte", [b"\x7f", b"\xff"])
def test_windows_sum_up_any_size(byte):
    cut = fix_loop._Windows(b"8=FIX.4.4\x01", 1 << 20).cut
    for size in (230, 254, 255, 256, 480, 509, 510, 511, 600, 2000):
        stream, out = message(byte * (size - 1) + b"\x01") * 3, []
        assert cut(stream, 0, len(stream), 9, out) == (len(stream) // 3 * 2, True)
        stream = message(byte * (size - 1) + b"\x01", off=1) * 3
        assert cut(stream, 0, len(stream), 9, out) == (0, False)


def test_lengths_filled_up_with_zeros_are_not_tried():
    windows, stream, out = fix_loop._Windows(b"8=FIX.4.4\x01", 1 << 20), message(order(1), width=4) * 9, []
    assert windows.cut(stream, 0, len(stream), 9, out) == (0, False)
    assert not windows._headers


def test_what_is_known_is_bounded(monkeypatch):
    monkeypatch.setattr(fix_loop, "_KNOWN_COUNT", 300)
    windows = fix_loop._Windows(b"8=FIX.4.4\x01", 1 << 20)
    for size in range(1, 1000):
        stream, out = message(b"x" * size + b"\x01") * 3, []
        assert windows.cut(stream, 0, len(stream), 9, out)[1]
        assert len(windows._headers) <= 300
    assert len(windows._sums) <= 255
    assert len(windows._ascii_sums) <= 510


def test_a_header_is_measured_once():
    measured = []

    class Counting(FixFormat):
        def measure(self, buffer, start, end):
            measured.append(start)
            return super().measure(buffer, start, end)

    form = Counting()
    stream = (message(order(1)) + message(order(1, b"x" * 100))) * 3
    for _ in range(2):
        assert form.scan(stream, 0, len(stream), 6, []) == len(stream)
    assert len(measured) == 2
