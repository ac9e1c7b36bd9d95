import io

import pytest

from framing.capture.source import BLOCK_SIZE, Source


class Counted(io.BytesIO):
    """A file that keeps the sizes it was asked for."""

    def __init__(self, data):
        super().__init__(data)
        self.asked = []

    def read1(self, size=-1):
        self.asked.append(size)
        return super().read1(size)


def test_window_moves_over_the_file():
    source = Source(io.BytesIO(bytes(range(100))))
    assert source.has(10)
    source.start += 30
    assert source.has(70)
    assert (source.buffer[source.start], source.offset) == (30, 30)
    assert not source.has(71)
    assert (source.buffer[source.start :], source.offset) == (bytes(range(30, 100)), 30)
    source.start = len(source.buffer)
    assert not source.has(1)
    assert source.offset == 100


def test_what_was_used_is_let_go():
    source = Source(io.BytesIO(bytes(10 * BLOCK_SIZE)))
    for _ in range(9):
        assert source.has(BLOCK_SIZE)
        source.start += BLOCK_SIZE
        assert len(source.buffer) <= 2 * BLOCK_SIZE
    assert source.offset == 9 * BLOCK_SIZE


def test_file_is_read_in_blocks_and_only_when_it_must():
    file = Counted(bytes(3 * BLOCK_SIZE))
    source = Source(file)
    assert source.has(1)
    assert source.has(BLOCK_SIZE)
    assert file.asked == [BLOCK_SIZE]
    assert source.has(BLOCK_SIZE + 1)
    assert file.asked == [BLOCK_SIZE] * 2


def test_a_pipe_without_data_is_not_waited_for():
    """`read1` gives what is there; `read` of the same file would wait for a whole block."""

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.left = [b"abc", b"defg"]

        def readable(self):
            return True

        def readinto(self, buffer):
            data = self.left.pop(0) if self.left else b""
            buffer[: len(data)] = data
            return len(data)

    pipe = Pipe()
    source = Source(io.BufferedReader(pipe))
    assert source.has(2)
    assert (source.buffer, pipe.left) == (b"abc", [b"defg"])


@pytest.mark.parametrize("truncated", [True, False])
def test_errors_carry_the_place(truncated):
    source = Source(io.BytesIO(bytes(50)))
    source.has(50)
    source.start = 20
    error = source.truncated("a packet", 4) if truncated else source.damaged("a bad packet", 4, b"\1")
    assert (error.offset, error.packet_number, error.truncated) == (20, 4, truncated)
    assert str(error).startswith("the capture ends inside a packet" if truncated else "a bad packet (")
