import io

import trio

from framing.capture import read
from transports.recording import Recording


async def connected():
    """Both ends of a TCP connection, the client's first."""
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        client = await trio.open_tcp_stream(*listener.socket.getsockname()[:2])
        return client, await listener.accept()


def records(recording, protocol="lines/raw"):
    file = io.BytesIO()
    recording.write(file)
    file.seek(0)
    return list(read(file, protocol))


def frames(found):
    return [(one.direction, one.message) for one in found if one.type == "frame"]


async def test_what_crossed_is_in_the_capture_in_order():
    recording = Recording()
    client, server = await connected()
    async with server, recording.tap(client) as tapped:
        await tapped.send_all(b"one\ntw")
        assert await server.receive_some() == b"one\ntw"
        await server.send_all(b"ONE\n")
        assert await tapped.receive_some() == b"ONE\n"
        await tapped.wait_send_all_might_not_block()
        await tapped.send_all(bytearray(b"o\n"))

    found = records(recording)

    assert frames(found) == [("client", b"one"), ("server", b"ONE"), ("client", b"two")]
    assert [one.end for one in found if one.type == "summary" and one.flow] == ["fin", "fin"]
    assert [one for one in found if one.type in ("error", "gap")] == []


async def test_its_addresses_are_those_of_the_sockets():
    recording = Recording()
    client, server = await connected()
    own, peer = (":".join(map(str, end.socket.getsockname())) for end in (client, server))
    async with server, recording.tap(client) as tapped:
        await tapped.send_all(b"one\n")

    [record] = [one for one in records(recording) if one.type == "frame"]

    assert (record.flow, record.is_guessed) == (f"{own}>{peer}", False)


async def test_each_end_is_recorded_once():
    recording = Recording()
    client, server = await connected()
    tapped = recording.tap(client)
    await tapped.send_eof()
    await server.aclose()
    assert await tapped.receive_some() == b""
    assert await tapped.receive_some() == b""
    await tapped.aclose()
    await tapped.aclose()

    file = io.BytesIO()
    recording.write(file)

    # The handshake with its two options, then FIN and ACK for each side; 16 bytes before each packet.
    assert len(file.getvalue()) == 24 + 3 * 56 + 2 * 4 + 4 * 56


class LateStream:
    """A socket's stream that says that bytes were accepted only when the answer to them has come."""

    def __init__(self, stream):
        self.stream = stream
        self.socket = stream.socket
        self.receive_some = stream.receive_some
        self.aclose = stream.aclose
        self.answered = trio.Event()

    async def send_all(self, data):
        await self.stream.send_all(data)
        await self.answered.wait()


async def test_an_answer_never_stands_before_what_it_answers():
    recording = Recording()
    client, server = await connected()
    late = LateStream(client)
    async with server, recording.tap(late) as tapped, trio.open_nursery() as nursery:
        nursery.start_soon(tapped.send_all, b"question\n")
        await server.receive_some()
        await server.send_all(b"answer\n")
        await tapped.receive_some()
        late.answered.set()

    assert frames(records(recording)) == [("client", b"question"), ("server", b"answer")]


async def test_what_was_not_accepted_is_not_recorded():
    recording = Recording()
    client, server = await connected()
    async with server, recording.tap(client) as tapped:
        with trio.move_on_after(0):
            await tapped.send_all(b"never\n")

    assert frames(records(recording)) == []


async def test_connections_share_a_capture_in_the_order_of_time():
    recording = Recording()
    pairs = [await connected() for _ in range(2)]
    taps = [recording.tap(client) for client, _ in pairs]
    for text in (b"a\n", b"b\n"):
        for tapped in taps:
            await tapped.send_all(text)
    for tapped, (_, server) in zip(taps, pairs, strict=True):
        await tapped.aclose()
        await server.aclose()

    found = [one for one in records(recording) if one.type == "frame"]

    assert [one.message for one in found] == [b"a", b"a", b"b", b"b"]
    assert found[0].flow == found[2].flow != found[1].flow == found[3].flow
