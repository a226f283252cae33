"""Shares of classes that make references likely, in runs where the right answer is known."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import curate
from classifiers.arrow import as_strings
from curate.audit.ngram_model import NgramModel
from curate.engines.local import Local
from curate.search.search import search
from curate.search.texts import without_copies
from tests.corpora import prose
from tests.search.conftest import COUNTS, LETTERS, text


def test_shares_are_those_of_the_reference_and_better_than_all_of_a_grid(run: curate.Run, inputs: Path) -> None:
    # Of a budget that code and math can meet by themselves.
    recipe = run.recipe.with_mix({"tokens": 8_000, "max_epochs": 4})
    found = search(run, recipe, {"manual": inputs / "manual.jsonl"}, Local(1))
    shares = found.mixtures["found"].shares
    assert shares == pytest.approx({"code": 0.75, "math": 0.25, "web": 0}, abs=0.06)
    assert found.recipe.mix.shares == shares and sum(shares.values()) == pytest.approx(1, abs=1e-9)
    reference = [text("code" if n % 4 < 3 else "math", 1000 + n) for n in range(16)]
    models = {kind: NgramModel.train([text(kind, n) for n in range(COUNTS[kind])]) for kind in LETTERS}
    likely = np.stack([models[kind].probabilities(reference) for kind in sorted(LETTERS)], axis=1)
    grid = [(a, b, 20 - a - b) for a, b in itertools.product(range(21), range(21)) if a + b <= 20]
    best = min(grid, key=lambda weights: -np.log2(likely @ (np.array(weights) / 20)).mean())
    assert [shares[kind] for kind in sorted(LETTERS)] == pytest.approx(np.array(best) / 20, abs=0.06)
    # A model that is really trained on these shares is better too.
    trained = {name: mixture.trained["manual"] for name, mixture in found.mixtures.items()}
    assert trained["found"] < trained["proportional"] - 0.1
    assert found.trained_bytes < 5_000_000 / 3  # as much as there is without repeating anything
    # The curve of each class is lowest at its share.
    for kind, curve in found.curves.items():
        assert min(curve, key=lambda point: point[1])[0] == pytest.approx(shares[kind], abs=0.011), kind
        assert len(curve) > 3


def test_a_class_at_its_cap_is_fixed_and_the_others_divide_the_rest(run: curate.Run, inputs: Path) -> None:
    held = {entry["domain"]: entry["available"] for entry in run.stage("decide")["mix"]}
    recipe = run.recipe.with_mix({"tokens": 2 * held["code"], "max_epochs": 1.0})
    found = search(run, recipe, {"manual": inputs / "manual.jsonl"}, Local(1))
    assert found.most["code"] == pytest.approx(0.5)
    shares = found.mixtures["found"].shares
    assert shares["code"] == pytest.approx(0.5, abs=1e-3)
    assert shares["math"] > 0.2


def test_the_worst_reference_is_helped(run: curate.Run, inputs: Path) -> None:
    recipe = run.recipe.with_mix({"tokens": 8_000, "max_epochs": 4})
    both = {"manual": inputs / "manual.jsonl", "page": inputs / "page.jsonl"}
    mean = search(run, recipe, both, Local(1)).mixtures["found"]
    worst = search(run, recipe, both, Local(1), objective="worst").mixtures["found"]
    assert max(worst.interpolated.values()) < max(mean.interpolated.values())
    assert np.mean(list(mean.interpolated.values())) < np.mean(list(worst.interpolated.values()))


def test_no_choice_is_said(run: curate.Run, inputs: Path) -> None:
    recipe = run.recipe.with_mix({"tokens": 10**9})
    with pytest.raises(curate.RecipeError, match="there are no shares to choose; ask for fewer tokens"):
        search(run, recipe, {"manual": inputs / "manual.jsonl"}, Local(1))
    with pytest.raises(curate.RecipeError, match='divided by "source", which has 1 classes'):
        search(run, run.recipe.with_mix({"by": "source"}), {"manual": inputs / "manual.jsonl"}, Local(1))


def test_copies_of_references_are_not_trained_on() -> None:
    own, leaked = [prose(n) for n in range(5)], [prose(n) for n in range(100, 103)]
    near = [leaked[0], leaked[1] + " One more remark.", "  ".join(leaked[2].split(" "))]
    samples = {"web": as_strings(own + near + own[:1]), "code": as_strings(["", *own])}
    kept, copies = without_copies(samples, [as_strings(leaked[:2]), as_strings([leaked[2]])])
    assert copies == {"web": 3, "code": 0}
    assert len(kept["web"]) == 6 and len(kept["code"]) == 6
