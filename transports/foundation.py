"""The check that `transports` stands on the `framing` of this distribution.

Unrelated distributions install packages of both names. Whichever came last has overwritten files of the other, and the
errors that follow from that name neither.
"""

import framing

__all__ = ["check_foundation"]

NEEDED = ("Conversation", "DecodeError", "FrameError", "Protocol", "WireFormat", "get_protocol")


def check_foundation(exported: tuple[str, ...] | list[str] | None = None) -> None:
    """Refuse to be imported on top of another package called `framing`.

    Args:
        exported: what it exports; by default asked of the package itself.

    Raises:
        ImportError: it is not ours; the text says whose, and what to do.
    """
    names = getattr(framing, "__all__", ()) if exported is None else exported
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise ImportError(
            f"transports needs the package framing of the distribution framewire, but {_place()} is another one:"
            f" it has no {', '.join(missing)}. {_owners()}Uninstall the other distribution, then"
            " pip install --force-reinstall framewire",
            name="framing",
        )


def _place() -> str:
    return getattr(framing, "__file__", None) or "what is imported under this name"


def _owners() -> str:
    from importlib.metadata import packages_distributions  # only this error pays for reading all metadata

    owners = sorted(set(packages_distributions().get("framing", ())) - {"framewire"})
    return f"Installed with a package of this name: {', '.join(owners)}. " if owners else ""
