import subprocess
import sys

import pytest

import framing
from transports.foundation import NEEDED, check_foundation


def test_our_own_package_is_fine():
    check_foundation()
    assert set(NEEDED) <= set(framing.__all__)


def test_another_package_is_named():
    with pytest.raises(ImportError, match="distribution framewire") as caught:
        check_foundation(exported=("Framer",))
    assert framing.__file__ in str(caught.value)
    assert "pip install --force-reinstall framewire" in str(caught.value)
    assert caught.value.name == "framing"


def test_the_clash_is_told_at_import(site):
    site.install("framing", {}, files={"framing/__init__.py": "class Framer: pass\n"})
    site.write("framing-1.0.dist-info/top_level.txt", "framing\n")
    program = f"import sys; sys.path.insert(0, {str(site.directory)!r}); import transports"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: transports needs the package framing of the distribution framewire")
    assert "Installed with a package of this name: framing. " in last
