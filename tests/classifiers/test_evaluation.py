"""Figures about scores: equal to scikit-learn's where it has them, and to what their words say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from classifiers import evaluation

SEEDS = range(5)


def scored(seed: int, n: int = 400, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Scores that say something about the truth, with many ties if asked."""
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    scores = np.clip(rng.normal(0.4 + 0.2 * positive, 0.2), 0, 1)
    return (np.round(scores, 1) if ties else scores).astype(np.float32), positive


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_ranking_equals_scikit_learn(seed: int, ties: bool) -> None:
    scores, positive = scored(seed, ties=ties)
    assert evaluation.roc_auc(scores, positive) == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-12)
    average = metrics.average_precision_score(positive, scores)
    assert evaluation.average_precision(scores, positive) == pytest.approx(average, abs=1e-12)


def test_ranking_of_equal_scores_is_a_coin() -> None:
    positive = np.array([True, False, False, True, False])
    assert evaluation.roc_auc(np.full(5, 0.7), positive) == 0.5
    assert evaluation.average_precision(np.full(5, 0.7), positive) == 0.4


@pytest.mark.parametrize("positive", [[], [True, True], [False]])
def test_ranking_one_kind_of_document_is_an_error(positive: list[bool]) -> None:
    with pytest.raises(ValueError, match="both kinds"):
        evaluation.roc_auc(np.zeros(len(positive)), np.array(positive, bool))


@pytest.mark.parametrize("seed", SEEDS)
def test_label_scores_equal_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 200)
    predicted = np.where(rng.random(200) < 0.6, truth, rng.integers(0, 4, 200))
    counts = evaluation.confusion(truth, predicted, 4)
    assert (counts[:, :4] == metrics.confusion_matrix(truth, predicted, labels=range(4))).all()
    found = evaluation.label_scores(counts)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted))
    expected = metrics.precision_recall_fscore_support(truth, predicted, labels=range(4), zero_division=0)
    for mine, theirs in zip((found.precision, found.recall, found.f1, found.documents), expected, strict=True):
        assert mine == pytest.approx(theirs)
    macro = metrics.f1_score(truth, predicted, labels=range(3), average="macro")
    assert found.macro_f1 == pytest.approx(macro), "over the labels that documents have"


def test_a_document_without_a_prediction_counts_as_wrong_in_a_column_of_its_own() -> None:
    counts = evaluation.confusion(np.array([0, 1, 1]), np.array([0, -1, 1]), 2)
    assert counts.tolist() == [[1, 0, 0], [0, 1, 1]]
    assert evaluation.label_scores(counts).accuracy == pytest.approx(2 / 3)


def test_calibration_error_of_a_promise_that_is_kept_is_small_and_of_a_false_one_is_its_size() -> None:
    rng = np.random.default_rng(1)
    honest = rng.random(50_000)
    truth = rng.random(50_000) < honest
    assert evaluation.calibration_curve(honest, truth).error < 0.01
    always = np.full(1000, 0.9)
    assert evaluation.calibration_curve(always, np.arange(1000) < 500).error == pytest.approx(0.4)


def test_calibration_curve_has_mean_score_and_share_of_each_bin() -> None:
    curve = evaluation.calibration_curve(np.array([0.0, 0.05, 0.95, 1.0]), np.array([0, 1, 1, 1], bool), bins=10)
    assert curve.documents.tolist() == [2, 2]
    assert curve.probability == pytest.approx([0.025, 0.975])
    assert curve.share == pytest.approx([0.5, 1.0])


def test_histogram_counts_every_document_once() -> None:
    scores, positive = scored(3)
    found = evaluation.histogram(scores, positive)
    assert (found.positive.sum(), found.negative.sum()) == (positive.sum(), (~positive).sum())
    edge = evaluation.histogram(np.array([0.0, 1.0, 1.0001]), np.array([True, True, True]))
    assert (edge.positive[0], edge.positive[-1]) == (1, 2)


def test_thresholds_are_percentiles_of_tokens_not_of_documents() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    positive = np.array([True, False, True, False])
    tokens = np.array([10, 10, 20, 60])
    found = {row.share: row for row in evaluation.thresholds(scores, positive, tokens, (0.1, 0.15, 0.4, 1.0))}
    assert [row.documents for row in found.values()] == [1, 2, 3, 4]
    assert found[0.15].threshold == pytest.approx(0.8) and found[0.15].kept == 0.2
    assert (found[0.4].precision, found[0.4].recall) == (2 / 3, 1.0)
    assert found[1.0].threshold == pytest.approx(0.6)


def test_documents_of_one_score_are_kept_together() -> None:
    (row,) = evaluation.thresholds(np.full(4, 0.5), np.array([1, 0, 0, 0], bool), np.full(4, 5), (0.1,))
    assert (row.documents, row.kept) == (4, 1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_thresholds_equal_brute_force(seed: int) -> None:
    scores, positive = scored(seed, n=80, ties=True)
    tokens = np.random.default_rng(seed).integers(0, 50, 80)
    for row in evaluation.thresholds(scores, positive, tokens):
        enough = [at for at in np.unique(scores) if tokens[scores >= at].sum() >= row.share * tokens.sum()]
        kept = scores >= max(enough)
        assert row.threshold == max(enough)
        assert row.precision == pytest.approx(positive[kept].mean())
        assert row.recall == pytest.approx(positive[kept].sum() / positive.sum())


def test_thresholds_without_tokens_or_of_an_impossible_share_are_errors() -> None:
    one = np.array([0.5]), np.array([True])
    with pytest.raises(ValueError, match="without tokens"):
        evaluation.thresholds(*one, np.array([0]))
    with pytest.raises(ValueError, match="at most 1"):
        evaluation.thresholds(*one, np.array([1]), (2.0,))
