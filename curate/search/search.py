"""Looks for the shares of classes with which a mix makes reference texts most likely.

One n-gram model a class; the model of any mix is taken to be the sum of theirs, weighted by the shares. The shares that
are found are then checked: a model is trained on text in these shares, and on text in the present ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.audit.ngram_model import NgramModel
from curate.audit.pool import draw
from curate.audit.references import Paths, read_references
from curate.errors import RecipeError, RunError
from curate.mix.remix import reached
from curate.recipe import Recipe
from curate.search.budget import Budget, budget_of, rounded
from curate.search.interpolation import bits_per_byte, interpolate
from curate.search.texts import class_texts, without_copies

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

SAMPLE = 5_000_000  # bytes of each class that its model is trained on
REFERENCE = 500_000  # bytes of each reference
_CURVE = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0)  # of the share that was found
_POINTS = (0.01, 0.05, 0.1, 0.2)  # shares, for classes that got next to none
_ROUNDS = 20


@dataclass(frozen=True)
class Mixture:
    """Shares of the tokens by class, and bits per byte by reference: of the sum of the models of the classes, and of
    one model trained on text in these shares."""

    shares: dict[str, float]
    interpolated: dict[str, float]
    trained: dict[str, float]


@dataclass(frozen=True)
class Search:
    """What a search found.

    `mixtures`: "present", "proportional" and "found". `most`: the largest share that each class could have. `curves`:
    for each class, (share, objective in bits per byte) where all others keep the proportions that were found. `copies`:
    documents of each class that were left out, as they leak a reference. `gap`: the most that other shares could be
    better than those found, in bits per byte of the sum of models. `trained_bytes`: of text in each mixture that one
    model was trained on. `recipe` has the shares that were found.
    """

    objective: str
    mixtures: dict[str, Mixture]
    most: dict[str, float]
    curves: dict[str, list[tuple[float, float]]]
    copies: dict[str, int]
    gap: float
    trained_bytes: int
    recipe: Recipe


def search(
    run: Run,
    recipe: Recipe,
    references: Mapping[str, Paths],
    engine: Engine,
    *,
    objective: str = "mean",
    sample: int = SAMPLE,
    say: Callable[[str], None] = lambda message: None,
) -> Search:
    """Find the shares that minimise the mean (or the worst) of the references' bits per byte, within the [mix].

    `references`: names and files. `sample`: bytes of each class that are trained on. Token budget, epochs and
    largest shares of the recipe's [mix] hold. Nothing of the run is changed. RecipeError when the caps leave no choice,
    InputError for a reference that cannot be read, RunError when the run is not decided.
    """
    there = reached(run, recipe, engine)
    budget = budget_of(run, recipe, there)
    if budget.is_settled:
        raise RecipeError(
            "every class gives all that it can, so there are no shares to choose; "
            "ask for fewer tokens (--tokens) or let classes be seen more often (--max-epochs)"
        )
    given = read_references(references, most_bytes=REFERENCE)
    texts = {one.name: one.texts for one in given}
    samples = class_texts(run, there, budget.classes, budget.names, sample)
    say("Leaving out what is a copy of a reference …")
    samples, copies = without_copies(samples, [one.texts for one in given])
    say(f"Training a model for each of {len(budget.names)} classes …")
    likely = _probabilities([samples[name] for name in budget.names], list(texts.values()), engine.threads)
    best, gap = best_shares(likely, budget, objective)
    found = rounded(best)
    say("Training on the shares that were found …")
    shares = {"present": budget.present, "proportional": budget.proportional, "found": found}
    nbytes, trained = _trained(shares, samples, texts, budget, engine.threads)
    return Search(
        objective,
        {
            name: Mixture(
                _named(budget.names, of), _named(texts, bits_per_byte(likely, budget.as_bytes(of))), trained[name]
            )
            for name, of in shares.items()
        },
        _named(budget.names, budget.most),
        {name: _curve(likely, budget, found, place, objective) for place, name in enumerate(budget.names)},
        copies,
        gap,
        nbytes,
        budget.with_shares(_named(budget.names, found)),
    )


def best_shares(likely: Sequence[F32], budget: Budget, objective: str) -> tuple[F64, float]:
    """Return the best shares of the tokens, float64 (classes,), and how much better any could be, in bits per byte.

    `likely`: the probability that the model of each class gives each byte of each reference. Models are weighted by
    shares of bytes. What a cap on tokens is in bytes depends on the bytes per token of the whole mix, so both are
    looked for in turn.
    """
    shares = budget.proportional
    for _ in range(_ROUNDS):
        most = budget.most * budget.bytes_per_token / (shares @ budget.bytes_per_token)
        found = interpolate(likely, np.minimum(most, 1.0), objective)
        before, shares = shares, budget.allowed(budget.as_tokens(found.weights))
        if np.abs(shares - before).max() < 1e-6:
            break
    return shares, found.gap


def _probabilities(samples: Sequence[Strings], references: Sequence[Strings], threads: int) -> list[F32]:
    """Return the probability of each byte of each reference by the model of each class, float32 (bytes, classes)."""
    likely = [np.empty((texts.nbytes, len(samples)), np.float32) for texts in references]

    def train(place: int) -> None:
        model = NgramModel.train(samples[place])
        for column, texts in zip(likely, references, strict=True):
            column[:, place] = model.probabilities(texts)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(train, range(len(samples))))
    return likely


def _trained(
    shares: Mapping[str, F64],
    samples: Mapping[str, Strings],
    references: Mapping[str, Strings],
    budget: Budget,
    threads: int,
) -> tuple[int, dict[str, dict[str, float]]]:
    """Train a model on text in each of some shares; return its bytes, and the bits per byte of each reference.

    Equally many bytes for all shares, no text twice: an n-gram model takes repeats for certainty.
    """
    wanted = {name: budget.as_bytes(of) for name, of in shares.items()}
    held = np.array([samples[name].nbytes for name in budget.names])
    empty = [name for name, size in zip(budget.names, held, strict=True) if not size]
    if empty:
        raise RunError(f'class "{empty[0]}" has no text that a model could be trained on without leaking a reference')
    nbytes = min(held.max(), *(float((held[of > 0] / of[of > 0]).min()) for of in wanted.values()))

    def train(of: F64) -> dict[str, float]:
        sizes = (of * nbytes).astype(np.int64).tolist()
        parts = [
            to_array(draw(to_array(samples[name]), np.arange(len(samples[name].offsets) - 1), size))
            for name, size in zip(budget.names, sizes, strict=True)
            if size
        ]
        model = NgramModel.train(as_strings(pa.concat_arrays(parts)))
        return {name: float(model.bits(texts).sum() / texts.nbytes) for name, texts in references.items()}

    with ThreadPoolExecutor(threads) as pool:
        return int(nbytes), dict(zip(wanted, pool.map(train, wanted.values()), strict=True))


def _curve(likely: Sequence[F32], budget: Budget, found: F64, place: int, objective: str) -> list[tuple[float, float]]:
    """Return shares of one class and the objective there; the others divide the rest as they do in what was found."""
    of = np.mean if objective == "mean" else np.max
    wanted = [*(found[place] * times for times in _CURVE), *(_POINTS if found[place] < _POINTS[0] else ())]
    curve = {}
    for share in sorted(wanted):
        moved = budget.with_one(place, share, found)
        curve[float(moved[place])] = float(of(bits_per_byte(likely, budget.as_bytes(moved))))
    return list(curve.items())


def _named(names: Sequence[str] | Mapping[str, object], values: F64) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}
