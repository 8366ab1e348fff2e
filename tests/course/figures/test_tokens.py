"""Drawings of text on its way to numbers."""

from xml.etree import ElementTree

from minitorch._palette import BLUE, GREEN, TINTS, VERMILION
from minitorch_course.figures import tokens

SVG = "{http://www.w3.org/2000/svg}"


def fills(drawing):
    """The colours of the boxes, in order, without the paper."""
    return [node.get("fill") for node in ElementTree.fromstring(drawing).iter(f"{SVG}rect")][1:]


def test_each_character_is_shown_with_its_bytes(texts):
    shown = texts(tokens.characters("é€"))
    assert shown[3:] == [
        *["é", "U+00E9", "C3", "11000011", "A9", "10101001"],
        *["€", "U+20AC", "E2", "11100010", "82", "10000010", "AC", "10101100"],
        *["a character of its own", "begins a longer one", "goes on with it"],
    ]


def test_the_colour_of_a_byte_says_what_it_does():
    alone, lead, tail = TINTS[BLUE], TINTS[VERMILION], TINTS[GREEN]
    assert fills(tokens.characters("a😀"))[:5] == [alone, lead, tail, tail, tail]


def test_spaces_and_line_ends_of_tokens_can_be_seen(texts):
    assert texts(tokens.tokens({"row": ["a", " b", "\n"]})) == ["row", "a", "·b", "↵"]


def test_special_tokens_are_orange_and_neighbours_differ():
    first, special, third = fills(tokens.tokens({"row": ["a", "<|end|>", "b"]}, special=["<|end|>"]))
    assert special == TINTS[VERMILION]
    assert len({first, special, third}) == 3


def test_a_long_row_goes_on_below():
    drawing = ElementTree.fromstring(tokens.tokens({"row": ["twelve chars"] * 20}))
    assert len({node.get("y") for node in drawing.iter(f"{SVG}rect")} - {None}) == 4  # The paper has none.
    assert all(
        float(node.get("x", 0)) + float(node.get("width").rstrip("%")) <= 760 for node in drawing.iter(f"{SVG}rect")
    )


def test_a_tree_has_a_node_for_each_byte_and_each_merge(texts):
    shown = texts(tokens.merge_tree("aaabdaaabac", [(97, 97), (97, 98), (256, 257)]))
    assert shown[::2].count("aaab") == 2
    assert shown[1::2].count("258") == 2
    assert len(shown) == 2 * (11 + 6)


def test_a_tree_merges_what_was_learned_first(texts):
    assert texts(tokens.merge_tree("abc", [(98, 99), (97, 98)]))[::2] == ["a", "b", "c", "bc"]


def test_words_of_shared_runs_are_orange():
    drawing = tokens.overlap("a b c d", "x A b C", size=3)
    assert [fill == TINTS[VERMILION] for fill in fills(drawing)] == [True] * 3 + [False] * 2 + [True] * 3
    assert "share 1 runs" in drawing.title
