"""What a dedup step drops, for whom, and what is reported of it."""

from __future__ import annotations

import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import curate
from curate.decide.fold import decide_population
from curate.decide.population import MemoryPopulation
from curate.decide.rehydrate import cluster_sizes, of_standing
from curate.decide.stage import measure_frame
from curate.decide.steps import Standing
from curate.recipe import Recipe
from tests.corpora import prose, write_jsonl


def standing_of(frame: pl.DataFrame, recipe: str) -> Standing:
    parsed = Recipe.parse(recipe)
    return decide_population(MemoryPopulation(measure_frame(frame, parsed)), parsed).standing


def facts_of(frame: pl.DataFrame, recipe: str) -> dict[str, Any]:
    """The facts of the only dedup step, as they come back from JSON."""
    [found] = standing_of(frame, recipe).duplicates.values()
    facts: dict[str, Any] = json.loads(json.dumps(found.facts))
    return facts


def kept(frame: pl.DataFrame, recipe: str) -> list[str]:
    result = curate.decide(frame, Recipe.parse(recipe))
    return sorted(result.filter("kept")["id"].to_list())


def documents(**columns: list[Any]) -> pl.DataFrame:
    size = len(next(iter(columns.values())))
    defaults = {"id": [f"d{i}" for i in range(size)], "text": [prose(i, 30) for i in range(size)]}
    return pl.DataFrame({**defaults, **columns})


# --- by URL


def test_of_two_documents_with_one_address_the_newest_stays() -> None:
    frame = documents(
        url=[
            "http://Example.com/a/",
            "https://www.example.com/a?utm_source=x",
            "https://example.com/b",
            None,
            None,
            "",
        ],
        date=["2021-05-01", "2023-01-09", "2020-01-01", "2020-01-01", "2020-01-01", None],
    )
    recipe = '[[steps]]\ndedup = "url"\nkeep = "date DESC"'
    result = curate.decide(frame, Recipe.parse(recipe))
    assert result["kept"].to_list() == [False, True, True, True, True, True]
    assert result["dropped_by"][0] == "dedup_url"
    assert result["survivor"][0] == "d1"
    assert result["similarity"][0] is None  # nobody compared the texts
    assert kept(frame, recipe.replace("DESC", "ASC")) == ["d0", "d2", "d3", "d4", "d5"]


def test_the_url_may_be_in_another_column() -> None:
    frame = documents(link=["a.org/x", "a.org/x#top"])
    assert len(kept(frame, '[[steps]]\ndedup = "url"\nurl_column = "link"')) == 1


def test_a_column_of_urls_that_holds_numbers_is_refused() -> None:
    with pytest.raises(curate.RecipeError, match='the column "url" holds int64, not strings'):
        kept(documents(url=[1, 2]), '[[steps]]\ndedup = "url"')


def test_a_column_of_urls_that_no_input_has_is_named() -> None:
    with pytest.raises(curate.RecipeError, match='"dedup_url": unknown signal "url"'):
        kept(documents(link=["a", "b"]), '[[steps]]\ndedup = "url"')


def test_urls_of_a_run_are_found_across_files(tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "one.jsonl", [{"id": "a", "text": prose(1), "url": "http://x.org/?b=1&a=2"}])
    two = write_jsonl(
        tmp_path / "two.jsonl", [{"id": "b", "text": prose(2) + " longer", "url": "x.org?a=2&b=1"}, {"text": "no url"}]
    )
    run = curate.corpus([one, two], tmp_path / "run", recipe=Recipe.parse('[[steps]]\ndedup = "url"'), threads=1)
    decisions = run.decisions().collect()
    assert dict(zip(decisions["id"], decisions["survivor"], strict=True))["a"] == "b"
    assert run.report["duplicates"]["dedup_url"]["dropped"] == 1


# --- sources


def same_text(sources: list[str], ids: list[str] | None = None) -> pl.DataFrame:
    ids = ids or [f"d{i}" for i in range(len(sources))]
    return pl.DataFrame({"id": ids, "text": [prose(1, 30)] * len(sources), "source": sources})


