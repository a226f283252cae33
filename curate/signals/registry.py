"""Every signal by name: what it is, where its definition comes from, and how a batch gets it.

Classifier scores are signals too, but a recipe names them; they are not listed here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from curate.errors import RecipeError, did_you_mean
from curate.signals import c4, datatrove, dclm, dolma, fineweb, gopher, lengths
from curate.signals.definition import Signal
from curate.signals.documents import Documents


@functools.cache
def registry() -> Mapping[str, Signal]:
    """Return every signal that curate can measure without a model, by name, in documentation order."""
    return {signal.name: signal for family in families().values() for signal in family}


@functools.cache
def families() -> Mapping[str, tuple[Signal, ...]]:
    """Return the signals by family, in documentation order."""
    return {"Lengths": lengths.SIGNALS, "Gopher": gopher.SIGNALS, "FineWeb": fineweb.SIGNALS, "C4": c4.SIGNALS,
            "datatrove": datatrove.SIGNALS, "dolma": dolma.SIGNALS, "DCLM": dclm.SIGNALS}  # fmt: skip


def signal(name: str) -> Signal:
    """Return one signal; RecipeError with the nearest name when there is none."""
    found = registry().get(name)
    if found is None:
        raise RecipeError(f'unknown signal "{name}"{did_you_mean(name, registry())} (curate signals lists all)')
    return found


def compute(documents: Documents, names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Measure the named signals on a batch: one array of length `len(documents)` each."""
    return {name: signal(name).compute(documents).astype(signal(name).dtype, copy=False) for name in names}
