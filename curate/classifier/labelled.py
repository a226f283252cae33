"""Labelled documents from shards: read, sampled and balanced.

Everything is decided by hashes of texts: the same documents give the same choice, in whatever files and order they
come. Splits, trains and scores nothing. Holds the chosen texts in memory.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import classifiers
from classifiers.arrow import as_strings
from classifiers.train import check_label
from curate.engines.engine import Engine
from curate.engines.local import Local
from curate.engines.workers import Workers
from curate.errors import InputError
from curate.kernels.hashing import text_hash
from curate.shards import ReadOptions, Reject, Shard, plan, read

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

SAMPLE, ORDER, SPLIT = 1, 2, 3  # what a hash decides; each decision has a hash of its own


@dataclass(frozen=True)
class Labelled:
    """n documents, each with a label and the source that it came from.

    `texts` large_string; `codes` int32 (n,) into `labels`; `sources` int32 (n,) into `source_names`; `hashes` uint64
    (n, 2) of the texts with white space normalised, all different.
    """

    labels: list[str]
    source_names: list[str]
    texts: pa.LargeStringArray = field(repr=False)
    codes: I32 = field(repr=False)
    sources: I32 = field(repr=False)
    hashes: U64 = field(repr=False)

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, which: npt.NDArray[Any]) -> Labelled:
        """Return some of the documents: by number in the order given, or by a mask."""
        places = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return replace(
            self,
            texts=self.texts.take(pa.array(places)),
            codes=self.codes[places],
            sources=self.sources[places],
            hashes=self.hashes[places],
        )

    def counts(self) -> dict[str, int]:
        """Return the number of documents of each label."""
        counted = np.bincount(self.codes, minlength=len(self.labels)).tolist()
        return dict(zip(self.labels, counted, strict=True))


@dataclass
class Found:
    """What the inputs of a label held: records read, and what was left out of them and why.

    `content` identifies the documents read, whatever files and order they are in: the sum of their hashes, in hex.
    Where a label is cut to `max_per_label`, repetitions count as `sampled_out`, and a text of two labels is only known
    as contradictory where both have chosen it.
    """

    inputs: list[str]
    documents: int = 0
    bytes: int = 0
    rejected: int = 0
    empty: int = 0
    repeated: int = 0
    contradictory: int = 0  # texts that another label has too
    sampled_out: int = 0
    used: int = 0
    content: str = ""


@dataclass(frozen=True)
class _Part:
    """Documents of one label, from one shard or many."""

    texts: pa.LargeStringArray
    hashes: U64
    sources: I32

    @staticmethod
    def concat(parts: Sequence[_Part]) -> _Part:
        texts = pa.concat_arrays([part.texts for part in parts])
        return _Part(
            texts, np.concatenate([part.hashes for part in parts]), np.concatenate([part.sources for part in parts])
        )

    def choose(self, seed: int, most: int | None) -> tuple[_Part, int]:
        """Return distinct texts, the first `most` by hash, and how many were repetitions."""
        order = np.lexsort((self.sources, self.hashes[:, 1], self.hashes[:, 0]))
        sorted_hashes = self.hashes[order]
        first = np.append(True, (sorted_hashes[1:] != sorted_hashes[:-1]).any(axis=1))[: len(order)]
        chosen = order[first]
        if most is not None and len(chosen) > most:
            chosen = chosen[np.argsort(mixed(self.hashes[chosen, 0], seed, SAMPLE), kind="stable")[:most]]
        return self.take(chosen), len(order) - int(first.sum())

    def take(self, places: I64) -> _Part:
        return _Part(self.texts.take(pa.array(places)), self.hashes[places], self.sources[places])


def mixed(hashes: U64, seed: int, decision: int) -> U64:
    """Return a hash of hashes for one decision: SplitMix64's finaliser (Steele, Lea & Flood 2014), uint64 (n,)."""
    salt = np.uint64((seed * 0x9E3779B97F4A7C15 + decision * 0xD1342543DE82EF95) % 2**64)
    h = hashes ^ salt
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(h ^ (h >> np.uint64(31)))


def labelled_shards(inputs: Mapping[str, Sequence[str]]) -> dict[str, list[Shard]]:
    """Return the shards of each label.

    Raises InputError for a name that cannot be a label, and where a label's inputs match nothing.
    """
    for label in inputs:
        try:
            check_label(label)
        except classifiers.ClassifierError as error:
            raise InputError(str(error)) from None
    return {label: plan(given) for label, given in inputs.items()}


def parse_labelled(given: Sequence[str], option: str) -> dict[str, list[str]]:
    """Read NAME=INPUT options; a name may come more than once. InputError for one without a name or an input.

    >>> parse_labelled(["good=wiki=a.jsonl", "good=b/"], "--label")
    {'good': ['wiki=a.jsonl', 'b/']}
    """
    found: dict[str, list[str]] = {}
    for entry in given:
        label, equals, where = entry.partition("=")
        if not equals or not label or not where:
            raise InputError(f"{option} {entry}: write it as NAME=INPUT, such as {option} good=books/*.jsonl")
        found.setdefault(label, []).append(where)
    return found


