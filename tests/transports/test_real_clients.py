"""Clients that other people wrote talk to servers that are nothing but a definition and a handler."""

import base64
import hashlib
import struct
import threading

import paho.mqtt.client as mqtt
import pg8000.native
import trio
from websockets.sync.client import connect as connect_websocket

from framing import Message
from transports import serve

SSL_REQUEST, STARTUP = 80877103, 196608


def parameter(name, value):
    return Message(name.encode() + b"\0" + value.encode() + b"\0", type=ord("S"))


READY = Message(b"I", type=ord("Z"))


async def postgresql_server(channel):
    """Refuse encryption, let everybody in, and answer each query with one row that repeats it."""
    startup = await channel.receive()
    if startup.code == SSL_REQUEST:
        await channel.send(Message(b"", answer=ord("N")))
        startup = await channel.receive()
    assert startup.code == STARTUP
    assert b"user\0ann\0" in startup.value
    await channel.send(Message(struct.pack(">I", 0), type=ord("R")))
    await channel.send_many([parameter("client_encoding", "UTF8"), parameter("server_version", "15.0"), READY])
    async for message in channel:
        if message.type == ord("X"):
            return
        assert message.type == ord("Q")
        column = b"q\0" + struct.pack(">IHIHIH", 0, 0, 25, 0xFFFF, 0xFFFFFFFF, 0)
        text = message.value[:-1]
        await channel.send_many(
            [
                Message(struct.pack(">H", 1) + column, type=ord("T")),
                Message(struct.pack(">HI", 1, len(text)) + text, type=ord("D")),
                Message(b"SELECT 1\0", type=ord("C")),
                READY,
            ]
        )


def ask_postgresql(port, queries):
    connection = pg8000.native.Connection("ann", host="127.0.0.1", port=port, database="db", ssl_context=None)
    rows = [connection.run(query) for query in queries]
    connection.close()
    return rows


async def test_pg8000_queries_a_server_of_the_postgresql_definition():
    queries = ["select 1", "select 'größer' || repeat('x', 100)", "select '" + "long " * 50_000 + "'"]
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            server = await nursery.start(serve, "tcp://127.0.0.1:0", "postgresql", postgresql_server)
            port = int(server.endpoint.rpartition(":")[2])
            rows = await trio.to_thread.run_sync(ask_postgresql, port, queries)
            nursery.cancel_scope.cancel()
    assert rows == [[[query]] for query in queries]


CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, DISCONNECT = 1, 2, 3, 4, 8, 9, 14


def packet(payload, kind, flags=0):
    return Message(payload, type=kind, dup=flags >> 3, qos=flags >> 1 & 3, retain=flags & 1)


async def mqtt_broker(channel):
    """Take one client, and send it back what it publishes."""
    async for message in channel:
        if message.type == CONNECT:
            await channel.send(packet(b"\0\0", CONNACK))
        elif message.type == SUBSCRIBE:
            await channel.send(packet(message.value[:2] + b"\0", SUBACK))
        elif message.type == PUBLISH:
            size = int.from_bytes(message.value[:2], "big") + 2
            identifier = message.value[size : size + 2]
            await channel.send(packet(identifier, PUBACK))
            await channel.send(packet(message.value[:size] + message.value[size + 2 :], PUBLISH))
        elif message.type == DISCONNECT:
            return


def publish_and_wait(port, payload):
    arrived, subscribed, received = threading.Event(), threading.Event(), []

    def on_message(client, userdata, message):
        received.append((message.topic, message.payload))
        arrived.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe("news/today")
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert subscribed.wait(10)
    published = client.publish("news/today", payload, qos=1)
    assert arrived.wait(10)
    published.wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    return received


async def test_paho_publishes_to_a_server_of_the_mqtt_definition():
    payload = bytes(range(256)) * 1000  # its length takes three bytes
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            server = await nursery.start(serve, "tcp://127.0.0.1:0", "mqtt", mqtt_broker)
            port = int(server.endpoint.rpartition(":")[2])
            received = await trio.to_thread.run_sync(publish_and_wait, port, payload)
            nursery.cancel_scope.cancel()
    assert received == [("news/today", payload)]


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


def unmasked(payload, opcode):
    return Message(payload, opcode=opcode, rsv1=0, rsv2=0, rsv3=0)


async def websocket_server(channel, seen):
    """Shake hands, and answer each message with itself, more than a million times."""
    request = await channel.receive()
    key = request.headers["sec-websocket-key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest()).decode()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
    await channel.send(Message(b"", start="HTTP/1.1 101 Switching Protocols", headers=headers))
    async for message in channel:
        seen.append((message.opcode, message.value))
        if message.opcode == PING:
            await channel.send(unmasked(message.value, PONG))
        elif message.opcode == CLOSE:
            await channel.send(unmasked(message.value, CLOSE))
            return
        else:
            await channel.send(unmasked(message.value * 1_100_000, message.opcode))


def talk_websocket(port):
    """Send text in three fragments, with a ping between two of them; return what is answered, in pieces."""
    with connect_websocket(f"ws://127.0.0.1:{port}/", compression=None, max_size=None) as client:

        def fragments():
            yield "grö"
            assert client.ping(b"well?").wait(10)  # the server answers while the message is unfinished
            yield "ß"
            yield "er"

        client.send(fragments())
        answer = list(client.recv_streaming())
        client.send([b"\0", b"\xff"])
        return answer, client.recv()


async def test_websockets_sends_and_takes_fragments_of_the_websocket_definition():
    seen = []
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            server = await nursery.start(
                serve, "tcp://127.0.0.1:0", "websocket", lambda channel: websocket_server(channel, seen)
            )
            port = int(server.endpoint.rpartition(":")[2])
            answer, binary = await trio.to_thread.run_sync(talk_websocket, port)
            nursery.cancel_scope.cancel()
    assert [opcode for opcode, _ in seen] == [PING, TEXT, BINARY, CLOSE]
    assert [value for _, value in seen[:3]] == [b"well?", "größer".encode(), b"\0\xff"]
    assert len(answer) == 2  # of ours, which have at most 8 MiB
    assert "".join(answer) == "größer" * 1_100_000
    assert binary == b"\0\xff" * 1_100_000
