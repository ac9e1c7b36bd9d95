"""Which versions of what run here, for `framing --version` and `framing doctor`."""

import sys
from importlib.metadata import PackageNotFoundError, version

from framing.compiled import twins
from framing.installation import DISTRIBUTION

__all__ = ["installed_version", "scanner", "version_line"]


def installed_version(distribution: str) -> str | None:
    """Return the version of a distribution, `None` if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def version_line() -> str:
    """Return the version of framewire and of Python."""
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{DISTRIBUTION} {installed_version(DISTRIBUTION) or '(not installed)'}, Python {python}"


def scanner() -> str:
    """Say which twins of the hot loops run, and why."""
    found = twins()
    return f"scanner: {'compiled C' if found.modules else 'pure Python'} ({found.reason})"
