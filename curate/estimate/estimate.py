"""What a run will take, before it is made: time, memory and disk of each stage, from a sample of the inputs.

The sample is run for real, in a temporary directory; everything else is proportion. Nothing of the run is kept.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.corpus import Options, Progress, measure_stage, open_recipe, start, working
from curate.decide.stage import decide_run
from curate.engines.local import Local
from curate.errors import CurateError, InputError, SpaceError
from curate.estimate.input_sample import Piece, take_pieces
from curate.recipe import Filter, Recipe
from curate.report import report_run
from curate.run import STAGES, Run
from curate.shards import Shard, plan
from curate.write.stage import write_run

TARGET_TOKENS = 15 * 10**12
PILOT_BYTES = 4 << 20  # of text: enough to load and compile everything, and for the price of small things
QUICK_BYTES = 2 << 20  # for the check before a run
MOST_BYTES = 256 << 20
NEVER_LARGER = 100  # a run has never taken so many times the bytes of its inputs: then nothing has to be estimated
FOLDERS = {"measure": ("signals", "sketches", "rejects"), "decide": ("decisions",), "write": ("mix",), "report": ()}
_DECIDE_BYTES = 90  # a document, of memory: numbers, keys of one band, labels, hashes, tokens, domain, weight


@dataclass
class _Clock(Progress):
    """Remembers how long each stage took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun


@dataclass(frozen=True)
class Trial:
    """What running a sample took: seconds and bytes written by stage, for `bytes` on disk of the inputs."""

    bytes: int
    shards: int
    documents: int
    text_bytes: int
    tokens: int
    seconds: dict[str, float]
    written: dict[str, int]


def estimate(
    inputs: str | Path | Sequence[str | Path],
    recipe: Recipe | str | Path = "web",
    *,
    seconds: float = 20.0,
    threads: int | None = None,
    target_tokens: int = TARGET_TOKENS,
    price_per_core_hour: float | None = None,
    sample_bytes: int | None = None,
    out: str | Path = ".",
    progress: Progress | None = None,
    **reading: Any,
) -> dict[str, Any]:
    """Estimate a run over `inputs`: `sample`, `whole` and `target`, JSON-like.

    `whole` is for all of the inputs, `target` for `target_tokens` of the same kind of text; each has documents,
    tokens, bytes, and for each of its stages seconds, memory and disk, and their sums, core_hours and cost. About
    `seconds` are spent; `sample_bytes` takes a sample of that many bytes of decompressed input instead. `out`: where
    the run would be made, for its free space. `reading`: as for `curate.corpus`.
    Raises InputError for inputs that cannot be read, RecipeError.
    """
    progress = progress or Progress()
    several = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    shards = plan(several)
    chosen, options = open_recipe(recipe), Options(**reading)
    total = sum(shard.bytes for shard in shards)
    if not total:
        raise InputError(f"{several[0]}: the inputs are empty, there is nothing to estimate")
    pilot = _trial(shards, chosen, options, PILOT_BYTES, threads, progress)  # loads models, compiles
    if sample_bytes is None:
        pilot = _trial(shards, chosen, options, PILOT_BYTES, threads, progress)
        speed = PILOT_BYTES / (pilot.seconds["measure"] + pilot.seconds["write"])
        sample_bytes = int(min(max(PILOT_BYTES, speed * seconds * 0.7), MOST_BYTES))
    main = _trial(shards, chosen, options, sample_bytes, threads, progress)
    if not main.documents:
        raise InputError(
            f"{several[0]}: no document in a sample of the inputs; see curate measure for what is rejected"
        )
    count = Local(threads).threads
    scales = {"whole": total / main.bytes, "target": target_tokens / max(main.tokens, 1)}
    parts = {
        name: _scaled(main, pilot, scale, len(shards) * scale * main.bytes / total, chosen, count, price_per_core_hour)
        for name, scale in scales.items()
    }
    free = shutil.disk_usage(_existing(Path(out))).free
    return {
        "recipe": chosen.name,
        "threads": count,
        "sample": {"bytes": main.bytes, "of": total, "text_bytes": main.text_bytes, "documents": main.documents},
        "free_disk": free,
        "fits": parts["whole"]["disk"] <= free,
        **parts,
    }


def _scaled(
    main: Trial, pilot: Trial, scale: float, shards: float, recipe: Recipe, threads: int, price: float | None
) -> dict[str, Any]:
    """Return what `scale` times the input of a trial takes, in so many shards."""
    documents = round(main.documents * scale)
    flat = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    filters = [step for step in recipe.steps if isinstance(step, Filter)]
    by_document = _DECIDE_BYTES + len(filters)
    stages: list[dict[str, Any]] = []
    for name in STAGES:
        stages.append(
            {
                "stage": name,
                "seconds": _seconds(main, pilot, name, scale),
                "memory": flat + (documents * by_document if name != "measure" else 0),
                "disk": _disk(main, pilot, name, scale, shards),
            }
        )
    spent = sum(stage["seconds"] for stage in stages)
    core_hours = spent * threads / 3600
    return {
        "documents": documents,
        "tokens": round(main.tokens * scale),
        "bytes": round(main.bytes * scale),
        "text_bytes": round(main.text_bytes * scale),
        "stages": stages,
        "seconds": spent,
        "memory": max(stage["memory"] for stage in stages),
        "disk": sum(stage["disk"] for stage in stages),
        "core_hours": core_hours,
        "cost": None if price is None else core_hours * price,
    }


