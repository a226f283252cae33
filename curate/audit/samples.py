"""The samples of a run's arms: which documents may be drawn, and as many bytes of each arm as of any other.

Documents are drawn in the order of a hash of their number and the seed, the same for all arms: arms differ by what
they leave out and not by luck. A weight makes a document more likely to be drawn, never drawn twice: to count text
twice is not to train on it twice. Trains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from classifiers.arrow import as_strings
from curate.audit.arms import Arm
from curate.audit.leaks import LeakFinder
from curate.audit.pool import Documents, Texts, draw
from curate.audit.references import LONGEST, Reference, beginnings
from curate.audit.trials import Trial
from curate.dedup.audit_sample import mixed

if TYPE_CHECKING:
    from curate.engines.engine import Engine

Bools = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]

_SPARE = 1.25  # of the bytes that a sample takes, read, as some of them may leak a reference
_PART = 0.8  # of a corpus that is smaller than the sample, so that seeds draw different parts
_COMMON = 0.9  # of the bytes of a mix, those of the largest weights aside: documents of these may run out
_HELD_OUT = 0x4E1D  # the seed that decides which documents of a source are held out


@dataclass(frozen=True)
class Group:
    """Arms that are compared with each other, the bytes that each of their samples has, and samples of each arm."""

    arms: Sequence[Arm]
    bytes: int
    seeds: int


def bytes_of(documents: Documents, arms: Sequence[Arm], held: Bools, wanted: int) -> int:
    """Return the bytes of a sample: what is wanted, or four fifths of the smallest arm where that is less.

    An arm with weights is as large as a sample of it can be that has its shares and nothing twice.
    """
    size = documents.column("byte_count").astype(np.int64) * ~held
    return min(wanted, int(_PART * min(_unrepeated(size, arm.weight) for arm in arms)))


def _unrepeated(size: I64, weight: I64) -> float:
    """Return the bytes in which no document of the common weights is there twice."""
    order = np.argsort(weight, kind="stable")
    running = np.cumsum(size[order] * weight[order])
    common = int(weight[order[np.searchsorted(running, _COMMON * running[-1])]])
    return float(running[-1] / max(common, 1))


def held_out(documents: Documents, shares: Mapping[str, float]) -> Bools:
    """Return the documents that are held out: of each source named, that share, by their hash."""
    place = mixed(documents.column("doc"), _HELD_OUT) / 2.0**64
    found = np.zeros(len(documents), np.bool_)
    for source, share in shares.items():
        found |= (documents.frame["source"] == source).to_numpy() & (place < share)
    return found


@dataclass(frozen=True)
class Samples:
    """Documents of a run with their texts, and what may not be drawn of them.

    `leaked` int64 (n,): the number of the reference that a document leaks, -1 for none or where it was not read.
    """

    documents: Documents
    texts: Texts
    held: Bools
    leaked: I64

    @staticmethod
    def read(documents: Documents, groups: Sequence[Group], held: Bools, engine: Engine, most_bytes: int) -> Samples:
        """Read the texts that the arms may draw, and about `most_bytes` of each source that is held out."""
        size = documents.column("byte_count").astype(np.int64)
        chosen = np.zeros(len(documents), np.bool_)
        for source in documents.frame["source"].filter(pl.Series(held)).unique():
            mine = held & (documents.frame["source"] == source).to_numpy()
            chosen |= _first(
                mixed(documents.column("doc"), _HELD_OUT), np.where(mine, np.minimum(size, LONGEST), 0), most_bytes
            )
        for group in groups:
            for arm in group.arms:
                there = np.where(held | (arm.weight == 0), 0, size)
                for seed in range(group.seeds):
                    chosen |= _first(_keys(documents, arm, seed), there, int(_SPARE * group.bytes) + 1)
        texts = documents.texts(chosen, engine)
        return Samples(documents, texts, held, np.full(len(documents), -1, np.int64))

    def references(self, shares: Mapping[str, float]) -> list[Reference]:
        """Return what is held out as references: cleaned texts of one source each."""
        places = self.texts.places()
        found = []
        for source in shares:
            mine = self.held & (self.documents.frame["source"] == source).to_numpy() & (places >= 0)
            texts = self.texts.by_kind["cleaned"].take(pa.array(places[mine]))
            found.append(Reference(f"{source}, held out", beginnings(as_strings(texts), LONGEST), source))
        return found

    def without_leaks(self, finder: LeakFinder) -> Samples:
        """Find the documents that leak a reference, in what was read."""
        found = np.full(len(self.documents), -1, np.int64)
        found[self.texts.chosen] = finder.find(as_strings(self.texts.by_kind["cleaned"]))
        found[self.held] = -1
        return replace(self, leaked=found)

    def available(self, arm: Arm) -> int:
        """Return the bytes that there are of an arm, among what was read."""
        return int(self.texts.sizes(arm.text)[self._drawable(arm)].sum())

    def drawable(self, group: Group) -> Group:
        """Return a group with fewer bytes, where leaks or cleaners left less of one of its arms."""
        return replace(group, bytes=min(group.bytes, *(int(_PART * self.available(arm)) for arm in group.arms)))

    def trials(self, group: Group, prefix: str) -> list[Trial]:
        """Return what to train for a group, a model for each arm and seed; `prefix` begins the names of the arms."""
        places = self.texts.places()
        found = []
        for arm in group.arms:
            numbers = np.flatnonzero(self._drawable(arm))
            for seed in range(group.seeds):
                order = numbers[np.argsort(_keys(self.documents, arm, seed)[numbers], kind="stable")]
                get = partial(draw, self.texts.by_kind[arm.text], places[order], group.bytes)
                found.append(Trial(f"{prefix}{arm.name}", seed, get, group.bytes))
        return found

    def _drawable(self, arm: Arm) -> Bools:
        free: Bools = self.texts.chosen & ~self.held & (self.leaked < 0) & (arm.weight > 0)
        return free

    def leaks(self, references: Sequence[str]) -> dict[str, Any]:
        """Return how many documents were looked at, and how many leak something, in all and of each reference."""
        counts = np.bincount(self.leaked[self.leaked >= 0], minlength=len(references))
        return {
            "looked_at": int((self.texts.chosen & ~self.held).sum()),
            "documents": int((self.leaked >= 0).sum()),
            "held_out": int(self.held.sum()),
            "by_reference": dict(zip(references, counts.tolist(), strict=True)),
        }


def _keys(documents: Documents, arm: Arm, seed: int) -> npt.NDArray[np.float64]:
    """Return float64 (n,): documents with the smallest keys are a sample by weight, without replacement.

    Source: Efraimidis and Spirakis 2006, Weighted random sampling with a reservoir (as exponential clocks).
    """
    uniform = (mixed(documents.column("doc"), seed) >> np.uint64(11)) * 2.0**-53 + 2.0**-54
    keys: npt.NDArray[np.float64] = -np.log(uniform) / np.maximum(arm.weight, 1)
    return keys


def _first(order: npt.NDArray[np.generic], size: I64, most: int) -> Bools:
    """Return the documents with the smallest keys whose sizes come to `most`, the one that reaches it included."""
    numbers = np.flatnonzero(size)
    ranked = numbers[np.argsort(order[numbers], kind="stable")]
    ends = np.cumsum(size[ranked])
    found = np.zeros(len(size), np.bool_)
    found[ranked[: int(np.searchsorted(ends, most)) + 1]] = True
    return found
