import os
import socket

import pytest
import trio
import trio.testing

from transports import partial
from transports.memory import memory_stream_pair
from transports.partial import partial_writer, write_borrowed
from transports.testing import tcp_stream_pair


@pytest.fixture(params=["system", "borrowed"])
def write(request, monkeypatch):
    """Both ways to write to a socket, whatever the system."""
    monkeypatch.setattr(partial.os, "write", os.write if request.param == "system" else write_borrowed)


@pytest.fixture
async def streams(write):
    near, far = await tcp_stream_pair()
    yield near, far
    await near.aclose()
    await far.aclose()


async def test_a_socket_takes_what_fits(streams):
    near, far = streams
    write_some = partial_writer(near)
    taken = write_some(b"x" * 50_000_000)

    assert 0 < taken < 50_000_000
    while more := write_some(memoryview(b"x" * 1_000_000)):
        taken += more
    await near.send_eof()
    received = 0
    while chunk := await far.receive_some():
        received += len(chunk)
    assert received == taken


async def test_a_closed_socket(streams):
    near, _ = streams
    write_some = partial_writer(near)
    await near.aclose()
    with pytest.raises(trio.ClosedResourceError):
        write_some(b"x")


async def test_a_socket_that_was_shut_down(streams):
    near, _ = streams
    await near.send_eof()
    with pytest.raises(trio.BrokenResourceError):
        partial_writer(near)(b"x")


async def test_a_borrowed_socket_stays_open(streams):
    near, far = streams
    assert write_borrowed(near.socket.fileno(), b"abc") == 3
    await near.send_all(b"def")
    assert await far.receive_some() in (b"abc", b"abcdef")


def test_a_borrowed_socket_that_is_full():
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        write_borrowed(near.fileno(), b"x" * 100_000_000)
        with pytest.raises(BlockingIOError):
            write_borrowed(near.fileno(), b"x" * 100_000_000)
        assert near.fileno() >= 0


async def test_streams_that_cannot_tell():
    near, _ = trio.testing.memory_stream_pair()
    assert partial_writer(near) is None


async def test_a_staple_can_tell_if_its_sending_half_can():
    near, _far = memory_stream_pair()
    assert partial_writer(trio.StapledStream(near, near))(b"abc") == 3
