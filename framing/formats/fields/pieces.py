"""A frame of a fixed-layout header that is looked at in pieces: its checksums run while the payload passes.

    +--------+- - - - - - - - - - - - - - - - - - -+---------------+
    | header |  payload, piece by piece            | pad, trailer  |
    +--------+- - - - - - - - - - - - - - - - - - -+---------------+
     given    update(piece), update(piece), …       close(rest)

Spec: [F105], [F106].
"""

import zlib
from binascii import crc_hqx
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any, Literal

from framing.errors import ChecksumError

__all__ = ["RUNNING", "RunningCheck", "Sums"]


class _Sha256d:
    """The SHA-256 of the SHA-256 cannot be an integer that is carried on."""

    def __init__(self) -> None:
        from hashlib import sha256  # loads a cryptographic library, for which only this one has a use

        self._new, self._running = sha256, sha256()

    def update(self, data: bytes) -> None:
        self._running.update(data)

    @property
    def value(self) -> int:
        return int.from_bytes(self._new(self._running.digest()).digest()[:4], "big")


class _Step:
    """A sum that is an integer, carried on from piece to piece."""

    def __init__(self, step: Callable[[bytes, int], int], value: int = 0) -> None:
        self._step, self.value = step, value

    def update(self, data: bytes) -> None:
        self.value = self._step(data, self.value)


# Those checksums that can be carried on by what Python has in C. The same values as `CHECKSUMS`, which a test sees to.
RUNNING: dict[str, Callable[[], Any]] = {
    "crc32": lambda: _Step(zlib.crc32),
    "crc16_xmodem": lambda: _Step(crc_hqx),
    "crc16_ccitt": lambda: _Step(crc_hqx, 0xFFFF),
    "xor8": lambda: _Step(lambda data, value: reduce(xor, data, value)),
    "sum8": lambda: _Step(lambda data, value: value + sum(data) & 0xFF),
    "sha256d": _Sha256d,
}


class RunningCheck:
    """One checksum: what it runs over before the payload, whether over the payload, and what behind it.

    Args:
        function: its name in `RUNNING`.
        before: bytes of header and zeros that come first.
        has_payload: whether the payload comes next.
        after: what comes then: where it lies in the rest behind the payload, or bytes.
        field: the field's name, its offset in the frame, and its byte order.
        found: where the field lies in the rest, or the value that it has in the header.
    """

    __slots__ = ("_after", "_field", "_found", "_has_payload", "_running")

    def __init__(
        self,
        function: str,
        before: bytes,
        has_payload: bool,
        after: "list[bytes | slice]",
        field: "tuple[str, int, Literal['big', 'little']]",
        found: "slice | int | bytes",
    ) -> None:
        self._running = RUNNING[function]()
        self._running.update(before)
        self._has_payload, self._after, self._field, self._found = has_payload, after, field, found

    def update(self, piece: bytes) -> None:
        """Run over the next piece of the payload."""
        if self._has_payload:
            self._running.update(piece)

    def close(self, rest: bytes) -> None:
        """Run over what is behind the payload, and compare.

        Raises:
            ChecksumError: it differs.
        """
        for part in self._after:
            self._running.update(part if isinstance(part, bytes) else rest[part])
        name, place, order = self._field
        found = self._found
        if isinstance(found, slice):
            found = int.from_bytes(rest[found], order)
        if found != self._running.value:
            raise ChecksumError(
                f"{name} does not fit what it was computed from",
                offset=place,
                field=name,
                expected=hex(self._running.value),
                found=hex(found) if isinstance(found, int) else found,
            )


class Sums:
    """All checksums of one frame."""

    __slots__ = ("_checks",)

    def __init__(self, checks: list[RunningCheck]) -> None:
        self._checks = checks

    def update(self, piece: bytes) -> None:
        """Run over the next piece of the payload."""
        for check in self._checks:
            check.update(piece)

    def close(self, rest: bytes) -> None:
        """Compare them with what stands behind the payload, or in the header.

        Raises:
            ChecksumError: the first one that differs.
        """
        for check in self._checks:
            check.close(rest)
