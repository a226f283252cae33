"""An audit by known near-duplicates: pairs of ids whose similarity somebody else has counted.

Compares nothing but these pairs; `curate.dedup.audit` finds pairs by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson

from curate.decide.columns import sketch_column
from curate.decide.duplicates import keep_ranks
from curate.dedup.audit import DEFAULT_THRESHOLD, numbers_of
from curate.dedup.audit_figures import recall_by_similarity, share
from curate.dedup.step_population import StepPopulation
from curate.dedup.survivors import similarity_of_pairs
from curate.errors import InputError
from curate.shards.compression import Source
from curate.shards.inputs import kind
from curate.shards.lines import whole_lines

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

MAX_DOCUMENTS = 500_000  # whose shingles are held in memory, about 4 bytes a word
_UNKNOWN = 2**31  # shingles of a document where the file does not say


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pairs of a file: ids `a` and `b`, their Jaccard similarity float64, and `smaller`, the least of n_a and n_b."""

    a: list[str]
    b: list[str]
    jaccard: npt.NDArray[np.float64]
    smaller: npt.NDArray[np.int64]


def read_pairs(path: Path) -> Labelled:
    """Read {"a", "b", "jaccard"} and, where given, {"n_a", "n_b"}, JSON lines, plain or compressed.

    Raises InputError for a file that cannot be read or has a record without these.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; --pairs takes JSON lines of a, b and jaccard")
    if kind(path)[0] != "jsonl":
        raise InputError(f"{path}: labelled pairs are JSON lines: .jsonl, also with .gz, .zst or .bz2")
    a: list[str] = []
    b: list[str] = []
    jaccard: list[float] = []
    smaller: list[int] = []
    for number, line in _lines(path):
        try:
            pair = orjson.loads(line)
            names, value = (pair["a"], pair["b"]), pair["jaccard"]
            sizes = [pair[key] for key in ("n_a", "n_b") if pair.get(key) is not None]
            if not all(isinstance(name, str | int) for name in names) or not 0 <= value <= 1:
                raise ValueError
            least = min(sizes, default=_UNKNOWN)
            smaller.append(int(least))
        except (KeyError, TypeError, ValueError):
            raise InputError(f'{path}, line {number}: a pair is {{"a": id, "b": id, "jaccard": 0 to 1}}') from None
        a.append(str(names[0]))
        b.append(str(names[1]))
        jaccard.append(value)
    return Labelled(a, b, np.array(jaccard, np.float64), np.array(smaller, np.int64))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (number, line) of the lines that are not blank."""
    number = 0
    with Source(str(path)) as source:
        for block in whole_lines(source, None, 1 << 20, 1 << 20):
            if not isinstance(block, bytes):
                raise InputError(f"{path}, line {number + 1}: too long for a pair of ids")
            for line in block.splitlines():
                number += 1
                if line.strip():
                    yield number, line


def audit_pairs(
    run: Run,
    engine: Engine,
    path: Path,
    *,
    step: str | None = None,
    threshold: float | None = None,
    min_shingles: int = 1,
) -> dict[str, Any]:
    """Say which of the labelled pairs a minhash step found and settled, JSON-like.

    A pair counts when the step looked at both of its documents, each id names one of them, and both have
    `min_shingles`, by the file and by us, and are as long as one. `recall`: found by the bands, by labelled
    similarity. `settled`: of the pairs of `threshold` and more, those that lost a document. `removals`: of the
    documents with a better one that stayed, by these pairs, how many went. `difference`: between the labelled
    similarity and ours, which differs where the two define words differently.
    Raises InputError for a file that is no such list, RunError for a run without a minhash step.
    """
    labelled = read_pairs(path)
    seen = StepPopulation.of(run, engine, step)
    limit = threshold or seen.step.verify or DEFAULT_THRESHOLD
    numbers = numbers_of(seen, {*labelled.a, *labelled.b})
    left, right = (np.array([numbers.get(name, -2) for name in side], np.int64) for side in (labelled.a, labelled.b))
    here = (left >= 0) & (right >= 0) & (left != right) & (labelled.smaller >= min_shingles)
    left, right, similarity = left[here], right[here], labelled.jaccard[here]
    documents = np.unique(np.concatenate([left, right]))
    if len(documents) > MAX_DOCUMENTS:
        raise InputError(f"{path}: names {len(documents):,} documents of the run; the most is {MAX_DOCUMENTS:,}")
    left, right = np.searchsorted(documents, left), np.searchsorted(documents, right)
    keep = np.zeros(len(seen.seen), np.bool_)
    keep[documents] = True
    enough = sketch_column(seen.population, keep, "shingles") >= min_shingles
    enough &= ~seen.is_short(keep)  # these are compared as wholes, not by bands
    both = enough[left] & enough[right]
    left, right, similarity = left[both], right[both], similarity[both]

    sets = seen.shingles(documents)
    ours = similarity_of_pairs(sets.values, sets.offsets, left, right)
    groups = seen.groups()[np.searchsorted(seen.numbers, documents)]
    keys = seen.band_keys(documents, groups)
    scope = groups[left] == groups[right]
    left, right, similarity, ours = left[scope], right[scope], similarity[scope], ours[scope]
    matches = ((keys[left] == keys[right]) & (keys[left] != 0)).sum(axis=1)

    gone = seen.dropped[documents]
    near = similarity >= limit
    lost = gone[left] | gone[right]
    ranks = keep_ranks(seen.population, documents, seen.step)
    swap = ranks[left] < ranks[right]
    better, worse = np.where(swap, left, right), np.where(swap, right, left)
    removable = np.zeros(len(documents), np.bool_)
    removable[worse[near & ~gone[better]]] = True
    difference = np.abs(similarity - ours)
    return {
        "step": {"name": seen.step.name, "bands": seen.step.bands, "rows": seen.step.rows, "ngram": seen.step.ngram},
        "threshold": limit,
        "pairs": {"in_file": len(labelled.a), "judged": len(left), "documents": len(np.unique([left, right]))},
        "recall": recall_by_similarity(similarity, matches, seen.step.bands, seen.step.rows, seen.step.bands),
        "found_at_threshold": share(int(((matches > 0) & near).sum()), int(near.sum())),
        "settled": share(int((lost & near).sum()), int(near.sum())),
        "removals": share(int((gone & removable).sum()), int(removable.sum())),
        "difference": {
            "same": share(int((difference < 1e-4).sum()), len(difference)),
            "mean": float(difference.mean()) if len(difference) else None,
            "largest": float(difference.max()) if len(difference) else None,
        },
    }
