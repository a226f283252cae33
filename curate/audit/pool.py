"""The documents of a run that an audit draws its samples from: what was decided on them, and their texts.

Looks at as many shards as the samples need, chosen by the hash of their names, and reads only texts that may be
drawn. Draws nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.decide.cuts import cut, ranges_of
from curate.dedup.audit_sample import mixed
from curate.errors import RunError
from curate.kernels.hashing import murmur3
from curate.measure.stage import read_options
from curate.recipe import Recipe, Top
from curate.shards import Shard, read_chosen
from curate.tables import read_frame, read_schema
from curate.text import clean

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.run import Run

_FEWEST_SHARDS = 16
_MOST_SHARDS = 256
_KINDS = ("raw", "cleaned", "mix")

Bools = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Documents:
    """Documents of some shards of a run, in the order of these, as columns.

    `frame` has doc, source, dropped_by, failed, weight, byte_count, token_count, part (place of the shard in `shards`)
    and position, and the columns by which steps take the top.
    """

    run: Run
    shards: Sequence[Shard]
    frame: pl.DataFrame = field(repr=False)

    def __len__(self) -> int:
        return len(self.frame)

    @staticmethod
    def of(run: Run, wanted_bytes: int, held_out: Sequence[str]) -> Documents:
        """Look at shards, in the order of the hashes of their names, until there are enough bytes in the mix.

        At least 16 shards if there are so many, and two of each source that something is held out of. RunError when
        the run is not decided, or a source is not there.
        """
        if not run.is_done("decide", run.stage("decide").get("key", "")):
            raise RunError(f"{run.path} is not decided yet; run: curate decide {run.path}")
        recipe = run.recipe
        shards = run.measured
        missing = set(held_out) - {shard.source for shard in shards}
        if missing:
            known = ", ".join(sorted({shard.source for shard in shards}))
            raise RunError(f"--heldout-share {sorted(missing)[0]}: {run.path} has no such source (there are: {known})")
        keys = murmur3(as_strings(pa.array([shard.name for shard in shards], pa.large_string())))[:, 0]
        taken: list[tuple[int, pl.DataFrame]] = []
        mix_bytes = 0
        sources = dict.fromkeys(held_out, 0)
        for place in np.argsort(mixed(keys, 0), kind="stable").tolist():
            shard = shards[place]
            enough = mix_bytes >= wanted_bytes or len(taken) >= _MOST_SHARDS
            if len(taken) >= _FEWEST_SHARDS and enough and sources.get(shard.source, 2) >= 2:
                continue
            frame = _columns(run, recipe, shard)
            mix_bytes += int((frame["byte_count"] * frame["weight"].clip(0, 1)).sum())
            sources[shard.source] = sources.get(shard.source, 0) + 1
            taken.append((place, frame))
        taken.sort(key=lambda one: one[0])
        frames = [frame.with_columns(part=pl.lit(number)) for number, (_, frame) in enumerate(taken)]
        frame = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()
        return Documents(run, [shards[place] for place, _ in taken], frame)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column of numbers."""
        return self.frame[name].to_numpy()

    def texts(self, chosen: Bools, engine: Engine) -> Texts:
        """Read the texts of the chosen documents, as they came, cleaned, and as the mix has them."""
        position = self.column("position")
        part = self.column("part")
        places = [position[chosen & (part == number)] for number in range(len(self.shards))]
        items = [(number, tuple(where.tolist())) for number, where in enumerate(places) if len(where)]
        task = _ReadTask(self.run, self.shards, self.run.recipe.clean)
        found = {number: pair for (number, _), pair in engine.run(task, items)}
        read_ = [found[number] for number, _ in items]
        raw = pa.concat_arrays([pa.array([], pa.large_string()), *(one for one, _ in read_)])
        cleaned = pa.concat_arrays([pa.array([], pa.large_string()), *(other for _, other in read_)])
        trimmed = cleaned
        if "cuts" in self.frame.columns:
            ranges = ranges_of(self.frame["cuts"].filter(pl.Series(chosen)))
            trimmed = to_array(cut(as_strings(cleaned), ranges))
        return Texts(chosen, {"raw": raw, "cleaned": cleaned, "mix": trimmed})


def _columns(run: Run, recipe: Recipe, shard: Shard) -> pl.DataFrame:
    """Return what is known of the documents of a shard, one row each."""
    path = run.decisions_file(shard)
    there = read_schema(path).names
    wanted = {column for step in recipe.steps if isinstance(step, Top) for column in step.columns}
    names = ["doc", "source", "dropped_by", "failed", "weight", *(name for name in ("cuts", *wanted) if name in there)]
    decisions = read_frame(path, list(dict.fromkeys(names)))
    measured = read_schema(run.signals_file(shard)).names
    more = sorted(name for name in wanted if name in measured and name not in decisions.columns)
    signals = read_frame(run.signals_file(shard), ["byte_count", "token_count", *more])
    return decisions.hstack(signals).with_columns(position=pl.int_range(pl.len()))


@dataclass(frozen=True)
class Texts:
    """Texts of the documents for which `chosen`, bool (n,), is true, by kind: "raw", "cleaned" and "mix"."""

    chosen: Bools
    by_kind: Mapping[str, Any] = field(repr=False)

    def places(self) -> I64:
        """Return int64 (n,): where the text of each document is, -1 for one that was not read."""
        found = np.full(len(self.chosen), -1, np.int64)
        found[self.chosen] = np.arange(int(self.chosen.sum()))
        return found

    def sizes(self, kind: str) -> I64:
        """Return int64 (n,): bytes of the text of each document, 0 for one that was not read."""
        found = np.zeros(len(self.chosen), np.int64)
        found[self.chosen] = np.diff(as_strings(self.by_kind[kind]).offsets)
        return found


@dataclass(frozen=True)
class _ReadTask:
    """Reads the texts at some positions of a shard; `task((part, positions), workers)` gives them raw and cleaned."""

    run: Run
    shards: Sequence[Shard]
    cleaners: tuple[str, ...]

    def __call__(self, wanted: tuple[int, tuple[int, ...]], workers: Workers) -> tuple[Any, Any]:
        number, places = wanted
        shard = self.shards[number]
        self.run.check_unchanged(shard)
        positions = np.asarray(places, np.int64)

        parts = (raw for _, _, raw in read_chosen(shard, read_options(self.run, False), positions) if len(raw))
        done = list(workers.map(lambda raw: (raw, to_array(clean(raw, self.cleaners))), parts))
        return pa.concat_arrays([raw for raw, _ in done]), pa.concat_arrays([cleaned for _, cleaned in done])


def draw(texts: Any, order: I64, size: int) -> Strings:
    """Return texts in an order until there are `size` bytes; the last one is cut short.

    `texts`: an Arrow array; `order`: places in it. Cut between characters, so up to 3 bytes may be missing.
    """
    strings = as_strings(texts)
    ends = np.cumsum(np.diff(strings.offsets)[order])
    last = int(np.searchsorted(ends, size, side="left"))
    chosen = as_strings(texts.take(pa.array(order[: last + 1])))
    end = min(size, chosen.nbytes)
    while end < chosen.nbytes and (chosen.data[end] & 0xC0) == 0x80:
        end -= 1
    offsets = np.minimum(chosen.offsets, end)
    return Strings(chosen.data[:end], offsets)
