"""The audit against a corpus whose duplicates are known, and against figures worked out the slow way."""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from curate.dedup import curve, jaccard, shingles
from curate.dedup.audit import audit_run
from curate.dedup.audit_figures import components, interval, purity, ratio
from curate.dedup.audit_sample import draw
from curate.engines.local import Local
from curate.errors import CurateError, RunError
from tests.corpora import prose, write_jsonl

BANDS, ROWS = 6, 5
STEP = f'clean = []\n[[steps]]\ndedup = "minhash"\nbands = {BANDS}\nrows = {ROWS}\nverify = 0.7\n'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def edited(text: str, share: float, source: random.Random) -> str:
    """The text with a share of its words, scattered, replaced by new ones."""
    words = text.split(" ")
    for place in source.sample(range(len(words)), round(share * len(words))):
        words[place] = f"x{source.randrange(10**9)}"
    return " ".join(words)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """200 documents by themselves, 100 with a copy edited more and more, ten pages of one template, and short ones."""
    source = random.Random(7)
    found = {f"alone{i}": prose(10_000 + i) for i in range(200)}
    for i in range(100):
        found[f"first{i}"] = prose(i, 24)
        found[f"second{i}"] = edited(prose(i, 24), i / 1000, source)
    found |= {f"page{i}": edited(prose(777, 30), 0.01, source) for i in range(10)}
    return found | {"short1": "Too short.", "short2": "Too short.", "empty": ""}


