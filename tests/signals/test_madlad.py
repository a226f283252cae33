"""MADLAD-400's rules for sentences, on small texts and on random ones made of what the rules look at."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.decide.stage import decide
from curate.recipe import Recipe
from curate.signals import Documents, compute
from tests import naive_web


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two.\nThree", 3),
        ("3.14 is one", 1),
        ('"Yes." (No.) Or?', 3),
        ("你好。再见！「好。」", 3),
        ("... !!! \n - \n", 0),
        ("हिन्दी है। और भी।", 2),
        ("مرحبا؟ نعم.", 2),
        ("", 0),
    ],
)
def test_sentences(text: str, sentences: int) -> None:
    assert value("madlad_sentences", text) == sentences


@pytest.mark.parametrize(("characters", "questionable"), [(19, 1), (20, 0), (500, 0), (501, 1)])
def test_lengths_are_counted_in_characters_of_the_stripped_sentence(characters: int, questionable: int) -> None:
    assert value("madlad_abnormal_length", f"  {'é' * characters}\u00a0 \n") == questionable


def test_a_short_list_of_names_is_no_list() -> None:
    assert value("madlad_list_case", "One Two Three Four Five Six Seven Eight Nine Ten Eleven") == 0
    assert value("madlad_list_case", "One Two Three Four Five Six Seven eight nine ten eleven twelve") == 1
    assert value("madlad_list_case", "One Two Three Four Five Six seven eight nine ten eleven twelve") == 0


_PIECES = st.sampled_from(
    ["Word", "word", "É", "漢", "ที่", "12", "{}", "+/()>", ". ", "? ", "!", "。", "！", "\n", " ", " ", "\u00a0",
     "\u3000", '"', "」", ")", "…", "x" * 40, "A B C D E F ", "a b c d e f "]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(st.lists(_PIECES, max_size=40).map("".join), max_size=3))
def test_sentences_agree_with_plain_python(texts: list[str]) -> None:
    names = [name for name in naive_web.SIGNALS if name.startswith("madlad")]
    found = compute(Documents(texts), names)
    for name in names:
        assert found[name].tolist() == pytest.approx([naive_web.SIGNALS[name](text) for text in texts], rel=1e-6), name


def test_the_group_drops_documents_of_questionable_or_few_sentences() -> None:
    good = "This sentence is long enough to pass. "
    texts = [good * 5, good * 4, good * 4 + "Short. ", good * 3 + "Short. Short. "]
    decided = decide(texts, Recipe.parse('[[steps]]\nuse = "madlad"'))
    assert decided["dropped_by"].to_list() == [None, "madlad_sentences", None, "madlad_questionable"]
