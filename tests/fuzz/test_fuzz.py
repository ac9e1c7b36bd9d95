"""A short fuzz run: each target with seeded mutations of the vectors, by count and not by time.

`FRAMING_FUZZ_RUNS` says how many; `FRAMING_FUZZ_SEED` another seed. A failure prints the bytes.
"""

import importlib.util
import os
import random
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("fuzz_targets", Path(__file__).with_name("targets.py"))
targets = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(targets)

RUNS = int(os.environ.get("FRAMING_FUZZ_RUNS", "400"))
SEED = int(os.environ.get("FRAMING_FUZZ_SEED", "1"))

# What lengths, constants and notations tend to be wrong about.
NUMBERS = [b"\0", b"\xff" * 4, b"\x80", b"\x7f\xff\xff\xff", b"9" * 30, b"9" * 5000, b"ff*99999999999", b"bytes0"]
MARKS = [bytes((byte,)) for byte in b":|=*\\\"'(){} "] + [b"\r\n", b"[" * 300, b"\xed\xa0\x80", b"u8"]
SPECIAL = NUMBERS + MARKS


def mutated(data, others, chance):
    """Return `data` with some damage."""
    made = bytearray(data)
    for _ in range(chance.randint(0, 4)):
        place = chance.randint(0, len(made))
        kind = chance.randrange(6)
        if kind == 0 and made:
            made[place % len(made)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            made[place:place] = chance.choice(SPECIAL)
        elif kind == 2:
            del made[place : place + chance.randint(1, 8)]
        elif kind == 3:
            made[place:place] = made[chance.randint(0, len(made)) :][:20]
        elif kind == 4:
            other = chance.choice(others)
            made[place:] = other[chance.randint(0, len(other)) :]
        elif made:
            made[place % len(made)] = chance.randrange(256)
    return bytes(made[:6000])


SEEDS = targets.seeds()


@pytest.mark.parametrize("name", targets.TARGETS)
def test_only_framing_errors_come_out(name):
    chance = random.Random(f"{SEED} {name}")
    target, corpus = targets.TARGETS[name], SEEDS[name]
    assert corpus
    for data in [*corpus, *(mutated(chance.choice(corpus), corpus, chance) for _ in range(RUNS))]:
        try:
            target(data)
        except Exception as error:
            raise AssertionError(f"{name}({data!r})") from error


def test_a_mistake_would_be_found():
    """The parser must be able to fail here: without its guard, a format that loses a byte is noticed."""
    form = targets.FORMATS[0]
    stream = b"\3abc\1d"
    assert targets.limited_payloads(form, [stream], 1) == [b"abc", b"d"]
    assert targets.limited_payloads(form, [stream[:-1]], 1) == [b"abc"]
