"""What decide drops, in which order, under which name."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import classifiers
import curate
from tests.corpora import prose


def decided(texts: list[str] | pl.DataFrame, recipe: str) -> pl.DataFrame:
    return curate.decide(texts, curate.Recipe.parse(recipe))


TWO_FILTERS = """
[[steps]]
name = "long"
filter = "word_count >= 5"
[[steps]]
name = "no_hash"
filter = "gopher_hash_ratio < 0.1"
"""


def test_a_document_is_dropped_by_the_first_step_that_it_fails_and_lists_all_of_them() -> None:
    result = decided(["# too short", "this one has enough words in it", "# # # a b c d e f", "short"], TWO_FILTERS)
    assert result["dropped_by"].to_list() == ["long", None, "no_hash", "long"]
    assert result["failed"].to_list() == [["long", "no_hash"], [], ["no_hash"], ["long"]]
    assert result["kept"].to_list() == [False, True, False, False]
    assert result["weight"].to_list() == [0, 1, 0, 0]


def test_a_predicate_that_is_null_drops() -> None:
    frame = pl.DataFrame({"text": ["one", "two"], "year": [2020, None]})
    result = decided(frame, '[[steps]]\nname = "recent"\nfilter = "year > 2000"')
    assert result["dropped_by"].to_list() == [None, "recent"]


def test_where_exempts_the_documents_that_do_not_meet_it() -> None:
    frame = pl.DataFrame({"text": ["a b", "a b", "a b c d e f"], "kind": ["code", "web", "web"]})
    result = decided(frame, '[[steps]]\nname = "long"\nfilter = "word_count >= 5"\nwhere = "kind = \'web\'"')
    assert result["dropped_by"].to_list() == [None, "long", None]


def test_an_unknown_signal_is_named_with_the_nearest_one() -> None:
    with pytest.raises(curate.RecipeError, match=r'"long": unknown signal "word_cuont"; did you mean "word_count"'):
        decided(["a"], '[[steps]]\nname = "long"\nfilter = "word_cuont >= 5"')


def test_a_predicate_of_the_wrong_type_is_an_error_that_names_the_step() -> None:
    with pytest.raises(curate.RecipeError, match='"words": the predicate `word_count` gives Int64'):
        decided(["a"], '[[steps]]\nname = "words"\nfilter = "word_count"')


EXACT = '[[steps]]\ndedup = "exact"\nkeep = "{keep}"\n'


def test_of_exact_duplicates_the_best_by_the_policy_stays_and_is_named() -> None:
    texts = ["same text", "same  text\n", "other", "same text"]
    frame = pl.DataFrame({"id": ["a", "b", "c", "d"], "text": texts, "year": [1, 3, 2, 2]})
    result = decided(frame, EXACT.format(keep="year DESC"))
    assert result["kept"].to_list() == [False, True, True, False]
    assert result["survivor"].to_list() == ["b", None, None, "b"]
    assert result["similarity"].to_list() == [1.0, None, None, 1.0]
    assert result["cluster_size"].to_list() == [3, 3, 1, 3]
    assert result["cluster"][0] == result["cluster"][1] == result["cluster"][3] is not None
    assert result["cluster"][2] is None
    oldest = decided(frame, EXACT.format(keep="year ASC"))
    assert oldest["kept"].to_list() == [True, False, True, False]


def test_duplicates_are_looked_for_inside_the_scope_only() -> None:
    frame = pl.DataFrame({"text": [prose(1)] * 4, "crawl": ["x", "x", "y", None]})
    for method in ("exact", "minhash"):
        result = decided(frame, f'[[steps]]\ndedup = "{method}"\nwithin = ["crawl"]')
        assert result["kept"].sum() == 3, method


MINHASH = '[[steps]]\ndedup = "minhash"\nverify = {verify}\nkeep = "char_count DESC"\n'


def test_a_near_duplicate_is_dropped_for_its_longer_twin_with_its_exact_similarity() -> None:
    long, short = prose(1, 30) + " And a closing remark of the author.", prose(1, 30)
    result = decided([short, prose(2, 30), long], MINHASH.format(verify=0.7))
    assert result["kept"].to_list() == [False, True, True]
    assert result["survivor"][0] == result["id"][2]
    expected = curate.dedup.jaccard(curate.dedup.shingles(short), curate.dedup.shingles(long))
    assert result["similarity"][0] == pytest.approx(expected, abs=1e-6)


def test_verification_spares_what_is_not_similar_enough() -> None:
    texts = [prose(1, 30), prose(1, 30)[: len(prose(1, 30)) * 3 // 4]]
    similarity = curate.dedup.jaccard(*map(curate.dedup.shingles, texts))
    assert 0.6 < similarity < 0.9
    assert decided(texts, MINHASH.format(verify=0.95))["kept"].sum() == 2
    assert decided(texts, MINHASH.format(verify=0.6))["kept"].sum() == 1


def test_cluster_sizes_count_exact_and_near_duplicates_together() -> None:
    texts = [prose(1, 30) + " The end.", prose(1, 30), prose(1, 30), prose(1, 30)]
    result = decided(texts, EXACT.format(keep="char_count DESC") + MINHASH.format(verify=0.7))
    assert result["cluster_size"].to_list() == [4, 4, 4, 4]
    assert result["cluster"].n_unique() == 1
    assert result["dropped_by"].null_count() == 1


def test_the_same_documents_survive_in_any_order() -> None:
    frame = pl.DataFrame(
        {"id": [f"d{i}" for i in range(40)], "text": [prose(i % 25) + " x" * (i % 3) for i in range(40)]}
    )
    recipe = (
        EXACT.format(keep="char_count DESC") + MINHASH.format(verify=0.7) + '[[steps]]\ntop = 0.5\nby = "char_count"'
    )
    first = decided(frame, recipe)
    for seed in range(3):
        order = random.Random(seed).sample(range(40), 40)
        again = decided(frame[order], recipe)
        assert set(again.filter("kept")["id"]) == set(first.filter("kept")["id"])
        assert dict(zip(again["id"], again["survivor"], strict=True)) == dict(
            zip(first["id"], first["survivor"], strict=True)
        )


def test_top_keeps_the_best_documents_up_to_the_share_of_tokens_in_each_group() -> None:
    frame = pl.DataFrame(
        {"text": [prose(i) for i in range(20)], "score": [float(i) for i in range(20)], "lang": ["a", "b"] * 10}
    )
    result = decided(frame, '[[steps]]\ntop = 0.3\nby = "score"\nwithin = ["lang"]')
    tokens = curate.measure(frame["text"], signals=["token_count"])["token_count"]
    for lang in ("a", "b"):
        rows = frame["lang"] == lang
        kept = result["kept"].filter(rows)
        assert kept.to_list() == sorted(kept.to_list())  # scores ascend, so the kept ones come last
        share = tokens.filter(rows & result["kept"]).sum() / tokens.filter(rows).sum()
        largest = tokens.filter(rows).max() / tokens.filter(rows).sum()
        assert 0.3 - largest < share <= 0.3
    assert set(result["dropped_by"].drop_nulls()) == {"top_score"}


def test_top_ranks_documents_without_a_score_last() -> None:
    frame = pl.DataFrame({"text": [prose(i) for i in range(4)], "score": [None, 0.1, None, 0.2]})
    result = decided(frame, '[[steps]]\ntop = 0.55\nby = "score"')
    assert result["kept"].to_list() == [False, True, False, True]


def test_no_documents_at_all_is_a_result_without_rows() -> None:
    result = decided([], TWO_FILTERS + EXACT.format(keep="char_count DESC") + MINHASH.format(verify=0.7))
    assert len(result) == 0


DOMAINS = """
[domains]
code = "kind = 'code'"
long = "word_count > 100"
[mix]
by = "domain"
shares = { code = 0.5, long = 0.5 }
"""


def test_the_first_domain_that_fits_is_taken_and_what_fits_none_is_other() -> None:
    frame = pl.DataFrame({"text": [prose(1, 30), prose(2, 30), "short"], "kind": ["code", "web", "web"]})
    result = decided(frame, DOMAINS)
    assert result["domain"].to_list() == ["code", "long", "other"]
    assert result["dropped_by"].to_list()[2] == "mix"


def test_the_mix_meets_its_budget_within_a_document() -> None:
    frame = pl.DataFrame({"text": [prose(i) for i in range(200)], "kind": ["code", "web", "web", "web"] * 50})
    recipe = '[mix]\nby = "kind"\ntokens = 6000\nshares = { code = 0.25, web = 0.75 }'
    result = decided(frame, recipe).with_columns(
        tokens=curate.measure(frame["text"], signals=["token_count"])["token_count"]
    )
    for domain, target in (("code", 1500), ("web", 4500)):
        rows = result.filter(pl.col("domain") == domain)
        assert abs((rows["tokens"] * rows["weight"]).sum() - target) <= rows["tokens"].max() / 2
    assert set(result["dropped_by"].drop_nulls()) == {"mix"}


def test_a_larger_budget_only_adds_documents() -> None:
    frame = pl.DataFrame({"text": [prose(i) for i in range(100)]})
    small = decided(frame, "[mix]\ntokens = 2000")
    large = decided(frame, "[mix]\ntokens = 4000")
    assert set(small.filter("kept")["id"]) < set(large.filter("kept")["id"])


def test_top_with_a_number_keeps_the_best_documents_that_hold_so_many_tokens() -> None:
    frame = pl.DataFrame({"text": [prose(i) for i in range(20)], "score": [float(i) for i in range(20)]})
    result = decided(frame, '[[steps]]\ntop = "700"\nby = "score"')
    tokens = curate.measure(frame["text"], signals=["token_count"])["token_count"]
    assert 700 - tokens.max() < tokens.filter(result["kept"]).sum() <= 700
    assert result["kept"].to_list() == sorted(result["kept"].to_list())


def test_an_ensemble_takes_the_best_rank_of_several_scores() -> None:
    frame = pl.DataFrame(
        {"text": [prose(i) for i in range(40)], "a": [i / 40 for i in range(40)], "b": [-i / 40 for i in range(40)]}
    )
    recipe = """
