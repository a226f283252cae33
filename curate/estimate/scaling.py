"""From what a sample took to what more of the same takes: proportions, and how sure they are. Runs nothing."""

from __future__ import annotations

import resource
import sys
from typing import Any

import numpy as np

from curate.estimate.intervals import FIXED, Amounts, Redrawn, joined
from curate.estimate.trial import PER_PLACE, Trial, Trials
from curate.recipe import Dedup, Filter, Recipe
from curate.run import STAGES

DECIDE_BYTES = 12  # a document, of memory: dropping step, tokens, domain, weight; and a bit for each filter
LINKED_BYTES = 14  # more for one that comes to a dedup step
CANDIDATE_BYTES = 160  # more for one that shares a key with another
KEY_BYTES = 12  # a document and band, that linking passes on: key and number of the document
WIDE_KEY_BYTES = 20  # the same for hashes of 128 bits
SHINGLE_BYTES = 4  # of a candidate, that verifying passes on
DIVIDED = ("measure", "write")  # stages whose tasks have all cores, and take what they take of them
MOST_SECONDS = {"decide": [(0.0, 6e-6)], "report": [(0.0, 25e-6), (0.6, 3e-6), (1.5, 1e-6)]}
"""That stages which work on columns take more than for the sample: so many, and so many a document; the least of these.

Seen for 0.03, 0.3 and 10 million documents (benchmarks/estimate.py, benchmarks/scale.py, benchmarks/decisions.py).

Between a sample and a smaller one these stages grow by what few documents do not show yet (filters that fire,
duplicates, languages), which more documents do not go on to add.
"""
UNTOLD_SECONDS = 1e-6  # of a core, a byte of text, at most where no smaller sample tells a byte from a run
FOLLOWS = {"measure": "text_bytes", "decide": "documents", "write": "kept_bytes", "report": FIXED}
DISK_FOLLOWS = FOLLOWS | {"measure": "documents"}  # sketches are as large for any document
_SUMS = ("seconds", "disk", "shuffled", "core_hours", "cost", "cost_held")


def scaled(
    trials: Trials,
    scale: float,
    shards: float,
    recipe: Recipe,
    cores: int,
    price: float | None,
    *,
    within: float = 0.0,
    per: str = "bytes",
) -> dict[str, Any]:
    """Return what `scale` times the input of the main trial, in so many `shards`, takes on `cores` cores.

    Measure and write are divided by the cores; decide and the report are taken for what they take on one machine.
    `core_hours` and `cost` are of work done, `cost_held` of all cores from beginning to end. `within`: the share of it
    that the main trial is; `per`: what of PER_PLACE it is known to have so much of.
    """
    main = trials.main
    sure = Redrawn.of(main, trials.clock, per=per, share=within)
    taken = {name: _stage(trials, name, scale, shards, recipe, cores, price) for name in STAGES}
    names = next(iter(taken.values())).keys()
    whole: dict[str, Amounts] = {
        name: joined([stage[name] for stage in taken.values()]) for name in _SUMS if name in names
    }
    whole["memory"] = max((stage["memory"] for stage in taken.values()), key=_sum)
    size = {name: getattr(main, name) * scale for name in ("documents", "tokens", "bytes", "text_bytes")}
    none = {} if price is not None else {"cost": None, "cost_held": None}
    return {
        **{name: round(amount) for name, amount in size.items()},
        "cores": cores,
        "stages": [{"stage": name, **_sums(amounts), **none, **sure.said(amounts)} for name, amounts in taken.items()],
        **_sums(whole),
        **none,
        **sure.said({**{name: {name: amount} for name, amount in size.items()}, **whole}),
    }


def _sum(amounts: Amounts) -> float:
    return sum(amounts.values())


def _sums(estimates: dict[str, Amounts]) -> dict[str, Any]:
    """Return estimates as numbers, whole ones where they are of bytes."""
    in_bytes = ("memory", "disk", "shuffled")
    return {name: round(_sum(of)) if name in in_bytes else _sum(of) for name, of in estimates.items()}


def _stage(
    trials: Trials, name: str, scale: float, shards: float, recipe: Recipe, cores: int, price: float | None
) -> dict[str, Amounts]:
    """Return what a stage takes: seconds, bytes of memory, disk and shuffling, core-hours and money."""
    main, follows = trials.main, FOLLOWS[name]
    if follows in PER_PLACE and not main.places[:, PER_PLACE.index(follows)].any():
        follows = "text_bytes"  # nothing is kept: then all that write does is to read
    work = _seconds(trials, name, scale, shards)  # of cores
    seconds = max(work / cores, min(work, main.seconds[name])) if name in DIVIDED else work
    flat = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    taken: dict[str, Amounts] = {
        "seconds": {follows: seconds},
        "memory": {FIXED: flat, "documents": _held(main, recipe) * scale if name == "decide" else 0.0},
        "disk": {DISK_FOLLOWS[name]: round(_disk(main, trials.small, name, scale, shards))},
        "shuffled": {follows: round(_shuffled(main, trials.small, name, scale, shards, recipe))},
        "core_hours": {follows: work / 3600},
    }
    if price is not None:
        taken["cost"] = {follows: work / 3600 * price}
        taken["cost_held"] = {follows: cores * seconds / 3600 * price}
    return taken


