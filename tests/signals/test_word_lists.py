"""Lists of words given by the user: what is found, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import curate
from classifiers.arrow import as_strings
from curate.kernels.unicode_words import words_of
from curate.kernels.word_lists import listed_words, prefixes
from tests import naive_references
from tests.corpora import small_corpus
from tests.dedup import dedup_naive

RECIPE = """
[word_lists]
{name} = "words.txt"
[[steps]]
name = "listed"
filter = "{name}_count < 1000 AND {name}_ratio < 2"
"""


def recipe(folder: Path, content: str | bytes | None, name: str = "bad") -> curate.Recipe:
    if content is not None:
        (folder / "words.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    return curate.Recipe.parse(RECIPE.format(name=name), "r", folder)


def counts(folder: Path, content: str, texts: list[str]) -> list[tuple[int, float]]:
    found = curate.measure(texts, recipe=recipe(folder, content))
    return list(zip(found["bad_count"], found["bad_ratio"], strict=True))


def test_words_and_phrases_are_found_in_any_case_and_between_any_marks(tmp_path: Path) -> None:
    content = "\ufeff# a comment\n\nspam\nfree money\nFREE money now\nÄPFEL\n赌场\n"
    texts = ["Spam, spam and eggs!", "Free  money. FREE\nMONEY now", "free and money", "äpfel (Äpfel)", "在赌场里", ""]
    expected = [(2, 2 / 4), (2, 5 / 5), (0, 0), (2, 1), (1, 2 / 4), (0, 0)]
    assert counts(tmp_path, content, texts) == [(n, pytest.approx(share)) for n, share in expected]


def test_a_part_of_a_word_is_not_found(tmp_path: Path) -> None:
    assert counts(tmp_path, "ass\n", ["classic bass assess", "an ass_ no", "an ass"]) == [
        (0, 0), (0, 0), (1, pytest.approx(0.5)),
    ]  # fmt: skip


_WORDS = st.sampled_from(["a", "A", "b", "c", "é", "É", "漢", "ไ", "x1", "ß", "İ"])
_TEXT = st.lists(st.tuples(_WORDS, st.sampled_from([" ", ", ", "\n", ""])), max_size=12).map(
    lambda pairs: "".join(a + b for a, b in pairs)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_TEXT.filter(str.strip), min_size=1, max_size=6), st.lists(_TEXT, max_size=4))
def test_counts_are_those_of_the_slow_search(phrases: list[str], texts: list[str]) -> None:

    table = prefixes(words_of(as_strings(phrases)))
    words = words_of(as_strings(texts or [""]))
    out = np.zeros((max(len(texts), 1), 2), np.int64)
    listed_words(words.first, words.hash, table.keys, table.ends, out)
    for text, (count, covered) in zip(texts, out.tolist(), strict=False):
        expected, share = naive_references.listed(phrases, text)
        assert (count, covered / max(len(naive_references.words(text)), 1)) == (expected, share)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=150), max_size=3))
def test_the_words_of_any_text_are_hashed_as_shingles_hash_them(texts: list[str]) -> None:

    found = words_of(as_strings(texts))
    expected = [[dedup_naive.word_hash(word) for word in naive_references.words(text)] for text in texts]
    assert [found.hash[a:b].tolist() for a, b in zip(found.first, found.first[1:], strict=False)] == expected


def test_words_are_found_across_the_blocks_of_a_long_text() -> None:

    words = words_of(as_strings(["x", "word " * 10_001, ""]))
    assert words.first.tolist() == [0, 1, 10_002, 10_002]
    assert len(set(words.hash[1:].tolist())) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*words.txt: No such file"),
        ("", "holds no words; write one word or phrase a line"),
        ("# only\n\n  # comments\n", "holds no words"),
        ("good\n***\n", r'line 2: "\*\*\*" has no letter or digit'),
        (b"caf\xe9\n", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(content: str | bytes | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(curate.RecipeError, match=f'word list "bad": .*{message}'):
        curate.measure(["x"], recipe=recipe(tmp_path, content))
    with pytest.raises(curate.RecipeError, match=f'word list "bad": .*{message}'):
        curate.corpus(small_corpus(tmp_path / "in"), tmp_path / "run", recipe=recipe(tmp_path, content))


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ('word = "w.txt"', '"word_count" is the name of a column that curate measures'),
        ('"a b" = "w.txt"', "letters, digits and underscores"),
        ("a = 3", "give the path of a text file"),
    ],
)
def test_a_wrong_section_is_refused(section: str, message: str) -> None:
    with pytest.raises(curate.RecipeError, match=message):
        curate.Recipe.parse(f"[word_lists]\n{section}")


def test_two_sections_cannot_make_one_column(tmp_path: Path) -> None:
    text = '[word_lists]\na = "w"\n[distributions]\na_count = "corpus"\n[[steps]]\nname = "x"\nfilter = "a_count > 0"'
    with pytest.raises(curate.RecipeError, match='make the column "a_count"'):
        curate.measure(["x"], recipe=curate.Recipe.parse(text))


def test_a_list_that_no_step_names_is_not_read() -> None:
    assert len(curate.measure(["x"], recipe=curate.Recipe.parse('[word_lists]\na = "absent.txt"')))


def test_a_changed_list_measures_again_and_an_unchanged_one_does_not(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "in")

    def total(content: str) -> tuple[int, int]:
        run = curate.corpus(corpus, tmp_path / "run", recipe=recipe(tmp_path, content))
        file = next((tmp_path / "run" / "signals").glob("*.parquet"))
        return int(run.signals().collect()["bad_count"].sum()), file.stat().st_mtime_ns

    first, again = total("bridge"), total("bridge")
    assert first == again
    assert total("bridge\npeople")[0] > first[0]
