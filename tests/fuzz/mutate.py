"""Damage to inputs: what streams, captures and texts suffer on their way, and what an attacker would try."""

import random
import re

MAX_SIZE = 1 << 16

# Where lengths turn: nothing, one, the largest of each width, and just over it.
NUMBERS = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
TOKENS = [
    *(
        b"\r\n",
        b"\0",
        b"\xff" * 8,
        b"=",
        b":",
        b"/",
        b"(",
        b")",
        b"*",
        b"|",
        b'"',
        b"'''",
        b"[",
        b"]",
        b"{",
        b"}",
        b"\n",
    ),
    *(b"$bytes", b"$map", b"NaN", b"1e999", b"null", b"\xed\xa0\x80", b"\xc3\xa9", b"9" * 30, b"0x", b"u8", b"varint"),
]

# For texts: a quoted string or a word, and what may stand in its place.
WORD = re.compile(rb'"[^"\n]*"|[\w.+-]+')
WORDS = [
    b"5",
    b"-1",
    b"true",
    b"1.5",
    b'""',
    b"[]",
    b"{}",
    b'["a", 1]',
    b"{a = 1}",
    b"1979-05-27",
    b'"0x0"',
    b"",
    b"null",
]


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return `data` with a few kinds of damage, at most 64 KiB of it."""
    made = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
        chance.choice(KINDS)(made, others, chance)
    return bytes(made[:MAX_SIZE])


def flip(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    if made:
        made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)


def write_byte(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    if made:
        made[chance.randrange(len(made))] = chance.randrange(256)


def write_number(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    size = chance.choice((1, 2, 3, 4, 8))
    number = chance.choice([*NUMBERS, len(made), max(0, len(made) - chance.randrange(20))]) % (1 << 8 * size)
    place = chance.randint(0, len(made))
    made[place : place + size] = number.to_bytes(size, chance.choice(("big", "little")))


def insert(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    place = chance.randint(0, len(made))
    made[place:place] = chance.choice([*TOKENS, chance.randbytes(chance.randint(1, 9))])


def delete(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    place = chance.randint(0, len(made))
    del made[place : place + chance.choice((1, 2, 4, 16, 64))]


def repeat(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    place = chance.randint(0, len(made))
    made[place:place] = made[place : place + chance.choice((1, 4, 16, 64))] * chance.choice((1, 1, 2, 40))


def swap(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    size = chance.choice((1, 2, 4, 16, 64))
    first, second = chance.randint(0, len(made)), chance.randint(0, len(made))
    if abs(first - second) >= size:
        made[first : first + size], made[second : second + size] = (
            made[second : second + size],
            made[first : first + size],
        )


def cut_off(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    del made[chance.randint(0, len(made)) :]


def splice(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    other = chance.choice(others)
    made[chance.randint(0, len(made)) :] = other[chance.randint(0, len(other)) :]


def replace_word(made: bytearray, others: list[bytes], chance: random.Random) -> None:
    begin = chance.randint(0, len(made))
    old = WORD.search(made, begin) or WORD.search(made)
    new = WORD.search(other := chance.choice(others), chance.randint(0, len(other)))
    if old:
        made[old.start() : old.end()] = chance.choice([*WORDS, new.group() if new else b""])


KINDS = [flip, write_byte, write_number, insert, delete, repeat, swap, cut_off, splice, replace_word]
