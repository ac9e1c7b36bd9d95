from framing.capture.packet import Packet


def test_packet_shows_what_it_has():
    packet = Packet(3, None, 1, b"\x00\x01", 60)
    assert repr(packet) == r"Packet(3, None, 1, b'\x00\x01', 60)"
    assert (packet.number, packet.timestamp_ns, packet.link_type) == (3, None, 1)
    assert (packet.data, packet.original_size) == (b"\x00\x01", 60)
