"""A distribution that is not ours, installed by pip for real, and used by a process that never saw its source."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent / "plugin_example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The directory that pip installed the example into."""
    # Built from a copy: setuptools writes beside the sources.
    source, target = tmp_path_factory.mktemp("source") / "example", tmp_path_factory.mktemp("target")
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--isolated", "--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--no-cache-dir"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return target


def run(installed, *arguments, allowed=None):
    environment = {name: value for name, value in os.environ.items() if name != "FRAMING_PLUGINS"}
    environment |= {"PYTHONPATH": str(installed)} | ({} if allowed is None else {"FRAMING_PLUGINS": allowed})
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=installed, capture_output=True, text=True, check=False
    )


def answer(installed, expression, **options):
    program = f"import json, sys, framing\nfrom framing import registry\nprint(json.dumps({expression}))"
    result = run(installed, "-c", program, **options)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def command(installed, *arguments, **options):
    return run(installed, "-c", "from framing.cli import main; main()", *arguments, **options)


def test_pip_installed_what_the_test_is_about(installed):
    names = {path.name for path in installed.iterdir()}

    assert {"acme_framing.py", "acme_protocols", "acme_framing-1.2.3.dist-info"} <= names


@pytest.mark.parametrize(
    ("kind", "name"),
    [("codec", "rot13"), ("format", "hexlength"), ("protocol", "acme_chat"), ("command", "acme-hello")],
)
def test_each_kind_is_listed_with_its_owner_and_nothing_is_imported(installed, kind, name):
    rows = f"[row for row in registry.entries({kind!r}) if row.name == {name!r}]"
    found = answer(
        installed, f"[[[row.distribution, row.version, row.status] for row in {rows}], 'click' in sys.modules]"
    )

    assert found == [[["acme-framing", "1.2.3", "ready"]], False]


def test_its_codec_and_format_make_a_wire(installed):
    program = (
        "framing.WireFormat(framing.get_format('hexlength(max_frame_size=99)'), framing.get_codec('rot13'))"
        ".encode('Hello').decode()"
    )

    assert answer(installed, program) == "0005Uryyb"


def test_its_protocol_is_resolved_by_name_without_importing_its_package(installed):
    found = answer(installed, "[framing.get_protocol('acme_chat').name, 'acme_protocols' in sys.modules]")

    assert found == ["acme_chat", False]


def test_its_codec_and_format_pass_the_contracts_of_our_own(installed):
    program = (
        "from framing.testing import check_codec, check_format;"
        "from acme_framing import HexLengthFormat, Rot13Codec;"
        "check_codec(Rot13Codec(), ['', 'Hello'], any_payload=True); check_format(HexLengthFormat())"
    )
    result = run(installed, "-c", program)

    assert result.returncode == 0, result.stderr


def test_its_command_is_one_of_ours(installed):
    result = command(installed, "acme-hello", "you")

    assert (result.returncode, result.stdout) == (0, "0009Uryyb lbh\n")
    assert "acme-hello" in command(installed, "--help").stdout


def test_the_list_of_plugins_shows_it(installed):
    result = command(installed, "plugin", "list")

    assert result.returncode == 0
    assert all(word in result.stdout for word in ("rot13", "hexlength", "acme_chat", "acme-hello", "acme-framing"))


def test_an_empty_allow_list_hides_it_and_says_so(installed):
    result = command(installed, "acme-hello", "you", allowed="")

    assert result.returncode == 5
    assert "FRAMING_PLUGINS does not list acme-framing" in result.stderr
    assert answer(installed, "'rot13' in registry.names('codec')", allowed="") is False


def test_without_it_its_names_are_unknown(tmp_path):
    with_nothing = answer(tmp_path, "[name for name in registry.names('codec') if name == 'rot13']")

    assert with_nothing == []
