"""The contract itself: the base class, its helpers, and that the specification and the checks name the same clauses."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from framing.codec import Codec, checked_bool, checked_int
from framing.errors import DefinitionError, EncodeError
from framing.testing import codec as steps

ROOT = Path(__file__).parents[1]
SPEC = (ROOT / "specs" / "codec.md").read_text()


class Text(Codec):
    name = "text"

    def __init__(self, *, encoding: str = "ascii", strict: bool = True) -> None:
        self.encoding = encoding
        self.strict = strict
        self._table: dict[str, str] = {}

    def encode(self, message: str) -> bytes:
        try:
            return message.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise EncodeError("no such letter", codec="text") from error

    def decode(self, payload: bytes) -> str:
        return payload.decode(self.encoding)


def test_only_encode_and_decode_are_abstract() -> None:
    assert Codec.__abstractmethods__ == {"encode", "decode"}
    assert Text().decode(b"ab") == "ab"


def test_encode_into_appends() -> None:
    buffer = bytearray(b"12")
    Text().encode_into("ab", buffer)
    assert buffer == b"12ab"


def test_encode_into_leaves_the_buffer_if_it_fails() -> None:
    buffer = bytearray(b"12")
    with pytest.raises(EncodeError):
        Text().encode_into("ä", buffer)
    assert buffer == b"12"


def test_repr_shows_the_options_and_nothing_private() -> None:
    assert repr(Text(encoding="utf-8")) == "Text(encoding='utf-8', strict=True)"


def test_defaults_of_the_contract() -> None:
    assert (Text.api_version, Text.passthrough) == (1, False)


@pytest.mark.parametrize("value", [1, 5])
def test_an_int_in_range_is_returned(value: int) -> None:
    assert checked_int("max_depth", value, 1, 5) == value


@pytest.mark.parametrize("value", [0, 6])
def test_an_int_out_of_range_names_key_and_range(value: int) -> None:
    with pytest.raises(DefinitionError) as caught:
        checked_int("max_depth", value, 1, 5)
    assert (caught.value.key, caught.value.found, caught.value.allowed) == ("max_depth", value, "1 to 5")


@pytest.mark.parametrize("value", [True, "5", 5.0, None])
def test_what_is_no_int_is_misuse(value: object) -> None:
    with pytest.raises(TypeError, match="max_depth takes an int"):
        checked_int("max_depth", value, 1, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, 1, "yes", None])
def test_what_is_no_bool_is_misuse(value: object) -> None:
    with pytest.raises(TypeError, match="strict takes a bool"):
        checked_bool("strict", value)  # type: ignore[arg-type]
    assert checked_bool("strict", False) is False


def test_the_specification_has_the_eight_clauses_once_and_in_order() -> None:
    assert re.findall(r"^## \[(C\d)\]", SPEC, re.MULTILINE) == [f"C{number}" for number in range(1, 9)]


def test_each_step_stands_behind_its_clause_in_the_specification() -> None:
    sections = dict(re.findall(r"^## \[(C\d)\](.*?)(?=^## |\Z)", SPEC, re.MULTILINE | re.DOTALL))
    named = {clause: re.findall(r"`(check_\w+)`", text) for clause, text in sections.items()}
    expected: dict[str, list[str]] = {clause: [] for clause in sections}
    for step in steps.STEPS:
        assert step.__doc__ is not None
        expected[step.__doc__[1:3]].append(step.__name__)
    assert named == expected


def test_codec_modules_import_no_library() -> None:
    modules = ("framing.codec", "framing.codecs.raw", "framing.codecs.msgpack", "framing.codecs.construct")
    code = f"import sys, {', '.join(modules)}; print({{'msgpack', 'construct', 'trio', 'zlib'}} & set(sys.modules))"
    # Isolated, since a site module may import anything.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
