import io
import subprocess
import sys

import pytest

from framing.capture.files import look_again, read_packets
from framing.errors import CaptureFileError


def refused(data):
    with pytest.raises(CaptureFileError) as caught:
        list(read_packets(io.BytesIO(data)))
    return caught.value


@pytest.mark.parametrize(
    ("data", "looks", "hint"),
    [
        (b"\x04\x22\x4d\x18\x64\x40", "lz4-compressed data", "lz4 -dc"),
        (b"\xfd7zXZ\0\0", "xz-compressed data", "xz -dc"),
        (b"\x7fELF\x02\x01\x01", "an ELF program", None),
        (b"PK\x03\x04rest", "a zip archive", "unpack"),
        (b"snoop\0\0\0\0\0\0\2", "a snoop capture, which is not read", "editcap"),
        (b' {"type": "frame"}', "JSON text", None),
        (b"[1, 2]", "JSON text", None),
        (b"<html>", "HTML or XML text", None),
        (b"10:15:03 IP 10.0.0.1\n", "text", None),
        (b"\x00\x01\x02\x03\xff", "nothing that is known here", None),
    ],
)
def test_a_file_that_is_no_capture_is_told_by_its_first_bytes(data, looks, hint):
    """[P1]"""
    error = refused(data)
    assert error.reason == f"this is no capture file: it looks like {looks}"
    assert (error.hint is None) if hint is None else (hint in error.hint)
    assert (error.offset, error.truncated) == (0, False)
    assert data[:4].hex(" ") in str(error)


def test_an_empty_file_is_named():
    """[P1]"""
    error = refused(b"")
    assert error.reason == "the file is empty"
    assert error.truncated is False


@pytest.mark.parametrize(
    "data", [b"\xd4", b"\xa1\xb2\xc3", b"\x0a\x0d\x0d", b"\xd4\xc3\xb2\xa1\x02\0", b"\n\r\r\n\x1c\0"]
)
def test_the_beginning_of_a_capture_is_truncated(data):
    """[P5]"""
    assert refused(data).truncated is True


def test_a_flag_of_the_error_is_no_part_of_its_text():
    error = refused(b"\xd4\xc3")
    assert str(error) == "the capture ends inside its file header (file stream, offset 0, packet number 1)"


def test_a_path_is_opened_and_named(wire, tmp_path):
    path = tmp_path / "some.pcap"
    path.write_bytes(wire.pcap([b"one"]) + b"tail")
    reader = read_packets(path)
    assert next(reader).data == b"one"
    with pytest.raises(CaptureFileError) as caught:
        next(reader)
    assert caught.value.file == str(path)
    with pytest.raises(FileNotFoundError):
        next(read_packets(tmp_path / "none.pcap"))


def test_a_file_that_was_given_stays_open(wire):
    file = io.BytesIO(wire.pcap([b"one"]))
    assert len(list(read_packets(file))) == 1
    assert not file.closed


def test_stdin_is_read_as_it_comes(wire):
    """A packet is given out while the writer has not closed its end, and stdin cannot be seeked."""
    program = "from framing.capture.files import read_packets\nfor p in read_packets('-'): print(p.data, flush=True)"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(wire.pcap([b"one"]))
        process.stdin.flush()
        assert process.stdout.readline() == b"b'one'\n"
        process.stdin.write(wire.pcap([b"two"])[24:])
        process.stdin.close()
        assert process.stdout.readline() == b"b'two'\n"
        assert process.wait() == 0


class TestFollowing:
    """[P26]"""

    def test_more_is_read_as_long_as_it_is_waited_for(self, wire, tmp_path):
        path, data = tmp_path / "growing.pcap", wire.pcap([b"one", b"two", b"three"])
        # In the header, inside a record, between two, and inside the last one.
        ends, steps = [3, 30, 24 + 16 + 3, len(data) - 1, len(data)], []

        def grow():
            steps.append(path.stat().st_size)
            if not ends:
                return False
            path.write_bytes(data[: ends.pop(0)])
            return True

        path.write_bytes(b"")
        assert [packet.data for packet in read_packets(path, grow)] == [b"one", b"two", b"three"]
        assert steps == [0, 3, 30, 43, len(data) - 1, len(data)]

    def test_what_is_unfinished_when_nobody_waits_any_more_is_truncated(self, wire):
        packets = read_packets(io.BytesIO(wire.pcap([b"one"]) + b"tail"), lambda: False)
        assert next(packets).data == b"one"
        with pytest.raises(CaptureFileError) as caught:
            next(packets)
        assert caught.value.truncated is True

    def test_who_says_once_that_no_more_comes_is_not_asked_again(self):
        asked = []
        with pytest.raises(CaptureFileError, match="the file is empty"):
            list(read_packets(io.BytesIO(b""), lambda: asked.append(None) or len(asked) > 1))
        assert len(asked) == 1

    def test_a_file_that_is_begun_anew_is_refused(self, wire, tmp_path):
        path = tmp_path / "ring.pcap"
        path.write_bytes(wire.pcap([b"one", b"two"]))

        def begin_anew():
            path.write_bytes(wire.pcap([b"new"]))
            return True

        packets = read_packets(path, begin_anew)
        assert [next(packets).data, next(packets).data] == [b"one", b"two"]
        with pytest.raises(CaptureFileError, match="shorter while it was followed"):
            next(packets)

    def test_looking_again_goes_on(self, monkeypatch):
        slept = []
        monkeypatch.setattr("time.sleep", slept.append)
        assert look_again() is True
        assert slept == [0.2]
