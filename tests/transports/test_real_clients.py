"""Clients that other people wrote talk to servers that are nothing but a definition and a handler."""

import struct
import threading

import paho.mqtt.client as mqtt
import pg8000.native
import trio

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
