"""What cleaning takes away is counted, is a column like any other, and is asked for only by recipes that clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import curate
from curate.cli import main
from curate.errors import RecipeError
from curate.signals import Documents, compute, registry
from curate.signals.cleaned import cleaners_in
from curate.text import CLEANERS, clean_and_count
from tests.naive_cleaning import CLEANERS as TWINS
from tests.naive_cleaning import SIGNALS, amounts
from tests.signals.texts import TEXTS

PAGE = "Home\nThe story[1] goes on and on.\n\n\n\n3 likes\nIt ends at  last, says the man."


def recipe(clean: str, sql: str) -> curate.Recipe:
    return curate.Recipe.parse(f"clean = {clean}\n[[steps]]\nname = 'lost'\nfilter = '{sql}'\n", "mine")


@settings(deadline=None, max_examples=150)
@given(st.lists(TEXTS, max_size=3), st.lists(st.sampled_from(sorted(CLEANERS)), max_size=4))
def test_counts_are_the_differences_of_each_cleaner_in_its_place(texts: list[str], names: list[str]) -> None:
    _, counted = clean_and_count(texts, names, set(CLEANERS))
    assert set(counted) == set(CLEANERS)
    for number, text in enumerate(texts):
        expected = {name: [0, 0, 0] for name in CLEANERS}
        for name in names:
            after = TWINS[name](text)
            for column, (had, left) in enumerate(zip(amounts(text), amounts(after), strict=True)):
                expected[name][column] += max(0, had - left)
            text = after
        assert {name: found[number].tolist() for name, found in counted.items()} == expected


@settings(deadline=None, max_examples=40)
@given(st.lists(TEXTS, max_size=3))
def test_signals_agree_with_their_twins(texts: list[str]) -> None:
    found = compute(Documents(texts), SIGNALS)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: [twin(text) for text in texts] for name, twin in SIGNALS.items()
    }


def test_a_recipe_measures_what_its_cleaners_take_in_their_order() -> None:
    names = ["newlines", "citations", "refinedweb_lines"]
    sql = " + ".join(f"cleaned_{name}_chars" for name in names) + " + cleaned_refinedweb_lines_words >= 0"
    found = curate.measure([PAGE], recipe=recipe(str(names), sql)).to_dicts()[0]
    assert found["cleaned_newlines_chars"] == 2
    assert found["cleaned_citations_chars"] == len("[1]")
    assert found["cleaned_refinedweb_lines_chars"] == len("Home\n") + len("3 likes\n")
    assert found["cleaned_refinedweb_lines_words"] == 3
    assert found["char_count"] == len(PAGE) - 2 - len("[1]") - len("Home\n3 likes\n")


def test_a_text_that_grows_has_lost_nothing() -> None:
    # U+FB2C is three characters in normal form C.
    found = curate.measure(["\ufb2c"], recipe=recipe("['unicode']", "cleaned_unicode_chars >= 0"))
    assert found["cleaned_unicode_chars"].to_list() == [0]
    assert found["char_count"].to_list() == [3]


def test_without_a_recipe_it_is_what_the_cleaner_would_take() -> None:
    found = curate.measure([PAGE, "A line of this text."], signals=["cleaned_refinedweb_lines_lines", "line_count"])
    assert found["cleaned_refinedweb_lines_lines"].to_list() == [2, 0]
    assert found["line_count"].to_list() == [4, 1]


def test_nobody_pays_for_counting_who_does_not_ask() -> None:
    assert not cleaners_in(curate.measure([PAGE]).columns)
    assert not cleaners_in(curate.measure([PAGE], recipe="c4").columns)
    assert cleaners_in(registry()) == set(CLEANERS)


def test_a_recipe_that_does_not_use_the_cleaner_is_told() -> None:
    with pytest.raises(
        RecipeError, match=r'recipe "mine", "lost": "cleaned_c4_lines_chars" is what the cleaner "c4_lines"'
    ):
        curate.measure([PAGE], recipe=recipe("['unicode']", "cleaned_c4_lines_chars < 9"))


def test_a_misspelt_one_gets_the_nearest_name() -> None:
    with pytest.raises(
        RecipeError, match='unknown signal "cleaned_c4_lines_char"; did you mean "cleaned_c4_lines_chars"'
    ):
        curate.measure([PAGE], recipe=recipe("['c4_lines']", "cleaned_c4_lines_char < 9"))


def test_explain_shows_what_was_taken(tmp_path: Path) -> None:
    (tmp_path / "page.jsonl").write_text('{"id": "a", "text": "Home\\nThe story goes on and on."}\n')
    rules = "clean = ['refinedweb_lines']\n[[steps]]\nuse = 'refinedweb'\nprofile = 'cleaned'\n"
    (tmp_path / "mine.toml").write_text(rules)
    run = str(tmp_path / "run")
    done = CliRunner().invoke(
        main, ["corpus", str(tmp_path / "page.jsonl"), "--out", run, "--recipe", str(tmp_path / "mine.toml")]
    )
    assert done.exit_code == 0, done.output
    shown = CliRunner().invoke(main, ["explain", run, "a"]).output
    assert "dropped by refinedweb_removed_words" in shown
    assert "cleaned_refinedweb_lines_words" in shown
    assert "cleaning took away: refinedweb_lines_words 1" in shown
