"""Watching a call from outside: what else it calls, and how much memory it takes."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

__all__ = ["outside_calls", "peak_memory"]

# What neither a codec nor a frame format has any business with.
OUTSIDE_MODULES = frozenset(("_socket", "logging", "nt", "posix", "random", "select", "socket", "subprocess", "time"))
OUTSIDE_FUNCTIONS = frozenset(("input", "open", "print"))


def outside_calls(function: Callable[[], object]) -> list[str]:
    """Return the names of functions for I/O, clocks, chance and logging that `function` calls.

    Only calls made from Python can be seen, not those inside a compiled library.

    >>> import time
    >>> outside_calls(lambda: time.monotonic_ns())
    ['time.monotonic_ns']
    """
    seen: list[str] = []

    def watch(frame: FrameType, event: str, what: Any) -> None:
        if event == "c_call":
            name = f"{_home(what)}.{what.__name__}"
        elif event == "call":
            name = f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}"
        else:
            return
        if name.partition(".")[0] in OUTSIDE_MODULES or (event == "c_call" and _last(name) in OUTSIDE_FUNCTIONS):
            seen.append(name)

    previous, collecting = sys.getprofile(), gc.isenabled()
    gc.disable()  # a collection in the midst of it would call what others have put into gc.callbacks
    sys.setprofile(watch)
    try:
        function()
    finally:
        sys.setprofile(previous)
        if collecting:
            gc.enable()
    return seen


def peak_memory(function: Callable[[], object]) -> int:
    """Return how many bytes Python held at most during `function`, more than before it.

    >>> 10**6 < peak_memory(lambda: bytes(10**6)) < 2 * 10**6
    True
    """
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not was_tracing:
            tracemalloc.stop()


def _home(function: Any) -> str:
    # A built-in function belongs to its module, a built-in method to its object's class.
    owner = function.__self__
    return owner.__name__ if isinstance(owner, ModuleType) else type(owner).__module__


def _last(name: str) -> str:
    return name.rpartition(".")[2]
