import os
import sys
from pathlib import Path

# The runner of the protocols is several modules that a script, `table.py`, uses as well.
sys.path.insert(0, str(Path(__file__).parent))


def pytest_terminal_summary(terminalreporter):
    """Show the table where a whole corpus was run: who runs that wants to see what it says."""
    if "agreement" in sys.modules and os.environ.get("FRAMING_CORPUS"):
        import table

        if lines := table.of_what_was_run():
            terminalreporter.section("protocols against captures")
            terminalreporter.write_line(lines)
