"""What the README shows is what happens."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

from framing.entries import BUILTINS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block marked {mark}"
    return found[1]


def test_the_echo_server_and_client_run_as_they_stand_in_20_lines():
    source = block("example: echo")
    assert len([line for line in source.splitlines() if line.strip()]) <= 20
    shown = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "{'hello': ['world', 42]}\n", "")


CHAT = """
import trio, transports
from framing import Message

async def handle(channel):
    async for request in channel:
        if isinstance(request, Message):  # and no greeting
            await channel.send(len(request.value) if request.fields["kind"] == 7 else request.value.upper())

async def main():
    async with trio.open_nursery() as nursery:
        server = await nursery.start(transports.serve, "memory://chat", "chat.toml", handle)
        async with transports.connect(server.endpoint, "chat.toml") as channel:
            await channel.send(b"")
            await channel.send(Message(bytes(100_000), kind=7, keyed=0))
            await channel.send(Message(b"hello", kind=1, keyed=1, key=b"12345678"))
            print(await channel.receive(), await channel.receive())
        nursery.cancel_scope.cancel()

trio.run(main)
"""


def test_the_definition_is_spoken_by_a_server_and_a_client(tmp_path):
    (tmp_path / "chat.toml").write_text(block("example: definition"))
    command = [sys.executable, "-c", CHAT]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "100000 b'HELLO'\n", "")


def test_as_many_protocols_come_along_as_it_says():
    said = re.search(r"more than (\d+) definitions", README)
    assert said
    assert len(list((ROOT / "specs" / "protocols").glob("*.toml"))) > int(said[1])


def test_the_python_examples_are_true():
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert results.attempted >= 6
    assert results.failed == 0


def test_set_up_is_one_command_each_for_the_main_job_and_the_tests():
    for mark in ("ci: main", "ci: test"):
        assert len(block(mark).splitlines()) == 1


def test_every_command_shown_exists():
    shown = set(re.findall(r"^(?:\S.*\| )?framing ([a-z]+)", README, re.MULTILINE))
    assert {"streams", "decode"} <= shown <= set(BUILTINS["command"])


def test_every_protocol_named_is_there():
    listed = re.search(r"come along, among them (.*?)\.\s", README, re.DOTALL)
    assert listed
    names = set(re.findall(r"`(\w+)`", listed[1]))
    assert len(names) > 5
    assert names <= {path.stem for path in (ROOT / "specs" / "protocols").glob("*.toml")}


def test_files_the_readme_points_at_exist():
    for path in re.findall(r"`((?:framing|specs|tests|transports)/[\w./]*)`", README):
        assert (ROOT / path).exists(), path
