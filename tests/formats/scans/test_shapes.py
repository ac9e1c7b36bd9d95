"""Shapes of items: when they are learned, and when they are forgotten."""

from framing.formats.scans import shapes as shapes_module
from framing.formats.scans.cbor_shapes import shape
from framing.formats.scans.shapes import Shapes, shaped_scan


def is_cut(shapes, item):
    out = []
    return shapes.cut(item * 9, 0, 9 * len(item), 1 << 62, out) == 9 * len(item) and out == [item] * 9


def test_each_shape_must_be_met_twice_as_often_as_the_last():
    items = [bytes((0x80 + size,)) + bytes(size) for size in range(1, 5)]
    shapes, needed = Shapes(shape, 1 << 20), []
    for item in items:
        count = 0
        while not is_cut(shapes, item):
            shapes.learn(item)
            count += 1
        needed.append(count)
    assert needed == [2, 4, 8, 16]


def test_only_the_last_shapes_are_kept(monkeypatch):
    monkeypatch.setattr(shapes_module, "_MAX_SHAPES", 2)
    shapes = Shapes(shape, 1 << 20)
    for size in (1, 2, 3):
        for _ in range(8):
            shapes.learn(bytes((0x80 + size,)) + bytes(size))
    assert [is_cut(shapes, item) for item in (b"\x81\0", b"\x82\0\0", b"\x83\0\0\0")] == [False, True, True]


def test_shapes_that_never_come_again_take_no_memory():
    shapes = Shapes(shape, 1 << 20)
    for one in range(1000):
        shapes.learn(b"\x85" + b"".join(b"\x81\0" if one >> bit & 1 else b"\x80" for bit in range(10)))
    assert len(shapes._seen) <= 64


def test_an_item_over_the_limit_is_not_cut():
    shapes, out = Shapes(shape, 5), []
    for _ in range(2):
        shapes.learn(b"\x82\x43abc\0")
    stream = b"\x82\x41a\0" * 9 + b"\x82\x43abc\0" + b"\x82\x41a\0"
    assert shapes.cut(stream, 0, len(stream), 1 << 62, out) == 36
    assert out == [b"\x82\x41a\0"] * 9


def test_one_of_many_walked_items_is_learned_from():
    learned = []
    shapes = Shapes(lambda item: learned.append(item), 9)

    def walked(buffer, start, end, limit, out):
        stop = min(end, start + limit)
        out += [buffer[place : place + 1] for place in range(start, stop)]
        return stop

    scan, out = shaped_scan(shapes, walked), []
    assert scan(bytes(range(100)), 0, 100, 50, out) == 50
    assert learned == [b"\x0f", b"\x1f", b"\x2f"]
    assert len(out) == 50
