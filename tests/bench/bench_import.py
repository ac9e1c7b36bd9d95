"""What `import framing` and `framing --help` add to the start of a bare interpreter."""

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "import dataclasses": [sys.executable, "-c", "import dataclasses"],
    "import framing": [sys.executable, "-c", "import framing"],
    "get_protocol('u32be/raw')": [sys.executable, "-c", "import framing; framing.get_protocol('u32be/raw')"],
    "framing --help": [sys.executable, "-c", "from framing.cli import main; main(['--help'])"],
}


def main(rounds: int = 21) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            begin = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(times) * 1e3 for name, times in seconds.items()}
    print(__doc__)
    for name, milliseconds in medians.items():
        print(f"  {name:28} {milliseconds:6.1f} ms   adds {milliseconds - medians['bare interpreter']:6.1f} ms")


if __name__ == "__main__":
    main()
