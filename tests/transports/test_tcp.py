import socket

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
        with pytest.raises(OSError, match="in use") as caught:
            await open_listeners(reached)
        assert caught.value.filename == reached
        assert str(caught.value).endswith(f"'{reached}'")


async def test_who_does_not_answer_is_named():
    ((reached, listener),) = await open_listeners("tcp://127.0.0.1:0")
    await listener.aclose()
    with pytest.raises(ConnectionRefusedError) as caught:
        await open_stream(reached)
    assert str(caught.value).endswith(f"Connection refused: '{reached}'")


async def test_a_name_that_is_nobodys_is_named(monkeypatch):
    class Nobody(trio.abc.HostnameResolver):
        async def getaddrinfo(self, *_):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        async def getnameinfo(self, *_):
            raise AssertionError

    trio.socket.set_custom_hostname_resolver(Nobody())
    with pytest.raises(socket.gaierror, match="not known: 'tcp://nobody:1'"):
        await open_stream("tcp://nobody:1")


async def test_where_each_address_failed_otherwise_nothing_is_made_up(monkeypatch):
    async def fail(host, port):
        raise OSError("all failed") from ExceptionGroup("", [OSError(111, "refused"), OSError(110, "timed out")])

    monkeypatch.setattr(trio, "open_tcp_stream", fail)
    with pytest.raises(OSError, match=r"^all failed$"):
        await open_stream("tcp://host:1")


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
