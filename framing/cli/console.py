"""What commands read and print with: JSON lines, messages for people, and the end of a closed pipe.

stdout is data, stderr is everything else. click strips colours where no terminal is; `NO_COLOR` is kept by the group.
"""

import json
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

import click

from framing.cli.exits import CANNOT_OPEN, INTERRUPTED, OK, exit_code, single

__all__ = ["check_input", "colour_wanted", "escaped", "guarded", "note", "print_json", "shown_error"]


def escaped(text: str) -> str:
    """Return text with its control characters spelt out: what others wrote must not move anybody's cursor.

    >>> print(escaped("clear \\x1b[2J and \\n"))
    clear \\x1b[2J and \\n
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def colour_wanted() -> bool | None:
    """Return `False` where NO_COLOR says so, else `None`: click then looks for a terminal. See no-color.org."""
    return False if os.environ.get("NO_COLOR") else None


def check_input(file: str) -> None:
    """Refuse to wait for a capture from a terminal, where none will come.

    Raises:
        click.UsageError: the file is stdin, and that is a terminal.
    """
    if file == "-" and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("name a FILE, or pipe one in: stdin is a terminal")


def note(text: str) -> None:
    """Tell people something that is not data."""
    click.echo(text, err=True, color=colour_wanted())


def print_json(row: dict[str, Any]) -> None:
    """Print one JSON object as a line."""
    click.echo(json.dumps(row, ensure_ascii=False))


def shown_error(error: BaseException) -> str:
    """Return what stands behind `Error:` for an error that ends a command."""
    if isinstance(error, OSError) and error.strerror:
        return escaped(f"{error.filename}: {error.strerror}") if error.filename is not None else error.strerror
    return escaped(str(error)) or type(error).__name__


def guarded(work: Callable[[], object]) -> int:
    """Run a command to its exit code, its errors told on stderr. A bug's exception passes through."""
    _fill_closed_streams()
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal of another encoding gets an escape for a sign that it lacks, as stderr has it, and no traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        work()
    except (click.exceptions.Exit, SystemExit) as ended:
        code = _ended(ended)
    except click.Abort:
        code = INTERRUPTED
        _tell(note, "Interrupted.")
    except click.ClickException as refused:
        code = refused.exit_code
        _tell(refused.show)
    except BaseException as raised:
        error = single(raised)
        known = exit_code(error)
        if known is None:
            raise
        code = known
        _tell(_report, error)
    else:
        code = OK
    return _flushed(code)


def _fill_closed_streams() -> None:
    """Put nothing in the place of streams that were closed before we began (`<&-`), where Python has `None`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - until the process ends


def _ended(ended: click.exceptions.Exit | SystemExit) -> int:
    code = ended.exit_code if isinstance(ended, click.exceptions.Exit) else ended.code
    if isinstance(code, str):
        _tell(note, code)
        return CANNOT_OPEN  # 1, which Python itself would exit with
    return code or OK


def _report(error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        note("Interrupted.")
    elif not isinstance(error, BrokenPipeError):
        note(f"{click.style('Error:', fg='red', bold=True)} {shown_error(error)}")


def _tell(speak: Callable[..., object], *arguments: object) -> None:
    # Nobody may be listening on stderr any more; the exit code still says it.
    try:
        speak(*arguments)
    except OSError:
        _silence(sys.stderr)


def _flushed(code: int) -> int:
    """Flush here, where it can be told, and not at the interpreter's end, where Python complains of a closed pipe."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        _tell(note, f"Error: cannot write: {shown_error(error)}")
        return code or CANNOT_OPEN
    return code


def _silence(stream: Any) -> None:
    """Let what is still buffered go nowhere, or the interpreter would try again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
