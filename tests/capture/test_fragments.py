"""IP packets put together from fragments. [P22]"""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.capture.fragments import Fragments

SECOND = 1_000_000_000
WHOLE = bytes(range(48))


def feed(fragments, *parts, key=b"key", time_ns=0):
    """Add parts (offset, data, is_last), and return the packets that come out."""
    added = (fragments.add(key, offset, data, is_last=is_last, time_ns=time_ns) for offset, data, is_last in parts)
    return [whole for whole in added if whole is not None]


def part(start, stop=None):
    return start, WHOLE[start:stop], stop is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_any_order(order):
    fragments = Fragments()
    parts = [part(0, 8), part(8, 32), part(32)]
    assert feed(fragments, *(parts[index] for index in order)) == [WHOLE]
    fragments.finish()
    assert fragments.lost_count == 0


def test_nothing_is_given_while_a_piece_is_missing():
    fragments = Fragments()
    assert feed(fragments, part(0, 8), part(16, 24), part(32)) == []
    fragments.finish()
    assert fragments.lost_count == 3


def test_the_end_may_be_empty():
    assert feed(Fragments(), part(0, 48), (48, b"", True)) == [WHOLE]


def test_a_repeated_fragment_changes_nothing():
    assert feed(Fragments(), part(8, 32), part(8, 32), part(0, 8), part(32)) == [WHOLE]


def test_of_two_copies_that_of_the_fragment_that_begins_lower_wins():
    """As in BSD, and in tshark: `early` and `late` come before and after the fragments that they overlap."""
    early, late = (8, b"e" * 24, False), (8, b"l" * 24, False)
    for first, second in ((early, late), (late, early)):
        # Both begin at 8: the first of them.
        expected = WHOLE[:8] + first[1] + WHOLE[32:]
        assert feed(Fragments(), first, second, part(0, 8), part(32)) == [expected]
    for parts in ((part(0, 16), early, part(32)), (early, part(0, 16), part(32))):
        assert feed(Fragments(), *parts) == [WHOLE[:16] + early[1][8:] + WHOLE[32:]]
    inside = (16, b"iiiiiiii", False)
    for parts in ((inside, part(0, 40), part(40)), (part(0, 40), inside, part(40))):
        assert feed(Fragments(), *parts) == [WHOLE]


def test_what_is_behind_the_end_is_left_out():
    for parts in (
        (part(0, 8), (48, b"behind!!", False), part(8)),
        (part(8), (40, b"behind it is cut", False), part(0, 8)),
        (part(8), (8, WHOLE[8:] + bytes(8), True), part(0, 8)),
    ):
        [whole] = feed(Fragments(), *parts)
        assert whole == WHOLE


def test_fragments_that_none_can_be_are_lost():
    fragments = Fragments()
    assert feed(fragments, (0, b"seven..", False), (0, b"", False), (65528, bytes(8), True)) == []
    assert fragments.lost_count == 3
    assert feed(fragments, (65528, bytes(7), True)) == []


def test_keys_are_told_apart():
    fragments = Fragments()
    assert feed(fragments, part(0, 8), key=b"one") == feed(fragments, part(8), key=b"other") == []
    assert feed(fragments, part(8), key=b"one") == [WHOLE]


def test_after_half_a_minute_of_the_capture_the_rest_is_not_waited_for():
    fragments = Fragments()
    feed(fragments, part(0, 8), time_ns=0)
    assert feed(fragments, part(8), time_ns=30 * SECOND) == [WHOLE]
    feed(fragments, part(0, 8), time_ns=0)
    assert feed(fragments, part(8), time_ns=30 * SECOND + 1) == []
    assert fragments.lost_count == 1
    # A clock that goes back is no reason to wait for ever, and one that is not there no reason to give up.
    assert feed(fragments, part(0, 8), time_ns=-SECOND) == []
    assert fragments.lost_count == 2
    fragments = Fragments()
    assert feed(fragments, part(0, 8), time_ns=None) == []
    assert feed(fragments, part(8), time_ns=99 * SECOND) == [WHOLE]


@pytest.mark.parametrize("size", [0, 8, 1400, 65528])
def test_memory_is_bounded_and_the_oldest_goes(size):
    tracemalloc.start()
    try:
        fragments = Fragments()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(30_000 if size < 1000 else 6000):
            data = bytes([number & 255]) * size
            fragments.add(b"%d" % number, 0 if size else 8, data, is_last=not size, time_ns=0)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 12 * 1024 * 1024
    assert fragments.lost_count > 1000
    newest = data + b"end" if size else bytes(8)
    tail = (size, b"end", True) if size else (0, bytes(8), False)
    assert fragments.add(b"%d" % number, tail[0], tail[1], is_last=tail[2], time_ns=0) == newest


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4), st.booleans()), max_size=30), st.randoms())
def test_any_fragments_give_a_packet_that_has_a_byte_of_one_of_them_everywhere(drawn, chance):
    """Against a map of every byte; both rules of overlap as in the clause."""
    fragments, held, total = Fragments(), {}, None
    for place, units, is_last in drawn:
        start, data = place * 8, chance.randbytes(units * 8)
        if is_last and total is None:
            total = start + len(data)
        for index, byte in enumerate(data, start):
            if index not in held or held[index][0] > start:
                held[index] = start, byte
        whole = fragments.add(b"", start, data, is_last=is_last, time_ns=None)
        if total is not None and all(index in held for index in range(total)):
            assert whole == bytes(held[index][1] for index in range(total))
            held, total = {}, None
        else:
            assert whole is None


def test_many_small_overlapping_fragments_take_no_time():
    fragments, chance = Fragments(), random.Random(7)
    for _ in range(20_000):
        offset = chance.randrange(1, 8000) * 8
        fragments.add(b"", offset, chance.randbytes(8 * chance.randrange(1, 5)), is_last=False, time_ns=0)
    fragments.finish()
    assert fragments.lost_count == 20_000
