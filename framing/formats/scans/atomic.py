"""Groups in a regular expression that give back nothing of what they have taken, so that no input takes long to refuse.

Possessive quantifiers of groups, `(?:…)*+` and `(?:…)?+`, match wrongly in CPython before 3.11.5, as in Debian 12's
(python/cpython#106052). An atomic group around them, `(?>…*)`, is right everywhere, and slower.
"""

import sys

__all__ = ["optional", "repeated"]

_POSSESSIVE = sys.version_info >= (3, 11, 5)


def repeated(group: bytes) -> bytes:
    """Return the expression for as many of a group as there are, none of which is given back."""
    return group + b"*+" if _POSSESSIVE else b"(?>" + group + b"*)"


def optional(group: bytes) -> bytes:
    """Return the expression for a group if it is there, which then is not given back."""
    return group + b"?+" if _POSSESSIVE else b"(?>" + group + b"?)"
