"""Gopher's rules as the paper words them, on documents whose values can be worked out by hand."""

from __future__ import annotations

import pytest

from curate.signals import Documents, compute
from tests.signals import texts


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("gopher_dup_lines", texts.FOUR_OF_TEN_LINES, 4 / 10),
        # 4 x "thesamelineagain" of 4 x 16 + 6 x 10 ("linenumber") + 22 letters of the numbers
        ("gopher_dup_5gram", texts.FOUR_OF_TEN_LINES, 64 / 146),
        ("gopher_dup_paragraphs", texts.TWO_OF_FIVE_PARAGRAPHS, 2 / 5),
        # 6 x 46 letters of the phrase, and 6 x (10 x 4 + 40 x 5) characters of words that occur once
        ("gopher_dup_5gram", texts.SIX_TIMES_A_PHRASE, 6 * 46 / (6 * 46 + 6 * 240)),
        ("gopher_dup_10gram", texts.SIX_TIMES_A_PHRASE, 6 * 46 / (6 * 46 + 6 * 240)),
        ("gopher_top_2gram", texts.THIRTY_OF_THE, 30 * 5 / (30 * 5 + 30 * 6)),
        ("gopher_dup_lines", texts.EVERY_OTHER_LINE_BLANK, 0),
        ("gopher_top_2gram", texts.FOUR_WORDS, 0),
        ("gopher_ellipsis_lines", texts.HALF_END_IN_DOTS, 1 / 2),
        ("gopher_bullet_lines", texts.ALL_BULLETS, 1),
    ],
)
def test_hand_written_documents_have_the_value_worked_out_by_hand(name: str, text: str, expected: float) -> None:
    assert value(name, text) == pytest.approx(expected)


def test_the_first_copy_of_a_repeated_line_counts() -> None:
    assert value("gopher_dup_lines", "a\nb\na") == pytest.approx(2 / 3)


def test_a_document_of_one_line_repeats_no_line() -> None:
    assert value("gopher_dup_lines", "once") == 0


def test_lines_are_compared_without_the_white_space_around_them() -> None:
    assert value("gopher_dup_lines", "  same\nsame\t\r\n") == 1


def test_of_equally_frequent_ngrams_the_longest_counts() -> None:
    assert value("gopher_top_2gram", "a b x a b y longer words z longer words") == pytest.approx(22 / 29)


def test_overlapping_copies_of_a_top_ngram_can_pass_one() -> None:
    assert value("gopher_top_2gram", "a a a a") == pytest.approx(6 / 4)


def test_a_word_in_two_duplicate_ngrams_counts_once() -> None:
    assert value("gopher_dup_5gram", "a b c d e f " * 2) == 1


def test_stop_words_count_once_each_and_in_any_case() -> None:
    assert value("gopher_stop_words", "The the THE of. of") == 2


@pytest.mark.parametrize("word", ["the", "be", "to", "of", "and", "that", "have", "with"])
def test_each_stop_word_counts_as_a_whole_word_only(word: str) -> None:
    assert value("gopher_stop_words", word.capitalize()) == 1
    assert value("gopher_stop_words", f"{word}s {word}, {word}\0 {word}\0\0\0 x{word} {word[:-1]}") == 0


def test_hashes_and_ellipses_count_separately() -> None:
    assert value("gopher_hash_ratio", "# one two...") == pytest.approx(1 / 3)
    assert value("gopher_ellipsis_ratio", "# one… two......") == pytest.approx(3 / 3)


def test_dots_on_both_sides_of_a_letter_are_no_ellipsis() -> None:
    assert value("gopher_ellipsis_ratio", ".a.. ..b. . .") == 0