@pytest.fixture(scope="module")
def audited(texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    folder = tmp_path_factory.mktemp("audit")
    write_jsonl(folder / "in" / "a.jsonl", ({"id": key, "text": text} for key, text in list(texts.items())[::2]))
    write_jsonl(folder / "in" / "b.jsonl", ({"id": key, "text": text} for key, text in list(texts.items())[1::2]))
    return curate.corpus(folder / "in", folder / "run", recipe=curate.Recipe.parse(STEP, "test"), threads=2)


@pytest.fixture(scope="module")
def truth(texts: dict[str, str]) -> dict[tuple[str, str], float]:
    sets = {key: shingles(text) for key, text in texts.items() if len(text) > 20}
    return {pair: jaccard(sets[pair[0]], sets[pair[1]]) for pair in combinations(sorted(sets), 2)}


def test_a_census_counts_every_pair_as_brute_force_does(
    audited: curate.Run, truth: dict[tuple[str, str], float]
) -> None:
    found = audit_run(audited, Local(2))
    assert found["sample"] == {
        "documents": 410, "of": 410, "census": True, "short": 3, "in_buckets": 0, "pairs_compared": 410 * 409 // 2
    }  # fmt: skip
    for entry in found["recall"]["by_similarity"]:
        here = [s for s in truth.values() if entry["from"] <= s < entry["to"] or s == entry["to"] == 1]
        assert entry["pairs"] == len(here)
        if here:
            assert entry["theory"] == pytest.approx(float(curve(BANDS, ROWS)(here).mean()))
            assert entry["all_bands"] == entry["recall"]
    found_pairs = sum(entry["found"] for entry in found["recall"]["by_similarity"])
    assert 50 < found_pairs <= found["candidates"]["pairs"]


def test_removals_are_judged_by_the_better_documents_that_stayed(
    audited: curate.Run, texts: dict[str, str], truth: dict[tuple[str, str], float]
) -> None:
    decisions = {row["id"]: row for row in audited.decisions().collect().to_dicts()}
    removable, removed = set(), set()
    for (a, b), similarity in truth.items():
        if similarity >= 0.7:
            better, worse = sorted((a, b), key=lambda key: (-len(texts[key]), not decisions[key]["kept"]))
            if decisions[better]["kept"]:
                removable.add(worse)
                removed |= {worse} if decisions[worse]["dropped_by"] == "dedup_minhash" else set()
    figures = audit_run(audited, Local(2))["removals"]
    assert (figures["recall"]["hits"], figures["recall"]["of"]) == (len(removed), len(removable))
    assert len(removable) > 30
    assert figures["precision"]["share"] == 1.0  # the step is verified
    assert figures["precision"]["lowest"] >= 0.7
    dropped = sum(row["dropped_by"] == "dedup_minhash" and row["id"] not in ("short1", "short2")
                  for row in decisions.values())  # fmt: skip
    assert figures["precision"]["of"] == dropped


def test_clusters_after_verification_are_pure_and_candidates_need_not_be(audited: curate.Run) -> None:
    clusters = audit_run(audited, Local(2), threshold=0.9)["clusters"]
    assert clusters["final"]["share"] < 1.0  # verified at 0.7, so judged at 0.9 some are mixed
    assert clusters["candidate"]["share"] < 1.0
    assert audit_run(audited, Local(2))["clusters"]["final"]["share"] == 1.0


def test_a_sample_depends_on_the_documents_and_the_seed_alone(audited: curate.Run) -> None:
    one, two = (audit_run(audited, Local(threads), sample=100, seed=3) for threads in (1, 2))
    assert one == two
    assert one["sample"]["documents"] == 100
    assert not one["sample"]["census"]
    assert 40 <= one["sample"]["in_buckets"] <= 50
    assert one["recall"]["judged_bands"] == BANDS - 1
    assert audit_run(audited, Local(2), sample=100, seed=4) != one


def test_samples_estimate_what_a_census_counts(audited: curate.Run) -> None:
    """Mean over many seeds: pairs drawn by one band, judged by the others, are a fair test of the others."""
    census = audit_run(audited, Local(2), threshold=0.8)
    samples = [audit_run(audited, Local(2), threshold=0.8, sample=150, seed=seed) for seed in range(8)]
    hits = pairs = expected = 0.0
    for sample in samples:
        for entry in sample["recall"]["by_similarity"]:
            if entry["pairs"]:
                hits, pairs = hits + entry["found"], pairs + entry["pairs"]
                expected += entry["theory"] * entry["pairs"]
    assert pairs > 200
    assert hits / pairs == pytest.approx(expected / pairs, abs=0.06)
    precision = np.mean([sample["candidates"]["precision"] for sample in samples])
    assert precision == pytest.approx(census["candidates"]["precision"], abs=0.1)


def test_what_cannot_be_audited_is_said(audited: curate.Run, finished_run: curate.Run, tmp_path: Path) -> None:
    with pytest.raises(CurateError, match=r"--sample 60,000.*1,799,970,000.*at most is|the most is 50,000"):
        audit_run(audited, Local(1), sample=60_000)
    with pytest.raises(RunError, match='no minhash step "dedup_minhsh"; did you mean "dedup_minhash"'):
        audit_run(audited, Local(1), step="dedup_minhsh")
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": prose(1)}])
    plain = curate.corpus(source, tmp_path / "run", recipe=curate.Recipe.parse('[[steps]]\ndedup = "exact"', "plain"))
    result = run("dedup", "audit", plain.path)
    assert result.exit_code == 1
    assert "has no minhash step" in result.stderr


@pytest.mark.parametrize("texts_there", [[], ["", ""], [prose(1)], ["one", "two words"], [prose(1), prose(2)]])
def test_a_corpus_without_pairs_gives_empty_figures(texts_there: list[str], tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ({"id": str(i), "text": text} for i, text in enumerate(texts_there)))
    made = curate.corpus(source, tmp_path / "run", recipe=curate.Recipe.parse(STEP, "test"))
    found = audit_run(made, Local(1))
    assert found["removals"]["recall"] == {"hits": 0, "of": 0, "share": None, "interval": None}
    assert found["candidates"]["precision"] is None
    assert run("dedup", "audit", made.path).exit_code == 0
    assert run("dedup", "curve", "--run", made.path).exit_code == 0


def test_the_audit_prints_tables_or_json_and_changes_nothing_in_the_run(audited: curate.Run) -> None:
    before = {path: path.read_bytes() for path in audited.path.rglob("*") if path.is_file()}
    shown = run("dedup", "audit", audited.path)
    assert shown.exit_code == 0, shown.stderr
    assert "410 of 410 documents compared all with all (all of them): 83,845 pairs" in shown.stdout
    as_json = json.loads(run("dedup", "audit", audited.path, "--json").stdout)
    assert as_json == audit_run(audited, Local(2))
    assert {path: path.read_bytes() for path in audited.path.rglob("*") if path.is_file()} == before


def test_labelled_pairs_are_looked_up_by_id(
    audited: curate.Run, truth: dict[tuple[str, str], float], tmp_path: Path
) -> None:
    near = {pair: similarity for pair, similarity in truth.items() if similarity >= 0.5}
    records = [{"a": a, "b": b, "jaccard": s, "n_a": 50, "n_b": 50} for (a, b), s in near.items()]
    records += [{"a": "nobody", "b": "first1", "jaccard": 1.0}, {"a": "short1", "b": "short2", "jaccard": 1.0}]
    pairs = write_jsonl(tmp_path / "known.pairs.jsonl", records)
    found = json.loads(run("dedup", "audit", audited.path, "--pairs", pairs, "--json").stdout)
    assert found["pairs"]["in_file"] == len(near) + 2
    assert found["pairs"]["judged"] == len(near)  # the short ones are not the bands' business
    assert found["difference"]["same"]["share"] == 1.0
    assert sum(entry["pairs"] for entry in found["recall"]) == len(near)
    census = audit_run(audited, Local(2))["recall"]["by_similarity"]
    assert [entry["found"] for entry in found["recall"]][2:] == [entry["found"] for entry in census][2:]
    shown = run("dedup", "audit", audited.path, "--pairs", pairs)
    assert f"{len(near)} of {len(near) + 2} labelled pairs" in shown.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": "x", "b": "y"}\n', "line 1: a pair is"),
        ('{"a": "x", "b": "y", "jaccard": 0.5}\n\n{"a": 1, "b": "y", "jaccard": 7}\n', "line 3: a pair is"),
        ("[1, 2]\n", "line 1: a pair is"),
        ('{"a": "x", "b": "y", "jaccard": null}\n', "line 1: a pair is"),
        ('{"a": "x", "b": "y", "jaccard": 0.5, "n_a": "many"}\n', "line 1: a pair is"),
        ("no json\n", "line 1: a pair is"),
    ],
)
def test_a_wrong_file_of_pairs_is_named_with_the_line(
    audited: curate.Run, tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(content)
    result = run("dedup", "audit", audited.path, "--pairs", path)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "wrong.jsonl" in result.stderr
    assert run("dedup", "audit", audited.path, "--pairs", tmp_path / "no.jsonl").exit_code == 1


def test_an_interval_holds_the_share_and_is_wilsons() -> None:
    assert interval(0, 0) is None
    assert interval(0, 10) == [0.0, pytest.approx(0.2775, abs=1e-4)]
    assert interval(5, 10) == [pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4)]
    assert interval(10, 10) == [pytest.approx(0.7225, abs=1e-4), 1.0]


