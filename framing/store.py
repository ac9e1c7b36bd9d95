"""ChunkStore: the bytes of a stream that are not yet part of a frame handed out.

    buffer[start:]   bytes that were looked at      _chunks   bytes that were only stored, in order

1. With nothing kept, a chunk is looked at where it lies.
2. Chunks are joined to what is kept only when asked for (`gather`), so that a large frame is one append per chunk and
   one join, when its last byte has come.
3. Where nobody knows how much is needed, and what is kept is larger than the chunks, it moves to a bytearray, which
   grows in place: joined each time, it would be copied for every chunk.

So every byte is copied a bounded number of times, however the stream is cut. Spec: [F9].
"""

from framing.frame import Buffer

__all__ = ["ChunkStore"]

# A large frame that comes in chunks of two bytes would cost 24 times its size as a list of `bytes` objects. So chunks
# smaller than this are put together in blocks: at 1 KiB an object costs 5 %.
_SMALL_SIZE = 1 << 10
_BLOCK_SIZE = 1 << 16


class ChunkStore:
    """Stored bytes, and where in the stream they stand.

    Attributes:
        buffer: what can be looked at; `bytes`, but for a frame whose size nobody knows yet.
        start: the first byte in it that is not handed out; whoever cuts a frame moves it on.
        base: the stream offset of `buffer[0]`.
        waiting_size: bytes that are only stored.
    """

    __slots__ = ("_chunks", "base", "buffer", "start", "waiting_size")

    def __init__(self, offset: int) -> None:
        self.buffer: Buffer = b""
        self.start = 0
        self.base = offset
        self._chunks: list[Buffer] = []
        self.waiting_size = 0

    @property
    def offset(self) -> int:
        """Where in the stream the first byte stands that is not handed out."""
        return self.base + self.start

    @property
    def size(self) -> int:
        """Bytes that are not handed out."""
        return len(self.buffer) - self.start + self.waiting_size

    def add(self, chunk: bytes) -> None:
        """Store a chunk."""
        chunks = self._chunks
        if self.start == len(self.buffer):  # let go of what was handed out before more is kept
            self._replace(b"" if chunks else chunk)
            if not chunks:
                return
        if len(chunk) >= _SMALL_SIZE or not chunks:
            chunks.append(chunk)
        elif type(chunks[-1]) is bytearray and len(chunks[-1]) < _BLOCK_SIZE:
            chunks[-1] += chunk
        else:
            chunks.append(bytearray(chunk))
        self.waiting_size += len(chunk)

    def gather(self, *, once: bool) -> None:
        """Bring everything into the buffer.

        Args:
            once: this is the last time for the frame at `start`, or the first: a join is no more than its share.
        """
        chunks = self._chunks
        if not chunks:
            return
        kept_size = len(self.buffer) - self.start
        if not kept_size and len(chunks) == 1:
            self._replace(bytes(chunks[0]))
        elif once or kept_size <= self.waiting_size:
            self._replace(b"".join((memoryview(self.buffer)[self.start :], *chunks)))
        else:
            if type(self.buffer) is bytes or self.start > kept_size:  # what was handed out must not pile up in front
                self._replace(bytearray(self.buffer[self.start :]))
            for chunk in chunks:
                self.buffer += chunk
        self.drop_waiting()

    def freeze(self) -> None:
        """Make the buffer `bytes` again."""
        self._replace(bytes(memoryview(self.buffer)[self.start :]))

    def take_large(self, size: int, first: int) -> bytes | None:
        """Hand out `buffer[first:]` and what follows, up to `size` bytes from `start`, copied once.

        `None` where that is no gain: the bytes do not lie in two chunks or more.
        """
        chunks = self._chunks
        if len(chunks) < 2:
            return None
        rest, excess = [], self.size - size
        while excess >= len(chunks[-1]):
            rest.append(chunks.pop())
            excess -= len(rest[-1])
        if excess:
            rest.append(bytes(chunks[-1][-excess:]))
            chunks[-1] = chunks[-1][:-excess]
        taken = b"".join((memoryview(self.buffer)[first:], *chunks))
        self.base, self.start, self.buffer = self.offset + size, 0, b""
        self._chunks, self.waiting_size = rest[::-1], sum(map(len, rest))
        return taken

    def drop(self, size: int) -> None:
        """Forget the first `size` bytes, without bringing anything into the buffer."""
        kept_size = len(self.buffer) - self.start
        if size <= kept_size:
            self.start += size
            return
        self.base, self.start, self.buffer = self.offset + size, 0, b""
        size -= kept_size
        self.waiting_size -= size
        count = 0
        while size and size >= len(self._chunks[count]):
            size -= len(self._chunks[count])
            count += 1
        del self._chunks[:count]
        if size:
            self._chunks[0] = bytes(self._chunks[0][size:])

    def take_piece(self, size: int) -> bytes:
        """Hand out up to `size` bytes as they came: of one chunk, or what is left in the buffer; nothing if empty."""
        if self.start < len(self.buffer):
            piece = bytes(self.buffer[self.start : self.start + size])
        elif self._chunks:
            chunk = self._chunks[0]
            piece = bytes(chunk if len(chunk) <= size else chunk[:size])
        else:
            return b""
        self.drop(len(piece))
        return piece

    def take_rest(self) -> bytes:
        """Hand out everything; `offset` stays."""
        rest = b"".join((memoryview(self.buffer)[self.start :], *self._chunks))
        self._replace(b"")
        self.drop_waiting()
        return rest

    def drop_waiting(self) -> None:
        """Forget what is only stored."""
        self._chunks, self.waiting_size = [], 0

    def peek(self, size: int) -> bytes:
        """Return up to `size` bytes, and keep them."""
        head = bytes(self.buffer[self.start : self.start + size])
        for chunk in self._chunks:
            if len(head) >= size:
                break
            head += chunk[: size - len(head)]
        return head

    def _replace(self, buffer: Buffer) -> None:
        self.base, self.start, self.buffer = self.offset, 0, buffer