[ensembles]
bucket = { of = ["a", "b"], buckets = 4 }
[[steps]]
name = "good"
filter = "bucket >= 3"
"""
    kept = decided(frame, recipe)["kept"].to_list()
    # The best quarter by a is at the end, the best quarter by b at the beginning; the middle is nobody's best.
    assert all(kept[:9]) and all(kept[-9:])
    assert not any(kept[12:28])


def test_buckets_hold_equal_tokens_and_ties_share_one() -> None:
    from curate.ensembles import equal_mass_buckets

    score = np.array([0.1, 0.2, 0.3, 0.4, 0.4, np.nan])
    assert equal_mass_buckets(score, np.array([10, 10, 10, 5, 5, 0]), 4).tolist() == [0, 1, 2, 3, 3, 0]
    rng = np.random.default_rng(1)
    tokens = rng.integers(1, 100, 5000)
    buckets = equal_mass_buckets(rng.random(5000), tokens, 20)
    held = np.bincount(buckets, weights=tokens)
    assert np.abs(held / held.mean() - 1).max() < 0.05


def test_an_ensemble_of_something_else_than_scores_is_an_error() -> None:
    frame = pl.DataFrame({"text": ["a"], "kind": ["x"]})
    recipe = '[ensembles]\nb = { of = ["kind"] }\n[[steps]]\nname = "s"\nfilter = "b > 1"'
    with pytest.raises(curate.RecipeError, match=r"\[ensembles\] b"):
        decided(frame, recipe)


def test_a_model_is_looked_for_beside_the_recipe(tmp_path: Path) -> None:
    shipped = Path(classifiers.load("quality").path)
    (tmp_path / "mine.ftz").write_bytes(shipped.read_bytes())
    (tmp_path / "r.toml").write_text(
        '[classifiers]\nmine = { model = "mine.ftz", label = "hq" }\n[[steps]]\nname = "s"\nfilter = "mine >= 0"'
    )
    assert curate.decide([prose(1)], curate.Recipe.load(tmp_path / "r.toml"))["kept"].to_list() == [True]


def test_a_classifier_reads_the_beginning_or_windows_of_a_document() -> None:
    english, german = prose(1, 30), "Das ist ein langer deutscher Satz über das Wetter in den Bergen. " * 20
    recipe = """
