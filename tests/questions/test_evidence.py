"""What is highlighted in a text, and how two texts differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.questions.difference import difference
from curate.questions.evidence import evidence


def marked(signal: str, text: str) -> list[str]:
    return [text[start:end] for start, end in evidence([signal], text)]


@pytest.mark.parametrize(
    ("signal", "text", "found"),
    [
        ("gopher_dup_lines", "Home\nText\n  Home\n", ["Home", "Home"]),
        ("gopher_dup_paragraphs", "a\nb\n\nc\n\na\nb", ["a\nb", "a\nb"]),
        ("gopher_top_2gram", "to be or not to be", ["to be", "to be"]),
        ("gopher_dup_5gram", "a b c d e x a b c d e", ["a b c d e", "a b c d e"]),
        ("gopher_dup_5gram", "a b c d e f g", []),
        ("gopher_bullet_lines", "To buy:\n  - milk\n* bread", ["- milk", "* bread"]),
        ("gopher_ellipsis_lines", "Read more...\nAll.", ["Read more..."]),
        ("fineweb_short_line_ratio", "Menu\n" + "x" * 31, ["Menu"]),
        ("fineweb_line_punct_ratio", "It ends.\nIt does not", ["It does not"]),
        ("fineweb_char_dup_ratio", "same\nsame", ["same", "same"]),
        ("c4_lorem_ipsum", "Lorem ipsum dolor", ["Lorem ipsum"]),
        ("gopher_alpha_words", "3 + four", ["3", "+"]),
        ("word_count", "three short words", []),
    ],
)
def test_what_counts_for_a_signal_is_marked(signal: str, text: str, found: list[str]) -> None:
    assert marked(signal, text) == found


def test_overlapping_stretches_are_joined() -> None:
    text = "a a a a a a a"
    assert evidence(["gopher_top_2gram", "gopher_dup_5gram"], text) == [(0, len(text))]


@given(st.text(st.sampled_from("ab -*.\n#…{"), max_size=60), st.sampled_from(["gopher_dup_lines", "gopher_top_3gram"]))
def test_stretches_are_in_order_and_inside_the_text(text: str, signal: str) -> None:
    end = -1
    for start, stop in evidence([signal], text):
        assert end < start < stop <= len(text)
        end = stop


@given(st.text(st.sampled_from("abc \n"), max_size=80), st.text(st.sampled_from("abc \n"), max_size=80))
def test_the_pieces_of_a_difference_are_the_two_texts(a: str, b: str) -> None:
    pairs = difference(a, b)
    assert "".join(text for left, _ in pairs for _, text in left) == a
    assert "".join(text for _, right in pairs for _, text in right) == b
    same = [[text for side in pairs for kind, text in side[n] if kind == "same"] for n in (0, 1)]
    assert "".join(same[0]).split() == "".join(same[1]).split()


def test_what_only_one_text_has_is_told_from_what_both_share() -> None:
    pairs = difference("The red cat sat.\nIt slept.", "The black cat sat.\nIt slept.")
    assert pairs[0] == (
        [("same", "The "), ("only", "red "), ("same", "cat sat.\n")],
        [("same", "The "), ("only", "black "), ("same", "cat sat.\n")],
    )
