import subprocess
import sys

import pytest

from framing import registry
from framing.entries import GROUPS
from framing.errors import AmbiguousNameError, PluginLoadError, UnknownNameError
from framing.registry import entries, find, load, load_entry, names, probe, register

CODECS = GROUPS["codec"]
FORMATS = GROUPS["format"]
PROTOCOLS = GROUPS["protocol"]
GOOD = """
from framing import Codec
class Rot(Codec):
    def encode(self, message): return message
    def decode(self, payload): return payload
"""


def refusal(name, kind="codec"):
    with pytest.raises(PluginLoadError) as caught:
        load(kind, name)
    return caught.value


def test_a_builtin_loads():
    from framing.codecs.msgpack import MsgpackCodec

    entry = find("codec", "raw")._replace(value="framing.codecs.msgpack:MsgpackCodec")

    assert load_entry(entry) is MsgpackCodec


@pytest.mark.parametrize("spelling", ["raw", "raw@framewire", "raw@FrameWire"])
def test_a_builtin_is_found_under_its_name_and_its_distribution(spelling):
    entry = find("codec", spelling)

    assert (entry.name, entry.distribution, entry.builtin) == ("raw", "framewire", True)


def test_a_builtin_costs_no_scan_of_the_metadata():
    program = (
        "import sys; from framing.registry import find; find('codec', 'raw'); find('format', 'header');"
        "find('protocol', 'kafka'); find('command', 'decode'); find('scheme', 'tcp');"
        "print('importlib.metadata' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout == "False\n"


def test_a_plugin_loads_when_it_is_asked_for(site):
    site.install(
        "acme", {CODECS: "rot = acme_rot:Rot\nhalf = acme_rot:Rot.__name__.upper"}, files={"acme_rot.py": GOOD}
    )
    site.install("zeta", {CODECS: "bomb = zeta_bomb:Bomb"}, files={"zeta_bomb.py": "raise SystemExit"})

    assert load("codec", "rot").__name__ == "Rot"
    assert load(CODECS, "rot@ACME") is load("codec", "rot")
    assert load("codec", "half")() == "ROT"
    assert "zeta_bomb" not in sys.modules


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import no_such_module_of_acme", ModuleNotFoundError),
        ("raise SystemExit(3)", SystemExit),
        ("def broken(:", SyntaxError),
        ("class Odd(BaseException): pass\nraise Odd('odd')", BaseException),
        ("class Mute(Exception):\n  def __str__(self): raise RuntimeError\nraise Mute", Exception),
        ("def endless(): endless()\nendless()", RecursionError),
        ("other = 1", AttributeError),
    ],
)
def test_whatever_a_plugin_does_when_imported_is_its_own_error(site, source, cause):
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, version="4.2", files={"acme_rot.py": source})
    site.install("zeta", {CODECS: "fine = zeta_rot:Rot"}, files={"zeta_rot.py": GOOD})

    error = refusal("rot")
    assert isinstance(error.__cause__, cause)
    assert (error.group, error.distribution, error.version) == (CODECS, "acme", "4.2")
    assert error.entry_point == "rot = acme_rot:Rot"
    assert error.hint == "to remove it: pip uninstall acme"
    assert load("codec", "fine").__name__ == "Rot"


def test_the_error_says_the_cause_in_its_text(site):
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, files={"acme_rot.py": "import no_such_module_of_acme"})

    assert "codec 'rot' cannot be loaded: ModuleNotFoundError: No module named" in str(refusal("rot"))


def test_an_interrupt_is_nobodys_error(site):
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, files={"acme_rot.py": "raise KeyboardInterrupt"})

    with pytest.raises(KeyboardInterrupt):
        load("codec", "rot")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("Rot = 3", "a codec is made by calling a class or function, not 3"),
        (
            "from framing import Codec\nclass Rot(Codec):\n  def encode(self, message): return message",
            "its class Rot lacks decode",
        ),
        ("class Rot:\n  api_version = 2", "written for plug-in API 2; accepted: 1"),
        ("class Rot:\n  api_version = '1'", "written for plug-in API 1; accepted: 1"),
        (
            "class Rot:\n  def encode(self, message): return message",
            "its class Rot is no Codec: it must be a subclass, as the text of framing.codec shows",
        ),
    ],
)
def test_what_was_loaded_must_fit(site, source, problem):
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, files={"acme_rot.py": source})

    assert refusal("rot").reason == f"codec 'rot' cannot be loaded: {problem}"


