"""RefinedWeb's line-wise rules on small texts, and line by line against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.decide.stage import decide
from curate.kernels import refinedweb
from curate.kernels.unicode import tables
from curate.recipe import Recipe
from curate.signals import Documents, compute
from tests import naive_web
from tests.signals.texts import TEXTS


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


def kept(line: str) -> str:
    data = np.frombuffer(line.encode(), np.uint8)
    out = np.zeros(len(data), np.uint8)
    end = refinedweb.copy_line(data, 0, len(data), len(line.split()), tables(), out, 0)
    return out[:end].tobytes().decode()


@pytest.mark.parametrize(
    "line", ["3 likes", "1,234 Comments", "1.2K Views", "★ 17 replies!", "5M followers", "٣ likes", "1 like"]
)
def test_a_number_and_what_it_counts_is_a_counter(line: str) -> None:
    assert value("refinedweb_counter_lines", line) == 1


@pytest.mark.parametrize(
    "line", ["3 likes were given", "likes 3", "3likes", "3 dogs", "I have 3 likes", "- likes", "3 4", "(3) likes"]
)
def test_other_lines_with_numbers_are_no_counters(line: str) -> None:
    assert value("refinedweb_counter_lines", line) == 0


def test_a_line_that_is_half_upper_case_stays() -> None:
    assert value("refinedweb_upper_lines", "ABab") == 0
    assert value("refinedweb_upper_lines", "ÀÉÎab") == 1


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Sign-in to see it", "to see it"),
        ("Please sign-in to see it", "Please sign-in to see it"),
        ("A story. Read more...", "A story."),
        ("Read more... of it", "Read more... of it"),
        ("You have 2 items in cart now", "You have 2 now"),
        ("items in cart", ""),
        ("x  items in cartitems in cart y", "x  y"),
        ("Items in cart Sign-in", " Sign-in"),
        ("one two three four five six seven eight Read more...", "one two three four five six seven eight"),
        ("one two three four five six seven eight nine Read more...", "one two three four five six seven eight nine "
         "Read more..."),
    ],
)  # fmt: skip
def test_short_lines_lose_phrases(line: str, left: str) -> None:
    assert kept(line) == left


_PARTS = st.sampled_from(
    ["items in cart", "Read more...", "Sign-in", " ", " ", "\u00a0", "x", "é", "12", "3 ", "1.5k ", "Likes", "views",
     "!", "★", "ABC", "漢字", "٣", "items in ", "cart", "read mor"]
)  # fmt: skip
_LINES = st.lists(_PARTS, max_size=8).map("".join)


@settings(max_examples=300)
@given(_LINES)
def test_what_stays_of_a_line_agrees_with_plain_python(line: str) -> None:
    assert kept(line) == naive_web.without_phrases(line)


@settings(max_examples=300)
@given(st.lists(st.one_of(_LINES, TEXTS), max_size=5).map("\n".join))
def test_values_agree_with_plain_python_on_lines_made_for_the_rules(text: str) -> None:
    for name, twin in naive_web.SIGNALS.items():
        assert value(name, text) == pytest.approx(twin(text), rel=1e-6), name


def test_the_group_drops_a_document_that_loses_more_than_one_word_in_twenty() -> None:
    texts = ["Home\n" + "word " * 19, "Home\n" + "word " * 18]
    decided = decide(texts, Recipe.parse('[[steps]]\nuse = "refinedweb"'))
    assert decided["dropped_by"].to_list() == [None, "refinedweb_removed_words"]