def gather(
    inputs: Mapping[str, Sequence[str]],
    *,
    text_column: str = "text",
    max_per_label: int | None = None,
    balance: bool = True,
    seed: int = 0,
    engine: Engine | None = None,
) -> tuple[Labelled, dict[str, Found]]:
    """Read the documents of every label, choose among them by hash, and put them into an order decided by hash.

    Left out: documents without words, repeated texts (white space aside), and texts that two labels have. A label with
    more than `max_per_label` documents keeps that many; with `balance` every label keeps as many as the smallest has.
    Raises InputError for an input that cannot be found or read, fewer than two labels, and a label without documents.
    """
    if len(inputs) < 2:
        raise InputError("a classifier needs documents of at least two labels; give inputs for another one")
    engine = engine or Local()
    shards = labelled_shards(inputs)
    names = sorted({shard.source for label in shards.values() for shard in label})
    found = {label: Found(list(given)) for label, given in inputs.items()}
    options = ReadOptions(text_column, metadata=False)
    parts = []
    for label, facts in found.items():
        parts.append(_read_label(label, shards[label], facts, options, names, seed, max_per_label, engine))
    parts = _agreeing(parts, list(found.items()))
    if balance:
        smallest = min(len(part.hashes) for part in parts)
        parts = [part.choose(seed, smallest)[0] for part in parts]
    for part, facts in zip(parts, found.values(), strict=True):
        facts.used = len(part.hashes)
        kept = facts.documents - facts.empty - facts.repeated - facts.contradictory
        facts.sampled_out = kept - facts.used
    return _ordered(list(inputs), names, parts, seed), found


def _read_label(
    label: str,
    shards: list[Shard],
    found: Found,
    options: ReadOptions,
    names: list[str],
    seed: int,
    most: int | None,
    engine: Engine,
) -> _Part:
    task = functools.partial(_read_shard, options=options, names=names, seed=seed, most=most)
    parts: list[_Part] = []
    content = np.zeros(2, np.uint64)
    for _, (part, facts, hashes) in engine.run(task, shards):
        parts.append(part)
        content += hashes
        for name in ("documents", "bytes", "rejected", "empty", "repeated"):
            setattr(found, name, getattr(found, name) + getattr(facts, name))
        parts = _cut(parts, seed, most)
    if not any(len(part.hashes) for part in parts):
        given = ", ".join(found.inputs)
        raise InputError(f'label "{label}": no documents with text in {given} ({found.documents:,} records read)')
    found.content = "".join(f"{int(half):016x}" for half in content)
    return _count_repeated(parts, found, seed, most)


def _count_repeated(parts: list[_Part], found: Found, seed: int, most: int | None) -> _Part:
    part, repeated = _Part.concat(parts).choose(seed, most)
    if most is None:  # else it would depend on where the parts were cut
        found.repeated += repeated
    return part


def _cut(parts: list[_Part], seed: int, most: int | None) -> list[_Part]:
    """Bound what is held in memory: at most twice the documents that are wanted."""
    if most is None or sum(len(part.hashes) for part in parts) <= 2 * most:
        return parts
    return [_Part.concat(parts).choose(seed, most)[0]]


def _read_shard(
    shard: Shard, workers: Workers, *, options: ReadOptions, names: list[str], seed: int, most: int | None
) -> tuple[_Part, Found, U64]:
    """Read one shard; return its chosen documents, its counts and the sum of the hashes of all."""
    found = Found([])
    content = np.zeros(2, np.uint64)
    nothing = text_hash(as_strings([""]))[0]
    source = names.index(shard.source)
    parts = [_Part(pa.array([], pa.large_string()), np.zeros((0, 2), np.uint64), np.zeros(0, np.int32))]

    def rejected(reject: Reject) -> None:
        found.rejected += 1

    for batch in read(shard, options, on_reject=rejected):
        hashes = text_hash(as_strings(batch.texts))
        filled = (hashes != nothing).any(axis=1)
        found.documents += len(batch)
        found.bytes += batch.text_bytes
        found.empty += int((~filled).sum())
        content += hashes.sum(axis=0, dtype=np.uint64)
        places = np.flatnonzero(filled)
        parts.append(_Part(batch.texts.take(pa.array(places)), hashes[places], np.full(len(places), source, np.int32)))
        parts = _cut(parts, seed, most)
    return _count_repeated(parts, found, seed, most), found, content


def _agreeing(parts: list[_Part], found: list[tuple[str, Found]]) -> list[_Part]:
    """Leave out the texts that more than one label has."""
    keys = np.concatenate([part.hashes for part in parts])
    _, group, sizes = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    alone = np.split(sizes[group.ravel()] == 1, np.cumsum([len(part.hashes) for part in parts])[:-1])
    for (label, facts), single in zip(found, alone, strict=True):
        facts.contradictory = int((~single).sum())
        if not single.any():
            raise InputError(f'label "{label}": every one of its documents is in the inputs of another label too')
    return [part.take(np.flatnonzero(single)) for part, single in zip(parts, alone, strict=True)]


def _ordered(labels: list[str], names: list[str], parts: list[_Part], seed: int) -> Labelled:
    codes = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part.hashes) for part in parts])
    whole = _Part.concat(parts)
    order = np.lexsort((whole.hashes[:, 1], mixed(whole.hashes[:, 0], seed, ORDER)))
    return Labelled(labels, names, whole.texts, codes, whole.sources, whole.hashes).take(order)