def test_a_class_must_keep_the_contract_of_its_kind(site):
    site.install("acme", {FORMATS: "rot = acme_rot:Rot"}, files={"acme_rot.py": GOOD})

    with pytest.raises(PluginLoadError, match=r"Rot is no FrameFormat: it must be a subclass, .* framing\.frame shows"):
        load("format", "rot")


def test_a_protocol_need_not_be_callable(site):
    site.install("acme", {PROTOCOLS: "chat = acme_chat:CHAT"}, files={"acme_chat.py": "CHAT = ['a protocol']"})

    assert load("protocol", "chat") == ["a protocol"]


def test_an_object_may_say_the_version_it_was_written_for(site):
    source = f"{GOOD}    api_version = 1\n"
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, files={"acme_rot.py": source})

    assert load("codec", "rot").api_version == 1


def test_a_protocol_that_is_a_file_is_found_and_not_loaded(site, tmp_path):
    site.install("acme", {PROTOCOLS: "acme = acme_files"}, files={"acme_files/chat.toml": ""})

    assert find("protocol", "chat").path == str(tmp_path / "acme_files/chat.toml")
    with pytest.raises(TypeError, match=r"chat\.toml"):
        load("protocol", "chat")


def test_two_distributions_with_one_name(site):
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, files={"acme_rot.py": GOOD})
    site.install("Zeta_Codec", {CODECS: "rot = zeta_rot:Rot"}, version="2.0", files={"zeta_rot.py": GOOD})

    with pytest.raises(AmbiguousNameError) as caught:
        load("codec", "rot")
    assert caught.value.reason == "codec 'rot' is offered by Zeta_Codec 2.0 and by acme 1.0"
    assert caught.value.hint == "say rot@Zeta_Codec or rot@acme"
    assert load("codec", "rot@zeta-codec").__module__ == "zeta_rot"
    assert load("codec", "rot@acme").__module__ == "acme_rot"
    assert names("codec")[-2:] == ("rot@Zeta_Codec", "rot@acme")


def test_a_plugin_cannot_stand_in_for_a_builtin(site):
    site.install("acme", {CODECS: "raw = acme_raw:Raw"}, files={"acme_raw.py": GOOD})

    assert find("codec", "raw").builtin
    assert refusal("raw@acme").reason.endswith("'raw' is the name of a built-in codec")
    assert [row.status for row in entries("codec") if row.name == "raw"] == ["ready", "shadowing"]
    assert names("codec").count("raw") == 1


def test_a_plugin_that_is_not_allowed_says_how_to_allow_it(site, monkeypatch):
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, files={"acme_rot.py": GOOD})
    monkeypatch.setenv("FRAMING_PLUGINS", "")

    error = refusal("rot")
    assert error.reason.endswith("FRAMING_PLUGINS does not list acme")
    assert error.hint == "to allow it, add acme to FRAMING_PLUGINS"
    assert "acme_rot" not in sys.modules
    assert find("codec", "raw").builtin


def test_a_plugin_for_a_newer_framing_says_which_versions_are_accepted(site):
    site.install("acme", {"framing.codecs.v9": "rot = acme_rot:Rot"}, files={"acme_rot.py": GOOD})

    assert refusal("rot").reason.endswith("written for plug-in API v9; accepted: v1")
    assert "rot" not in names("codec")


def test_a_plugin_without_metadata_cannot_be_uninstalled_by_pip(site):
    site.write("x-1.0.dist-info/entry_points.txt", f"[{CODECS}]\nrot = acme:Rot")

    assert refusal("rot").hint == "remove the *.dist-info directory without a METADATA file"


def test_a_broken_builtin_is_reinstalled():
    with pytest.raises(PluginLoadError) as caught:
        load_entry(find("codec", "raw")._replace(value="framing.no_such_module:Raw"))
    assert caught.value.hint == "it belongs to framewire: pip install --force-reinstall framewire"


@pytest.mark.parametrize("name", ["mesgpack", "MsgPack", "msgpack@nobody"])
def test_an_unknown_name_lists_near_misses(name):
    with pytest.raises(UnknownNameError) as caught:
        find("codec", name)
    assert caught.value.reason == f"no codec is called {name!r}"
    assert caught.value.hint.startswith("did you mean msgpack")


def test_near_misses_include_plugins(site):
    site.install("acme", {CODECS: "protobuffer = acme:Pb"})

    with pytest.raises(UnknownNameError, match=r"did you mean protobuffer\?"):
        find("codec", "protobuf")


