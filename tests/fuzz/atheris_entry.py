"""The fuzz targets under atheris, which is no dependency: `python tests/fuzz/atheris_entry.py frames -runs=1000000`.

The first argument names the target; the rest is libFuzzer's. Without atheris it says what to install.
"""

import importlib.util
import sys
import tempfile
from pathlib import Path


def load_targets():
    spec = importlib.util.spec_from_file_location("fuzz_targets", Path(__file__).with_name("targets.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    with atheris.instrument_imports(include=["framing"]):
        targets = load_targets()
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in targets.TARGETS:
        sys.exit(f"which target? {', '.join(targets.TARGETS)}")
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(targets.seeds()[name]):
            Path(corpus, f"seed{number}").write_bytes(data)
        atheris.Setup([sys.argv[0], *sys.argv[2:], corpus], targets.TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
