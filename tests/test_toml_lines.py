"""Where keys stand: an independent writer of TOML knows the line of everything that it has written."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.toml_lines import dotted, key_lines

NAMES = ["a", "b-1", "codec", "1", "a.b", "x = y", "[z]", "#", 'q"', "back\\slash", ""]
SCALARS = [
    *("1", "0x1f", "-1.5", "true", "1979-05-27 07:32:00Z", "inf", '""', "''", '"a = [b] # {c}"', "'[both] \\'"),
    *(
        '"\\"]"',
        '"""\n[both]\ncodec = 1 # "quote" ""\n"""',
        "'''\n}, ] = ''''",
        '"""a\\""""',
        '"""x"""""',
        '"""\\\\"""',
    ),
]
ENDS = ["\n", "\r\n", "\n\n", " # codec = [ {\n", "\n# [both] '''\n"]

names = st.lists(st.sampled_from(NAMES), unique=True, max_size=3)


class Writer:
    """Writes TOML and notes on which line each key stands."""

    def __init__(self, draw):
        self.draw = draw
        self.text = ""
        self.lines = {}

    def note(self, path):
        self.lines.setdefault(dotted(path), self.text.count("\n") + 1)

    def document(self, tables):
        used = self.pairs((), self.draw(names), 2, ENDS)
        for name in tables:
            several = self.draw(st.booleans())
            for number in range(2 if several else 1):
                path = (name, number) if several else (name,)
                if name not in used:
                    self.table(path, several)

    def table(self, path, several):
        self.text += "\n[[" if several else "\n["
        self.key((), path[:1])
        self.note(path)
        self.text += "]]" if several else "]"
        self.text += self.draw(st.sampled_from(ENDS))
        self.pairs(path, self.draw(names), 2, ENDS)

    def key(self, base, parts):
        for number, part in enumerate(parts, 1):
            quoted = '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
            bare = dotted((part,))
            self.text += " . " if number > 1 else ""
            self.text += self.draw(st.sampled_from([quoted, bare]))
            self.note((*base, *parts[:number]))

    def pairs(self, path, keys, depth, separators):
        for name in keys:
            parts = (name, *self.draw(names)[:1])
            self.key(path, parts)
            self.text += self.draw(st.sampled_from(["=", " = "]))
            self.value((*path, *parts), depth)
            if separators is ENDS or name is not keys[-1]:
                self.text += self.draw(st.sampled_from(separators))
        return keys

    def value(self, path, depth):
        kind = self.draw(st.sampled_from(["scalar", "array", "table"])) if depth else "scalar"
        self.note(path)
        if kind == "scalar":
            self.text += self.draw(st.sampled_from(SCALARS))
            return
        if kind == "table":
            self.text += "{ "
            self.pairs(path, self.draw(names), depth - 1, [", "])
            self.text += " }"
        else:
            self.array(path, depth - 1)

    def array(self, path, depth):
        gaps = st.sampled_from(["", " ", *ENDS])
        self.text += "[" + self.draw(gaps)
        for number in range(self.draw(st.integers(0, 3))):
            self.value((*path, number), depth)
            self.text += self.draw(gaps) + "," + self.draw(gaps)
        self.text += "]"


@st.composite
def documents(draw):
    writer = Writer(draw)
    writer.document(draw(names))
    return writer


@given(documents())
def test_every_key_is_found_on_the_line_where_it_was_written(writer):
    tomllib.loads(writer.text)

    assert key_lines(writer.text) == writer.lines


def test_tables_in_arrays_of_tables_belong_to_the_last_item():
    text = "[[t]]\nk = 1\n[[t]]\n[t.u]\nv = 1\n[[t.m]]\n[[t.m]]\nn = 1\n"

    lines = {"t": 1, "t[0]": 1, "t[0].k": 2, "t[1]": 3, "t[1].u": 4, "t[1].u.v": 5, "t[1].m": 6, "t[1].m[0]": 6}
    assert key_lines(text) == lines | {"t[1].m[1]": 7, "t[1].m[1].n": 8}


def test_the_first_line_counts_where_a_table_is_mentioned_again():
    assert key_lines("[a.b]\nx = 1\n[a]\ny = 2\n") == {"a": 1, "a.b": 1, "a.b.x": 2, "a.y": 4}


def test_deep_nesting_is_no_error():
    assert key_lines("a = " + "[" * 900 + "]" * 900)["a[0]"] == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", "b-1_", "0x51"), "a.b-1_.0x51"),
        (("after", 0, "client"), "after[0].client"),
        (("a.b", ""), '"a.b".""'),
        (('"', "\\"), '"\\""."\\\\"'),
        (("é",), '"é"'),
    ],
)
def test_names_are_as_toml_writes_them(path, name):
    assert dotted(path) == name
