"""Run the fuzz targets for some seconds: `python tests/fuzz/run.py --seconds 20`. See README.md beside this file."""

import argparse
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import capture_targets
import stream_targets
import targets as text_targets
from mutate import mutated

from framing.errors import FramingError

# So many inputs each target gets however little time there is: fewer say nothing about both of its sides.
LEAST_RUNS = 60

# One input of at most 64 KiB that takes longer than this hangs, or takes more than linear time.
HANG_SECONDS = 20

# How many shorter inputs are tried when one has failed.
SHORTENING_RUNS = 2000
SHOWN_SIZE = 400


class TargetError(Exception):
    """A target has raised what is a bug."""

    def __init__(self, name, number, data, cause):
        super().__init__(f"{name}, input {number}: {type(cause).__name__}: {cause}")
        self.name, self.data, self.cause = name, data, cause


def all_targets():
    """Return every target by name."""
    return {**_without_notation(text_targets.TARGETS), **stream_targets.targets(), **capture_targets.targets()}


def all_seeds(seed):
    """Return, by target, the inputs to begin with."""
    chance = random.Random(seed)
    return {**_without_notation(text_targets.seeds()), **stream_targets.seeds(chance), **capture_targets.seeds(chance)}


def _without_notation(by_name):
    # It makes each text a header and a varint, one of which always fails; `notations` has a failure and a success.
    return {name: one for name, one in by_name.items() if name != "notation"}


@contextmanager
def errors_noted():
    """Note the classes of all FramingErrors that are made: targets take care of them and return nothing."""
    made, original = [], FramingError.__init__

    def noting(self, *arguments, **facts):
        made.append(type(self).__name__)
        original(self, *arguments, **facts)

    FramingError.__init__ = noting
    try:
        yield made
    finally:
        FramingError.__init__ = original


def fuzz(name, target, corpus, seed, goes_on):
    """Call a target with its seeds and then with damaged ones while `goes_on(number)`, and count how that ended.

    Which inputs come depends on the seed and the target's name only, not on the time that there is.

    Raises:
        TargetError: the target has raised.
    """
    chance, pool, ends, number = random.Random(f"{seed} {name}"), list(corpus), Counter(), 0
    with errors_noted() as made:
        while goes_on(number):
            data = corpus[number] if number < len(corpus) else mutated(chance.choice(pool), pool, chance)
            made.clear()
            try:
                returned = target(data)
            except Exception as error:
                raise TargetError(name, number, data, error) from error
            end = returned or (made[-1] if made else "ok")
            if not ends[end] and number >= len(corpus):
                pool.append(data)  # the first that ends like this: worth more damage
            ends[end] += 1
            number += 1
    return ends


def shortened(target, data, kind):
    """Return the shortest input found that fails in the same way."""
    size, left = max(1, len(data) // 2), SHORTENING_RUNS
    while size and left > 0:
        place = 0
        while place < len(data) and left > 0:
            shorter, left = data[:place] + data[place + size :], left - 1
            if fails(target, shorter, kind):
                data = shorter
            else:
                place += size
        size //= 2
    return data


def fails(target, data, kind):
    try:
        target(data)
    except kind:
        return True
    except Exception:  # noqa: BLE001 - another failure is not this one
        return False
    return False


def report(failure, target, seed):
    """Print how to see the failure again, and save its input."""
    data, kind = failure.data, type(failure.cause)
    if kind is not TimeoutError:  # each shorter one would take as long
        data = shortened(target, data, kind)
    path = Path(tempfile.mkdtemp(prefix="framing-fuzz-")) / f"{failure.name}.bin"
    path.write_bytes(data)
    traceback.print_exception(failure.cause, file=sys.stdout)
    shown = data.hex() if len(data) <= SHOWN_SIZE else f"{data[:SHOWN_SIZE].hex()} … ({len(data)} bytes)"
    print(f"\nFAILED {failure}\nseed:  {seed}\ninput: {shown}\nsaved: {path}")
    print(f"again: python tests/fuzz/run.py --target {failure.name} --input {path}")
    print(f"or:    python tests/fuzz/run.py --target {failure.name} --seed {seed}")


# Any bytes are blocks; and lines, as long as inputs are here.
NEVER_WRONG = ("format_opaque", "conversation_statsd_tcp")


def one_sided(ends):
    """Return the names of targets that never succeeded, or always did: nobody learns from those."""
    return [name for name, counts in ends.items() if not counts["ok"] or (len(counts) < 2 and name not in NEVER_WRONG)]


def run(chosen, corpora, seed, seconds):
    """Fuzz each of these targets for its share of the time; return the exit code."""
    ends = {}
    for name, target in chosen.items():
        least, stop = max(LEAST_RUNS, len(corpora[name])), time.monotonic() + seconds / len(chosen)

        def goes_on(number, least=least, stop=stop):
            return number < least or time.monotonic() < stop

        try:
            ends[name] = fuzz(name, target, corpora[name], seed, goes_on)
        except TargetError as failure:
            report(failure, target, seed)
            return 1
    for name, counts in ends.items():
        print(f"{name:26} {counts.total():7}  {', '.join(f'{end} {count}' for end, count in counts.most_common())}")
    for name in one_sided(ends):
        print(f"FAILED {name}: it must both succeed and fail; seed {seed}")
    return 1 if one_sided(ends) else 0


def run_one(name, target, path):
    """Call a target with one saved input; return the exit code."""
    data = Path(path).read_bytes()
    try:
        target(data)
    except Exception:  # noqa: BLE001 - whatever it is, it is what was asked for
        traceback.print_exc(file=sys.stdout)
        print(f"\nFAILED {name}: {data[:SHOWN_SIZE].hex()}")
        return 1
    print(f"{name}: good")
    return 0


def run_atheris(name, target, corpus):
    """Hand one target to atheris, which watches which code is reached. It never returns."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")

    def quiet(data):
        target(data)  # what it returns would be an error code to atheris

    with tempfile.TemporaryDirectory() as directory:
        for number, data in enumerate(corpus):
            Path(directory, f"seed{number}").write_bytes(data)
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], directory], quiet)
        atheris.Fuzz()


def hung(signum, frame):
    raise TimeoutError(f"one input has taken {HANG_SECONDS} seconds")


def watched(target):
    """Return the target with an end to hanging, where the system has an alarm clock."""
    if not hasattr(signal, "SIGALRM"):
        return target
    signal.signal(signal.SIGALRM, hung)

    def call(data):
        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        try:
            return target(data)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return call


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    known = all_targets()
    parser.add_argument("--seconds", type=float, default=20, help="for all targets together (default 20)")
    parser.add_argument("--seed", type=int, help="random if not given, and printed")
    parser.add_argument("--target", action="append", choices=known, help="only this one; may be repeated")
    parser.add_argument("--input", metavar="FILE", help="call the target once, with what was saved")
    parser.add_argument("--atheris", metavar="TARGET", choices=known, help="run this target under atheris")
    options = parser.parse_args(arguments)
    if options.input:
        if len(options.target or ()) != 1:
            parser.error("--input needs one --target")
        return run_one(options.target[0], known[options.target[0]], options.input)
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    corpora = all_seeds(seed)
    if options.atheris:
        return run_atheris(options.atheris, known[options.atheris], corpora[options.atheris])
    chosen = {name: watched(known[name]) for name in options.target or known}
    return run(chosen, corpora, seed, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
