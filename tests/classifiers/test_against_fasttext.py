"""Our labels and probabilities are those of the fasttext module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import MODELS, Train, documents

import classifiers

TOLERANCE = 1e-4


def expected(model: Any, text: str, k: int = 1) -> tuple[list[str], list[float]]:
    labels, probabilities = model.predict(text.replace("\n", " "), k=k)
    return [label.removeprefix("__label__") for label in labels], [min(p, 1.0) for p in probabilities]


@pytest.mark.parametrize("name", MODELS)
def test_label_and_probability_are_fasttexts(train: Train, name: str) -> None:
    path = train(**MODELS[name])
    reference = fasttext.load_model(str(path))
    texts = documents()
    labels, scores = classifiers.load(path).predict(texts)
    for text, label, score in zip(texts, labels[:, 0], scores[:, 0], strict=True):
        want, probability = expected(reference, text)
        if not want:
            assert label is None and score == 0, repr(text[:50])
            continue
        assert score == pytest.approx(probability[0], abs=TOLERANCE), repr(text[:50])
        if label != want[0]:  # fastText's sums may tie where ours differ in the last bit
            _, all_probabilities = expected(reference, text, 2)
            assert all_probabilities[0] == pytest.approx(all_probabilities[1], abs=1e-6), repr(text[:50])


@pytest.mark.parametrize("name", ["softmax, words", "hierarchical softmax", "quantised, pruned"])
def test_the_k_best_come_in_order(train: Train, name: str) -> None:
    path = train(**MODELS[name])
    reference = fasttext.load_model(str(path))
    texts = documents()
    labels, scores = classifiers.load(path).predict(texts, k=3)
    assert labels.shape == scores.shape == (len(texts), 3)
    for text, row, probabilities in zip(texts, labels, scores, strict=True):
        want, values = expected(reference, text, 3)
        np.testing.assert_allclose(probabilities[: len(values)], values, atol=TOLERANCE)
        if len(values) == 3 and min(values[0] - values[1], values[1] - values[2]) > 1e-5:
            assert row.tolist() == want


@pytest.mark.parametrize("name", ["softmax, two labels", "one vs all", "hierarchical softmax", "softmax, characters"])
def test_score_is_the_probability_of_one_label(train: Train, name: str) -> None:
    path = train(**MODELS[name])
    reference = fasttext.load_model(str(path))
    model = classifiers.load(path)
    for label in model.labels:
        scores = model.score(["cat dog", "the hammer", "", "rain rain"], label)
        for text, score in zip(["cat dog", "the hammer", "", "rain rain"], scores, strict=True):
            assert score == pytest.approx(
                dict(zip(*expected(reference, text, 5), strict=True)).get(label, 0), abs=TOLERANCE
            )


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=80), max_size=20))
def test_any_unicode_scores_as_in_fasttext(train: Train, texts: list[str]) -> None:
    path = train(**MODELS["softmax, characters and word 2-grams"])
    reference = fasttext.load_model(str(path))
    _, scores = classifiers.load(path).predict(texts)
    want = [expected(reference, text)[1][0] for text in texts]
    np.testing.assert_allclose(scores[:, 0], want, atol=TOLERANCE)


def test_an_old_version_11_model_has_no_character_ngrams(train: Train, tmp_path: Path) -> None:
    new = train(**MODELS["softmax, characters"])
    old = tmp_path / "old.bin"
    content = bytearray(new.read_bytes())
    content[4:8] = (11).to_bytes(4, "little")
    old.write_bytes(content)
    reference = fasttext.load_model(str(old))
    _, scores = classifiers.load(old).predict(["cat dog hammer"])
    assert scores[0, 0] == pytest.approx(expected(reference, "cat dog hammer")[1][0], abs=TOLERANCE)
    assert scores[0, 0] != pytest.approx(classifiers.load(new).predict(["cat dog hammer"])[1][0, 0], abs=TOLERANCE)