def _seconds(main: Trial, pilot: Trial, stage: str, scale: float) -> float:
    """Return the time of a stage: what every run takes, and what grows with its input.

    The two are told apart by a small and a large trial; where these are alike all of it is taken to grow.
    """
    there = main.seconds[stage]
    if scale <= 1.0 or main.bytes < 3 * pilot.bytes:
        return there * scale
    slope = (there - pilot.seconds[stage]) / (main.bytes - pilot.bytes)
    slope = min(max(slope, 0.5 * there / main.bytes if stage in ("measure", "write") else 0.0), there / main.bytes)
    return there + slope * main.bytes * (scale - 1.0)


def _disk(main: Trial, pilot: Trial, stage: str, scale: float, shards: float) -> int:
    """Return the bytes that a stage writes: so many for a shard, however small, and so many for a byte of input.

    Two trials of different sizes tell these two apart. The report has the same figures for any input.
    """
    there, small = main.written[stage], pilot.written[stage]
    if stage == "report":
        return there
    determinant = main.bytes * pilot.shards - pilot.bytes * main.shards
    if scale <= 1.0 or stage == "write" or determinant <= 0 or main.bytes <= pilot.bytes:
        return round(there * scale)
    by_byte = (there * pilot.shards - small * main.shards) / determinant
    by_byte = min(max(by_byte, 0.5 * there / main.bytes), there / main.bytes)
    by_shard = (there - by_byte * main.bytes) / main.shards
    return round(by_byte * main.bytes * scale + by_shard * shards)


def _trial(
    shards: Sequence[Shard],
    recipe: Recipe,
    options: Options,
    budget: int,
    threads: int | None,
    progress: Progress,
    *,
    report: bool = True,
) -> Trial:
    """Run a sample of `budget` bytes in a temporary directory."""
    clock = _Clock()
    with tempfile.TemporaryDirectory(prefix="curate-estimate-") as name:
        folder = Path(name)
        pieces = take_pieces(shards, folder, budget)
        if not pieces:
            raise InputError("the inputs hold no bytes")
        try:
            run = start([f"{piece.source}={piece.path}" for piece in pieces], folder / "run", options)
            with working(run, threads) as engine:
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
        return _weighed(run, sum(piece.bytes for piece in pieces), clock.seconds)


def _original_names(message: str, pieces: Sequence[Piece]) -> str:
    for piece in pieces:
        message = message.replace(str(piece.path), piece.origin)
    return message


def _weighed(run: Run, bytes_: int, seconds: dict[str, float]) -> Trial:
    import polars as pl

    counts = run.stage("measure")["counts"]
    tokens = run.signals().select(pl.col("token_count").sum()).collect().item() if counts["documents"] else 0
    written = {
        stage: sum(size_ for folder in folders for size_ in run.sizes(folder).values())
        for stage, folders in FOLDERS.items()
    }
    written["report"] = sum(path.stat().st_size for path in run.path.glob("report.*"))
    return Trial(bytes_, len(run.shards), counts["documents"], counts["raw_bytes"], int(tokens or 0), seconds, written)


def _existing(path: Path) -> Path:
    """Return a path, or the nearest folder above it that exists."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def check_space(run: Run, recipe: Recipe, threads: int | None = None, *, stages: Sequence[str] = STAGES) -> None:
    """Raise SpaceError, with the numbers, when the disk of a run is too small for what its stages will write.

    Costs nothing where the disk is large against the inputs, and a second or two where it may not be. Inputs that
    cannot be read are left for the run to complain about.
    """
    from curate.terminal import size

    shards = run.shards
    total = sum(shard.bytes for shard in shards)
    free = shutil.disk_usage(run.path).free
    if total * NEVER_LARGER < free or all(run.stage(stage).get("done") for stage in stages):
        return
    inputs = run.manifest["inputs"]
    names = ("text_column", "id_column", "tokenizer", "max_record_bytes", "max_expansion")
    options = Options(skip_bad_files=run.manifest["skip_bad_files"], **{name: inputs[name] for name in names})
    try:
        trial = _trial(shards, recipe, options, QUICK_BYTES, threads, Progress(), report=False)
    except CurateError:
        return
    needed = {stage: round(trial.written[stage] * total / trial.bytes) for stage in stages if stage != "report"}
    there = sum(size_ for stage in needed for folder in FOLDERS[stage] for size_ in run.sizes(folder).values())
    missing = sum(needed.values()) - there
    if missing > free:
        listed = ", ".join(f"{size(bytes_)} by {stage}" for stage, bytes_ in needed.items())
        raise SpaceError(
            f"{run.path}: {size(missing)} more will be written, by a sample of the inputs ({listed}), and "
            f"{size(free)} are free there; choose another --out, or --ignore-disk to go on"
        )
