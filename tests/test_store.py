"""ChunkStore: what is kept, where it stands in the stream, and how often it is copied."""

from hypothesis import given
from hypothesis import strategies as st

from framing.store import ChunkStore


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=3000), st.booleans(), st.booleans(), st.integers(0, 4000))),
    st.integers(0, 100),
)
def test_no_byte_is_lost_or_moved_whatever_is_done(steps, offset):
    store, stream, done = ChunkStore(offset), b"", 0
    for chunk, gathered, once, taken_size in steps:
        store.add(chunk)
        stream += chunk
        if gathered:
            store.gather(once=once)
            assert store.waiting_size == 0
            assert bytes(store.buffer[store.start :]) == stream[done:]
            taken = min(taken_size, len(store.buffer) - store.start)
            store.start += taken
            done += taken
        assert (store.offset, store.size) == (offset + done, len(stream) - done)
        assert store.peek(5) == stream[done : done + 5]
    assert store.take_rest() == stream[done:]
    assert (store.offset, store.size) == (offset + done, 0)


def test_a_single_chunk_is_looked_at_where_it_lies():
    store, chunk = ChunkStore(0), b"chunk" * 1000
    store.add(chunk)
    store.gather(once=False)
    assert store.buffer is chunk


def test_small_chunks_are_kept_in_blocks():
    store = ChunkStore(0)
    for _ in range(100_000):
        store.add(b"ab")
    assert len(store._chunks) < 10
    assert store.take_rest() == b"ab" * 100_000


def test_what_nobody_knows_the_size_of_grows_in_place(counted_store):
    for _ in range(1000):
        counted_store.add(b"x" * 10)
        counted_store.gather(once=False)
    assert type(counted_store.buffer) is bytearray
    assert counted_store.copied_size <= 3 * 10_000
    counted_store.freeze()
    assert counted_store.buffer == b"x" * 10_000
    assert type(counted_store.buffer) is bytes


def test_a_large_frame_is_taken_from_its_chunks(counted_store):
    counted_store.add(b"head" + b"a" * 6)
    counted_store.gather(once=False)
    counted_store.add(b"b" * 2000)
    assert counted_store.take_large(1500, 4) is None  # one chunk: a join is as good
    counted_store.add(b"c" * 2000)
    counted_store.add(b"d" * 2000)
    before = counted_store.copied_size
    assert counted_store.take_large(3010, 4) == b"a" * 6 + b"b" * 2000 + b"c" * 1000
    assert counted_store.copied_size - before == 3006
    assert (counted_store.offset, counted_store.size) == (3010, 3000)
    assert counted_store.take_rest() == b"c" * 1000 + b"d" * 2000


def test_what_was_handed_out_is_let_go_when_more_comes():
    store = ChunkStore(0)
    store.add(b"old" * 1000)
    store.gather(once=False)
    store.start = len(store.buffer)
    store.add(b"new")
    assert (store.buffer, store.offset, store.size) == (b"new", 3000, 3)


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=8), st.data())
def test_dropping_forgets_the_first_bytes_wherever_they_lie(chunks, data):
    store = ChunkStore(100)
    for number, chunk in enumerate(chunks):
        store.add(chunk)
        if number % 3 == 0:
            store.gather(once=False)
    whole, size = b"".join(chunks), data.draw(st.integers(0, sum(map(len, chunks))))
    store.drop(size)
    assert (store.offset, store.size) == (100 + size, len(whole) - size)
    assert store.peek(1000) == whole[size:]
    assert store.take_rest() == whole[size:]
