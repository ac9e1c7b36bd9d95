"""Limits: everything that bounds a channel, in one value."""

import math
from dataclasses import dataclass, fields
from os import PathLike

from framing import SIDES, Protocol, get_protocol

__all__ = ["WRITE_SIZE", "Limits"]

# Frames are joined and handed to the stream in pieces of this size: one syscall for some nine hundred small frames, and
# as much as trio reads at once.
WRITE_SIZE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a channel may use of memory and time. Sizes in bytes, timeouts in seconds; none can be infinite.

    >>> print(Limits(max_frame_size=65536, send_queue_size=262144))
    frames of 64 KiB, 64 KiB read at once, 256 KiB queued to send: at most 640 KiB of bytes in a channel

    Attributes:
        max_frame_size: the whole frame, received or sent; it replaces the protocol's own limit, which `None` keeps
            (1 MiB unless its definition says otherwise).
        receive_size: read from the stream at once, and so ahead of the caller, for nothing is read before it is asked
            for. 64 KiB: what trio reads by default; more did not measure faster.
        send_queue_size: frames queued while the stream takes no more. Beyond it a message waits in its own task, not
            yet encoded. 1 MiB: a hundred tasks can each have 10 KiB on the way.
        batch_count: messages between two real checkpoints, in `receive`, `send` and in one batch of `receive_many`.
            128: a checkpoint costs about as much as receiving 20 small messages, which makes it a sixth of the time.
        write_timeout: how long a peer may take no bytes at all. 30 s: longer than a TCP retransmission pause of a
            link that recovers, shorter than anyone waits.
        close_timeout: how long `aclose` may take to complete a frame that was begun. 10 s: as websockets does.
    """

    max_frame_size: int | None = None
    receive_size: int = 65536
    send_queue_size: int = 1 << 20
    batch_count: int = 128
    write_timeout: float = 30.0
    close_timeout: float = 10.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "max_frame_size":
                continue
            allowed = int | float if field.name.endswith("timeout") else int
            if not isinstance(value, allowed) or isinstance(value, bool):
                raise TypeError(f"{field.name} takes a number, not {value!r}")
            if not 0 < value < math.inf:
                raise ValueError(f"{field.name} must be more than 0 and finite, not {value!r}")

    def applied_to(self, protocol: Protocol | str | PathLike[str]) -> Protocol:
        """Return the protocol, or what `get_protocol` makes of anything else, with these limits' frame size.

        Raises:
            FramingError: there is no such protocol, or one of its frame formats cannot have that limit.
            TypeError: it is nothing that can mean a protocol.
        """
        made = protocol if isinstance(protocol, Protocol) else get_protocol(protocol)
        return made if self.max_frame_size is None else made.limited(self.max_frame_size)

    def channel_size(self, protocol: Protocol) -> int:
        """Return the bytes that one channel holds at the worst; what a codec makes of them is the codec's own limit.

        >>> from framing import get_protocol
        >>> Limits().channel_size(get_protocol("u16be/raw"))
        1441795
        """
        phases = [phase for side in SIDES for phase in self.applied_to(protocol).direction(side).phases.values()]
        return self._size(max(phase.wire.format.max_frame_size for phase in phases))

    def _size(self, frame_size: int) -> int:
        # Received: a frame but for its last byte and the chunk that brings it, then both once more where they are
        # joined. Sent: the last frame let into the queue may exceed it by itself; and the piece being written.
        received = 2 * (frame_size + self.receive_size)
        return received + self.send_queue_size + frame_size + WRITE_SIZE

    def __str__(self) -> str:
        read = f"{_shown(self.receive_size)} read at once, {_shown(self.send_queue_size)} queued to send"
        if self.max_frame_size is None:
            most = f"{_shown(self._size(0))} and three frames"
            return f"frames as the protocol limits them, {read}: at most {most} of bytes in a channel"
        size = _shown(self._size(self.max_frame_size))
        return f"frames of {_shown(self.max_frame_size)}, {read}: at most {size} of bytes in a channel"


def _shown(size: int) -> str:
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} bytes"
