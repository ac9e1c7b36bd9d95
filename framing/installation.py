"""What is installed, read from metadata alone: nothing here imports the code of anybody's package.

`importlib.metadata.entry_points` is avoided on purpose. It gives up on the first line that it cannot parse, so that one
damaged distribution would hide everybody's plug-ins; and it parses the whole metadata of every distribution, of which
only a handful can be ours.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["DISTRIBUTION", "Claim", "Offer", "foreign_claims", "normalized", "offers", "package_directories"]

DISTRIBUTION = "framewire"
_PACKAGES = ("framing", "transports")


class Offer(NamedTuple):
    """One line of a distribution's `entry_points.txt`, unchecked.

    Attributes:
        value: `""` where the line has no `=`.
        distribution: `""` where the metadata gives no name.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str | None


class Claim(NamedTuple):
    """A distribution that installs a top-level package of some name."""

    package: str
    distribution: str
    version: str | None


def normalized(distribution: str) -> str:
    """Return a distribution's name as package indexes compare it.

    >>> normalized("Acme_Framing.Extra")
    'acme-framing-extra'
    """
    words = distribution.strip().lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(word for word in words if word)


def offers(prefix: str) -> list[Offer]:
    """List the entry points of every group that starts with `prefix`.

    A distribution that `sys.path` reaches twice (an editable install and its checkout) counts once: the first, as for
    an import.
    """
    found: list[Offer] = []
    seen: set[str] = set()
    for distribution in _distributions():
        lines = _entry_point_lines(_text(distribution, "entry_points.txt"))
        ours = [line for line in lines if line[0].startswith(prefix)]
        name, version = _identity(distribution) if ours else ("", None)
        if name and normalized(name) in seen:
            continue
        seen.add(normalized(name))
        found += [Offer(*line, name, version) for line in ours]
    return found


def foreign_claims(packages: Iterable[str] = _PACKAGES) -> list[Claim]:
    """List the distributions other than our own that install a top-level package of one of these names.

    The names `framing` and `transports` are also used by unrelated distributions, and whichever is installed last
    overwrites files of the other.
    """
    claims = [
        Claim(package, *_identity(distribution))
        for distribution in _distributions()
        for package in sorted(_top_level_names(distribution).intersection(packages))
    ]
    return sorted({claim for claim in claims if normalized(claim.distribution) != DISTRIBUTION})


def package_directories(dotted: str) -> list[str]:
    """Find the directories of a package without importing it or its parents; empty if there is none.

    `importlib.util.find_spec` would run the parents' `__init__.py`.

    >>> [os.path.basename(directory) for directory in package_directories("framing.codecs")]
    ['codecs']
    """
    found: list[str] = []
    parts = dotted.split(".")
    for depth, part in enumerate(parts):
        nested = [path for directory in found if os.path.isdir(path := os.path.join(directory, part))]
        # An editable install maps a package to a directory of another name, which only its finder knows.
        found = nested or _asked_finders(".".join(parts[: depth + 1]), found or None)
        if not found:
            return []
    return found


def _asked_finders(name: str, path: list[str] | None) -> list[str]:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path) if hasattr(finder, "find_spec") else None
        if spec is not None:
            return list(spec.submodule_search_locations or ())
    return []


def _distributions() -> "Iterable[Distribution]":
    # Costs more than the rest of `import framing`: paid by who asks for a plug-in that is not built in.
    from importlib.metadata import distributions

    return distributions()


def _text(distribution: "Distribution", file: str) -> str:
    try:
        return distribution.read_text(file) or ""
    except (OSError, ValueError):  # ValueError: bytes that are no UTF-8
        return ""


def _entry_point_lines(text: str) -> Iterator[tuple[str, str, str]]:
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield group, name.strip(), value.strip()


def _identity(distribution: "Distribution") -> tuple[str, str | None]:
    text = _text(distribution, "METADATA") or _text(distribution, "PKG-INFO")
    header = text.partition("\n\n")[0]
    fields = {key: value.strip() for key, _, value in (line.partition(":") for line in header.splitlines())}
    return fields.get("Name", ""), fields.get("Version")


def _top_level_names(distribution: "Distribution") -> set[str]:
    # setuptools declares them, for editable installs too; with other tools they are the first parts of the files.
    names = set(_text(distribution, "top_level.txt").split())
    files = [line.partition(",")[0] for line in _text(distribution, "RECORD").splitlines()]
    return names | {file.partition("/")[0].removesuffix(".py") for file in files}