@pytest.mark.parametrize("method", ["exact", "minhash", 'minhash"\nverify = false\nname = "unverified'])
def test_the_most_trusted_source_stays_before_the_policy_is_asked(method: str) -> None:
    frame = pl.DataFrame({
        "id": ["web", "book", "wiki", "blog"],
        "text": [prose(1, 30) + " x" * n * (method != "exact") for n in (3, 2, 1, 4)],
        "source": ["web", "books", "wiki", "blog"],
    })  # fmt: skip
    step = f'[[steps]]\ndedup = "{method}"\npriority = '
    assert kept(frame, step + '["wiki", "books", "web"]') == ["wiki"]
    assert kept(frame, step + '["books", "wiki"]') == ["book"]
    assert kept(frame.filter(pl.col("source").is_in(["web", "blog"])), step + '["web"]') == ["web"]


@pytest.mark.parametrize("method", ["exact", "minhash", 'minhash"\nverify = false\nname = "unverified'])
def test_nothing_is_dropped_from_a_protected_source(method: str) -> None:
    frame = same_text(["web", "wiki", "web", "wiki"])
    step = f'[[steps]]\ndedup = "{method}"\nprotect = ["wiki"]'
    assert kept(frame, step) == ["d1", "d3"]
    facts = facts_of(frame, step)
    assert (facts["candidates"], facts["dropped"], facts["protected"]) == (2, 2, 1)
    assert kept(frame.filter(pl.col("source") == "web"), step) in (["d0"], ["d2"])


def test_short_documents_of_a_protected_source_stay() -> None:
    frame = pl.DataFrame({"id": ["a", "b", "c"], "text": ["hi", "hi", ""], "source": ["wiki", "web", "wiki"]})
    for short, expected in (("exact", ["a", "c"]), ("drop", ["a", "c"]), ("keep", ["a", "b", "c"])):
        step = f'[[steps]]\ndedup = "minhash"\nprotect = ["wiki"]\nshort = "{short}"'
        assert kept(frame, step) == expected, short


def test_a_source_that_the_inputs_do_not_have_is_reported() -> None:
    facts = facts_of(same_text(["web", "wiki"]), '[[steps]]\ndedup = "exact"\nprotect = ["wikis"]')
    assert facts["absent_sources"] == {"wikis": '; did you mean "wiki"?'}
    assert "absent_sources" not in facts_of(same_text(["web"]), '[[steps]]\ndedup = "exact"\npriority = ["web"]')


@pytest.mark.parametrize("column", ["source", "language", "snapshot"])
@pytest.mark.parametrize("method", ["exact", "url", "minhash"])
def test_any_column_bounds_the_scope(method: str, column: str) -> None:
    frame = pl.DataFrame({
        "id": ["a", "b", "c", "d"],
        "text": [prose(1, 30)] * 4,
        "url": ["x.org"] * 4,
        column: ["p", "q", "p", "q"],
    })  # fmt: skip
    recipe = f'[[steps]]\ndedup = "{method}"'
    assert len(kept(frame, recipe)) == 1
    if column == "language":
        frame = frame.rename({"language": "lang"})
        column = "lang"
    assert len(kept(frame, f'{recipe}\nwithin = ["{column}"]')) == 2


# --- short and empty documents

FEW = ["", "  ", "!!!", "!!!", "???", "two words", "Two, words!", "words two", prose(1, 30)]


def short_policy(policy: str, **options: str) -> str:
    more = "".join(f"\n{key} = {value}" for key, value in options.items())
    return f'[[steps]]\ndedup = "minhash"\nkeep = "id ASC"\nshort = "{policy}"{more}'


def test_short_documents_are_compared_exactly_by_default() -> None:
    frame = documents(text=FEW)
    assert kept(frame, '[[steps]]\ndedup = "minhash"\nkeep = "id ASC"') == ["d0", "d2", "d4", "d5", "d7", "d8"]
    facts = facts_of(frame, short_policy("exact"))
    assert facts["empty"] == {"documents": 5, "dropped": 2}
    assert facts["short"] == {"documents": 3, "dropped": 1}
    assert (facts["candidates"], facts["dropped"]) == (0, 3)


def test_case_and_signs_of_short_documents_count_as_the_normalisation_says() -> None:
    frame = documents(text=["Tous étés", "tous étés", "tous etes"])
    for normalise, left in (("none", 3), ("lower", 2), ("fineweb", 1)):
        assert len(kept(frame, short_policy("exact", normalise=f'"{normalise}"'))) == left


def test_short_documents_can_all_be_kept() -> None:
    frame = documents(text=FEW)
    assert len(kept(frame, short_policy("keep"))) == len(FEW)
    facts = facts_of(frame, short_policy("keep"))
    assert (facts["short"]["documents"], facts["short"]["dropped"], facts["dropped"]) == (3, 0, 0)


