"""Shares from a table of losses whose minimum is known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import curate
from curate.mix.classes import Classes
from curate.search.budget import Budget
from curate.search.regmix import candidates, read_losses, regmix

NAMES = ["code", "math", "web"]
BEST = np.array([0.3, 0.2, 0.5])


def budget(most: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Budget:
    natural = np.array([0.2, 0.1, 0.7])
    classes = Classes(np.zeros(0, np.int32), NAMES)
    return Budget(NAMES, np.array(most), natural, natural, np.ones(3), curate.Recipe.parse(""), classes)


def table(path: Path, rows: int = 64, noise: float = 0.0, **other: Any) -> Path:
    """Losses that are least at BEST: one quadratic around it, one linear that wants math alone."""
    shares = candidates(budget(), rows, seed=3)
    off = np.random.default_rng(0).normal(0, noise, rows)
    frame = pl.DataFrame(shares, schema=NAMES).with_columns(
        run=pl.Series([f"proxy-{n}" for n in range(rows)]),
        books=pl.Series(2.0 + ((shares - BEST) ** 2).sum(axis=1) + off),
        sums=pl.Series(3.0 - shares[:, 1]),
        **other,
    )
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    return path


@pytest.mark.parametrize(("suffix", "noise"), [("csv", 0.0), ("parquet", 0.01)])
def test_the_planted_minimum_is_found(tmp_path: Path, suffix: str, noise: float) -> None:
    found = regmix(budget(), table(tmp_path / f"losses.{suffix}", noise=noise), ["books"])
    assert [found.shares["found"][name] for name in NAMES] == pytest.approx(BEST, abs=0.02 + 3 * noise)
    assert found.predicted["found"]["books"] == pytest.approx(2, abs=0.01 + noise)
    assert found.predicted["proportional"]["books"] == pytest.approx(2.06, abs=0.01 + noise)
    (fit,) = found.fits
    assert fit.method == "quadratic" and fit.error < fit.spread / 5 and fit.spearman > 0.95
    assert found.rows == 64


def test_a_linear_loss_wants_as_much_of_a_class_as_its_cap_allows(tmp_path: Path) -> None:
    found = regmix(budget((1.0, 0.25, 1.0)), table(tmp_path / "losses.csv"), ["sums"])
    assert found.shares["found"]["math"] == pytest.approx(0.25, abs=0.01)


def test_the_worst_of_several_losses_counts_when_asked(tmp_path: Path) -> None:
    file = table(tmp_path / "losses.csv")
    mean = regmix(budget(), file, ["books", "sums"], "mean")
    worst = regmix(budget(), file, ["books", "sums"], "worst")
    # 3 - m is the larger one until math has most of the mix; both are equal where it is the best trade.
    assert worst.shares["found"]["math"] > mean.shares["found"]["math"] + 0.1
    assert worst.predicted["found"]["sums"] == pytest.approx(worst.predicted["found"]["books"], abs=0.05)


def test_candidates_are_shares_within_the_caps_and_around_the_natural_ones() -> None:
    drawn = candidates(budget((0.5, 1.0, 0.8)), 4_000, seed=1)
    assert drawn.sum(axis=1) == pytest.approx(np.ones(4_000)) and (drawn >= 0).all()
    assert (drawn <= np.array([0.5, 1.0, 0.8]) + 1e-9).all()
    assert candidates(budget(), 4_000, seed=1).mean(axis=0) == pytest.approx([0.2, 0.1, 0.7], abs=0.02)
    assert np.array_equal(candidates(budget(), 5, seed=1), candidates(budget(), 5, seed=1))
    assert not np.array_equal(candidates(budget(), 5, seed=1), candidates(budget(), 5, seed=2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.with_columns(math=pl.when(pl.int_range(pl.len()) == 4).then(-0.1).otherwise("math")),
         r"losses.csv: row 5 has a share below 0"),
        (lambda t: t.with_columns(math=pl.col("math") + (pl.int_range(pl.len()) == 2) * 0.5),
         r"losses.csv: row 3 has shares that add up to 1.5, not 1"),
        (lambda t: t.rename({"math": "maths"}), r'no column for the class "math"; did you mean "maths"'),
        (lambda t: t.rename({"books": "book"}), r'no column for the loss "books"; did you mean "book"'),
        (lambda t: t.with_columns(books=pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("?")).otherwise("books")),
         r"""row 8, column "books": '\?' is not a number"""),
        (lambda t: t.with_columns(code=pl.when(pl.int_range(pl.len()) > 0).then("code")), 'row 1, column "code": None'),
        (lambda t: t.head(8), "8 rows are too few for a regression on 3 shares: 10 at least"),
    ],
)  # fmt: skip
def test_mistakes_in_a_table_are_named(tmp_path: Path, change: Any, message: str) -> None:
    file = table(tmp_path / "losses.csv")
    change(pl.read_csv(file)).write_csv(file)
    with pytest.raises(curate.InputError, match=message):
        read_losses(file, NAMES, ["books"])


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "losses.txt").write_text("a")
    (tmp_path / "losses.parquet").write_text("a")
    for name, message in {
        "losses.txt": "is a .csv or a .parquet file",
        "losses.parquet": "cannot be read",
        "no.csv": "cannot be read",
    }.items():
        with pytest.raises(curate.InputError, match=message):
            read_losses(tmp_path / name, NAMES, ["books"])
    file = table(tmp_path / "losses.csv")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(curate.CurateError, match=r"pip install 'curate-corpus\[search\]'"):
        regmix(budget(), file, ["books"])
