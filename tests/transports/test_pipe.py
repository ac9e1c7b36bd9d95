import pytest
import trio
import trio.testing

from transports.pipe import CAPACITY, Pipe


async def test_it_takes_what_fits_and_gives_it_back():
    pipe = Pipe()

    assert pipe.write(b"x" * CAPACITY + b"y") == CAPACITY
    assert pipe.write(b"y") == 0
    assert await pipe.read(10) == b"x" * 10
    assert pipe.write(memoryview(b"y" * 100)) == 10
    assert await pipe.read(None) == b"x" * (CAPACITY - 10) + b"y" * 10


async def test_the_end_comes_behind_the_bytes():
    pipe = Pipe()
    pipe.write(b"last")
    await pipe.end()
    await pipe.end()

    assert [await pipe.read(None) for _ in range(3)] == [b"last", b"", b""]
    with pytest.raises(trio.ClosedResourceError):
        pipe.write(b"x")


async def test_a_closed_reader_breaks_it():
    pipe = Pipe()
    pipe.close_reader()
    with pytest.raises(trio.BrokenResourceError):
        pipe.write(b"x")
    with pytest.raises(trio.ClosedResourceError):
        await pipe.read(None)


async def test_a_closed_writer():
    pipe = Pipe()
    pipe.close_writer()
    for call in (pipe.end, pipe.wait_writable):
        with pytest.raises(trio.ClosedResourceError):
            await call()
    assert await pipe.read(None) == b""


async def test_closing_wakes_the_other_side():
    pipe, ended = Pipe(), []

    async def write():
        try:
            await pipe.write_all(b"x" * CAPACITY * 2)
        except trio.BrokenResourceError as error:
            ended.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await trio.testing.wait_all_tasks_blocked()
        pipe.close_reader()
    assert ended
