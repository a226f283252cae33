"""A sample of the documents of a corpus, as the hashes of their words, that depends on the texts and nothing else.

Sampled are the documents whose cleaned texts have the smallest hashes, equal texts once: the same ones for any order
of shards, cut of files or number of threads. What is done with the words is not known here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.errors import InputError
from curate.kernels.hashing import text_hash
from curate.kernels.unicode_words import words_of
from curate.shards import Batch, ReadOptions, Shard, read
from curate.storage import Location
from curate.tables import TableWriter, load_table, read_facts
from curate.text import clean

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers

MOST_WORDS = 10_000  # of a document, so that no long one makes the sample

_SAVE_SECONDS = 30.0
_ANY = 2**64 - 1
_WORDS = pa.large_list(pa.uint64())


@dataclass(frozen=True)
class Sample:
    """Documents: `hash` uint64 (m,) of their texts, ascending, and the words of each as uint64 hashes."""

    hash: npt.NDArray[np.uint64]
    documents: pa.LargeListArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.hash)

    @property
    def words(self) -> npt.NDArray[np.uint64]:
        """The words of all documents."""
        flat: npt.NDArray[np.uint64] = self.documents.flatten().to_numpy()
        return flat

    @staticmethod
    def empty() -> Sample:
        """No documents."""
        return Sample(np.zeros(0, np.uint64), pa.array([], _WORDS))

    @staticmethod
    def of_texts(cleaned: Strings, size: int, below: int = _ANY) -> Sample:
        """Sample `size` of the texts whose hash is at most `below`."""
        hashes, at = np.unique(text_hash(cleaned)[:, 0], return_index=True)
        chosen = at[hashes <= below][:size]
        texts = as_strings(to_array(cleaned).take(pa.array(chosen)))
        words = words_of(texts)
        most = pa.array(np.minimum(np.diff(words.first), MOST_WORDS))
        return Sample(hashes[: len(chosen)], _shortened(words.first, words.hash, most.to_numpy()))

    @staticmethod
    def joined(parts: Sequence[Sample], size: int) -> Sample:
        """Sample `size` documents of several samples of at least as many."""
        hashes, at = np.unique(np.concatenate([part.hash for part in parts]), return_index=True)
        documents = pa.concat_arrays([part.documents for part in parts])
        return Sample(hashes[:size], documents.take(pa.array(at[:size])))


def _shortened(
    first: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64]
) -> pa.LargeListArray:
    """Return lists of the first `sizes` words of each document."""
    ends = np.concatenate([[0], np.cumsum(sizes)])
    at = np.repeat(first[:-1] - ends[:-1], sizes) + np.arange(ends[-1])
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), pa.array(hashes[at]))


@dataclass
class SampleShard:
    """The task: sample one shard; called as `task(shard, workers)`.

    `below` falls while shards are merged: a document above it cannot be in the sample of all. A copy of the task in
    another process only samples more than it needs to.
    """

    options: ReadOptions
    cleaners: tuple[str, ...]
    size: int
    below: int = _ANY

    def __call__(self, shard: Shard, workers: Workers) -> Sample:
        """Return the sample of a shard; no documents for one that cannot be read and is to be skipped."""
        parts, held = [Sample.empty()], 0
        below = self.below

        def of_batch(batch: Batch) -> Sample:
            return Sample.of_texts(clean(batch.texts, self.cleaners), self.size, min(below, self.below))

        batches = read(shard, self.options, on_reject=lambda reject: None)
        try:
            for part in workers.map(of_batch, batches):
                parts.append(part)
                held += len(part)
                if held > 2 * self.size:
                    parts = [Sample.joined(parts, self.size)]
                    held = len(parts[0])
                    below = int(parts[0].hash[-1])
        except InputError:
            if not self.options.skip_bad_files:
                raise
            return Sample.empty()
        return Sample.joined(parts, self.size)


def sample_shards(
    shards: Sequence[Shard],
    options: ReadOptions,
    cleaners: tuple[str, ...],
    size: int,
    engine: Engine,
    *,
    state: Location | None = None,
    key: str = "",
) -> Sample:
    """Return `size` documents of the shards; `state` keeps what is done so far under `key`, to go on from.

    Raises InputError where a shard cannot be read, unless the options skip bad files.
    """
    sample, done = _stored(state, key)
    task = SampleShard(options, cleaners, size)
    saved = time.monotonic()
    for shard, part in engine.run(task, [shard for shard in shards if shard.name not in done]):
        sample = Sample.joined([sample, part], size)
        done.add(shard.name)
        if len(sample) == size:
            task.below = int(sample.hash[-1])
        if state is not None and time.monotonic() - saved > _SAVE_SECONDS:
            _store(state, key, sample, done)
            saved = time.monotonic()
    return sample


def _store(state: Location, key: str, sample: Sample, done: set[str]) -> None:
    state.parent.mkdir(exist_ok=True)
    with TableWriter(state) as table:
        table.write(pa.table({"hash": sample.hash, "words": sample.documents}))
        table.close({"key": key, "done": sorted(done)})


def _stored(state: Location | None, key: str) -> tuple[Sample, set[str]]:
    """Return the sample so far and the shards in it."""
    if state is None or not state.is_file():
        return Sample.empty(), set()
    facts = read_facts(state)
    if facts is None or facts.get("key") != key:
        return Sample.empty(), set()
    try:
        table = load_table(state).combine_chunks()
    except (OSError, pa.ArrowException):
        return Sample.empty(), set()
    if not len(table):
        return Sample.empty(), set(facts["done"])
    documents = table["words"].chunk(0).cast(_WORDS)
    return Sample(table["hash"].to_numpy(), documents), set(facts["done"])
