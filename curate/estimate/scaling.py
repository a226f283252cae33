"""From what a sample took to what more of the same takes: proportions, and how sure they are. Runs nothing."""

from __future__ import annotations

import resource
import sys
from typing import Any

import numpy as np

from curate.estimate.trial import PER_PLACE, Trial, Trials
from curate.recipe import Dedup, Filter, Recipe
from curate.run import STAGES

DECIDE_BYTES = 32  # a document, of memory: numbers, flags, labels, domain, weight
KEY_BYTES = 12  # a document and band, that linking passes on: key and number of the document
WIDE_KEY_BYTES = 20  # the same for hashes of 128 bits
SHINGLE_BYTES = 4  # of a candidate, that verifying passes on
DIVIDED = ("measure", "write")  # stages whose tasks have all cores, and take what they take of them
MOST_SECONDS = {"decide": [(0.0, 6e-6)], "report": [(0.0, 5e-6), (1.5, 1e-6)]}
"""That documents add to stages that work on columns: so many, and so many for each; the least of these.

Seen for 0.3 and 10 million documents (benchmarks/scale.py, benchmarks/decisions.py).

Between a sample and a smaller one these stages grow by what few documents do not show yet (filters that fire,
duplicates, languages), which more documents do not go on to add.
"""
_DRAWS = 1000
_SPREAD = {  # what the uncertainty of each estimate follows, and per what
    "documents": "documents",
    "tokens": "tokens",
    "text_bytes": "text_bytes",
    "seconds": "text_bytes",
    "mix": "kept_bytes",
}


def scaled(
    trials: Trials,
    scale: float,
    shards: float,
    recipe: Recipe,
    cores: int,
    price: float | None,
    *,
    within: float = 0.0,
) -> dict[str, Any]:
    """Return what `scale` times the input of the main trial, in so many `shards`, takes on `cores` cores.

    Measure and write are divided by the cores; decide and the report are taken for what they take on one machine.
    Core-hours are work done, not cores rented while they wait. `within`: the share of it that the main trial is.
    """
    main, small = trials.main, trials.small
    documents = round(main.documents * scale)
    flat = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    by_document = DECIDE_BYTES + sum(isinstance(step, Filter) for step in recipe.steps)
    stages: list[dict[str, Any]] = []
    for name in STAGES:  # `work`: seconds of cores
        divided = name in DIVIDED
        work = _seconds(trials, name, scale, shards)
        stages.append(
            {
                "stage": name,
                "seconds": max(work / cores, min(work, main.seconds[name])) if divided else work,
                "memory": flat + (0 if divided else documents * by_document),
                "disk": _disk(main, small, name, scale, shards),
                "shuffled": _shuffled(main, name, scale, recipe),
                "core_hours": work / 3600,
                "cost": None if price is None else work / 3600 * price,
            }
        )
    uncertain = uncertainty(main, within)
    sampled, clock = uncertain["seconds"], trials.clock
    uncertain["seconds"] = None if sampled is None or clock is None else float(np.hypot(sampled, clock))
    core_hours = sum(stage["core_hours"] for stage in stages)
    return {
        "documents": documents,
        "tokens": round(main.tokens * scale),
        "bytes": round(main.bytes * scale),
        "text_bytes": round(main.text_bytes * scale),
        "cores": cores,
        "stages": stages,
        "seconds": sum(stage["seconds"] for stage in stages),
        "memory": max(stage["memory"] for stage in stages),
        "disk": sum(stage["disk"] for stage in stages),
        "shuffled": sum(stage["shuffled"] for stage in stages),
        "core_hours": core_hours,
        "cost": None if price is None else core_hours * price,
        "uncertainty": uncertain,
    }