def test_a_name_of_another_kind_is_pointed_out():
    with pytest.raises(UnknownNameError) as caught:
        find("format", "construct")
    assert caught.value.hint.startswith("there is a codec of this name; each format: header, varint")


def test_without_a_near_miss_the_known_names_are_listed():
    with pytest.raises(UnknownNameError, match="known: raw, msgpack, construct"):
        find("codec", "zzzzzz")


def test_where_the_known_names_are_many_the_error_says_what_lists_them():
    with pytest.raises(UnknownNameError) as caught:
        find("protocol", "zzzzzz")
    assert caught.value.hint == f"known: {len(names('protocol'))}, which `framing protocols` lists"


def test_a_name_whose_package_is_known_says_what_to_install(monkeypatch):
    monkeypatch.setitem(registry.PACKAGES, "acme", "acme-framing>=2")

    with pytest.raises(UnknownNameError) as caught:
        find("codec", "acme")
    assert caught.value.hint == "pip install 'acme-framing>=2'"


@pytest.mark.parametrize("name", ["", "@", "raw@", "@framewire", "raw@framewire@x"])
def test_odd_spellings_are_unknown(name):
    with pytest.raises(UnknownNameError):
        find("codec", name)


@pytest.mark.parametrize("kind", ["", "codecs", "framing.codecs", "framing.codecs.v2"])
def test_a_kind_that_does_not_exist_is_misuse(kind):
    with pytest.raises(ValueError, match="no kind of plug-in: codec, format, protocol, command, scheme"):
        names(kind)


def test_registered_names_are_found_and_undone():
    registration = register("codec", "shout", str.upper)

    assert load("codec", "shout") is str.upper
    assert "shout" in names("codec")
    assert [row.distribution for row in entries("codec") if row.name == "shout"] == [None]
    registration.undo()
    registration.undo()
    assert "shout" not in names("codec")


def test_a_registration_is_undone_by_with_even_after_an_error():
    with pytest.raises(ZeroDivisionError), register("codec", "shout", str.upper):
        raise ZeroDivisionError
    assert "shout" not in names("codec")


def test_the_latest_registration_counts_and_undoing_it_uncovers_the_other():
    with register("codec", "shout", str.upper):
        with register("codec", "shout", str.title):
            assert load("codec", "shout") is str.title
            assert [row.name for row in entries("codec")].count("shout") == 1
        assert load("codec", "shout") is str.upper


def test_registrations_may_be_undone_in_any_order():
    first = register("codec", "shout", str.upper)
    second = register("codec", "shout", str.title)
    first.undo()

    assert load("codec", "shout") is str.title
    second.undo()
    assert "shout" not in names("codec")


def test_a_registered_name_goes_before_an_installed_one(site):
    site.install("acme", {CODECS: "rot = acme_rot:Rot"}, files={"acme_rot.py": GOOD})

    with register("codec", "rot", str.upper):
        assert load("codec", "rot") is str.upper
        assert load("codec", "rot@acme").__module__ == "acme_rot"
    assert load("codec", "rot").__module__ == "acme_rot"


def test_a_protocol_object_can_be_registered():
    with register("protocol", "chat", ["a protocol"]):
        assert load("protocol", "chat") == ["a protocol"]


@pytest.mark.parametrize("name", ["raw", "construct"])
def test_builtin_names_cannot_be_registered(name):
    with pytest.raises(ValueError, match="name of a built-in codec"):
        register("codec", name, str.upper)


def test_what_is_no_name_cannot_be_registered():
    with pytest.raises(ValueError, match="cannot be registered"):
        register("codec", "a/b", str.upper)


def test_what_cannot_be_called_cannot_be_registered():
    with pytest.raises(TypeError, match="made by calling a class or function, not 3"):
        register("codec", "three", 3)


def test_probing_tells_which_rows_would_load(site):
    lines = "fine = acme_rot:Rot\ngone = acme_gone:Rot\nbad ="
    site.install("acme", {CODECS: lines, PROTOCOLS: "acme = acme_files"}, files={"acme_rot.py": GOOD})
    site.write("acme_files/chat.toml", "")

    probed = {row.name: probe(row) for row in entries("codec") if row.distribution == "acme"}
    assert {name: row.status for name, row in probed.items()} == {"bad": "broken", "fine": "ready", "gone": "broken"}
    assert probed["gone"].problem == "ModuleNotFoundError: No module named 'acme_gone'"
    assert probe(find("protocol", "chat")) == find("protocol", "chat")
