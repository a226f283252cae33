"""A sample of the inputs, run for real in a temporary directory, and what that took. Nothing of the run is kept."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.stage import decide_run
from curate.engines.local import Local
from curate.errors import InputError
from curate.estimate.input_sample import Piece, take_pieces
from curate.measure.stage import read_options
from curate.pipeline import Options, measure_stage, start, working
from curate.progress import Progress
from curate.recipe import Recipe
from curate.report import report_run
from curate.run import Run
from curate.shards import Shard, read_again
from curate.shards.inputs import kind
from curate.tables import read_table
from curate.write.stage import write_run

FOLDERS = {"measure": ("signals", "sketches", "rejects"), "decide": ("decisions",), "write": ("mix",), "report": ()}
PER_PLACE = ("bytes", "documents", "text_bytes", "tokens", "kept_bytes")
RUNS = 32  # that the documents of one place are cut into, where there is no other place


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
    the sample, len(PER_PLACE)): what was found in each; of runs of documents where there is one place. `reached`:
    documents that came to a dedup step. `content`: of `written`, what rows hold, at most; the rest is for files.
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
    reached: int = 0
    content: dict[str, int] = field(default_factory=dict)


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
        pieces = take_pieces(shards, folder, budget, places, skip_bad=options.skip_bad_files)
        if not pieces:
            raise InputError("the inputs hold no bytes")
        try:
            local = Local(threads)
            run = start([f"{piece.source}={piece.path}" for piece in pieces], folder / "run", options, local)
            with working(run, local) as engine:
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
    the quickest the slowest of the same trial took, as a share; None where each was made once.
    """

    main: Trial
    small: Trial
    few: Trial
    clock: float | None = None

    @staticmethod
    def of(main: Sequence[Trial], small: Sequence[Trial], few: Sequence[Trial]) -> Trials:
        """Join what repeated trials took; the clock is that of the largest sample that was run twice."""
        spreads = (clock_spread(of_kind) for of_kind in (main, small, few))
        clock = next((spread for spread in spreads if spread is not None), None)
        return Trials(quickest(main), quickest(small), quickest(few), clock)


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
    duplicates: dict[str, Any] = run.stage("decide").get("duplicates", {})
    places = _places(run, pieces)
    return Trial(
        sum(piece.bytes for piece in pieces),
        len(run.shards),
        run.stage("measure")["counts"]["documents"],
        run.stage("measure")["counts"]["raw_bytes"],
        int(places[:, PER_PLACE.index("tokens")].sum()),
        sum(facts.get("candidates", 0) for facts in duplicates.values()),
        clock.seconds,
        clock.core_seconds,
        _written(run, lambda path: path.stat().st_size),
        places,
        max((facts["documents"] for facts in duplicates.values()), default=0),
        _written(run, _content),
    )


def _written(run: Run, size: Callable[[Path], int]) -> dict[str, int]:
    """Return the sizes of all files that each stage wrote, added up."""
    place = Path(str(run.path))
    written = {
        stage: sum(size(place / name) for folder in folders for name in run.sizes(folder))
        for stage, folders in FOLDERS.items()
    }
    return written | {"report": sum(map(size, place.glob("report.*")))}


def _content(path: Path) -> int:
    """Return the bytes of the rows of a table in memory, where no footer and no header of a column is with them."""
    return int(read_table(path).nbytes) if path.suffix == ".parquet" else path.stat().st_size


def _places(run: Run, pieces: Sequence[Piece]) -> npt.NDArray[np.float64]:
    """Return what was found at each place of the sample, float64 (places, len(PER_PLACE))."""
    measured, copies = set(run.measured), {str(piece.path.absolute()): piece for piece in pieces}
    found = [np.empty((0, len(PER_PLACE)))]
    for shard in run.shards:
        there = [copies[path] for path in shard.paths]
        on_disk = sum(piece.bytes for piece in there)
        if shard not in measured:
            found.append(np.array([[on_disk, *[0] * (len(PER_PLACE) - 1)]], np.float64))
            continue
        rows, documents = _documents(run, shard)
        if len(there) == 1 and there[0].places:
            lines, copied = map(list, zip(*there[0].places, strict=True))
            found.append(_summed(documents, np.searchsorted(np.cumsum(lines), rows, side="right"), copied))
        else:
            found.append(_summed(documents, np.zeros(len(rows), np.int64), [on_disk]))
    places = np.concatenate(found)
    return _runs(run, places) if np.count_nonzero(places[:, 0]) == 1 else places


def _documents(run: Run, shard: Shard) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return of each document of a shard its row, and float64 (documents, len(PER_PLACE) - 1): all but the bytes."""
    signals = read_table(run.signals_file(shard), ["row", "byte_count", "token_count"])
    weight = read_table(run.decisions_file(shard), ["weight"])["weight"].to_numpy()
    size = signals["byte_count"].to_numpy()
    found = np.stack([np.ones(len(size)), size, signals["token_count"].to_numpy(), size * weight], axis=1)
    return signals["row"].to_numpy(), found


def _summed(
    documents: npt.NDArray[np.float64], place: npt.NDArray[np.int64], on_disk: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Return what the documents of each place are together, after its bytes `on_disk`; `place`: of each document."""
    sums = [np.bincount(place, column, len(on_disk)) for column in documents.T]
    return np.stack([np.array(on_disk, np.float64), *sums], axis=1)


def _runs(run: Run, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what was found in each of some runs of documents that follow each other, where there is one place.

    Its bytes on disk are divided as their texts are long; compressed ones, where the input is.
    """
    shard = max(run.measured, key=lambda shard: shard.bytes)
    _, documents = _documents(run, shard)
    runs = min(RUNS, len(documents))
    if runs < 2:
        return places
    of = np.arange(len(documents)) * runs // len(documents)
    packed = shard.format == "parquet" or kind(shard.paths[0])[1] is not None
    held = np.ones(runs)
    for first, batch in read_again(shard, read_options(run, metadata=False)):
        cuts = np.flatnonzero(np.diff(of[first : first + len(batch)], prepend=-1, append=runs))
        for low, high in pairwise(cuts.tolist()):
            text = "\n".join(batch.texts.slice(low, high - low).to_pylist()).encode()
            held[of[first + low]] += len(pa.compress(text, "zstd", asbytes=True)) if packed else len(text)
    return _summed(documents, of, (places[:, 0].sum() * held / held.sum()).tolist())
