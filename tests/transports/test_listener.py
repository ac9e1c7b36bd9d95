import pytest
import trio

from framing import get_protocol
from transports import Limits, MessageChannel
from transports.listener import ChannelListener
from transports.memory import MemoryListener


async def test_it_accepts_channels():
    inner = MemoryListener("listener")
    listener = ChannelListener(inner, get_protocol("u8/raw"), Limits(batch_count=1))
    client = MessageChannel(await inner.connect(), "u8/raw")
    channel = await listener.accept()
    await listener.aclose()
    await client.send_many([b"hello", b"there"])

    assert channel.side == "server"
    assert await channel.receive_many() == [b"hello"]
    with pytest.raises(trio.ClosedResourceError):
        await listener.accept()
