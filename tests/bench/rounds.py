"""Rounds in which candidates take turns, and the table of their medians."""

import gc
import statistics
import time
from collections.abc import Callable


def measure(
    candidates: dict[str, Callable[[], object]],
    rounds: int = 9,
    of: Callable[[list[float]], float] = statistics.median,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median seconds of each candidate, or another measure `of` them; one round before is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, run in candidates.items():
            gc.collect()
            begin = clock()
            run()
            if turn:
                seconds[name].append(clock() - begin)
    return {name: of(times) for name, times in seconds.items()}


def show(title: str, medians: dict[str, float], count: int, unit: str, against: str) -> None:
    """Print each candidate's cost and how many times slower or faster it is than another."""
    print(f"\n{title}")
    for name, seconds in medians.items():
        ratio = medians[against] / seconds
        print(f"  {name:44} {seconds / count * 1e9:9.0f} ns/{unit}   {ratio:5.2f} times as fast as {against}")
