"""A few inputs for every target, and the harness itself: it must be able to find something."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
import run
from mutate import KINDS, mutated

from framing.errors import DecodeError, FramingError, HeaderError

SEED = 7
ROOT = Path(__file__).parents[2]
TARGETS, SEEDS = run.all_targets(), run.all_seeds(SEED)


def until(count):
    return lambda number: number < count


@pytest.mark.parametrize("name", TARGETS)
def test_only_framing_errors_come_out(name):
    ends = run.fuzz(name, TARGETS[name], SEEDS[name], SEED, until(max(80, len(SEEDS[name]) + 20)))

    assert run.one_sided({name: ends}) == []


def test_every_target_has_something_to_begin_with():
    assert SEEDS.keys() == TARGETS.keys()
    assert [name for name, corpus in SEEDS.items() if not corpus] == []


def planted(data):
    """Takes most inputs, refuses some, and breaks at the byte 0xaa behind another."""
    if b"\xaa" in data[1:]:
        raise ValueError("planted")
    if data[:1] == b"\0":
        HeaderError("no")


CORPUS = [b"good", b"\0bad"]


def test_a_planted_bug_is_found_and_reported(capsys):
    code = run.run({"planted": planted}, {"planted": CORPUS}, 5, seconds=30)
    lines = capsys.readouterr().out.splitlines()
    told = {name: rest.strip() for name, _, rest in (line.partition(":") for line in lines)}

    assert code == 1
    assert told["ValueError"] == "planted"
    assert told["seed"] == "5"
    shortest, saved = bytes.fromhex(told["input"]), Path(told["saved"])
    assert (len(shortest), shortest[1]) == (2, 0xAA)
    assert saved.read_bytes() == shortest
    assert any(line.startswith("FAILED planted, input ") for line in lines)
    assert any(line.endswith(f"--target planted --input {saved}") for line in lines)


def test_the_same_seed_finds_it_at_the_same_input():
    numbers = set()
    for _ in range(2):
        with pytest.raises(run.TargetError) as caught:
            run.fuzz("planted", planted, CORPUS, 5, until(100000))
        numbers.add((caught.value.data, str(caught.value)))

    assert len(numbers) == 1


def test_a_saved_input_is_tried_again(tmp_path, capsys):
    (tmp_path / "bad").write_bytes(b"x\xaa")
    (tmp_path / "good").write_bytes(b"x")

    assert run.run_one("planted", planted, tmp_path / "bad") == 1
    assert "FAILED planted: 78aa" in capsys.readouterr().out
    assert run.run_one("planted", planted, tmp_path / "good") == 0


@pytest.mark.parametrize("target", [lambda data: None, lambda data: HeaderError("always") and None])
def test_a_target_with_one_side_only_fails(target, capsys):
    assert run.run({"lame": target}, {"lame": CORPUS}, 5, seconds=0) == 1
    assert "FAILED lame: it must both succeed and fail; seed 5" in capsys.readouterr().out


def test_how_often_each_target_ended_how_is_told(capsys):
    def either(data):
        if data[:1] == b"\0":
            DecodeError("no")
        return "odd" if len(data) % 2 else None

    assert run.run({"either": either}, {"either": CORPUS}, 5, seconds=0) == 0
    (line,) = capsys.readouterr().out.splitlines()
    name, count, *ends = line.replace(",", "").split()
    counts = dict(zip(ends[::2], map(int, ends[1::2]), strict=True))
    assert (name, int(count)) == ("either", run.LEAST_RUNS)
    assert counts.keys() == {"ok", "DecodeError", "odd"}
    assert sum(counts.values()) == run.LEAST_RUNS


def test_errors_are_only_watched_meanwhile():
    original = FramingError.__init__
    with pytest.raises(run.TargetError):
        run.fuzz("planted", planted, [b"x\xaa"], 5, until(1))

    assert FramingError.__init__ is original


def test_an_input_that_hangs_is_a_failure(monkeypatch, capsys):
    monkeypatch.setattr(run, "HANG_SECONDS", 0.05)

    def hanging(data):
        while True:
            pass

    assert run.run({"hanging": run.watched(hanging)}, {"hanging": [b"first"]}, 5, seconds=0) == 1
    assert "FAILED hanging, input 0: TimeoutError: " in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_of_damage_changes_something_and_bears_nothing(kind):
    chance, changed = random.Random(SEED), 0
    for data in [b"", b"a", bytes(range(200))] * 20:
        made = bytearray(data)
        kind(made, [b"", b"other"], chance)
        changed += made != data
    assert changed > 10


def test_damage_is_bounded():
    chance = random.Random(SEED)
    assert max(len(mutated(b"x" * 65536, [b"y" * 65536], chance)) for _ in range(50)) == 65536


def test_the_script_runs_as_the_readme_says():
    command = [sys.executable, "tests/fuzz/run.py", "--seconds", "0", "--seed", "3", "--target", "json_values"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("seed 3\njson_values ")
