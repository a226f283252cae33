"""What a dedup step of a recipe may say, and how it is told that it may not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from curate import Recipe, RecipeError
from curate.measure.plan import Plan
from curate.recipe import Dedup


def step(text: str) -> Dedup:
    [found] = Recipe.parse(f"[[steps]]\n{text}").steps
    assert isinstance(found, Dedup)
    return found


def test_bands_are_chosen_for_what_is_to_be_found() -> None:
    chosen = step('dedup = "minhash"\nfind = 0.95\nat = 0.8')
    assert (chosen.bands, chosen.rows, chosen.find, chosen.at) == (13, 7, 0.95, 0.8)
    assert step('dedup = "minhash"\nat = 0.8') == chosen
    assert step('dedup = "minhash"\nfind = 0.95') == chosen
    assert step('dedup = "minhash"\nfind = 0.9\nat = 0.5\npermutations = 512').rows > 3
    given = step('dedup = "minhash"\nbands = 20\nrows = 5')
    assert (given.bands, given.rows, given.find, given.at) == (20, 5, None, None)


@pytest.mark.parametrize(
    ("text", "measure", "threshold"),
    [
        ("", "jaccard", 0.7),
        ("verify = 0.5", "jaccard", 0.5),
        ("verify = 1", "jaccard", 1.0),
        ('verify = "jaccard"', "jaccard", 0.7),
        ('verify = "containment"', "containment", 0.8),
        ("verify = { containment = 0.9 }", "containment", 0.9),
        ("verify = { jaccard = 0.6 }", "jaccard", 0.6),
        ("verify = false", "jaccard", None),
    ],
)
def test_what_is_verified_and_from_where_on(text: str, measure: str, threshold: float | None) -> None:
    found = step(f'dedup = "minhash"\n{text}')
    assert (found.measure, found.verify) == (measure, threshold)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('dedup = "minhahs"', 'unknown method "minhahs"; did you mean "minhash"'),
        ('dedup = "exact"\nngram = 5', '"ngram" has no meaning for dedup = "exact", only for minhash'),
        ('dedup = "minhash"\nurl_column = "u"', '"url_column" has no meaning for dedup = "minhash", only for url'),
        ('dedup = "url"\nurl_column = ""', "url_column is the name"),
        ('dedup = "url"\nurl_column = 5', "url_column must be a string"),
        ('dedup = "minhash"\nfind = 0.9\nbands = 3', "find and at choose bands and rows"),
        ('dedup = "minhash"\nfind = 1.0', "share of pairs to find must be above 0 and below 1"),
        ('dedup = "minhash"\nat = 0', "similarity of the pairs to find must be above 0"),
        ('dedup = "minhash"\nat = 0.01', r"128 permutations cannot find 0.95 .* takes at least 299"),
        ('dedup = "minhash"\nat = "high"', "at must be a number"),
        ('dedup = "minhash"\npermutations = 0', "permutations must be between 1 and 10000"),
        ('dedup = "minhash"\nbands = 0', "bands must be between 1 and 10000"),
        ('dedup = "minhash"\nbands = 1000\nrows = 1000', "bands times rows must be at most"),
        ('dedup = "minhash"\nverify = true', "verify must be a Jaccard similarity"),
        ('dedup = "minhash"\nverify = 0', "verify must be a Jaccard similarity"),
        ('dedup = "minhash"\nverify = "containmnt"', 'unknown measure "containmnt"; did you mean "containment"'),
        ('dedup = "minhash"\nverify = { containment = 2 }', "verify must be a Jaccard similarity"),
        ('dedup = "minhash"\nverify = { a = 0.1, b = 0.2 }', "verify must be a Jaccard similarity"),
        ('dedup = "minhash"\nshingle = "line"', 'shingle must be one of word, char, not "line"'),
        ('dedup = "minhash"\nnormalise = "finweb"', 'not "finweb"; did you mean "fineweb"'),
        ('dedup = "minhash"\nfold_numbers = 1', "fold_numbers must be true or false"),
        ('dedup = "minhash"\nshort = "maybe"', "short must be one of exact, keep, drop"),
        ('dedup = "minhash"\nseed = -1', "seed must be between 0"),
        ('dedup = "exact"\nalarm = 0', "alarm must be a share"),
        ('dedup = "exact"\npriority = "wiki"', "priority must be a list"),
        ('dedup = "exact"\npriority = ["a", "a"]', 'priority names the source "a" twice'),
        ('dedup = "exact"\nprotect = [1]', "protect must be a list of strings"),
        ('dedup = "exact"\nkeep = "quality DOWN"', "write columns with ASC or DESC"),
        ('dedup = "exact"\nkep = "quality"', 'unknown key "kep"; did you mean "keep"'),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        step(text)


def test_steps_that_need_other_sketches_are_refused() -> None:
    two = '[[steps]]\nname = "a"\ndedup = "minhash"\n[[steps]]\nname = "b"\ndedup = "minhash"\n'
    assert Plan.of(Recipe.parse(two)).minhash is not None
    for other in ('normalise = "fineweb"', 'shingle = "char"', "fold_numbers = true", "bands = 3"):
        with pytest.raises(RecipeError, match="need the same shingles, bands, rows and seed"):
            Plan.of(Recipe.parse(two + other))


def test_urls_are_hashed_only_for_a_step_that_needs_them() -> None:
    assert Plan.of(Recipe.parse('[[steps]]\ndedup = "exact"')).urls == ()
    plan = Plan.of(Recipe.parse('[[steps]]\ndedup = "url"\nurl_column = "link"'))
    assert (plan.urls, plan.metadata) == (("link",), ("link",))
    assert not Plan().covers(plan)
    assert plan.covers(Plan.of(Recipe.parse('[[steps]]\ndedup = "exact"')))


def test_reading_a_recipe_loads_no_kernels() -> None:
    code = "import sys, curate.recipe.toml_steps; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