def _held(main: Trial, recipe: Recipe) -> float:
    """Return the bytes of memory that deciding the documents of a trial takes beyond what any run does."""
    filters = sum(isinstance(step, Filter) for step in recipe.steps)
    each = DECIDE_BYTES + filters / 8
    return main.documents * each + main.reached * LINKED_BYTES + main.candidates * CANDIDATE_BYTES


def _seconds(trials: Trials, stage: str, scale: float, shards: float) -> float:
    """Return the time of a stage, that of cores where tasks share it."""
    main = trials.main
    there = (main.core_seconds if stage in DIVIDED else main.seconds)[stage]
    if scale <= 1.0:
        return there * scale
    more = [at_all + each * main.documents * scale for at_all, each in MOST_SECONDS.get(stage, ())]
    most = min(more, default=np.inf)
    return min(_grown(trials, stage, scale, shards, most), there + most)


def _grown(trials: Trials, stage: str, scale: float, shards: float, most: float) -> float:
    """Return the time of a stage as so much a byte of input, `most` for all, so much a shard and so much a run.

    Where trials are of as many shards, what is not for bytes is taken for shards, of which there are no fewer then.
    """
    main, small, few = trials.main, trials.small, trials.few
    there, less, least = (
        (found.core_seconds if stage in DIVIDED else found.seconds)[stage] for found in (main, small, few)
    )
    untold = min(there, UNTOLD_SECONDS * main.text_bytes) / main.bytes
    by_byte = untold
    if main.bytes >= 3 * small.bytes:
        by_byte = (there - less) / (main.bytes - small.bytes)
        by_byte = min(
            max(by_byte, min(0.15 * there / main.bytes, untold) if stage in DIVIDED else 0.0), there / main.bytes
        )
    by_byte = min(by_byte, most / (main.bytes * scale))
    rest = there - by_byte * main.bytes
    if small.shards < 2 * few.shards:
        return by_byte * main.bytes * scale + rest * max(1.0, shards / main.shards)
    by_shard = (less - least - by_byte * (small.bytes - few.bytes)) / (small.shards - few.shards)
    by_shard = min(max(by_shard, 0.0), rest / main.shards)
    return by_byte * main.bytes * scale + by_shard * shards + rest - by_shard * main.shards


def _disk(main: Trial, small: Trial, stage: str, scale: float, shards: float) -> float:
    """Return the bytes that a stage writes: so many for a shard, however small, and so many for a byte of input.

    Two trials of different sizes tell these two apart; what rows hold in memory is the most that a byte may take. The
    mix is not in shards, and the report has the same figures for any input.
    """
    there, less = main.written[stage], small.written[stage]
    if stage == "report":
        return there
    if scale <= 1.0:
        return there * scale
    most = min(there, main.content.get(stage, there)) / main.bytes
    if stage == "write":
        return there + most * main.bytes * (scale - 1.0)
    by_byte = most
    determinant = main.bytes * small.shards - small.bytes * main.shards
    if determinant > 0 and main.bytes > small.bytes:
        by_byte = (there * small.shards - less * main.shards) / determinant
        by_byte = min(max(by_byte, 0.1 * most), most)
    by_shard = (there - by_byte * main.bytes) / main.shards
    return by_byte * main.bytes * scale + by_shard * shards


def _shuffled(main: Trial, small: Trial, stage: str, scale: float, shards: float, recipe: Recipe) -> float:
    """Return the bytes that tasks of a stage hand to other tasks of it through files."""
    if stage == "write":
        return _disk(main, small, stage, scale, shards) if recipe.mix.shuffle else 0
    if stage != "decide":
        return 0
    keys = sum(_keys(step) for step in recipe.steps if isinstance(step, Dedup))
    words = main.text_bytes / max(main.documents, 1) / 6  # a shingle begins at each word of about six bytes
    return scale * (main.documents * keys + main.candidates * words * SHINGLE_BYTES)


def _keys(step: Dedup) -> int:
    """Return the bytes that linking passes on of a document."""
    return step.bands * KEY_BYTES if step.method == "minhash" else WIDE_KEY_BYTES
