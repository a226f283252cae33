"""Calibration: equal to scikit-learn's isotonic and logistic regression, and safe to read back from a card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from small_models import Train

import classifiers
from classifiers import calibration
from classifiers.evaluation import calibration_curve


def distorted(seed: int, n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are too sure of themselves: the logit of the true probability, tripled."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-logit))
    return (1 / (1 + np.exp(-3 * logit))).astype(np.float32), truth


@pytest.mark.parametrize("digits", [1, 2, 7])
@pytest.mark.parametrize("seed", range(3))
def test_isotonic_equals_scikit_learn(seed: int, digits: int) -> None:
    scores, truth = distorted(seed, 300)
    scores = np.round(scores, digits)
    reference = IsotonicRegression(out_of_bounds="clip").fit(scores.astype(float), truth)
    asked = np.linspace(-0.1, 1.1, 500)
    assert calibration.apply(calibration.fit("isotonic", scores, truth), asked) == pytest.approx(
        reference.predict(asked), abs=1e-6
    )


@pytest.mark.parametrize("seed", range(3))
def test_platt_equals_scikit_learn_on_logits(seed: int) -> None:
    scores, truth = distorted(seed, 500)
    inside = np.clip(scores.astype(float), 1e-7, 1 - 1e-7)
    logits = np.log(inside / (1 - inside))
    reference = _SigmoidCalibration().fit(logits, truth)
    fitted = calibration.fit("platt", scores, truth)
    assert calibration.apply(fitted, scores) == pytest.approx(reference.predict(logits), abs=1e-3)


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_calibration_makes_scores_honest_on_documents_it_was_not_fitted_to(method: calibration.Method) -> None:
    fitted = calibration.fit(method, *distorted(1, 20_000))
    scores, truth = distorted(2, 20_000)
    before = calibration_curve(scores, truth).error
    after = calibration_curve(calibration.apply(fitted, scores), truth).error
    assert before > 0.1
    assert after < 0.03


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=60), st.booleans())
def test_probability_never_falls_with_the_score_and_survives_json(pairs: list[tuple[int, bool]], platt: bool) -> None:
    scores, truth = np.array([s / 20 for s, _ in pairs]), np.array([t for _, t in pairs])
    if truth.all() or not truth.any():
        return
    fitted = calibration.fit("platt" if platt else "isotonic", scores, truth)
    found = calibration.apply(json.loads(json.dumps(fitted)), np.linspace(0, 1, 101))
    assert ((found >= 0) & (found <= 1)).all()
    if not platt:  # a score that says the opposite has a negative slope
        assert (np.diff(found) >= 0).all()
        assert calibration.apply(fitted, scores).sum() == pytest.approx(truth.sum())


def test_platt_of_separable_scores_is_finite() -> None:
    fitted = calibration.fit("platt", np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1], bool))
    assert np.isfinite([*fitted["slope"], *fitted["intercept"]]).all()
    low, high = calibration.apply(fitted, np.array([0.0, 1.0]))
    assert low < 0.3 and high > 0.7


def test_one_kind_of_document_cannot_calibrate() -> None:
    with pytest.raises(classifiers.ClassifierError, match="with the label and documents without"):
        calibration.fit("isotonic", np.array([0.1, 0.2]), np.array([True, True]))


@pytest.mark.parametrize(
    "damaged",
    [
        None, [], {}, {"scores": [0.5]}, {"scores": [], "probabilities": []}, {"scores": "x", "probabilities": "y"},
        {"scores": [0.5, 0.1], "probabilities": [0, 1]}, {"slope": [1, 2], "intercept": [0]},
        {"slope": [float("nan")], "intercept": [0]}, {"scores": [[1]], "probabilities": [[1]]},
        {"slope": {}, "intercept": 3},
    ],
)  # fmt: skip
def test_a_damaged_calibration_is_an_error(damaged: object) -> None:
    with pytest.raises(classifiers.ClassifierError, match="calibration"):
        calibration.apply(damaged, np.array([0.5]))


def carded(train: Train, tmp_path: Path, card: object) -> classifiers.Model:
    model = tmp_path / "model.bin"
    model.write_bytes(train(labels=2).read_bytes())
    model.with_suffix(".json").write_text(json.dumps(card))
    return classifiers.load(model)


def test_a_model_gives_probabilities_by_its_card_and_raw_scores_as_before(train: Train, tmp_path: Path) -> None:
    fitted = {"scores": [0.0, 1.0], "probabilities": [0.25, 0.75]}
    card = {"positive": "animals", "calibration": {"method": "isotonic", "labels": {"animals": fitted}}}
    model = carded(train, tmp_path, card)
    texts = ["cat dog horse", "hammer saw", ""]
    raw = model.score(texts)
    assert model.probability(texts) == pytest.approx(0.25 + raw / 2)
    assert model.probability(texts).dtype == np.float32
    with pytest.raises(classifiers.ClassifierError, match='no calibration of "tools"'):
        model.probability(texts, "tools")


def test_a_model_without_or_with_a_damaged_calibration_says_so(train: Train, tmp_path: Path) -> None:
    with pytest.raises(classifiers.ClassifierError, match="no calibration"):
        carded(train, tmp_path, {"positive": "animals"}).probability(["cat"])
    broken = {"positive": "animals", "calibration": {"labels": {"animals": {"slope": "steep"}}}}
    with pytest.raises(classifiers.ClassifierError, match=r"model\.json: calibration of \"animals\""):
        carded(train, tmp_path, broken).probability(["cat"])


def test_score_all_has_the_scores_of_every_label(train: Train) -> None:
    model = classifiers.load(train())
    texts = ["cat dog", "hammer", "", "rain snow wind"]
    columns = np.stack([model.score(texts, label) for label in model.labels], axis=1)
    assert (model.score_all(texts) == columns).all()
