"""Weights of language models against a grid over all weights, and against a mixture whose weights are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.mixtures import mixture
from curate.search.interpolation import bits_per_byte, interpolate


def probabilities(seed: int, models: int, bytes_: int = 300, references: int = 2) -> list[np.ndarray]:
    """Models that are good at different bytes."""
    source = np.random.default_rng(seed)
    return [source.dirichlet(np.full(models, 0.3), bytes_).astype(np.float32) + np.float32(1e-3)
            for _ in range(references)]  # fmt: skip


def grid(models: int, steps: int) -> np.ndarray:
    """All weights that are multiples of 1 / steps."""
    return np.array([w for w in itertools.product(range(steps + 1), repeat=models) if sum(w) == steps]) / steps


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_the_kernel_is_the_formula(seed: int, models: int) -> None:
    (p,) = probabilities(seed, models, references=1)
    weights = np.random.default_rng(seed).dirichlet(np.ones(models))
    pull = np.zeros(models)
    assert mixture(p, weights, pull) == pytest.approx(-np.log(p @ weights).mean(), rel=1e-5)
    assert pull == pytest.approx((p / (p @ weights)[:, None]).mean(axis=0), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["mean", "worst"]),
    st.lists(st.sampled_from([0.2, 0.5, 1.0]), min_size=3, max_size=3).filter(lambda most: sum(most) > 1.05),
)
def test_weights_are_at_least_as_good_as_all_of_a_grid(seed: int, objective: str, most: list[float]) -> None:
    references = probabilities(seed, 3, references=3)
    found = interpolate(references, np.array(most), objective)
    of = np.mean if objective == "mean" else np.max
    every = [weights for weights in grid(3, 40) if (weights <= np.array(most) + 1e-9).all()]
    best = min(every, key=lambda weights: of(bits_per_byte(references, weights)))
    reached = of(bits_per_byte(references, best))
    assert found.weights.sum() == pytest.approx(1) and (found.weights <= np.array(most) + 1e-9).all()
    assert of(found.bits) == pytest.approx(of(bits_per_byte(references, found.weights)))
    assert reached - 0.01 < of(found.bits) < reached + 1e-4 and found.gap < 1e-4
    assert found.weights == pytest.approx(best, abs=0.05)


def test_shares_of_a_planted_mixture_are_found() -> None:
    # Each byte comes from one of three models, drawn with weights of 0.6, 0.3 and 0.1.
    source = np.random.default_rng(5)
    models = source.dirichlet(np.full(256, 0.2), 3)
    drawn = source.choice(3, 60_000, p=[0.6, 0.3, 0.1])
    symbols = [source.choice(256, p=models[model]) for model in drawn]
    references = [models[:, symbols].T.astype(np.float32) + np.float32(1e-9)]
    assert interpolate(references, np.ones(3)).weights == pytest.approx([0.6, 0.3, 0.1], abs=0.01)
    capped = interpolate(references, np.array([0.4, 1.0, 1.0])).weights
    assert capped[0] == pytest.approx(0.4) and capped[1] / capped[2] == pytest.approx(3, abs=0.5)


def test_the_worst_reference_gets_what_it_needs() -> None:
    # The first model suits the first reference, the second the other, which costs more whatever the weights are.
    easy, hard = np.tile([[0.9, 0.1]], (50, 1)), np.tile([[0.02, 0.04]], (50, 1))
    references = [easy.astype(np.float32), hard.astype(np.float32)]
    assert interpolate(references, np.ones(2), "worst").weights == pytest.approx([0, 1], abs=1e-3)
    assert interpolate(references, np.ones(2), "mean").weights[0] > 0.1
    even = [easy.astype(np.float32), easy[:, ::-1].astype(np.float32).copy()]
    assert interpolate(even, np.ones(2), "worst").weights == pytest.approx([0.5, 0.5], abs=1e-3)


def test_many_models_take_few_rounds() -> None:
    references = probabilities(1, 30, 5_000, references=5)
    for objective in ("mean", "worst"):
        assert interpolate(references, np.full(30, 0.1), objective).gap < 1e-4
