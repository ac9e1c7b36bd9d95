import sys

import click
import pytest
from click.testing import CliRunner

from framing.cli.table import print_table

HEAD = ("NAME", "TITLE", "PORTS")
ROWS = [
    ("bittorrent", "BitTorrent peer wire protocol", "6881 6882 6883 6884"),
    ("bolt", "Bolt, the protocol of Neo4j", "7687"),
]


@pytest.fixture
def printed(monkeypatch):
    """Print a table, on a terminal of so many columns or, with none, into a pipe; return its lines."""

    def run(head, rows, *, columns=None, **options):
        @click.command()
        def command():
            monkeypatch.setattr(sys.stdout, "isatty", lambda: columns is not None, raising=False)
            print_table(head, rows, **options)

        monkeypatch.setenv("COLUMNS", str(columns or 10))
        return CliRunner().invoke(command, catch_exceptions=False).stdout.splitlines()

    return run


def test_in_a_pipe_it_is_aligned_and_nothing_is_cut_or_broken(printed):
    rows = [("a", "b" * 200, "c d e"), ("long name", "x", "\x1b[2J")]

    assert printed(("NAME", "VALUE", "LAST"), rows, is_first_whole=True) == [
        f"NAME       VALUE{' ' * 195}  LAST",
        f"a          {'b' * 200}  c d e",
        f"long name  x{' ' * 199}  \\x1b[2J",
    ]


def test_an_empty_table_is_its_head(printed):
    assert printed(("NAME", "LAST"), []) == ["NAME  LAST"]
    assert printed(("NAME", "LAST"), [], columns=80) == ["NAME  LAST"]


def test_a_terminal_that_is_wide_enough_shows_the_same(printed):
    assert printed(HEAD, ROWS, columns=62) == printed(HEAD, ROWS)


def test_a_narrow_terminal_has_cells_broken_at_spaces(printed):
    assert printed(HEAD, ROWS, columns=50) == [
        "NAME        TITLE              PORTS",
        "bittorrent  BitTorrent peer    6881 6882 6883 6884",
        "            wire protocol",
        "bolt        Bolt, the          7687",
        "            protocol of Neo4j",
    ]


@pytest.mark.parametrize("columns", range(11, 80))
def test_it_fits_every_terminal_and_nothing_is_lost(printed, columns):
    lines = printed(HEAD, ROWS, columns=columns)

    assert max(map(len, lines)) <= columns
    assert sorted("".join(lines).replace(" ", "")) == sorted(
        "".join("".join(row) for row in (HEAD, *ROWS)).replace(" ", "")
    )


@pytest.mark.parametrize("columns", range(31, 80))
def test_a_word_is_not_broken_while_there_is_another_way(printed, columns):
    text = " ".join(printed(HEAD, ROWS, columns=columns))

    assert {word for row in ROWS for cell in row for word in cell.split()} <= set(text.split())


def test_numbers_stand_at_their_right_on_a_terminal(printed):
    assert printed(("A", "SIZE", "B"), [("x", "7", "y"), ("x", "12345", "y")], columns=80, right=(1,)) == [
        "A   SIZE  B",
        "x      7  y",
        "x  12345  y",
    ]


def test_a_first_column_that_is_to_stay_whole_has_lines_of_its_own(printed):
    rows = [("10.0.0.5:51744>10.0.0.9:9092", "client", "7"), ("a>b", "server", "12")]

    assert printed(("FLOW", "SIDE", "BYTES"), rows, columns=25, right=(2,), is_first_whole=True) == [
        "FLOW",
        "    SIDE    BYTES",
        "10.0.0.5:51744>10.0.0.9:9092",
        "    client      7",
        "a>b",
        "    server     12",
    ]
