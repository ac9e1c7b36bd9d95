"""Exit codes, and the one place that maps errors to them.

    0    all good, also where whoever read our output had enough of it
    1    cannot open or connect
    2    usage: an option, a name, a protocol definition
    3    frame errors met, or a message that cannot be decoded or encoded; wins over 4
    4    the input ended inside a frame, or the capture inside a packet
    5    a plug-in cannot be loaded
    124  timeout
    130  interrupted

An exception that is not listed is a bug: it keeps its traceback, and Python's own exit code.
"""

from framing.errors import (
    AmbiguousNameError,
    CaptureFileError,
    DefinitionError,
    FramingError,
    RegistryError,
    TruncatedFrameError,
    UnknownNameError,
)

__all__ = [
    "BAD_FRAMES",
    "CANNOT_OPEN",
    "INTERRUPTED",
    "OK",
    "PLUGIN_BROKEN",
    "TIMEOUT",
    "TRUNCATED",
    "USAGE",
    "exit_code",
    "single",
]

OK = 0
CANNOT_OPEN = 1
USAGE = 2
BAD_FRAMES = 3
TRUNCATED = 4
PLUGIN_BROKEN = 5
TIMEOUT = 124  # as timeout(1) has it
INTERRUPTED = 130  # 128 + SIGINT, as a shell has it

# The first that fits counts, so subclasses stand before what they derive from.
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (KeyboardInterrupt, INTERRUPTED),
    (BrokenPipeError, OK),
    (TimeoutError, TIMEOUT),
    (OSError, CANNOT_OPEN),
    (UnknownNameError, USAGE),
    (AmbiguousNameError, USAGE),
    (RegistryError, PLUGIN_BROKEN),
    (DefinitionError, USAGE),
    (TruncatedFrameError, TRUNCATED),
    (FramingError, BAD_FRAMES),
)


def exit_code(error: BaseException) -> int | None:
    """Return the exit code for an error that ends a command, or `None` for a bug.

    >>> from framing.errors import HeaderError
    >>> exit_code(FileNotFoundError()), exit_code(HeaderError("no")), exit_code(ValueError())
    (1, 3, None)
    """
    if isinstance(error, CaptureFileError):
        return TRUNCATED if error.truncated else CANNOT_OPEN
    return next((code for kind, code in _CODES if isinstance(error, kind)), None)


def single(error: BaseException) -> BaseException:
    """Return what a group of one holds, at any depth; an interrupt counts for a whole group.

    >>> single(ExceptionGroup("nursery", [OSError("gone")]))
    OSError('gone')
    """
    while isinstance(error, BaseExceptionGroup):
        if interrupts := error.subgroup(KeyboardInterrupt):
            error = interrupts
        if len(error.exceptions) > 1 and not interrupts:
            return error
        error = error.exceptions[0]
    return error