def test_a_ratio_over_buckets_has_no_interval_without_two_of_them() -> None:
    hit, one = np.array([True, False, True]), np.ones(3)
    assert ratio(hit, one, np.array([4, 4, 4])) == (pytest.approx(2 / 3), None)
    share, bounds = ratio(hit, one, np.array([4, 4, 9]))
    assert bounds is not None
    assert bounds[0] < share < bounds[1]
    assert ratio(hit[:0], one[:0], np.zeros(0, np.int64)) == (None, None)


def test_components_and_purity_are_those_of_a_small_example() -> None:
    labels = components(6, np.array([0, 1, 4]), np.array([1, 2, 5]))
    assert labels.tolist() == [0, 0, 0, 3, 4, 4]
    clusters = np.array([7, 7, 7, 7, 8, -1])
    assert purity(clusters, np.ones(6, np.bool_), labels) == {
        "clusters": 1, "hits": 3, "of": 4, "share": 0.75, "interval": interval(3, 4)
    }  # fmt: skip


def test_a_bucket_with_a_million_pages_is_not_the_whole_sample() -> None:
    doc = np.arange(1, 20_001, dtype=np.uint64)
    keys = np.where(doc <= 15_000, np.uint64(5), doc)  # one bucket of 15,000 documents
    drawn = draw(doc, keys, 1000, 0)
    assert len(drawn.places) == 1000
    in_bucket = drawn.weight > 0
    assert in_bucket.sum() == 50  # a tenth of half the sample
    assert drawn.weight[in_bucket][0] == pytest.approx(15_000 * 14_999 / (50 * 49))


def test_the_order_of_shards_does_not_change_the_sample() -> None:
    rng = np.random.default_rng(1)
    doc, keys = rng.integers(1, 2**63, 5000).astype(np.uint64), rng.integers(1, 2000, 5000).astype(np.uint64)
    shuffled = rng.permutation(5000)
    one, two = draw(doc, keys, 400, 2), draw(doc[shuffled], keys[shuffled], 400, 2)
    assert set(doc[one.places]) == set(doc[shuffled][two.places])


def test_documents_within_other_groups_are_no_pairs(texts: dict[str, str], tmp_path: Path) -> None:
    source = write_jsonl(
        tmp_path / "in.jsonl",
        ({"id": f"{site}{i}", "text": prose(i), "site": site} for i in range(5) for site in ("a", "b")),
    )
    recipe = curate.Recipe.parse(STEP + 'within = ["site"]\n', "test")
    made = curate.corpus(source, tmp_path / "run", recipe=recipe)
    found = audit_run(made, Local(1))
    assert found["sample"]["pairs_compared"] == 2 * 10
    assert sum(entry["pairs"] for entry in found["recall"]["by_similarity"]) == 0
    assert made.decisions().select(pl.col("kept").sum()).collect().item() == 10
