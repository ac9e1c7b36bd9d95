"""The command `framing`: one file per command, each an entry point like anybody's; `transports` adds its own.

group.py     the group: finds commands by name, imports none to list them
console.py   tables, JSON lines, errors on stderr, closed pipes
exits.py     exit codes, and which error means which
"""

from framing.cli.group import main

__all__ = ["main"]
