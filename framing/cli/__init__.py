"""The command `framing`: one file per command, each an entry point like anybody's; `transports` adds its own.

What the commands share:

    group.py          finds commands by name, imports none to list them
    exits.py          exit codes, and which error means which
    console.py        JSON lines, errors on stderr, closed pipes
    table.py          tables, no wider than the terminal
    wire_options.py   --protocol, or --frame and --codec
"""

from framing.cli.group import main

__all__ = ["main"]
