from framing import get_format
from framing.picture import Part, picture


def drawn(*parts):
    return picture(parts)


def test_offsets_stop_where_sizes_are_not_fixed():
    lines = drawn(Part("type", 1), Part("payload"), Part("end", 1))
    assert lines[0] == "0        1"
    assert lines[1] == "+--------+- - - - -+--------+"


def test_a_frame_of_fixed_size_ends_with_its_size():
    assert drawn(Part("id", 2))[0].split() == ["0", "2"]


def test_a_wide_field_is_no_wider_than_four_bytes_or_its_words():
    assert len(drawn(Part("nonce", 128))[1]) == len(drawn(Part("nonce", 4))[1])
    assert len(drawn(Part("a_name_that_is_far_longer_than_its_field", 1))[1]) == 44


def test_bits_have_their_counts():
    lines = drawn(Part("", 1, "u8", ("type:4", "flags:4")))
    assert [line.strip("| ") for line in lines[2:4]] == ["type:4 flags:4", "u8"]


def test_a_long_header_goes_on_in_another_row_and_many_constants_are_cut():
    lines = drawn(*(Part(f"field_{number}", 4, "u32be") for number in range(4)), Part("x", 1, "u8=" + "|1" * 99))
    assert [line.split() for line in lines if line[0].isdigit()] == [["0", "4", "8"], ["8", "12", "16"], ["16", "17"]]
    assert max(map(len, lines)) <= 76
    assert "…" in "\n".join(lines)


def test_a_choice_tells_each_of_its_cases():
    cases = {"0x24": {"header": "magic:bytes1=$ length:u16be"}}
    layouts = get_format("choice", cases=cases, default={"format": "lines"}).layouts()
    assert {key: [part.name for part in parts] for key, parts in layouts.items()} == {
        "0x24": ["magic", "length", "payload"],
        "other": ["payload", "delimiter"],
    }
