import pytest

from framing import get_protocol, registry
from framing.errors import DefinitionError
from framing.facts import Facts, facts_of, known_ports

BUILTIN = [entry for entry in registry.entries("protocol") if entry.builtin]


def entry_of(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return BUILTIN[0]._replace(name="mine", path=str(path), builtin=False)


@pytest.mark.parametrize("entry", BUILTIN, ids=lambda entry: entry.name)
def test_the_facts_are_those_of_the_whole_definition(entry):
    protocol = get_protocol(entry.name)
    assert facts_of(entry) == Facts(protocol.title, protocol.ports, protocol.udp_ports, protocol.over)


def test_a_bracket_that_begins_no_table_is_read_over(tmp_path):
    entry = entry_of(tmp_path, 'title = """\n[x"""\nports = [\n1,\n2]\nname = "mine"\n[both]\nheader = "length:u8"')
    assert facts_of(entry) == Facts("\n[x".lstrip("\n"), (1, 2))


def test_what_behind_the_facts_is_bad_is_not_looked_at(tmp_path):
    assert facts_of(entry_of(tmp_path, 'title = "T"\n[both]\nheader = ???')) == Facts("T")


def test_facts_of_the_wrong_type_are_none(tmp_path):
    assert facts_of(entry_of(tmp_path, 'title = 1\nports = "x"\nudp_ports = [true, 5]')) == Facts("", (), (5,))


def test_code_has_no_facts_before_it_is_imported():
    assert facts_of(BUILTIN[0]._replace(path=None)) == Facts()


@pytest.mark.parametrize("text", ["title = ", "title = 1\ntitle = 2"])
def test_what_is_no_toml_is_said_with_the_file(tmp_path, text):
    with pytest.raises(DefinitionError) as caught:
        facts_of(entry_of(tmp_path, text))
    assert caught.value.source.endswith("mine.toml")


def test_a_file_that_is_gone_is_said(tmp_path):
    with pytest.raises(DefinitionError):
        facts_of(BUILTIN[0]._replace(path=str(tmp_path / "none.toml")))


def test_ports_have_the_names_of_all_that_are_on_them(site):
    files = {
        "acme_protocols/acme_log.toml": "ports = [9092, 1]",
        "acme_protocols/acme_bad.toml": "ports = [",
        "acme_protocols/acme_too.toml": "ports = [1]\nudp_ports = [1]",
    }
    site.install("acme", {"framing.protocols.v1": "acme = acme_protocols"}, files=files)
    assert "acme_too" in known_ports().udp[1]
    known = known_ports().tcp
    assert known[9092] == ("kafka", "acme_log")
    assert known[1] == ("acme_log", "acme_too")


def test_a_protocol_over_another_one_leaves_the_port_to_that_one(site):
    files = {
        "acme_protocols/acme_base.toml": "ports = [1]\nudp_ports = [3]",
        "acme_protocols/acme_upper.toml": 'ports = [1, 2]\nudp_ports = [3]\nover = "acme_base"',
        "acme_protocols/acme_self.toml": 'ports = [4]\nover = "acme_self"',
    }
    site.install("acme", {"framing.protocols.v1": "acme = acme_protocols"}, files=files)
    known = known_ports()
    assert (known.tcp[1], known.tcp[2], known.udp[3]) == (("acme_base",), ("acme_upper",), ("acme_base",))
    assert known.tcp[4] == ("acme_self",)


@pytest.mark.parametrize("entry", BUILTIN, ids=lambda entry: entry.name)
def test_what_a_protocol_is_over_is_defined(entry):
    assert facts_of(entry).over in ("", *(one.name for one in BUILTIN if one.name != entry.name))
