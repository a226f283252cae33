"""What is reported of a dedup step: how precise it was, how similar what it dropped, who lost most.

Decides nothing: it counts what `curate.decide.duplicates` found. Everything here can be stored as JSON.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.decide.columns import Columns, gather, in_order
from curate.decide.duplicates import Duplicates
from curate.decide.population import Population, starts
from curate.dedup.bands import candidate_chance
from curate.dedup.survivors import MOST_COMPARED
from curate.errors import did_you_mean
from curate.recipe import Dedup

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

EDGES = [round(0.05 * i, 2) for i in range(21)]  # of the histograms of similarities
MOST = 20  # clusters that are listed
EXAMPLES = 3  # documents shown of a source that lost too much


def facts_of(population: Population, alive: Bools, step: Dedup, found: Duplicates) -> dict[str, Any]:
    """Return what a step found; `alive` are the documents that it looked at.

    `candidates` may have been dropped (they share a hash or a band with a better one); `spared` of them were not
    similar enough; `precision` is the share of candidates that were; `crowded`, where there are some, are the spared
    ones whose buckets have more survivors than a document is compared with. `dropped` counts all that the step
    dropped, with the short and empty documents among them, which are no candidates.
    """
    heads, sizes = np.unique(found.survivor, return_counts=True)
    facts: dict[str, Any] = {
        "method": step.method,
        "parameters": parameters(step),
        "documents": int(alive.sum()),
        "candidates": found.candidates,
        "dropped": len(found.gone),
        "spared": found.spared,
        "protected": found.protected,
        "cluster_sizes": _cluster_sizes(sizes + 1, int(alive.sum()) - len(found.outright)),
        "most_repeated": _most_repeated(population, heads, sizes + 1),
        **_losses(population, alive, step, found),
    }
    if step.method != "minhash":
        return facts
    facts["short"], facts["empty"] = vars(found.short), vars(found.empty)
    if step.verify is not None:
        checked = len(found.dropped) if step.short != "exact" else len(found.dropped) - _exactly(found)
        facts["precision"] = 1 - found.spared / found.candidates if found.candidates else None
        facts["similarity"] = histogram(found.similarity[:checked])
        facts["spared_similarity"] = histogram(found.near)
        if found.crowded:
            facts["crowded"] = {"documents": found.crowded, "uncompared": found.uncompared, "most": MOST_COMPARED}
    if found.unfolded is not None:
        facts["folded"] = _folded(population, step, found)
    return facts


def _exactly(found: Duplicates) -> int:
    """How many were dropped for equal words: they come last in `dropped`."""
    return found.short.dropped + found.empty.dropped


def parameters(step: Dedup) -> dict[str, Any]:
    """Return what the step was told, or chose; `chance` is that of a pair `at` a similarity to be found."""
    made: dict[str, Any] = {"keep": step.keep, "within": list(step.within)}
    made |= {name: list(sources) for name, sources in _named_sources(step).items()}
    if step.method == "url":
        made["url_column"] = step.url_column
    if step.method == "minhash":
        made |= {**step.shingling._asdict(), "bands": step.bands, "rows": step.rows, "seed": step.seed}
        made |= {"short": step.short, "verify": step.verify, "measure": step.measure}
        if step.at is not None:
            made |= {"find": step.find, "at": step.at, "chance": candidate_chance(step.at, step.bands, step.rows)}
    return made


def _named_sources(step: Dedup) -> dict[str, tuple[str, ...]]:
    named = {"priority": step.priority, "protect": step.protect}
    return {name: sources for name, sources in named.items() if sources}


def histogram(similarity: F32) -> dict[str, list[Any]]:
    """Return how many documents have a similarity between each two of EDGES, the last edge included."""
    # A share such as 7/10 is a little below 0.7 as float32, and would fall into the bin before.
    values = np.clip(similarity[~np.isnan(similarity)].astype(np.float64) + 1e-7, 0, 1)
    return {"edges": EDGES, "counts": np.histogram(values, EDGES)[0].tolist()}


def _cluster_sizes(sizes: Numbers, documents: int) -> list[list[int]]:
    """Return [size, documents in clusters of that size] for every size, those without duplicates first."""
    found, clusters = np.unique(sizes, return_counts=True)
    alone = documents - int(sizes.sum())
    counted = [[int(size), int(size * count)] for size, count in zip(found, clusters, strict=True)]
    return ([[1, alone]] if alone else []) + counted


def _most_repeated(population: Population, heads: Numbers, sizes: Numbers) -> list[list[Any]]:
    """Return [id, documents] of the survivors of the largest clusters; of equal ones those with the lower `doc`."""
    if not len(heads):
        return []
    least = np.sort(sizes)[-MOST] if len(sizes) > MOST else 0
    chosen = sizes >= least
    frame = gather(population, heads[chosen], ["doc", "id"])
    order = np.lexsort((frame["doc"].to_numpy(), -sizes[chosen]))[:MOST]
    return [[name, int(size)] for name, size in zip(frame["id"].gather(order), sizes[chosen][order], strict=True)]


def _losses(population: Population, alive: Bools, step: Dedup, found: Duplicates) -> dict[str, Any]:
    """Return the sources that lose more than the alarm allows, with examples, and those named but not there."""
    begin = starts(population)
    gone = np.zeros(len(alive), np.bool_)
    gone[found.gone] = True
    given: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    windows = {part: slice(low, high) for part, (low, high) in enumerate(pairwise(begin))}
    parts = {part: (alive[window], gone[window]) for part, window in windows.items()}
    for there, dropped in in_order(population, _Sources(), parts):
        given.update(there)
        lost.update(dropped)
    alarms = [
        {"source": source, "documents": given[source], "dropped": count, "share": count / given[source]}
        for source, count in sorted(lost.items(), key=lambda item: (-item[1], item[0]))
        if count > step.alarm * given[source]
    ]
    for alarm in alarms:
        alarm["examples"] = _examples(population, found, str(alarm["source"]))
    absent = {
        source: did_you_mean(source, given)
        for sources in _named_sources(step).values()
        for source in sources
        if source not in given
    }
    return {"alarm": step.alarm, "alarms": alarms} | ({"absent_sources": absent} if absent else {})


@dataclass(frozen=True)
class _Sources:
    """Counts documents by source: those that were there, and those that are gone, 0 for a source without any."""

    names: tuple[str, ...] = ("source",)

    def __call__(self, columns: Columns, given: tuple[Bools, Bools]) -> tuple[dict[str, int], dict[str, int]]:
        sources = columns.frame(self.names).to_series()
        none = dict.fromkeys(sources.unique().to_list(), 0)
        there, gone = ({**none, **dict(sources.filter(kept).value_counts().iter_rows())} for kept in given)
        return there, gone


def _examples(population: Population, found: Duplicates, source: str) -> list[dict[str, Any]]:
    """Return a few documents that a source lost, each with the one that stands for it: those with the lowest `doc`."""
    begin = starts(population)
    lowest: list[tuple[int, int]] = []
    gone = np.sort(found.gone)
    for part, (low, high) in enumerate(zip(*np.searchsorted(gone, [begin[:-1], begin[1:]]), strict=True)):
        if high == low:
            continue
        frame = population.columns(part).frame(["source", "doc"])[gone[low:high] - begin[part]]
        of_source = (frame["source"] == source).to_numpy()
        docs, numbers = frame["doc"].to_numpy()[of_source], gone[low:high][of_source]
        first = np.lexsort((numbers, docs))[:EXAMPLES]
        lowest += zip(docs[first].tolist(), numbers[first].tolist(), strict=True)
        lowest = sorted(lowest)[:EXAMPLES]
    return [_example(population, found, number) for _, number in lowest]


def _example(population: Population, found: Duplicates, number: int) -> dict[str, Any]:
    def name(document: int) -> str:
        return str(gather(population, np.array([document]), ["id"])["id"][0])

    at = np.flatnonzero(found.dropped == number)
    if not len(at):
        return {"dropped": name(number), "survivor": None, "similarity": None}
    similarity = float(found.similarity[at[0]])
    return {
        "dropped": name(number),
        "survivor": name(int(found.survivor[at[0]])),
        "similarity": None if np.isnan(similarity) else similarity,
    }


def _folded(population: Population, step: Dedup, found: Duplicates) -> dict[str, Any]:
    """Return how many documents are duplicates only because numbers count as 0, and clusters held together by that.

    `documents` would not reach the threshold against their survivor with numbers as they are written; in
    `clusters` of the clusters no document would. `similarity` is that with numbers as they are.
    """
    assert found.unfolded is not None
    checked = len(found.unfolded)
    below = found.unfolded < (step.verify or 0) - 1e-6
    held = np.setdiff1d(found.survivor[:checked][below], found.survivor[:checked][~below])
    number = np.sort(found.dropped[:checked][below])
    first = np.argsort(gather(population, number, ["doc"])["doc"].to_numpy(), kind="stable")[:EXAMPLES]
    return {
        "documents": int(below.sum()),
        "clusters": len(held),
        "similarity": histogram(found.unfolded),
        "examples": [_example(population, found, int(one)) for one in number[first]],
    }
