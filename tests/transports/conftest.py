"""Pairs of connected streams of every kind."""

import pytest
import trio
import trio.testing

from transports.memory import memory_stream_pair
from transports.testing import OneByteStream, tcp_stream_pair


async def tcp():
    return await tcp_stream_pair()


async def narrow_tcp():
    """A socket that takes so little at once that a large frame is written in many pieces."""
    near, far = await tcp_stream_pair()
    near.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, 4096)
    return near, far


async def stapled_tcp():
    near, far = await tcp_stream_pair()
    return trio.StapledStream(near, near), far


async def memory():
    return memory_stream_pair()


async def memory_by_bytes():
    near, far = memory_stream_pair(capacity=16)
    return OneByteStream(near, reports=True), far


async def unreported_memory_by_bytes():
    near, far = memory_stream_pair(capacity=16)
    return OneByteStream(near, reports=False), far


async def trio_memory():
    return trio.testing.memory_stream_pair()


async def lockstep():
    return trio.testing.lockstep_stream_pair()


# What is written to the near end can be told to the byte.
REPORTING = [tcp, narrow_tcp, stapled_tcp, memory, memory_by_bytes]
# Here it cannot, once `send_all` was called.
NOT_REPORTING = [trio_memory, lockstep, unreported_memory_by_bytes]


class Maker:
    """Makes pairs of one kind, and closes them in the end."""

    def __init__(self, make):
        self.name = make.__name__
        self.reporting = make in REPORTING
        self._make = make
        self._made = []

    async def __call__(self):
        pair = await self._make()
        self._made += pair
        return pair

    async def close(self):
        for stream in self._made:
            await trio.aclose_forcefully(stream)


@pytest.fixture(params=REPORTING + NOT_REPORTING, ids=lambda make: make.__name__)
async def make_streams(request):
    maker = Maker(request.param)
    yield maker
    await maker.close()


@pytest.fixture(params=REPORTING, ids=lambda make: make.__name__)
async def make_reporting(request):
    maker = Maker(request.param)
    yield maker
    await maker.close()
