import pytest
import trio

from framing import DefinitionError
from transports.endpoint import open_listeners, open_stream
from transports.testing import check_scheme


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "tcp://localhost:0", "tcp://[::1]:0", "tcp://:0"])
async def test_it_is_a_scheme(endpoint):
    await check_scheme(endpoint)


async def test_an_endpoint_is_told_as_it_can_be_reached():
    for asked, begins in [("tcp://127.0.0.1:0", "tcp://127.0.0.1:"), ("tcp://[::1]:0", "tcp://[::1]:")]:
        ((reached, listener),) = await open_listeners(asked)
        async with listener:
            assert reached == f"{begins}{listener.socket.getsockname()[1]}"


async def test_a_taken_port():
    ((reached, listener),) = await open_listeners("tcp://127.0.0.1:0")
    async with listener:
        with pytest.raises(OSError, match="in use"):
            await open_listeners(reached)


async def test_small_writes_are_not_delayed():
    ((reached, listener),) = await open_listeners("tcp://127.0.0.1:0")
    async with listener, await open_stream(reached) as near:
        assert near.getsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY)


@pytest.mark.parametrize("text", ["tcp://", "tcp://host", "tcp://host/path", "tcp://host:1/path"])
async def test_what_has_no_port(text):
    for function in (open_stream, open_listeners):
        with pytest.raises(DefinitionError, match="a host and a port"):
            await function(text)


@pytest.mark.parametrize("text", ["tcp://:9000", "tcp://host:0"])
async def test_what_cannot_be_connected_to(text):
    with pytest.raises(DefinitionError, match="to connect"):
        await open_stream(text)