[classifiers]
whole = {{ model = "language", label = "en" }}
start = {{ model = "language", label = "en", first = 500 }}
words = {{ model = "language", label = "en", first_words = 80 }}
mean = {{ model = "language", label = "en", windows = 500 }}
lowest = {{ model = "language", label = "en", windows = 500, over = "min" }}
[[steps]]
name = "x"
filter = "{0}"
"""
    frame = pl.DataFrame({"text": [english + " " + german, german]})
    for predicate, kept in [
        ("start > 0.9", [True, False]),
        ("words > 0.9", [True, False]),
        ("mean BETWEEN 0.2 AND 0.8", [True, False]),
        ("lowest > 0.5", [False, False]),
        ("whole + lowest + start >= 0", [True, True]),
    ]:
        assert decided(frame, recipe.format(predicate))["kept"].to_list() == kept, predicate


def test_a_share_of_exactly_the_threshold_meets_it() -> None:
    # Three of ten lines repeat: 0.3 is not a float32, and must still meet <= 0.3.
    text = "\n".join(["again", "again", "again", *(f"line {i}" for i in range(7))])
    result = curate.decide([text], curate.Recipe.parse(
        '[[steps]]\nname = "repeats"\nfilter = "gopher_dup_lines <= 0.3"', "test"))  # fmt: skip
    assert result["kept"].to_list() == [True]
