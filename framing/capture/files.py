"""From a name to packets: opens the file, tells what kind it is, and says so when it is none."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import cast

from framing.capture.compressed import opened_plain
from framing.capture.notes import Note
from framing.capture.ordinary import Batch, Joining
from framing.capture.packet import Packet
from framing.capture.pcap import MAGICS, read_pcap
from framing.capture.pcapng import SECTION, read_pcapng
from framing.capture.pcapng import read_notes as read_pcapng_notes
from framing.capture.source import BLOCK_SIZE, BinaryReader, Source
from framing.errors import CaptureFileError

__all__ = ["Follow", "look_again", "read_batches", "read_chunks", "read_notes", "read_packets", "source_name"]

# Asked at the end of a file that may still grow: whether to look again, after waiting a while.
Follow = Callable[[], bool]

# Seconds between two looks at a file that grows: often enough for people, seldom enough to cost nothing.
_FOLLOW_INTERVAL = 0.2

# What people hand over by mistake: first bytes → what they are, and what to do. The longest first where one contains
# the other.
_OTHERS: tuple[tuple[bytes, str, str | None], ...] = (
    (b"\x1f\x8b", "gzip-compressed data inside compressed data", "decompress it first, as with `gzip -dc`"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data inside compressed data", "decompress it first, as with `zstd -dc`"),
    (b"\x04\x22\x4d\x18", "lz4-compressed data", "decompress it first, as with `lz4 -dc`"),
    (b"BZh", "bzip2-compressed data", "decompress it first, as with `bzip2 -dc`"),
    (b"\xfd7zXZ\x00", "xz-compressed data", "decompress it first, as with `xz -dc`"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"\x7fELF", "an ELF program", None),
    (b"MZ", "a Windows program", None),
    (b"\x89PNG", "a PNG picture", None),
    (b"%PDF", "a PDF document", None),
    (b"snoop\x00\x00\x00", "a snoop capture, which is not read", "convert it with `editcap -F pcapng`"),
    (b"btsnoop\x00", "a Bluetooth snoop capture, which is not read", "convert it with `editcap -F pcapng`"),
    (b"GMBU", "a Network Monitor capture, which is not read", "convert it with `editcap -F pcapng`"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch the file with `git lfs pull`"),
    (b"<", "HTML or XML text", None),
)


def read_packets(
    source: str | os.PathLike[str] | BinaryReader, follow: Follow | None = None
) -> Generator[Packet, None, None]:
    """Yield the packets of a pcap or pcapng file, compressed or not, in the file's order.

    Args:
        source: a path, `-` for stdin, or a binary file open for reading, which stays open. It is never seeked.
        follow: asked at the end of the file whether to look again, such as `look_again`.

    Raises:
        CaptureFileError: the file is no capture, or is damaged or truncated. All packets before that were yielded.
        OSError: the file cannot be opened or read.

    Spec: [P1] [P4] [P5] [P25]
    """
    return cast(Generator[Packet, None, None], read_batches(source, None, follow))


def read_batches(
    source: str | os.PathLike[str] | BinaryReader, joining: Joining | None, follow: Follow | None = None
) -> Generator[Packet | Batch, None, None]:
    """Yield packets, as `read_packets`, or batches of those that a scan could put into their flows at once.

    Args:
        source: as for `read_packets`.
        joining: where a scan puts packets, such as `Assembler.joining`.
        follow: as for `read_packets`.

    Raises:
        CaptureFileError, OSError: as `read_packets`.
    """
    name, file = _opened(source)
    with _closing(file, source):
        try:
            plain = opened_plain(_Growing(file, follow) if follow else file)
            yield from _packets(Source(plain), joining)
        except CaptureFileError as error:
            error.file = name
            raise


def read_notes(source: str | os.PathLike[str] | BinaryReader) -> Generator[Note, None, None]:
    """Yield the comments of a pcapng file, and the secrets in it that decrypt its packets; a pcap file has none.

    Args:
        source: as for `read_packets`.

    Raises:
        CaptureFileError, OSError: as `read_packets`.
    """
    name, file = _opened(source)
    with _closing(file, source):
        try:
            plain = Source(opened_plain(file))
            plain.has(24)
            if plain.buffer.startswith(SECTION):
                yield from read_pcapng_notes(plain)
            elif plain.buffer[:4] not in MAGICS:
                raise _refused(plain)
        except CaptureFileError as error:
            error.file = name
            raise


def read_chunks(source: str | os.PathLike[str] | BinaryReader) -> Generator[bytes, None, None]:
    """Yield the bytes of any file as they come, in blocks that a pipe may make smaller.

    Args:
        source: as for `read_packets`.

    Raises:
        OSError: the file cannot be opened or read.
    """
    _, file = _opened(source)
    with _closing(file, source):
        read = getattr(file, "read1", file.read)
        while chunk := read(BLOCK_SIZE):
            yield chunk


def source_name(source: str | os.PathLike[str] | BinaryReader) -> str:
    """Return what errors and records call a source: its name as given, or `stdin`."""
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        return "stdin" if name == "-" else name
    return str(getattr(source, "name", "stream"))


def _opened(source: str | os.PathLike[str] | BinaryReader) -> tuple[str, BinaryReader]:
    name = source_name(source)
    if not isinstance(source, str | os.PathLike):
        return name, source
    return name, sys.stdin.buffer if os.fspath(source) == "-" else open(source, "rb", buffering=0)


def _closing(file: BinaryReader, source: object) -> AbstractContextManager[object]:
    """Return what closes a file that was opened here, and leaves open one that was given, and stdin."""
    is_lent = file is source or file is sys.stdin.buffer
    return nullcontext() if is_lent else closing(file)  # type: ignore[type-var]  # a reader need not close; `open`'s does


def look_again(_: object = None) -> bool:
    """Wait a while, and say that a file that is followed is to be looked at again."""
    time.sleep(_FOLLOW_INTERVAL)
    return True


class _Growing:
    """A file that somebody is still writing: at its end more is waited for, until `follow` says that none will come."""

    def __init__(self, file: BinaryReader, follow: Follow) -> None:
        self._file = file
        self._read = getattr(file, "read1", file.read)
        self._follow = follow
        self._ended = False
        self._offset = 0

    def read(self, size: int, /) -> bytes:
        data: bytes = self._read(size) or b""
        while not data and not self._ended:
            if not self._follow():
                self._ended = True  # whoever reads may ask more than once whether this is the end
                break
            self._check_size()
            data = self._read(size) or b""
        self._offset += len(data)
        return data

    def _check_size(self) -> None:
        """Refuse a file that was begun anew, as capture tools do that write in turns: what it holds fits nothing."""
        fileno = getattr(self._file, "fileno", None)
        if fileno is not None and os.fstat(fileno()).st_size < self._offset:
            raise CaptureFileError(
                "the file has become shorter while it was followed",
                offset=self._offset,
                truncated=True,
                hint="follow each file of a ring by itself",
            )


def _packets(source: Source, joining: Joining | None) -> Iterator[Packet | Batch]:
    source.has(24)
    magic = source.buffer[:4]
    if magic in MAGICS:
        return read_pcap(source, joining)
    if magic == SECTION:
        return read_pcapng(source, joining)
    raise _refused(source)


def _refused(source: Source) -> CaptureFileError:
    """[P1] Say what the first bytes look like: most wrong files are wrong in one of a few ways."""
    head = source.buffer[:32]
    if not head:
        return source.damaged("the file is empty", 1)
    if len(head) < 4 and any(magic.startswith(head) for magic in (*MAGICS, SECTION)):
        return source.truncated("its file header", 1)
    looks, hint = _look(head)
    error = source.damaged(f"this is no capture file: it looks like {looks}", 1, head)
    error.hint = hint
    return error


def _look(head: bytes) -> tuple[str, str | None]:
    for start, looks, hint in _OTHERS:
        if head.startswith(start):
            return looks, hint
    if head.lstrip()[:1] in (b"{", b"["):
        return "JSON text", None
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return "text", None
    return "nothing that is known here", None
