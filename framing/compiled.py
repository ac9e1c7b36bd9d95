"""The compiled twins of the hot loops: whether they run here, and why not.

They are built where there is a compiler, and never needed. The Python ones are their specification.
"""

import os
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

__all__ = ["PURE_VARIABLE", "TWINS", "Twins", "twins"]

PURE_VARIABLE = "FRAMING_PURE"
TWINS = ("framing._frames", "framing.capture._packets")


class Twins(NamedTuple):
    """What is there.

    Attributes:
        modules: name → compiled module; empty if they do not run.
        reason: why they run, or do not.
    """

    modules: dict[str, ModuleType]
    reason: str


def twins() -> Twins:
    """Load the compiled twins: all of them or none."""
    if os.environ.get(PURE_VARIABLE, "0") not in ("", "0"):
        return Twins({}, f"{PURE_VARIABLE} is set")
    try:
        return Twins({name: import_module(name) for name in TWINS}, "built with this installation")
    except ImportError as error:
        reason = "it was built without a C compiler or Python's header files"
        if not isinstance(error, ModuleNotFoundError):
            reason = f"it cannot be loaded: {error}"
        return Twins({}, reason)