def uncertainty(trial: Trial, share: float = 0.0) -> dict[str, float | None]:
    """Return half of the 95% interval of each estimate, as a share of it.

    From drawing the places of the sample again and again with replacement: how much they differ says how much the
    rest of the inputs may. `share`: of what is estimated that the sample is itself, of which nothing is uncertain (the
    correction for a finite population). What the clock does on a busy machine is not in it. None for what a sample
    cannot tell: one from one place, or without tokens.
    """
    places = trial.places[trial.places[:, 0] > 0]
    if share >= 1.0:
        return dict.fromkeys(_SPREAD, 0.0)
    if len(places) < 2:
        return dict.fromkeys(_SPREAD)
    draws = np.random.default_rng(0).integers(0, len(places), (_DRAWS, len(places)))
    sums = places[draws].sum(axis=1)
    ratios = sums / sums[:, :1]
    known = places.sum(axis=0) / places[:, 0].sum()
    low, high = np.quantile(ratios, [0.025, 0.975], axis=0)
    half = (high - low) / 2 * (1.0 - share) ** 0.5
    at = {name: PER_PLACE.index(of) for name, of in _SPREAD.items()}
    return {name: float(half[of] / known[of]) if known[of] > 0 else None for name, of in at.items()}


def _seconds(trials: Trials, stage: str, scale: float, shards: float) -> float:
    """Return the time of a stage, that of cores where tasks share it: so much a byte of input, a shard and a run.

    Where trials are of as many shards, what is not for bytes is taken for shards, of which there are no fewer then.
    """
    main, small, few = trials.main, trials.small, trials.few
    there, less, least = (
        (found.core_seconds if stage in DIVIDED else found.seconds)[stage] for found in (main, small, few)
    )
    most = min((at_all + each * main.documents * scale for at_all, each in MOST_SECONDS.get(stage, ())), default=np.inf)
    if scale <= 1.0 or main.bytes < 3 * small.bytes:
        return min(there * scale, there + most)
    by_byte = (there - less) / (main.bytes - small.bytes)
    by_byte = min(max(by_byte, 0.15 * there / main.bytes if stage in DIVIDED else 0.0), there / main.bytes)
    by_byte = min(by_byte, most / (main.bytes * scale))
    rest = there - by_byte * main.bytes
    if small.shards < 2 * few.shards:
        return by_byte * main.bytes * scale + rest * max(1.0, shards / main.shards)
    by_shard = (less - least - by_byte * (small.bytes - few.bytes)) / (small.shards - few.shards)
    by_shard = min(max(by_shard, 0.0), rest / main.shards)
    return by_byte * main.bytes * scale + by_shard * shards + rest - by_shard * main.shards


def _disk(main: Trial, small: Trial, stage: str, scale: float, shards: float) -> int:
    """Return the bytes that a stage writes: so many for a shard, however small, and so many for a byte of input.

    Two trials of different sizes tell these two apart. The report has the same figures for any input.
    """
    there, less = main.written[stage], small.written[stage]
    if stage == "report":
        return there
    determinant = main.bytes * small.shards - small.bytes * main.shards
    if scale <= 1.0 or stage == "write" or determinant <= 0 or main.bytes <= small.bytes:
        return round(there * scale)
    by_byte = (there * small.shards - less * main.shards) / determinant
    by_byte = min(max(by_byte, 0.1 * there / main.bytes), there / main.bytes)
    by_shard = (there - by_byte * main.bytes) / main.shards
    return round(by_byte * main.bytes * scale + by_shard * shards)


def _shuffled(main: Trial, stage: str, scale: float, recipe: Recipe) -> int:
    """Return the bytes that tasks of a stage hand to other tasks of it through files."""
    if stage == "write":
        return round(main.written["write"] * scale) if recipe.mix.shuffle else 0
    if stage != "decide":
        return 0
    keys = sum(_keys(step) for step in recipe.steps if isinstance(step, Dedup))
    words = main.text_bytes / max(main.documents, 1) / 6  # a shingle begins at each word of about six bytes
    return round(scale * (main.documents * keys + main.candidates * words * SHINGLE_BYTES))


def _keys(step: Dedup) -> int:
    """Return the bytes that linking passes on of a document."""
    return step.bands * KEY_BYTES if step.method == "minhash" else WIDE_KEY_BYTES
