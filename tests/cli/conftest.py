import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-c", "from framing.cli import main; main()"]


@pytest.fixture
def environment():
    """The environment of a child: ours without what would change what a command prints."""
    return {name: value for name, value in os.environ.items() if name not in ("FRAMING_PLUGINS", "NO_COLOR")}


@pytest.fixture
def child(environment):
    """Run `framing` as a process of its own: child("encode", "--frame", "u8", input=b"…")."""

    def run(*arguments, extra=None, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "check": False} | options
        return subprocess.run([*COMMAND, *arguments], env=environment | (extra or {}), **options)

    return run


@pytest.fixture
def started(environment):
    """Start `framing` as a process that is talked to; it is killed if the test leaves it behind."""
    running = []

    def start(*arguments):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        running.append(subprocess.Popen([*COMMAND, *arguments], env=environment, **pipes))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()
