"""Passages that stand in several places stay in one of them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import trims_naive as naive
from hypothesis import example, given, settings
from hypothesis import strategies as st

import curate
from tests.corpora import prose


def recipe(extra: str, *, clean: str = '["unicode"]') -> curate.Recipe:
    return curate.Recipe.parse(f'clean = {clean}\n[[steps]]\ndedup = "substring"\n{extra}')


def ranked(texts: list[str], order: list[int]) -> pl.DataFrame:
    """Texts with a column that says who is best: the place in `order`."""
    return pl.DataFrame({"text": texts, "place": np.argsort(order)}, schema={"text": pl.String, "place": pl.Int64})


def written(frame: pl.DataFrame, chosen: curate.Recipe) -> list[str | None]:
    """The text that each document is written with, None for those dropped."""
    decisions = curate.decide(frame, chosen)
    texts = iter(curate.write(frame, decisions, chosen)["text"])
    return [next(texts) if kept else None for kept in decisions["kept"]]


def test_a_passage_stays_in_the_best_document_that_has_it() -> None:
    shared = prose(100, 9)
    own = [f"({i}) {prose(i)} ({i})" for i in range(4)]  # marks, so that no word beside the passage is shared too
    texts = [f"{own[0]}\n\n{shared}\n\n{own[1]}", f"{own[2]}\n\n{shared}", f"{shared}\n\n{own[3]}"]
    rest = [f"{own[0]}\n\n{own[1]}", own[2], own[3]]
    for best in range(3):
        order = [best, *(i for i in range(3) if i != best)]
        found = written(ranked(texts, order), recipe('keep = "place ASC"'))
        assert found == [texts[i] if i == best else rest[i] for i in range(3)], best


def test_a_run_of_just_enough_words_goes_and_one_word_less_stays() -> None:
    words = [f"w{i}" for i in range(20)]
    shared = " ".join(words)
    texts = [f"{prose(1)} (1) {shared} (1) {prose(2)}", f"{prose(3)} (2) {shared} (2) {prose(4)}"]
    long_enough = written(ranked(texts, [0, 1]), recipe('min_words = 20\nkeep = "place ASC"'))
    assert long_enough == [texts[0], f"{prose(3)} (2) (2) {prose(4)}"]
    assert written(ranked(texts, [0, 1]), recipe('min_words = 21\nkeep = "place ASC"')) == texts


def test_a_mostly_repeated_document_goes_as_a_whole() -> None:
    texts = [prose(1), prose(1) + "\n\nThree more words.", prose(2)]
    assert written(ranked(texts, [0, 1, 2]), recipe('keep = "place ASC"')) == [texts[0], None, texts[2]]
    spared = written(ranked(texts, [0, 1, 2]), recipe('keep = "place ASC"\ndrop_at = 1.0'))
    assert spared == [texts[0], "Three more words.", texts[2]]
    decisions = curate.decide(ranked(texts, [0, 1, 2]), recipe('keep = "place ASC"'))
    assert decisions["dropped_by"].to_list() == [None, "dedup_substring", None]


def test_what_only_a_dropped_document_had_in_common_stays_in_the_other() -> None:
    best, aside = prose(1, 30), prose(2, 6)
    texts = [best, f"{best}\n\n{aside}", f"{prose(3, 30)}\n\n{aside}"]
    assert len(aside.split()) / len(texts[1].split()) < 0.2
    assert written(ranked(texts, [0, 1, 2]), recipe('keep = "place ASC"')) == [best, None, texts[2]]


def test_a_passage_that_a_document_repeats_stays_where_it_stands_first() -> None:
    text = f"{prose(1)}\n\n{prose(2, 9)}\n\n{prose(1, 9)}"
    again = f"{prose(1)}\n\n{prose(2, 9)}"
    assert written(ranked([text], [0]), recipe("")) == [again]


def test_white_space_between_words_does_not_count_and_the_stronger_break_stays() -> None:
    shared = " ".join(f"w{i}" for i in range(30))
    texts = [f"{shared} and so on", f"One.\n\n{shared.replace(' ', chr(10))} two.", f"Three. {shared}\n\nFour."]
    found = written(ranked(texts, [0, 1, 2]), recipe('keep = "place ASC"\nmin_words = 30\ndrop_at = 1.0'))
    assert found == [texts[0], "One.\n\ntwo.", "Three.\n\nFour."]


def test_where_keeps_documents_out_of_it() -> None:
    frame = pl.DataFrame({"text": [prose(1), prose(1), prose(1)], "kind": ["code", "web", "web"]})
    kept = curate.decide(frame, recipe("where = \"kind = 'web'\""))["kept"].to_list()
    assert kept[0] and sum(kept) == 2


def test_documents_in_another_order_are_trimmed_the_same() -> None:
    texts = [f"{prose(i)}\n\n{prose(i % 3 + 50)}\n\n{prose(i % 4 + 70, 6)}" for i in range(12)]
    frame = pl.DataFrame({"id": [f"d{i}" for i in range(12)], "text": texts})
    first = dict(zip(frame["id"], written(frame, recipe("")), strict=True))
    assert sum(len(text or "") for text in first.values()) < sum(map(len, texts))
    again = dict(zip(frame["id"][::-1], written(frame[::-1], recipe("")), strict=True))
    assert again == first


WORD = st.sampled_from(["a", "b", "é", "漢", "🙂"])
SPACE = st.sampled_from([" ", "\n", "\n\n", "\t ", "\u3000"])
TEXT = st.tuples(st.lists(st.tuples(WORD, SPACE), max_size=40), st.sampled_from(["", " ", "\n"])).map(
    lambda parts: parts[1] + "".join(word + space for word, space in parts[0])
)


@settings(max_examples=150, deadline=None)
@example([], 2, 0.5, 0)
@example(["a " * 30], 3, 1.0, 0)
@given(st.lists(TEXT, max_size=6), st.integers(2, 6), st.sampled_from([0.3, 0.8, 1.0]), st.integers(0, 999))
def test_passages_go_as_the_obvious_way_says(texts: list[str], n: int, drop_at: float, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    chosen = recipe(f'min_words = {n}\ndrop_at = {drop_at}\nkeep = "place ASC"', clean="[]")
    found = written(ranked(texts, order), chosen)
    expected = naive.trimmed_passages(texts, order, n, drop_at)
    assert [None if text is None else text.split() for text in found] == expected
    for text, raw in zip(found, texts, strict=True):
        assert text is None or len(text) == len(raw) or len(text.split()) < len(raw.split())


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, max_size=5), st.integers(2, 4), st.integers(0, 999))
def test_every_passage_of_a_corpus_is_still_somewhere_in_it_word_by_word(texts: list[str], n: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    found = written(ranked(texts, order), recipe(f'min_words = {n}\ndrop_at = 1.0\nkeep = "place ASC"', clean="[]"))
    assert {word for text in texts for word in text.split()} == {
        word for text in found if text is not None for word in text.split()
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_words = 1", "min_words must be a whole number of at least 2"),
        ("drop_at = 0.0", "drop_at is a share"),
        ('keep = "char_count DOWN"', "write columns with ASC or DESC"),
        ("more_than = 3", 'unknown key "more_than"'),
    ],
)
def test_a_wrong_key_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(curate.RecipeError, match=message):
        recipe(text)
