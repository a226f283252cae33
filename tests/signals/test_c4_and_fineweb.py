"""C4's document rules and FineWeb's line statistics, on small texts."""

from __future__ import annotations

import pytest

from curate.signals import Documents, compute


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", 3),
        ("No mark at all", 1),
        ("Two lines\nwithout marks", 2),
        ("\"Quoted.\" (In brackets.) 'Single.'", 3),
        ("3.14 is no end", 1),
        ("... !!! ?", 0),
        ("He waited ... and went.", 2),
        ("你好。再见！", 2),
        ("「你好。」", 1),
        ("你好。。。", 1),
        ("यह हिन्दी है। और यह भी।", 2),
    ],
)
def test_sentences(text: str, sentences: int) -> None:
    assert value("c4_sentences", text) == sentences


@pytest.mark.parametrize("text", ["Lorem Ipsum", "xlorem ipsumx", "lorem lorem ipsum", "llorem ipsum"])
def test_a_phrase_is_found_anywhere_and_in_any_case(text: str) -> None:
    assert value("c4_lorem_ipsum", text)


@pytest.mark.parametrize("text", ["lorem\nipsum", "lorem ipsu", "", "orem ipsum"])
def test_something_like_a_phrase_is_not_found(text: str) -> None:
    assert not value("c4_lorem_ipsum", text)


def test_a_phrase_is_not_found_across_two_documents() -> None:
    assert compute(Documents(["lorem ", "ipsum"]), ["c4_lorem_ipsum"])["c4_lorem_ipsum"].tolist() == [False, False]


def test_a_line_of_thirty_characters_is_short_and_one_of_31_is_not() -> None:
    assert value("fineweb_short_line_ratio", "é" * 30 + "\n" + "é" * 31) == 0.5


def test_a_quote_is_no_terminal_mark() -> None:
    assert value("fineweb_line_punct_ratio", 'He said "so."\nHe did.\nOh۔\n') == pytest.approx(2 / 3)


def test_the_first_copy_of_a_line_is_no_duplicate() -> None:
    assert value("fineweb_char_dup_ratio", "abc\nabc\nde\n") == pytest.approx(3 / 8)


def test_newlines_are_counted_by_words() -> None:
    assert value("fineweb_newline_ratio", "one\n\ntwo\n") == pytest.approx(3 / 2)
