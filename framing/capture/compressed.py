"""Compressed captures: gzip and zstd data, decompressed block by block as it is read.

What is held is one block and the decoder's own window, whatever the data unfolds to.
"""

import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from framing.capture.source import BLOCK_SIZE, BinaryReader
from framing.errors import CaptureFileError

__all__ = ["is_compressed", "opened_plain"]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAGIC_SIZE = 4

# [P25] The window that a zstd frame may ask for: 128 MiB, as the zstd command allows without being told.
_MAX_WINDOW_LOG = 27

# Decoders are given so much at a time: one that meets damage gives nothing of what it was given last.
_PIECE_SIZE = 1024


class _Decoder(Protocol):
    """What zstd's decompressor can do, and ours for gzip."""

    @property
    def eof(self) -> bool:
        """Whether a whole member was decoded."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more data."""

    @property
    def unused_data(self) -> bytes:
        """What stands behind the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most so many bytes."""


class _GzipDecoder:
    """zlib's decompressor with the ways of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = not self._zlib.unconsumed_tail and len(out) < max_length
        return out


def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise CaptureFileError(
        "zstd-compressed captures need a library that is not installed",
        offset=0,
        truncated=False,
        hint="pip install 'framewire[compression]'",
    )


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins so is gzip or zstd data."""
    return head.startswith((_GZIP, _ZSTD))


class _Decompressed:
    """A file of gzip or zstd data as what the data stand for.

    Args:
        head: the file's first bytes, which were read already.
        file: the rest.

    Spec: [P25]
    """

    _new: Callable[[], _Decoder]
    _error_type: type[Exception]

    def __init__(self, head: bytes, file: BinaryReader) -> None:
        if head.startswith(_GZIP):
            self._name, self._new, self._error_type = "gzip", _GzipDecoder, zlib.error
        else:
            zstd = _zstd()
            options = {zstd.DecompressionParameter.window_log_max: _MAX_WINDOW_LOG}
            self._name, self._error_type = "zstd", zstd.ZstdError
            self._new = lambda: zstd.ZstdDecompressor(options=options)
        self._decoder = self._new()
        self._read = getattr(file, "read1", file.read)
        self._block, self._position, self._offset = head, 0, 0
        self._is_inside = False

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and nothing at the end.

        Raises:
            CaptureFileError: the compressed data is damaged or stops too early; everything before was returned.
        """
        while True:
            if self._decoder.eof and not self._begins_again():
                return b""
            piece = self._piece() if self._decoder.needs_input else b""
            if not piece and self._decoder.needs_input:
                if self._is_inside:
                    raise self._error(f"the capture ends inside its {self._name} data", truncated=True)
                return b""
            self._is_inside = True
            if out := self._decompressed(piece, size):
                return out

    def _decompressed(self, piece: bytes, size: int) -> bytes:
        try:
            return self._decoder.decompress(piece, size)
        except self._error_type as error:
            raise self._error(f"the {self._name} data is damaged: {error}", truncated=False) from error

    def _piece(self) -> bytes:
        if self._position == len(self._block):
            self._offset += len(self._block)
            self._block, self._position = self._read(BLOCK_SIZE) or b"", 0
        piece = self._block[self._position : self._position + _PIECE_SIZE]
        self._position += len(piece)
        return piece

    def _begins_again(self) -> bool:
        """Begin the next member of several; zeros behind the last one are padding."""
        self._position -= len(self._decoder.unused_data)
        self._decoder = self._new()
        self._is_inside = False
        ahead = self._piece()
        while ahead and not ahead.strip(b"\0"):
            ahead = self._piece()
        if not ahead:
            return False
        self._position -= len(ahead.lstrip(b"\0"))
        return True

    def _error(self, reason: str, *, truncated: bool) -> CaptureFileError:
        return CaptureFileError(reason, offset=self._offset + self._position, truncated=truncated)


class _Rejoined:
    """A file whose first bytes were read already."""

    def __init__(self, head: bytes, file: BinaryReader) -> None:
        self._head = head
        self._read = getattr(file, "read1", file.read)

    def read(self, size: int, /) -> bytes | None:
        """Return at most `size` bytes."""
        if not self._head:
            more: bytes | None = self._read(size)
            return more
        head, self._head = self._head[:size], self._head[size:]
        return head


def opened_plain(file: BinaryReader) -> BinaryReader:
    """Return a file, or what its compressed data stand for.

    Raises:
        CaptureFileError: the library that zstd needs is not installed.
    """
    read, head = getattr(file, "read1", file.read), b""
    while len(head) < _MAGIC_SIZE and (more := read(BLOCK_SIZE)):
        head += more
    return _Decompressed(head, file) if is_compressed(head) else _Rejoined(head, file)