def test_short_documents_can_all_be_dropped_under_the_name_of_the_step() -> None:
    frame = documents(text=FEW)
    result = curate.decide(frame, Recipe.parse(short_policy("drop")))
    assert result["dropped_by"].to_list() == ["dedup_minhash"] * 8 + [None]
    assert result["survivor"].null_count() == len(FEW)
    facts = facts_of(frame, short_policy("drop"))
    assert facts["empty"] == {"documents": 5, "dropped": 5}
    assert facts["short"] == {"documents": 3, "dropped": 3}
    assert facts["cluster_sizes"] == [[1, 1]]


def test_a_document_of_exactly_n_words_is_not_short() -> None:
    facts = facts_of(documents(text=["a b c d e", "a b c d e", "a b c d"]), short_policy("drop"))
    assert facts["short"]["documents"] == 1
    assert facts["candidates"] == 1


def test_characters_make_shingles_of_short_words() -> None:
    frame = documents(text=["one two three", "one two three", "two"])
    assert kept(frame, short_policy("drop", shingle='"char"')) == ["d0"]
    assert facts_of(frame, short_policy("drop", shingle='"char"'))["parameters"]["ngram"] == 9


# --- verification


def test_containment_drops_the_short_page_that_a_longer_one_quotes() -> None:
    whole = prose(1, 60)
    frame = documents(text=[whole, whole[: len(whole) // 2]])
    bands = "bands = 100\nrows = 1\n"  # a pair of similarity 0.5 is found
    jaccard = f'[[steps]]\ndedup = "minhash"\n{bands}verify = 0.8'
    assert len(kept(frame, jaccard)) == 2
    for verify in ('"containment"', "{ containment = 0.9 }"):
        assert kept(frame, jaccard.replace("0.8", verify)) == ["d0"]
    facts = facts_of(frame, jaccard.replace("0.8", '"containment"'))
    assert (facts["parameters"]["verify"], facts["parameters"]["measure"]) == (0.8, "containment")


def test_the_facts_tell_how_precise_the_bands_were_and_how_similar_what_was_dropped() -> None:
    base = prose(1, 40)
    frame = documents(
        text=[base + " tail" * 2, base, base[: len(base) * 6 // 10], " ".join(f"w{i}" for i in range(90))]
    )
    facts = facts_of(frame, '[[steps]]\ndedup = "minhash"\nbands = 100\nrows = 1\nverify = 0.9')
    assert (facts["candidates"], facts["spared"], facts["dropped"]) == (2, 1, 1)
    assert facts["precision"] == 0.5
    edges, counts = facts["similarity"]["edges"], facts["similarity"]["counts"]
    assert (edges[0], edges[-1], len(edges), sum(counts)) == (0, 1, 21, 1)
    assert sum(counts[-2:]) == 1  # 0.9 or more
    similarity = curate.dedup.jaccard(*(curate.dedup.shingles(frame["text"][i]) for i in (0, 2)))
    assert facts["spared_similarity"]["counts"][int(similarity / 0.05)] == 1
    assert facts["cluster_sizes"] == [[1, 2], [2, 2]]
    assert facts["most_repeated"] == [["d0", 2]]


def test_unverified_the_precision_is_not_known() -> None:
    facts = facts_of(documents(text=[prose(1, 30)] * 3), '[[steps]]\ndedup = "minhash"\nverify = false')
    assert facts["dropped"] == facts["candidates"] == 2
    assert "precision" not in facts
    assert "similarity" not in facts


def test_documents_that_only_folded_numbers_make_alike_are_reported() -> None:
    table = " ".join(f"row {i} price {i * 7919 % 1000} sold {i * 31}" for i in range(60))
    other = " ".join(f"row {i} price {i * 104729 % 1000} sold {i * 17}" for i in range(60))
    frame = documents(text=[table, other, prose(1, 30) + " more", prose(1, 30)])
    recipe = '[[steps]]\ndedup = "minhash"\nverify = 0.7\nkeep = "char_count DESC"'
    assert len(kept(frame, recipe)) == 3
    folding = recipe + "\nfold_numbers = true"
    assert len(kept(frame, folding)) == 2
    folded = facts_of(frame, folding)["folded"]
    assert (folded["documents"], folded["clusters"]) == (1, 1)
    assert sum(folded["similarity"]["counts"]) == 2
    [example] = folded["examples"]
    assert {example["dropped"], example["survivor"]} == {"d0", "d1"}
    assert "folded" not in facts_of(frame, recipe)


# --- the order is total

WORDS = [f"w{i}" for i in range(12)]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
STEPS = [
    'dedup = "exact"\nkeep = "year DESC"',
    'dedup = "url"\nkeep = "year DESC, char_count"\npriority = ["b"]',
    'dedup = "minhash"\nngram = 2\nbands = 20\nrows = 1\nverify = 0.5\nkeep = "year DESC"\nprotect = ["c"]',
    'dedup = "minhash"\nngram = 3\nbands = 8\nrows = 2\nverify = false\nkeep = "score DESC"\nwithin = ["source"]',
    'dedup = "minhash"\nshingle = "char"\nngram = 3\nbands = 30\nrows = 1\nverify = "containment"\npriority = ["c"]',
]


@pytest.mark.parametrize("step", STEPS)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_same_documents_survive_in_any_order(step: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(TEXTS, min_size=1, max_size=15))
    pick = random.Random(len(texts))
    frame = pl.DataFrame({
        "id": [f"d{i}" for i in range(len(texts))],
        "text": texts,
        "source": [pick.choice("abc") for _ in texts],
        "year": [pick.choice([2020, 2021, None]) for _ in texts],
        "score": [pick.choice([0.5, 1.0, float("nan"), None]) for _ in texts],
        "url": [pick.choice(["x.org", "www.x.org/", "y.org", None]) for _ in texts],
    })  # fmt: skip
    recipe = Recipe.parse(f"[[steps]]\n{step}")
    order = data.draw(st.permutations(range(len(texts))))
    first, again = curate.decide(frame, recipe), curate.decide(frame[order], recipe)
    wanted = ["id", "kept", "survivor", "similarity", "cluster_size"]
    assert first.select(wanted).sort("id").equals(again.select(wanted).sort("id"))


def test_a_score_that_is_no_number_ranks_last() -> None:
    frame = same_text(["web"] * 3).with_columns(score=pl.Series([float("nan"), 0.1, None]))
    assert kept(frame, '[[steps]]\ndedup = "exact"\nkeep = "score DESC"') == ["d1"]


def test_threads_shards_and_partitions_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pick = random.Random(4)
    records = [
        {
            "id": f"d{i}", "text": prose(i % 30, 25) + f" number {i % 7}", "date": f"20{i % 20:02}",
            "lang": "abc"[i % 3], "url": f"http://x.org/{i % 90}",
        }
        for i in range(120)
    ]  # fmt: skip
    for i in range(8):  # alike only if numbers count as 0
        table = " ".join(f"item {k} costs {(k + 1) * 7919 * (i + 1) % 1000} sold {k * (i + 3)}" for k in range(40))
        records.append({"id": f"t{i}", "text": table, "date": f"20{i:02}", "lang": "a", "url": None})
    recipe = Recipe.parse(
        '[[steps]]\ndedup = "url"\nkeep = "date DESC"\nwithin = ["lang"]\n'
        '[[steps]]\ndedup = "minhash"\nfind = 0.95\nat = 0.7\nfold_numbers = true\nkeep = "date DESC"\n'
    )
    seen = []
    for number, (threads, files, partition) in enumerate([(1, 1, 1 << 28), (2, 3, 1 << 28), (1, 7, 2000)]):
        monkeypatch.setattr(sys.modules["curate.decide.duplicates"], "PARTITION_BYTES", partition)
        pick.shuffle(records)
        folder = tmp_path / str(number)
        folder.mkdir()
        paths = [write_jsonl(folder / f"{i}.jsonl", records[i::files]) for i in range(files)]
        run = curate.corpus([f"web={path}" for path in paths], folder / "run", recipe=recipe, threads=threads)
        decisions = run.decisions().select("id", "kept", "survivor", "similarity", "cluster_size").collect()
        seen.append((decisions.sort("id").rows(), run.report["duplicates"]))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][1]["dedup_minhash"]["folded"]["examples"]
    assert 0 < sum(row[1] for row in seen[0][0]) < 60


# --- alarm


def test_a_source_that_loses_almost_everything_is_called_out_with_examples(tmp_path: Path) -> None:
    texts = [prose(i, 20) for i in range(12)]
    web = write_jsonl(tmp_path / "web.jsonl", [{"id": f"w{i}", "text": text} for i, text in enumerate(texts)])
    mirror = write_jsonl(tmp_path / "mirror.jsonl", [{"id": f"m{i}", "text": text} for i, text in enumerate(texts)])
    recipe = '[[steps]]\ndedup = "exact"\npriority = ["web"]\n'
    run = curate.corpus([f"web={web}", f"mirror={mirror}"], tmp_path / "run", recipe=Recipe.parse(recipe), threads=1)
    [alarm] = run.report["duplicates"]["dedup_exact"]["alarms"]
    assert (alarm["source"], alarm["documents"], alarm["dropped"], alarm["share"]) == ("mirror", 12, 12, 1.0)
    first = alarm["examples"][0]
    assert first["survivor"] == first["dropped"].replace("m", "w")
    assert first["similarity"] == 1.0
    [warning] = [line for line in run.report["warnings"] if "mirror" in line]
    assert warning.startswith("Source mirror loses 12 of 12 documents (100%) in dedup_exact, such as m")
    quiet = curate.corpus(
        [f"web={web}", f"mirror={mirror}"], tmp_path / "quiet", recipe=Recipe.parse(recipe + "alarm = 1"), threads=1
    )
    assert quiet.report["duplicates"]["dedup_exact"]["alarms"] == []


def test_the_alarm_counts_what_the_step_was_given() -> None:
    frame = same_text(["web"] * 4 + ["wiki"])
    step = '[[steps]]\ndedup = "exact"\npriority = ["wiki"]\nalarm = '
    assert [alarm["source"] for alarm in facts_of(frame, step + "0.9")["alarms"]] == ["web"]
    frame = pl.concat([frame, documents(source=["web"]).with_columns(id=pl.lit("other")).select(frame.columns)])
    assert facts_of(frame, step + "0.8")["alarms"] == []  # 4 of 5 are not more than 80%
    assert facts_of(frame, step + "0.79")["alarms"][0]["share"] == 0.8


# --- rehydration


def test_rehydration_judges_cluster_sizes_by_what_later_filters_removed() -> None:
    texts = list(itertools.chain.from_iterable(
        [prose(i, 12) + (" #" * 40 if i % 2 and i < 200 else "")] * (2 if i >= 200 else 1) for i in range(400)
    ))  # fmt: skip
    frame = pl.DataFrame({"text": texts, "id": [f"d{i}" for i in range(len(texts))]})
    recipe = '[[steps]]\ndedup = "exact"\n[[steps]]\nname = "no_hash"\nfilter = "gopher_hash_ratio < 0.1"'
    standing = standing_of(frame, recipe)
    found = of_standing(standing, Recipe.parse(recipe).steps)
    assert found is not None
    assert found.smallest.tolist() == [1, 2]
    assert found.documents.tolist() == [200, 200]
    assert found.rate.tolist() == [0.5, 0.0]
    assert found.weight.tolist() == [1.0, 10.0]
    each = found.weights(cluster_sizes(standing))
    assert set(each[:200]) == {1.0}
    assert set(each[200:]) == {10.0}


def test_the_mix_repeats_documents_by_their_rehydration_weight(tmp_path: Path) -> None:
    alone = [{"id": f"a{i}", "text": prose(i, 12) + " #" * 40 * (i % 2)} for i in range(100)]
    pairs = [{"id": f"p{i}", "text": prose(1000 + i // 2, 12)} for i in range(200)]
    path = write_jsonl(tmp_path / "web.jsonl", alone + pairs)
    steps = '[[steps]]\ndedup = "exact"\n[[steps]]\nname = "no_hash"\nfilter = "gopher_hash_ratio < 0.1"\n'
    recipe = Recipe.parse(f"{steps}[mix]\nrehydrate = true")
    run = curate.corpus([path], tmp_path / "run", recipe=recipe, threads=1)
    [one, two] = run.report["rehydration"]["sizes"]
    assert (one["removal_rate"], one["weight"], two["removal_rate"], two["weight"]) == (0.5, 1.0, 0.0, 10.0)
    kept = run.decisions().filter(pl.col("kept")).collect()
    assert dict(kept.group_by("cluster_size").agg(pl.col("weight").mean()).iter_rows()) == {1: 1.0, 2: 10.0}


def test_without_a_filter_after_deduplication_there_are_no_rehydration_weights() -> None:
    recipe = '[[steps]]\nname = "long"\nfilter = "word_count >= 3"\n[[steps]]\ndedup = "exact"\n'
    assert of_standing(standing_of(documents(text=["a b c"] * 3), recipe), Recipe.parse(recipe).steps) is None
    assert of_standing(standing_of(documents(text=["a b c"]), ""), ()) is None
    with pytest.raises(curate.RecipeError, match="it needs a dedup step with filters after it"):
        standing_of(documents(text=["a b c"] * 3), recipe + "[mix]\nrehydrate = true")


# --- odd populations


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("texts", [[], [""], ["one"], [None, None], ["a" * 300_000, "a" * 300_000], ["😀 " * 50, "é"]])
def test_odd_documents_pass(step: str, texts: list[str | None]) -> None:
    size = len(texts)
    frame = pl.DataFrame(
        {
            "id": [f"d{i}" for i in range(size)], "text": texts, "source": ["a"] * size, "year": [None] * size,
            "score": [1.0] * size, "url": [None] * size,
        },
        schema_overrides={"text": pl.String, "source": pl.String, "id": pl.String, "score": pl.Float64},
    )  # fmt: skip
    result = curate.decide(frame, Recipe.parse(f"[[steps]]\n{step}"))
    assert len(result) == size
    assert result["kept"].sum() <= size


def test_a_run_without_documents_has_facts(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "empty.jsonl", [])
    recipe = '[[steps]]\ndedup = "exact"\n[[steps]]\ndedup = "minhash"\nfold_numbers = true\nprotect = ["wiki"]'
    run = curate.corpus([path], tmp_path / "run", recipe=Recipe.parse(recipe), threads=1)
    for facts in run.report["duplicates"].values():
        assert (facts["documents"], facts["dropped"], facts["alarms"]) == (0, 0, [])
    assert run.report["duplicates"]["dedup_minhash"]["folded"]["documents"] == 0


def test_what_is_reported_adds_up_with_the_funnel(tmp_path: Path) -> None:
    texts = [prose(i % 15, 25) + " end" * (i % 3) for i in range(45)] + ["", "hi", "hi", "!"]
    path = write_jsonl(tmp_path / "a.jsonl", [{"id": f"d{i}", "text": text} for i, text in enumerate(texts)])
    run = curate.corpus([path], tmp_path / "run", recipe=Recipe.parse('[[steps]]\ndedup = "minhash"'), threads=1)
    [step] = run.report["steps"]
    facts = run.report["duplicates"]["dedup_minhash"]
    assert facts["dropped"] == step["dropped"]
    assert (
        facts["candidates"] - facts["spared"] + facts["short"]["dropped"] + facts["empty"]["dropped"]
        == facts["dropped"]
    )
    assert sum(count for _, count in facts["cluster_sizes"]) == step["documents_in"]
    assert np.isclose(facts["precision"], 1 - facts["spared"] / facts["candidates"])
    sizes = run.decisions().select("cluster_size").collect()["cluster_size"].value_counts()
    assert sorted(map(list, sizes.iter_rows())) == sorted(facts["cluster_sizes"])
    assert "## Duplicates" in (run.path / "report.md").read_text()


def test_groups_of_several_columns_never_run_into_one_another() -> None:
    recipe = Recipe.parse('[[steps]]\ndedup = "exact"\nwithin = ["a", "b"]', "groups")
    frame = pl.DataFrame(
        {"text": ["same"] * 5, "a": ["x\x1fy", "x", None, "", "x"], "b": ["z", "y\x1fz", "q", "q", "y\x1fz"]}
    )
    assert curate.decide(frame, recipe)["kept"].to_list().count(True) == 4  # only the second and last are one group


def test_what_names_no_host_is_no_url() -> None:
    recipe = Recipe.parse('[[steps]]\ndedup = "url"', "urls")
    frame = pl.DataFrame(
        {"text": [f"t{i}" for i in range(6)], "url": ["none", "none", "about:blank", "about:blank", "/a", "/a"]}
    )
    assert curate.decide(frame, recipe)["kept"].all()


def test_filters_of_a_group_can_be_named_apart() -> None:
    recipe = Recipe.parse(
        '[[steps]]\nuse = "c4"\nwhere = "word_count > 9"\n'
        '[[steps]]\nuse = "c4"\nname = "short"\nwhere = "word_count <= 9"'
    )
    assert "c4_sentences" in (names := [step.name for step in recipe.steps]) and "short_c4_sentences" in names
