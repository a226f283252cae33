"""Every signal by name: what it is, where its definition comes from, and how a batch gets it.

Classifier scores are signals too, but a recipe names them; they are not listed here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from curate.errors import RecipeError, did_you_mean
from curate.signals import (
    c4,
    cleaned,
    code,
    compression,
    datatrove,
    dclm,
    dolma,
    fineweb,
    fractions,
    gopher,
    lengths,
    llama,
    madlad,
    math,
    redpajama,
    refinedweb,
    words,
)
from curate.signals.definition import Signal
from curate.signals.documents import Documents
from curate.signals.plugins import registered


@functools.cache
def registry() -> Mapping[str, Signal]:
    """Return every signal that can be measured without a model, by name, in documentation order; users' come last."""
    return {signal.name: signal for family in families().values() for signal in family} | dict(registered())


@functools.cache
def families() -> Mapping[str, tuple[Signal, ...]]:
    """Return curate's own signals by family, in documentation order."""
    return {
        "Lengths": lengths.SIGNALS,
        "Gopher": gopher.SIGNALS,
        "FineWeb": fineweb.SIGNALS,
        "C4": c4.SIGNALS,
        "RefinedWeb": refinedweb.SIGNALS,
        "MADLAD-400": madlad.SIGNALS,
        "RedPajama-V2": redpajama.SIGNALS,
        "Words in every language": words.SIGNALS,
        "Fractions": fractions.SIGNALS,
        "Llama 3": llama.SIGNALS,
        "Code": code.SIGNALS,
        "Math": math.SIGNALS,
        "Compression": compression.SIGNALS,
        "Cleaning": cleaned.SIGNALS,
        "datatrove": datatrove.SIGNALS,
        "dolma": dolma.SIGNALS,
        "DCLM": dclm.SIGNALS,
    }


def common() -> list[str]:
    """Return the names of the signals that most recipes use, lengths, Gopher, FineWeb, C4, and the user's own."""
    shared = [entry.name for family in ("Lengths", "Gopher", "FineWeb", "C4") for entry in families()[family]]
    return [*shared, *registered()]


def signal(name: str) -> Signal:
    """Return one signal; RecipeError with the nearest name when there is none."""
    found = registry().get(name)
    if found is None:
        raise RecipeError(f'unknown signal "{name}"{did_you_mean(name, registry())} (curate signals lists all)')
    return found


def compute(documents: Documents, names: Iterable[str]) -> dict[str, Any]:
    """Measure the named signals on a batch: an array of length `len(documents)` each, Arrow's for users' signals."""
    return {name: _column(signal(name), documents) for name in names}


def _column(entry: Signal, documents: Documents) -> Any:
    values = entry.compute(documents)
    return values.astype(entry.dtype, copy=False) if isinstance(values, np.ndarray) else values
