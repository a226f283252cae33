"""Turn scores into probabilities: isotonic regression or Platt scaling, fitted on documents not trained on.

Scores nothing and stores nothing: a fitted calibration is a small dictionary that goes into a model's card.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from classifiers.errors import ClassifierError

Floats = npt.NDArray[np.floating[Any]]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Method = Literal["isotonic", "platt"]
_EDGE = 1e-7  # a score of 0 or 1 has no logit; float32 knows nothing between 1 - 6e-8 and 1
_STEPS = 100  # of Newton's method; it takes about ten


def fit(method: Method, scores: Floats, positive: Bools) -> dict[str, list[float]]:
    """Fit a calibration to scores, float (n,), and truths, bool (n,).

    Returns `{"scores": knots, "probabilities": knots}` for "isotonic", to be interpolated between, and
    `{"slope": [a], "intercept": [b]}` for "platt": probability = 1 / (1 + exp(-(a * logit(score) + b))).
    Raises ClassifierError unless there are documents of both kinds.
    """
    if not 0 < np.count_nonzero(positive) < len(positive):
        raise ClassifierError("a calibration needs documents with the label and documents without it")
    if method == "isotonic":
        return _isotonic(np.asarray(scores, np.float64), positive)
    return _platt(np.asarray(scores, np.float64), positive)


def apply(parameters: Any, scores: Floats) -> F64:
    """Return the probability of each score, float64 (n,), by what `fit` returned.

    Raises ClassifierError when `parameters` are nothing that `fit` returns.
    """
    knots = _numbers(parameters, "scores"), _numbers(parameters, "probabilities")
    if len(knots[0]) == len(knots[1]) > 0 and (np.diff(knots[0]) > 0).all():
        return np.interp(scores, *knots)
    slope, intercept = _numbers(parameters, "slope"), _numbers(parameters, "intercept")
    if len(slope) == len(intercept) == 1:
        return _sigmoid(slope[0] * _logit(np.asarray(scores, np.float64)) + intercept[0])
    raise ClassifierError("the calibration is neither knots of isotonic regression nor a slope and an intercept")


def _numbers(parameters: Any, name: str) -> F64:
    values = parameters.get(name) if isinstance(parameters, dict) else None
    try:
        numbers = np.asarray([] if values is None else values, np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
    return numbers if numbers.ndim == 1 and np.isfinite(numbers).all() else np.empty(0)


def _isotonic(scores: F64, positive: Bools) -> dict[str, list[float]]:
    """Least squares under the condition that probability never falls with the score: pool adjacent violators.

    Equal scores are one point first. A block of pooled points keeps its two ends as knots: flat between them, a
    straight line to the next block. Source: Zadrozny & Elkan 2002; knots as scikit-learn places them.
    """
    points, group = np.unique(scores, return_inverse=True)
    weight = np.bincount(group).astype(np.float64)
    means = np.bincount(group, weights=positive) / weight
    value: list[float] = []
    mass: list[float] = []
    first: list[int] = []  # point at which each block begins
    for at in range(len(points)):
        v, m, begin = float(means[at]), float(weight[at]), at
        while value and value[-1] >= v:
            v = (v * m + value[-1] * mass[-1]) / (m + mass[-1])
            m += mass.pop()
            begin = first.pop()
            value.pop()
        value.append(v)
        mass.append(m)
        first.append(begin)
    begins = np.array(first)
    ends = np.append(begins[1:], len(points)) - 1
    places = np.stack([begins, ends], axis=1).ravel()
    once = np.append(True, places[1:] != places[:-1])
    return {"scores": points[places[once]].tolist(), "probabilities": np.repeat(value, 2)[once].tolist()}


def _platt(scores: F64, positive: Bools) -> dict[str, list[float]]:
    """Logistic regression on the logit of the score, by Newton's method with step halving.

    Truths are softened to (n+ + 1) / (n+ + 2) and 1 / (n- + 2), so that separable data has a finite slope.
    Source: Platt 1999; the numerics of Lin, Lin & Weng 2007.
    """
    x = _logit(scores)
    many = int(np.count_nonzero(positive))
    few = len(positive) - many
    target = np.where(positive, (many + 1) / (many + 2), 1 / (few + 2))
    at = np.array([0.0, np.log((many + 1) / (few + 1))])
    loss = _loss(at, x, target)
    for _ in range(_STEPS):
        p = _sigmoid(at[0] * x + at[1])
        off, curve = p - target, p * (1 - p)
        gradient = np.array([(off * x).sum(), off.sum()])
        if np.abs(gradient).max() < 1e-6:
            break
        mixed = (curve * x).sum()
        hessian = np.array([[(curve * x * x).sum() + 1e-12, mixed], [mixed, curve.sum() + 1e-12]])
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and (lower := _loss(at - size * step, x, target)) >= loss:
            size /= 2
        if size <= 1e-10:
            break
        at, loss = at - size * step, lower
    return {"slope": [float(at[0])], "intercept": [float(at[1])]}


def _loss(at: F64, x: F64, target: F64) -> float:
    z = at[0] * x + at[1]
    return float((np.logaddexp(0, z) - target * z).sum())


def _logit(scores: F64) -> F64:
    inside = np.clip(scores, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _sigmoid(z: F64) -> F64:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))
