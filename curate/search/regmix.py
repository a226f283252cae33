"""Shares from losses that the user measured: small models trained on random shares, a regression, the best of many.

RegMix (Liu et al. 2025, arXiv 2407.01492). Training the models is the user's; scikit-learn is the extra `search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.audit.agreement import agreement
from curate.errors import CurateError, InputError, did_you_mean
from curate.search.budget import Budget, rounded

F64 = npt.NDArray[np.float64]

STRENGTHS = (0.1, 5.0)  # of the Dirichlet distribution around the natural shares (Liu et al. 2025)
_BEST = 100  # of the candidates, whose mean is the answer (Liu et al. 2025)
_CANDIDATES = 10_000
_CLOSER = (10.0, 100.0, 1_000.0)  # strengths around the best so far
_OFF = 0.01  # that shares may add up to more or less than 1
_FOLDS = 5


@dataclass(frozen=True)
class Fit:
    """A regression of one loss on shares. `method`: the one that predicted left out rows best. `error`: the root mean
    square of what it was off by there, `spread` that of the mean of all others; `spearman`: rank correlation there."""

    loss: str
    method: str
    error: float
    spread: float
    spearman: float | None


@dataclass(frozen=True)
class RegMix:
    """What the losses say: the best shares of the tokens, and the predicted loss there and at other shares.

    `predicted`: for "present", "proportional" and "found" the loss by name. `rows`: of the table.
    """

    objective: str
    shares: dict[str, dict[str, float]]
    predicted: dict[str, dict[str, float]]
    fits: list[Fit]
    rows: int


def candidates(budget: Budget, count: int, seed: int) -> F64:
    """Return random shares within the caps of a budget, float64 (count, classes), to train small models on.

    Drawn from Dirichlet distributions around the natural shares, with strengths from 0.1 to 5 (evenly in their
    logarithm): from nearly one class alone to nearly the natural shares.
    """
    source = np.random.default_rng(seed)
    low, high = np.log(STRENGTHS).tolist()
    strengths = np.exp(source.uniform(low, high, count))
    return _drawn(budget, strengths, budget.proportional, source)


def _drawn(budget: Budget, strengths: F64, around: F64, source: np.random.Generator) -> F64:
    around = np.maximum(around, 1e-4)
    drawn = np.stack([source.dirichlet(strength * around) for strength in strengths])
    for row in np.flatnonzero((drawn > budget.most).any(axis=1)):
        # Next to nothing for each: where few shares are above 0, these may not be able to take everything.
        drawn[row] = budget.allowed(drawn[row] + 1e-9)
    return drawn


def read_losses(file: Path, classes: Sequence[str], losses: Sequence[str]) -> tuple[F64, F64]:
    """Return shares float64 (rows, classes) and losses float64 (rows, losses) from a CSV or Parquet file.

    Each class is a column with its share, each loss a column with a number; other columns are left alone. Shares may
    be 1 % off in their sum. InputError names the file, the row (from 1) and what is wrong there.
    """
    table = _table(file)
    for name in (*losses, *classes):
        if name not in table.columns:
            what = "loss" if name in losses else "class"
            raise InputError(
                f'{file}: no column for the {what} "{name}"{did_you_mean(name, table.columns)} '
                f"(columns: {', '.join(table.columns)})"
            )
    if len(table) < max(2 * _FOLDS, len(classes) + 2):
        need = max(2 * _FOLDS, len(classes) + 2)
        raise InputError(
            f"{file}: {len(table)} rows are too few for a regression on {len(classes)} shares: {need} at least"
        )
    shares, cost = (_numbers(file, table, names) for names in (classes, losses))
    for bad, why in (
        ((shares < 0).any(axis=1), "has a share below 0"),
        (np.abs(shares.sum(axis=1) - 1) > _OFF, "has shares that add up to {sum:.4g}, not 1"),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{file}: row {row + 1} {why.format(sum=shares[row].sum())}")
    return shares / shares.sum(axis=1, keepdims=True), cost


def _table(file: Path) -> pl.DataFrame:
    if file.suffix not in (".csv", ".parquet"):
        raise InputError(f"{file}: a table of losses is a .csv or a .parquet file")
    try:
        return pl.read_csv(file) if file.suffix == ".csv" else pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from None


def _numbers(file: Path, table: pl.DataFrame, names: Sequence[str]) -> F64:
    columns = []
    for name in names:
        values = table[name].cast(pl.Float64, strict=False).to_numpy()
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f'{file}: row {row + 1}, column "{name}": {table[name][row]!r} is not a number')
        columns.append(values)
    return np.stack(columns, axis=1)


def regmix(budget: Budget, file: Path, losses: Sequence[str], objective: str = "mean", seed: int = 0) -> RegMix:
    """Return the shares within a budget for which a regression on measured losses predicts the least.

    `objective`: of several losses their "mean" or the "worst". A regression is a ridge on all products of two shares
    or boosted trees, whichever predicts left out rows better. As in RegMix the answer is the mean of the 100 best of
    random candidates, here narrowed down around the best so far.
    Raises InputError for what is wrong with the table, CurateError when scikit-learn is missing.
    """
    shares, cost = read_losses(file, budget.names, losses)
    fitted = [_fitted(name, shares, cost[:, place], seed) for place, name in enumerate(losses)]

    def predicted(of: F64) -> F64:
        return np.stack([model.predict(of) for _, model in fitted], axis=1)

    def aim(of: F64) -> F64:
        values = predicted(of)
        return np.asarray(values.mean(axis=1) if objective == "mean" else values.max(axis=1))

    source = np.random.default_rng(seed)
    tried = candidates(budget, _CANDIDATES, seed)
    for strength in (*_CLOSER, None):
        best = tried[np.argsort(aim(tried), kind="stable")[:_BEST]]
        if strength is not None:
            closer = _drawn(budget, np.full(_CANDIDATES, strength), best.mean(axis=0), source)
            tried = np.concatenate([best, closer])
    points = {"present": budget.present, "proportional": budget.proportional, "found": rounded(best.mean(axis=0))}
    at = predicted(np.stack(list(points.values())))
    return RegMix(
        objective,
        {name: dict(zip(budget.names, of.tolist(), strict=True)) for name, of in points.items()},
        {name: dict(zip(losses, row.tolist(), strict=True)) for name, row in zip(points, at, strict=True)},
        [fit for fit, _ in fitted],
        len(shares),
    )


def _fitted(loss: str, shares: F64, cost: F64, seed: int) -> tuple[Fit, Any]:
    """Fit the kind of regression that predicts left out rows best."""
    model_selection = _sklearn().model_selection
    folds = model_selection.KFold(_FOLDS, shuffle=True, random_state=seed)
    tried = []
    for method, model in _regressions(seed).items():
        left_out = model_selection.cross_val_predict(model, shares, cost, cv=folds)
        tried.append((float(np.sqrt(np.mean((left_out - cost) ** 2))), method, model, left_out))
    error, method, model, left_out = min(tried, key=lambda one: one[:2])
    spearman = agreement(left_out[:, None], cost[:, None], [loss]).spearman
    return Fit(loss, method, error, float(cost.std()), spearman), model.fit(shares, cost)


def _regressions(seed: int) -> dict[str, Any]:
    sklearn = _sklearn()
    products = sklearn.preprocessing.PolynomialFeatures(2, include_bias=False)
    scaled = sklearn.preprocessing.StandardScaler()
    ridge = sklearn.linear_model.RidgeCV(np.logspace(-6, 3, 19))
    trees = sklearn.ensemble.GradientBoostingRegressor(random_state=seed)
    return {"quadratic": sklearn.pipeline.make_pipeline(products, scaled, ridge), "trees": trees}


def _sklearn() -> Any:
    try:
        import sklearn
        import sklearn.ensemble
        import sklearn.linear_model
        import sklearn.model_selection
        import sklearn.pipeline
        import sklearn.preprocessing
    except ImportError:
        raise CurateError(
            "a regression on losses needs scikit-learn; install it with: pip install 'curate-corpus[search]'"
        ) from None
    return sklearn
