"""Twenty-one documents of every kind, and their signals as a person counts them with pencil and paper.

The numbers were worked out from the definitions, not copied from the program: each fraction stands as it was counted
(12 / 40 is 12 of 40 characters, words or lines). A signal that a document does not name is 0, or false.
"""

from __future__ import annotations

import unicodedata

import pytest

from curate.signals import Documents, compute, registry
from curate.signals.registry import families

NAMES = [entry.name for family in ("Lengths", "Gopher", "FineWeb", "C4") for entry in families()[family]]
NAMES.remove("token_count")  # an estimate: there is nothing to count


def counted(**signals: float) -> dict[str, float]:
    """Return signals by name."""
    return signals


BY_HAND: dict[str, tuple[str, dict[str, float]]] = {
    "prose": (
        "The cat sat on the mat. It purred, and the dog slept.",
        # letters and marks of the words: 3 3 3 2 3 4 2 7 3 3 3 6 = 42
        counted(byte_count=42 + 11, char_count=42 + 11, word_count=12, mean_word_length=42 / 12, line_count=1,
                gopher_alpha_words=12 / 12, gopher_stop_words=2, c4_sentences=2, fineweb_line_punct_ratio=1 / 1),
    ),
    "shopping list": (
        "To buy:\n- milk\n- eggs\n- bread",
        # words: 2 4 | 1 4 | 1 4 | 1 5 = 22; lines: 7 6 6 7 = 26
        counted(byte_count=26 + 3, char_count=26 + 3, word_count=8, mean_word_length=22 / 8, line_count=4,
                gopher_bullet_lines=3 / 4, gopher_alpha_words=5 / 8, gopher_stop_words=1, c4_sentences=4,
                fineweb_short_line_ratio=4 / 4, fineweb_newline_ratio=3 / 8),
    ),
    "Python": (
        "def add(a, b):\n    # sum\n    return {a: b}\n",
        # words: 3 6 3 | 1 3 | 6 3 2 = 27; lines as they stand: 14 9 17 = 40
        counted(byte_count=40 + 3, char_count=40 + 3, word_count=8, mean_word_length=27 / 8, line_count=3,
                gopher_hash_ratio=1 / 8, gopher_alpha_words=7 / 8, c4_sentences=3, c4_curly_bracket=True,
                fineweb_short_line_ratio=3 / 3, fineweb_newline_ratio=3 / 8),
    ),
    "Japanese": (
        "今日は雨です。傘を持ちます。\n明日は晴れです。",
        # a line of 7 + 7 characters and one of 8, each a single white-space word
        counted(byte_count=3 * 22 + 1, char_count=22 + 1, word_count=2, mean_word_length=22 / 2, line_count=2,
                gopher_alpha_words=2 / 2, c4_sentences=2 + 1, fineweb_line_punct_ratio=2 / 2,
                fineweb_short_line_ratio=2 / 2, fineweb_newline_ratio=1 / 2),
    ),
    "Arabic": (
        "هل قرأت الكتاب؟ نعم، قرأته.",
        # words: 2 4 7 4 6 = 23, of which one, the full stop, is ASCII
        counted(byte_count=2 * 22 + 1 + 4, char_count=23 + 4, word_count=5, mean_word_length=23 / 5, line_count=1,
                gopher_alpha_words=5 / 5, c4_sentences=2, fineweb_line_punct_ratio=1 / 1,
                fineweb_short_line_ratio=1 / 1),
    ),
    "Hindi": (
        "यह घर है। वह पेड़ है।",
        # words: 2 2 3 2 4 3 = 16 code points of three bytes; a vowel sign or nukta is one
        counted(byte_count=3 * 16 + 5, char_count=16 + 5, word_count=6, mean_word_length=16 / 6, line_count=1,
                gopher_alpha_words=6 / 6, c4_sentences=2, fineweb_line_punct_ratio=1 / 1,
                fineweb_short_line_ratio=1 / 1),
    ),
    "poem": (
        "Rain on the roof,\nrain on the sea,\nRain on the roof,\nrain for me.",
        # words: 4 2 3 5 | 4 2 3 4 | 4 2 3 5 | 4 3 3 = 51; lines: 17 16 17 12 = 62
        counted(byte_count=62 + 3, char_count=62 + 3, word_count=15, mean_word_length=51 / 15, line_count=4,
                gopher_alpha_words=15 / 15, gopher_stop_words=1, gopher_dup_lines=2 / 4,
                gopher_dup_line_chars=(17 + 17) / 62,
                gopher_top_2gram=3 * (2 + 3) / 51,  # "on the"
                gopher_top_3gram=2 * (3 + 5 + 4) / 51,  # "the roof, rain": the longest of three
                gopher_top_4gram=2 * (4 + 2 + 3 + 5) / 51,  # "Rain on the roof,"
                gopher_dup_5gram=2 * (4 + 2 + 3 + 5 + 4) / 51,  # "Rain on the roof, rain"
                c4_sentences=4, fineweb_line_punct_ratio=1 / 4, fineweb_short_line_ratio=4 / 4,
                fineweb_char_dup_ratio=17 / 62, fineweb_newline_ratio=3 / 15),
    ),
    "menu": (
        "Home\nAbout\nContact\nHome\nAbout\nContact",
        # 4 + 5 + 7 = 16, twice
        counted(byte_count=32 + 5, char_count=32 + 5, word_count=6, mean_word_length=32 / 6, line_count=6,
                gopher_alpha_words=6 / 6, gopher_dup_lines=6 / 6, gopher_dup_line_chars=32 / 32,
                gopher_top_2gram=2 * (5 + 7) / 32, gopher_top_3gram=2 * 16 / 32, c4_sentences=6,
                fineweb_short_line_ratio=6 / 6, fineweb_char_dup_ratio=16 / 32, fineweb_newline_ratio=5 / 6),
    ),
    "repeated paragraph": (
        "Buy now.\n\nOur shop is open.\n\nBuy now.",
        # words: 3 4 | 3 4 2 5 | 3 4 = 28; lines and paragraphs: 8 17 8 = 33
        counted(byte_count=33 + 4, char_count=33 + 4, word_count=8, mean_word_length=28 / 8, line_count=3,
                gopher_alpha_words=8 / 8, gopher_dup_lines=2 / 3, gopher_dup_line_chars=16 / 33,
                gopher_dup_paragraphs=2 / 3, gopher_dup_paragraph_chars=16 / 33, gopher_top_2gram=2 * 7 / 28,
                c4_sentences=3, fineweb_line_punct_ratio=3 / 3, fineweb_short_line_ratio=3 / 3,
                fineweb_char_dup_ratio=8 / 33, fineweb_newline_ratio=4 / 8),
    ),
    "LaTeX": (
        "Let $x^2 + y^2 = z^2$.\n\\begin{equation}\n  E = mc^2\n\\end{equation}",
        # words: 3 4 1 3 1 5 | 16 | 1 1 4 | 14 = 53; lines as they stand: 22 16 10 14 = 62
        counted(byte_count=62 + 3, char_count=62 + 3, word_count=11, mean_word_length=53 / 11, line_count=4,
                gopher_alpha_words=8 / 11, c4_sentences=4, c4_curly_bracket=True, fineweb_line_punct_ratio=1 / 4,
                fineweb_short_line_ratio=4 / 4, fineweb_newline_ratio=3 / 11),
    ),
    "emoji": (
        "Great job 👏👏 team 👩\u200d🚀!",
        # words: 5 3 2 4 4 = 18 code points; the astronaut is a woman, a joiner and a rocket
        counted(byte_count=(5 + 3 + 4 + 1) + 4 * 4 + 3 + 4, char_count=18 + 4, word_count=5, mean_word_length=18 / 5,
                line_count=1, gopher_alpha_words=3 / 5, c4_sentences=1, fineweb_line_punct_ratio=1 / 1,
                fineweb_short_line_ratio=1 / 1),
    ),
    "log": (
        "12:00:01 INFO started\n12:00:02 WARN slow\n12:00:02 WARN slow\n12:00:02 WARN slow",
        # words: 8 4 7 | 8 4 4 | 8 4 4 | 8 4 4 = 67; lines: 21 18 18 18 = 75
        counted(byte_count=75 + 3, char_count=75 + 3, word_count=12, mean_word_length=67 / 12, line_count=4,
                gopher_alpha_words=8 / 12, gopher_dup_lines=3 / 4, gopher_dup_line_chars=54 / 75,
                gopher_top_2gram=3 * (8 + 4) / 67, gopher_top_3gram=3 * (8 + 4 + 4) / 67,
                gopher_top_4gram=2 * (8 + 4 + 4 + 8) / 67,  # second line to third, third to last
                gopher_dup_5gram=48 / 67, gopher_dup_6gram=48 / 67,  # all but the first line; no seven words come twice
                c4_sentences=4, fineweb_short_line_ratio=4 / 4, fineweb_char_dup_ratio=36 / 75,
                fineweb_newline_ratio=3 / 12),
    ),
    "teaser": (
        "Read more...\nTo be continued…\nThe end.",
        # words: 4 7 | 2 2 10 | 3 4 = 32; lines: 12 16 8 = 36; "…" has three bytes
        counted(byte_count=36 + 2 + 2, char_count=36 + 2, word_count=7, mean_word_length=32 / 7, line_count=3,
                gopher_ellipsis_ratio=2 / 7, gopher_ellipsis_lines=2 / 3, gopher_alpha_words=7 / 7, gopher_stop_words=3,
                c4_sentences=3, fineweb_line_punct_ratio=2 / 3, fineweb_short_line_ratio=3 / 3,
                fineweb_newline_ratio=2 / 7),
    ),
    "headings and tags": (
        "# Title\n## Part one\n#tag #tag",
        # words: 1 5 | 2 4 3 | 4 4 = 23; lines: 7 11 9 = 27
        counted(byte_count=27 + 2, char_count=27 + 2, word_count=7, mean_word_length=23 / 7, line_count=3,
                gopher_hash_ratio=5 / 7, gopher_alpha_words=5 / 7, c4_sentences=3, fineweb_short_line_ratio=3 / 3,
                fineweb_newline_ratio=2 / 7),
    ),
    "dialogue": (
        '"Where to?" he asked. "Home," she said. (They left.)',
        # words: 6 4 2 6 7 3 5 5 6 = 44; 'to?"' is no stop word, and ")" ends no line
        counted(byte_count=44 + 8, char_count=44 + 8, word_count=9, mean_word_length=44 / 9, line_count=1,
                gopher_alpha_words=9 / 9, c4_sentences=4),
    ),
    "placeholder": (
        "Lorem Ipsum text {x} needs JavaScript to run, javascript!",
        # words: 5 5 4 3 5 10 2 4 11 = 49
        counted(byte_count=49 + 8, char_count=49 + 8, word_count=9, mean_word_length=49 / 9, line_count=1,
                gopher_alpha_words=9 / 9, gopher_stop_words=1, c4_sentences=1, c4_curly_bracket=True,
                c4_lorem_ipsum=True, c4_javascript=True, fineweb_line_punct_ratio=1 / 1),
    ),
    "numbers": (
        "1 2 3\n4 5 6\n7 8 9.5",
        # words: eight of one character and one of three = 11; lines: 5 5 7 = 17
        counted(byte_count=17 + 2, char_count=17 + 2, word_count=9, mean_word_length=11 / 9, line_count=3,
                c4_sentences=3, fineweb_short_line_ratio=3 / 3, fineweb_newline_ratio=2 / 9),
    ),
    "stop words": (
        "THE best of that, and to be with: I have it",
        # words: 3 4 2 5 3 2 2 5 1 4 2 = 33; the, of, and, to, be, have; "that," and "with:" are other words
        counted(byte_count=33 + 10, char_count=33 + 10, word_count=11, mean_word_length=33 / 11, line_count=1,
                gopher_alpha_words=11 / 11, gopher_stop_words=6, c4_sentences=1),
    ),
    "phrase said twice": (
        "we will meet again soon or we will meet again soon",
        # words: 2 4 4 5 4 = 19, twice, and 2 between = 40
        counted(byte_count=40 + 10, char_count=40 + 10, word_count=11, mean_word_length=40 / 11, line_count=1,
                gopher_alpha_words=11 / 11, gopher_top_2gram=2 * (5 + 4) / 40, gopher_top_3gram=2 * (4 + 5 + 4) / 40,
                gopher_top_4gram=2 * (4 + 4 + 5 + 4) / 40, gopher_dup_5gram=2 * 19 / 40, c4_sentences=1),
    ),
    "empty": ("", {}),
    "white space": (" \n\t\n", counted(byte_count=4, char_count=4)),
}  # fmt: skip


@pytest.mark.parametrize("kind", BY_HAND)
def test_signals_are_what_a_person_counts(kind: str) -> None:
    text, expected = BY_HAND[kind]
    found = {name: values[0].item() for name, values in compute(Documents([text]), NAMES).items()}
    assert found == pytest.approx({name: expected.get(name, 0) for name in NAMES}, rel=1e-6)


def test_the_documents_are_written_as_they_were_counted() -> None:
    for text, expected in BY_HAND.values():
        assert unicodedata.is_normalized("NFC", text)
        assert set(expected) <= set(NAMES) <= set(registry())


def test_all_at_once_they_have_the_same_values() -> None:
    together = compute(Documents([text for text, _ in BY_HAND.values()]), NAMES)
    for number, (text, _) in enumerate(BY_HAND.values()):
        alone = compute(Documents([text]), NAMES)
        assert {name: values[number] for name, values in together.items()} == {n: v[0] for n, v in alone.items()}
