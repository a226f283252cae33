"""Score files with one classifier: a Parquet file of scores for every shard.

What the scores are used for is the business of recipes; models are read and run by the package `classifiers`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import classifiers
from curate.errors import InputError, RecipeError
from curate.measure.scores import digest
from curate.measure.texts import identify
from curate.shards import Batch, ReadOptions, Shard, plan, read
from curate.tables import TableWriter, read_facts

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers


@dataclass(frozen=True)
class Scored:
    """What scoring did: documents, shards scored now, shards whose scores were there already, records rejected."""

    documents: int
    scored: int
    skipped: int
    rejected: int


@dataclass(frozen=True)
class _Done:
    documents: int
    rejected: int
    fresh: bool


def score_files(
    model: str | Path,
    inputs: Sequence[str | Path],
    out: Path,
    *,
    label: str | None = None,
    top_k: int | None = None,
    options: ReadOptions | None = None,
    engine: Engine | None = None,
    advance: Callable[[int], None] = lambda size: None,
) -> Scored:
    """Write OUT/SHARD.parquet for every shard of the inputs: id, source, shard, row and the scores, a row a document.

    The scores are, of a model with a positive label or with `label` given, `score` (float32: its probability); else
    `label` and `score` of the most probable label, null and 0 where nothing is known; with `top_k`, `labels` and
    `scores`: lists of that many, best first. Shards that were scored before with the same model and options are left
    alone. `advance` is told bytes of input. Raises InputError for files that cannot be read, RecipeError for a model
    that cannot be had or a label that it does not have.
    """
    from curate.engines.local import Local

    found = _load(model)
    wanted = label or (found.positive if top_k is None else None)
    if wanted is not None and wanted not in found.labels:
        raise RecipeError(f'{found.path}: no label "{wanted}"; it has {", ".join(found.labels[:20])}')
    if top_k is not None and (label is not None or top_k < 1):
        raise RecipeError("ask for the score of one label or for the best K labels (at least 1), not both")
    if top_k is not None and top_k > len(found.labels):
        raise RecipeError(f"{found.path}: has {len(found.labels)} labels; ask for at most so many with top-k")
    digest(found.path)  # once, before every thread wants it
    out.mkdir(parents=True, exist_ok=True)
    task = ScoreShard(found, wanted, top_k, options or ReadOptions(metadata=False), out)
    done = []
    for shard, result in (engine or Local()).run(task, _outside(plan(inputs), out)):
        advance(shard.bytes)
        done.append(result)
    return Scored(
        documents=sum(one.documents for one in done),
        scored=sum(one.fresh for one in done),
        skipped=sum(not one.fresh for one in done),
        rejected=sum(one.rejected for one in done),
    )


def _load(model: str | Path) -> classifiers.Model:
    try:
        return classifiers.load(model)
    except classifiers.ClassifierError as error:
        raise RecipeError(str(error)) from None


@dataclass(frozen=True)
class ScoreShard:
    """The task: score one shard; called as `task(shard, workers)`."""

    model: classifiers.Model
    label: str | None
    top_k: int | None
    options: ReadOptions
    out: Path

    def __call__(self, shard: Shard, workers: Workers) -> _Done:
        """Score a shard unless its scores are there already."""
        path = self.out / f"{shard.name}.parquet"
        key = self._key(shard)
        before = read_facts(path)
        if before is not None and before.get("key") == key:
            return _Done(before["documents"], before["rejected"], fresh=False)
        documents, rejected = 0, 0

        def reject(_: object) -> None:
            nonlocal rejected
            rejected += 1

        with TableWriter(path) as writer:
            writer.write(self.table(_no_documents(), shard))
            score = functools.partial(self.table, shard=shard)
            for table in workers.map(score, read(shard, self.options, on_reject=reject)):
                documents += len(table)
                writer.write(table)
            writer.close({"key": key, "documents": documents, "rejected": rejected})
        return _Done(documents, rejected, fresh=True)

    def table(self, batch: Batch, shard: Shard) -> pa.Table:
        """Return the rows of a batch."""
        count = len(batch)
        return pa.table(
            {
                "id": identify(batch.ids, batch.texts),
                "source": pa.array([shard.source] * count, pa.string()),
                "shard": pa.array([shard.name] * count, pa.string()),
                "row": pa.array(batch.rows),
                **self._scores(batch.texts),
            }
        )

    def _scores(self, texts: pa.Array) -> dict[str, pa.Array]:
        model = self.model
        if self.label is not None:
            return {"score": pa.array(model.score(texts, self.label))}
        if self.top_k is None:
            codes, scores = model.predict_codes(texts)
            labels = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(model.labels))
            return {"label": labels.cast(pa.string()), "score": pa.array(scores)}
        names, values = model.predict(texts, self.top_k)
        offsets = pa.array(np.arange(0, names.size + 1, self.top_k, dtype=np.int32))
        return {
            "labels": pa.ListArray.from_arrays(offsets, pa.array(names.ravel(), pa.string())),
            "scores": pa.ListArray.from_arrays(offsets, pa.array(values.ravel())),
        }

    def _key(self, shard: Shard) -> str:
        """Return what the scores of a shard depend on, as one hash."""
        try:
            files = [(path, (stat := Path(path).stat()).st_size, stat.st_mtime_ns) for path in shard.paths]
        except OSError as error:
            raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from error
        asked: list[Any] = [digest(self.model.path), self.label, self.top_k, files, shard.part]
        asked += [self.options.text_column, self.options.id_column]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _no_documents() -> Batch:
    return Batch(pa.array([], pa.large_string()), None, pa.table({}), np.zeros(0, np.int64))


def _outside(shards: Sequence[Shard], out: Path) -> list[Shard]:
    """Return the shards that are not scores of an earlier run."""
    root = out.resolve()
    return [shard for shard in shards if not Path(shard.paths[0]).resolve().is_relative_to(root)]
