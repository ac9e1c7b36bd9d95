"""How far a long run is: one line on stderr that is written over, where a person looks at it and at nothing else."""

import sys
import time

__all__ = ["Progress"]

# A run that takes less needs no telling, and more often than this nobody can read it.
_INTERVAL = 0.5


class Progress:
    """Tells how much is done, if stderr is a terminal and stdout is not: otherwise the data itself is the progress."""

    def __init__(self) -> None:
        self._is_wanted = sys.stderr.isatty() and not sys.stdout.isatty()
        self._next = time.monotonic() + _INTERVAL
        self._width = 0

    def tell(self, count: int, things: str) -> None:
        """Show a count, now and then."""
        if self._is_wanted and time.monotonic() >= self._next:
            self._next = time.monotonic() + _INTERVAL
            self._write(f"{count} {things} …")

    def clear(self) -> None:
        """Take the line away, before anything else is written."""
        if self._width:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text.ljust(self._width)}")
        sys.stderr.flush()
        self._width = len(text)
