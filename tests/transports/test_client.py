import pytest
import trio

from framing import DefinitionError, FrameTooLargeError, get_protocol
from framing.errors import UnknownNameError
from transports import Limits, connect
from transports.memory import MemoryListener


async def test_the_channel_is_closed_at_the_end():
    async with MemoryListener("there") as listener:
        async with connect("memory://there", get_protocol("u8/raw")) as channel:
            assert channel.side == "client"
            far = await listener.accept()
            await channel.send(b"x")
        assert [await far.receive_some() for _ in range(2)] == [b"\1x", b""]
        with pytest.raises(trio.ClosedResourceError):
            await channel.send(b"x")


async def test_the_channel_is_closed_after_an_error():
    async with MemoryListener("there") as listener:
        with pytest.raises(KeyError):
            async with connect("memory://there", "u8/raw"):
                raise KeyError
        assert await (await listener.accept()).receive_some() == b""


async def test_limits():
    async with MemoryListener("there"), connect("memory://there", "u8/raw", limits=Limits(max_frame_size=5)) as channel:
        with pytest.raises(FrameTooLargeError):
            await channel.send(b"12345")


async def test_what_is_wrong_is_said_before_a_connection_is_made():
    async with MemoryListener("there") as listener:
        for protocol in ("u8/rwa", "nothing"):
            with pytest.raises(UnknownNameError):
                async with connect("memory://there", protocol):
                    pass
        assert listener._arrived.statistics().current_buffer_used == 0


async def test_what_cannot_be_reached():
    with pytest.raises(ConnectionRefusedError):
        async with connect("memory://nobody", "u8/raw"):
            pass
    with pytest.raises(DefinitionError):
        async with connect("nowhere", "u8/raw"):
            pass
