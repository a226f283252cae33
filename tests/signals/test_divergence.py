"""Divergence from a reference distribution: unbiased at every length, and the same however a corpus is cut."""

from __future__ import annotations

import json
import math
import random
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import curate
from classifiers.arrow import as_strings
from curate.engines.local import Local
from curate.kernels.divergence import digamma
from curate.kernels.unicode_words import words_of
from curate.measure.sampling import MOST_WORDS, Sample, SampleShard
from curate.signals import Documents
from curate.signals.divergence import Reference, UnseenEntropy, divergence
from tests import naive_references
from tests.corpora import prose, write_jsonl

RECIPE = """
[distributions]
token_kl = {reference}
[[steps]]
name = "ordinary"
filter = "token_kl < 2"
"""


def recipe(reference: str = '"corpus"', folder: Path = Path()) -> curate.Recipe:
    return curate.Recipe.parse(RECIPE.format(reference=reference), "r", folder)


def learnt(texts: list[str], vocabulary: int = 100_000) -> Reference:
    return Reference.of_words(words_of(as_strings(texts)).hash, vocabulary, len(texts))


def values(reference: Reference, texts: list[str]) -> np.ndarray:
    found: np.ndarray = divergence(reference, Documents(texts)).to_numpy(zero_copy_only=False)
    return found


def zipf_words(count: int, kinds: int, seed: int) -> list[str]:
    """Words w1, w2, … of a Zipf distribution."""
    source = np.random.default_rng(seed)
    p = 1 / np.arange(1, kinds + 1) ** 1.05
    return [f"w{k}" for k in source.choice(kinds, count, p=p / p.sum())]


def test_documents_of_the_reference_have_a_mean_near_zero_at_every_length_and_the_plug_in_has_not() -> None:
    words = zipf_words(600_000, 30_000, seed=1)
    reference = learnt([" ".join(words)])
    q, others = naive_references.probabilities([" ".join(words)], 100_000)
    classes = list(q)
    p = np.array([*q.values(), others * naive_references.OTHERS])
    source = np.random.default_rng(2)
    for n, times in ((1, 2000), (5, 2000), (30, 1000), (100, 400), (1000, 100), (10_000, 12)):
        drawn = [
            " ".join(
                classes[k] if k < len(q) else f"u{source.integers(10**12)}"
                for k in source.choice(len(p), n, p=p / p.sum())
            )
            for _ in range(times)
        ]
        found = values(reference, drawn)
        plug_in = [naive_references.plug_in_divergence(q, others, text) for text in drawn[:12]]
        error = found.std() / math.sqrt(times)
        assert abs(found.mean()) < 4 * error + 0.002, n
        assert np.mean(plug_in) > max(0.3, 20 * error), n


def test_the_mean_over_the_corpus_itself_is_near_zero_for_documents_of_one_distribution() -> None:
    texts = [" ".join(zipf_words(30 + 7 * i, 500, seed=i)) for i in range(200)]
    found = curate.measure(texts, recipe=recipe())["token_kl"]
    assert abs(found[:100].mean()) < 0.03
    assert abs(found[100:].mean()) < 0.03


def test_a_document_of_one_repeated_word_has_the_divergence_of_the_definition() -> None:
    texts = ["one two two three three three four four four four"]
    q, _ = naive_references.probabilities(texts, 100)
    assert values(learnt(texts), ["three " * 50])[0] == pytest.approx(-math.log(q["three"]), rel=1e-5)


def test_words_out_of_the_vocabulary_share_what_is_left_equally() -> None:
    reference = learnt(["a a a a b b b c c d e"], vocabulary=2)
    assert (len(reference.words), reference.others, reference.total) == (2, 4, 11)
    for word in ("c", "d", "unheard"):
        assert values(reference, [f"{word} " * 20])[0] == pytest.approx(-math.log(4.5 / 12.5 / 65_536), rel=1e-5)


def test_words_that_occur_once_stand_for_the_unseen() -> None:
    assert learnt(["a a b c"]).others == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("abc é漢", max_size=30), min_size=1, max_size=4), st.lists(st.text("abcd é漢ñ", max_size=30)))
def test_values_are_those_of_the_definition_less_the_expected_bias(reference: list[str], texts: list[str]) -> None:
    q, others = naive_references.probabilities(reference, 100)
    p = [*((likely, 1) for likely in q.values()), (others, naive_references.OTHERS)]
    found = values(learnt(reference, 100), [*texts, "a"])
    for text, value in zip(texts, found, strict=False):
        words = naive_references.words(text)
        if not words:
            assert math.isnan(value)
            continue
        n = len(words)
        times = list(naive_references.class_counts(q, text).values())
        shown = sum(x / n * (math.log(n) - math.log(x)) for x in times)
        corrected = sum(x / n * sum(1 / k for k in range(x, n)) for x in times)
        hidden = naive_references.hidden_entropy(p, n) / max(naive_references.expected_singletons(p, n), 1e-300)
        hidden *= times.count(1)
        expected = naive_references.plug_in_divergence(q, others, text) + shown - corrected - hidden
        assert value == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 30, 511, 512, 513, 2000, 5000])
