"""A sample of the inputs, run for real in a temporary directory, and what that took. Nothing of the run is kept."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.decide.stage import decide_run
from curate.engines.local import Local
from curate.errors import InputError
from curate.estimate.input_sample import Piece, take_pieces
from curate.pipeline import Options, measure_stage, start, working
from curate.progress import Progress
from curate.recipe import Recipe
from curate.report import report_run
from curate.run import Run
from curate.shards import Shard
from curate.tables import read_table
from curate.write.stage import write_run

FOLDERS = {"measure": ("signals", "sketches", "rejects"), "decide": ("decisions",), "write": ("mix",), "report": ()}
PER_PLACE = ("bytes", "documents", "text_bytes", "tokens", "kept_bytes")


@dataclass
class _Clock(Progress):
    """Remembers how long each stage took, and how much of all cores' time."""

    seconds: dict[str, float] = field(default_factory=dict)
    core_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[None]:
        begun, used = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = time.perf_counter() - begun
        self.core_seconds[name] = time.process_time() - used


@dataclass(frozen=True)
class Trial:
    """What running a sample took: seconds, of the clock and of cores, and bytes written by stage.

    `bytes`: on disk, of the inputs. `candidates`: documents whose shingles were compared. `places` float64 (places of
    the sample, len(PER_PLACE)): what was found in each.
    """

    bytes: int
    shards: int
    documents: int
    text_bytes: int
    tokens: int
    candidates: int
    seconds: dict[str, float]
    core_seconds: dict[str, float]
    written: dict[str, int]
    places: npt.NDArray[np.float64] = field(repr=False)


def trial(
    shards: Sequence[Shard],
    recipe: Recipe,
    options: Options,
    budget: int,
    threads: int | None,
    progress: Progress,
    *,
    places: int | None = None,
    report: bool = True,
) -> Trial:
    """Run a sample of `budget` bytes, as they are when decompressed, from `places` of the inputs.

    Raises InputError naming the original file.
    """
    clock = _Clock()
    with tempfile.TemporaryDirectory(prefix="curate-estimate-") as name:
        folder = Path(name)
        pieces = take_pieces(shards, folder, budget, places)
        if not pieces:
            raise InputError("the inputs hold no bytes")
        try:
            run = start([f"{piece.source}={piece.path}" for piece in pieces], folder / "run", options)
            with working(run, Local(threads)) as engine:
                clock.say = progress.say  # type: ignore[method-assign]
                measure_stage(run, recipe, engine, clock)
                with clock.stage("decide", 0):
                    decide_run(run, recipe, engine)
                with clock.stage("write", 0):
                    write_run(run, recipe, engine)
                with clock.stage("report", 0):
                    if report:
                        report_run(run, recipe, engine)
        except InputError as error:
            raise InputError(_original_names(str(error), pieces)) from None
        return _weighed(run, pieces, clock)


@dataclass(frozen=True)
class Trials:
    """Of one recipe on the same inputs: a sample, less from as many places, and that much from fewer places.

    What more bytes take is told by the first two, what more shards take by the last two. `clock`: how much longer than
    the quickest the slowest of the same trial took, as a share; None where it was made once.
    """

    main: Trial
    small: Trial
    few: Trial
    clock: float | None = None


def quickest(trials: Sequence[Trial]) -> Trial:
    """Return the last of several trials of the same sample, with the shortest times that any had for each stage."""
    last = trials[-1]
    seconds, core_seconds = (
        {name: min(getattr(found, what)[name] for found in trials) for name in last.seconds}
        for what in ("seconds", "core_seconds")
    )
    return replace(last, seconds=seconds, core_seconds=core_seconds)


def clock_spread(trials: Sequence[Trial]) -> float | None:
    """Return how much longer than the quickest the slowest of several trials of the same sample took, as a share."""
    took = [sum(found.seconds.values()) for found in trials]
    return max(took) / min(took) - 1.0 if len(took) > 1 else None


def _original_names(message: str, pieces: Sequence[Piece]) -> str:
    for piece in pieces:
        message = message.replace(str(piece.path), piece.origin)
    return message


def _weighed(run: Run, pieces: Sequence[Piece], clock: _Clock) -> Trial:
    found = np.concatenate([np.empty((0, len(PER_PLACE))), *(_by_place(run, shard, pieces) for shard in run.measured)])
    written = {
        stage: sum(size for folder in folders for size in run.sizes(folder).values())
        for stage, folders in FOLDERS.items()
    }
    written["report"] = sum(path.stat().st_size for path in run.path.glob("report.*"))
    duplicates: dict[str, Any] = run.stage("decide").get("duplicates", {})
    return Trial(
        sum(piece.bytes for piece in pieces),
        len(run.shards),
        run.stage("measure")["counts"]["documents"],
        run.stage("measure")["counts"]["raw_bytes"],
        int(found[:, PER_PLACE.index("tokens")].sum()),
        sum(facts.get("candidates", 0) for facts in duplicates.values()),
        clock.seconds,
        clock.core_seconds,
        written,
        found,
    )


def _by_place(run: Run, shard: Shard, pieces: Sequence[Piece]) -> npt.NDArray[np.float64]:
    """Return what was found at each place of a shard, float64 (places, len(PER_PLACE)): one, or those of its piece."""
    there = [piece for piece in pieces if str(piece.path.absolute()) in shard.paths]
    signals = read_table(run.signals_file(shard), ["row", "byte_count", "token_count"])
    weight = read_table(run.decisions_file(shard), ["weight"])["weight"].to_numpy()
    size = signals["byte_count"].to_numpy()
    on_disk, place = [sum(piece.bytes for piece in there)], np.zeros(len(size), np.int64)
    if len(there) == 1 and there[0].places:
        lines, on_disk = map(list, zip(*there[0].places, strict=True))
        place = np.searchsorted(np.cumsum(lines), signals["row"].to_numpy(), side="right")
    of_documents = (np.ones(len(size)), size, signals["token_count"].to_numpy(), size * weight)
    return np.stack([on_disk, *(np.bincount(place, found, len(on_disk)) for found in of_documents)], axis=1)