def test_what_is_hidden_agrees_with_the_exact_sum(n: int) -> None:
    q = 1 / np.arange(1, 301) ** 1.2
    q /= q.sum()
    p = [(likely, 1) for likely in q.tolist()]
    exact = naive_references.hidden_entropy(p, n) / naive_references.expected_singletons(p, n)
    assert UnseenEntropy(q).per_singleton(np.array([n]))[0] == pytest.approx(exact, rel=2e-3)


def test_nothing_is_hidden_by_a_document_longer_than_any() -> None:
    assert UnseenEntropy(np.array([0.5, 0.5])).per_singleton(np.array([10**12]))[0] == pytest.approx(0, abs=1e-6)


def test_digamma_is_the_harmonic_sum_less_eulers_constant() -> None:
    for k in (1, 2, 3, 4095, 4096, 50_000):
        assert digamma(k) == pytest.approx(sum(1 / j for j in range(1, k)) - np.euler_gamma, abs=1e-12)


@pytest.mark.parametrize("texts", [[], [""], ["", "!?"], ["one"], ["x " * 30_000, "漢" * 5000, "👩‍🚀"]])
def test_odd_corpora_are_measured(texts: list[str]) -> None:
    found = curate.measure(texts, recipe=recipe())["token_kl"]
    assert found.dtype == pl.Float32
    for text, value in zip(texts, found, strict=True):
        assert (value is None) == (not naive_references.words(text))


def test_a_document_without_words_has_no_value_and_a_filter_drops_it() -> None:
    decided = curate.decide([prose(1), "…"], recipe())
    assert decided["dropped_by"].to_list() == [None, "ordinary"]


def test_no_document_is_more_than_its_first_words() -> None:
    sample = Sample.of_texts(as_strings(["a " * (2 * MOST_WORDS), "b c"]), 10)
    assert sorted(len(item) for item in sample.documents) == [2, MOST_WORDS]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("ab c", max_size=5), max_size=30), st.integers(1, 8), st.data())
def test_a_sample_is_the_same_however_texts_are_cut_and_ordered(
    texts: list[str], size: int, data: st.DataObject
) -> None:
    whole = Sample.of_texts(as_strings(texts), size)
    mixed = data.draw(st.permutations(texts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=3)))
    parts = [mixed[a:b] for a, b in zip([0, *cuts], [*cuts, len(texts)], strict=True)]
    joined = Sample.joined([Sample.of_texts(as_strings(part), size) for part in parts], size)
    assert whole.hash.tolist() == joined.hash.tolist()
    assert whole.documents.equals(joined.documents)


def corpus_of(folder: Path, texts: list[str], files: int) -> Path:
    for number in range(files):
        write_jsonl(folder / f"{number}.jsonl", [{"text": text} for text in texts[number::files]])
    return folder


def measured(run: curate.Run) -> dict[str, float]:
    frame = run.signals().collect()
    return dict(zip(frame["id"], frame["token_kl"], strict=True))


def test_a_run_gives_the_same_values_for_any_files_and_threads(tmp_path: Path) -> None:
    texts = [prose(i) for i in range(80)] + [prose(3)] * 5
    sampled = recipe('{ reference = "corpus", sample = 20 }')
    random.Random(1).shuffle(texts)
    one = curate.corpus(corpus_of(tmp_path / "a", texts, 1), tmp_path / "r1", recipe=sampled, threads=1)
    many = curate.corpus(corpus_of(tmp_path / "b", texts[::-1], 9), tmp_path / "r2", recipe=sampled, threads=4)
    assert measured(one) == measured(many)
    memory = curate.measure(texts, recipe=sampled)["token_kl"]
    assert sorted(memory) == sorted(one.signals().collect()["token_kl"])


def test_a_run_keeps_its_reference_and_another_one_can_use_it(tmp_path: Path) -> None:
    first = curate.corpus(corpus_of(tmp_path / "a", [prose(i) for i in range(50)], 2), tmp_path / "r1", recipe=recipe())
    stored = first.path / "distributions" / "token_kl.parquet"
    assert stored.is_file()
    assert not (first.path / "state" / "token_kl.sample.parquet").exists()
    other = ["The gardener keeps a map of the valley for the children.", "0x1f 0x2e 0x3d"]
    by_path = curate.measure(other, recipe=recipe(json.dumps(str(stored))))["token_kl"]
    by_text = curate.measure(other, recipe=recipe(json.dumps(str(tmp_path / "a"))))["token_kl"]
    assert by_path.to_list() == by_text.to_list()
    assert by_path[0] < by_path[1]


def test_a_changed_corpus_or_reference_is_learnt_and_measured_again(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "in", [prose(i) for i in range(30)], 2)
    write_jsonl(tmp_path / "ref.jsonl", [{"text": "some other words " * 20}])
    chosen = recipe('"ref.jsonl"', tmp_path)
    before = measured(curate.corpus(corpus, tmp_path / "run", recipe=chosen))
    assert before == measured(curate.corpus(corpus, tmp_path / "run", recipe=chosen))
    write_jsonl(tmp_path / "ref.jsonl", [{"text": prose(1)}])
    after = measured(curate.corpus(corpus, tmp_path / "run", recipe=chosen))
    assert all(after[id] < before[id] for id in before)
    of_itself = measured(curate.corpus(corpus, tmp_path / "run", recipe=recipe()))
    write_jsonl(corpus / "1.jsonl", [{"text": "entirely different words in this file now"}] * 3)
    again = measured(curate.corpus(corpus, tmp_path / "run", recipe=recipe()))
    shared = of_itself.keys() & again.keys()
    assert shared
    assert all(of_itself[id] != again[id] for id in shared)


def test_an_interrupted_pass_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpus_of(tmp_path / "in", [prose(i) for i in range(40)], 8)
    expected = measured(curate.corpus(corpus, tmp_path / "whole", recipe=recipe()))
    real, asked = SampleShard.__call__, []

    def interrupted(self: SampleShard, shard: object, workers: object) -> Sample:
        asked.append(shard.name)  # type: ignore[attr-defined]
        if len(asked) == 5:
            raise KeyboardInterrupt
        return real(self, shard, workers)  # type: ignore[arg-type]

    monkeypatch.setattr(sys.modules["curate.measure.sampling"], "_SAVE_SECONDS", 0)
    monkeypatch.setattr(SampleShard, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        curate.corpus(corpus, tmp_path / "run", recipe=recipe(), threads=1)
    assert (tmp_path / "run" / "state" / "token_kl.sample.parquet").is_file()
    before = len(asked)
    done = curate.corpus(corpus, tmp_path / "run", recipe=recipe(), threads=1)
    assert 0 < len(asked) - before < 8
    assert measured(done) == expected


def test_a_broken_shard_is_named_or_skipped(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "in", [prose(i) for i in range(10)], 2)
    (corpus / "broken.jsonl.gz").write_bytes(b"\x1f\x8b\x08 nothing of the kind")
    with pytest.raises(curate.InputError, match=r"broken\.jsonl\.gz"):
        curate.corpus(corpus, tmp_path / "run", recipe=recipe())
    run = curate.corpus(corpus, tmp_path / "run", recipe=recipe(), skip_bad_files=True)
    assert len(measured(run)) == 10


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ('"no/such/file.jsonl"', r'distribution "token_kl": .*no/such/file\.jsonl'),
        ('"empty.jsonl"', "holds no words"),
        ("{ sample = 10 }", "needs `reference`"),
        ('{ reference = "corpus", sample = 0 }', "sample is a number of documents between"),
        ('{ reference = "corpus", vocabulary = 0 }', "vocabulary is a number of words"),
        ('{ reference = "corpus", samples = 3 }', 'unknown key "samples"; did you mean "sample"'),
        ("3", 'give "corpus", the path of texts'),
    ],
)
def test_a_wrong_reference_is_refused(reference: str, message: str, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "empty.jsonl", [{"text": "…"}])
    with pytest.raises(curate.RecipeError, match=message):
        curate.measure(["x"], recipe=recipe(reference, tmp_path))


def test_texts_of_a_reference_may_be_in_another_column(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "ref.jsonl", [{"content": "a b c a b c"}])
    with pytest.raises(curate.RecipeError, match='no column "text"'):
        curate.measure(["x"], recipe=recipe('"ref.jsonl"', tmp_path))
    other = recipe('{ reference = "ref.jsonl", text_column = "content" }', tmp_path)
    assert curate.measure(["a b c"], recipe=other)["token_kl"][0] < 0.5


def test_the_sample_of_a_shard_needs_no_help_from_other_shards(tmp_path: Path) -> None:
    from curate.measure.sampling import sample_shards
    from curate.shards import ReadOptions, plan

    texts = [prose(i) for i in range(60)]
    shards = plan([corpus_of(tmp_path / "in", texts, 4)])
    found = sample_shards(shards, ReadOptions(metadata=False), (), 7, Local(2))
    assert found.hash.tolist() == Sample.of_texts(as_strings(texts), 7).hash.tolist()
