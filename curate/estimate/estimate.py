"""What a run will take, before it is made: time, memory and disk of each stage, from a sample of the inputs.

What to run for it, and on what; how it is scaled is in `curate.estimate.scaling`.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curate.engines.local import Local
from curate.errors import CurateError, InputError, SpaceError
from curate.estimate.input_sample import MOST_PLACES, places_for
from curate.estimate.scaling import scaled
from curate.estimate.trial import FOLDERS, Trial, Trials, trial
from curate.pipeline import Options, open_recipe
from curate.progress import Progress
from curate.recipe import Recipe, parse_count
from curate.run import STAGES, Run
from curate.shards import Shard, plan
from curate.shards.plan import TARGET_BYTES
from curate.signals.plugins import load
from curate.storage import Location, RemotePath, is_remote

TARGET_TOKENS = 15 * 10**12
WARM_BYTES = 1 << 20  # enough to load and compile everything
SMALL_BYTES = 4 << 20  # of text: enough for the price of small things
REPEATS = 3  # of each trial, where there is time: the quickest says what the work takes, the others what waiting does
QUICK_BYTES = 2 << 20  # for the check before a run
MOST_BYTES = 256 << 20
NEVER_LARGER = 100  # a run has never taken so many times the bytes of its inputs: then nothing has to be estimated


def estimate(
    inputs: str | Location | Sequence[str | Location],
    recipe: Recipe | str | Path = "web",
    *,
    seconds: float = 20.0,
    threads: int | None = None,
    cores: int | None = None,
    tokens: int | str | None = TARGET_TOKENS,
    price_per_core_hour: float | None = None,
    sample_bytes: int | None = None,
    out: str | Location = ".",
    plugins: Sequence[str | Path] = (),
    progress: Progress | None = None,
    **reading: Any,
) -> dict[str, Any]:
    """Estimate a run over `inputs`: `sample`, `whole` and `target`, JSON-like.

    `whole` is for all of the inputs on `threads` threads, `target` for `tokens` of the same kind of text on `cores`
    cores (threads); each has documents, tokens, bytes, and for each of its stages seconds, memory, disk, bytes
    shuffled, core_hours, cost of that work and cost_held of all cores from its beginning to its end; their sums; and,
    as each stage, `uncertainty`: half of the 95% interval as a share, by how much the places differ that the sample is
    from, and for seconds how much repeated trials do (None where neither tells, and where the interval ends above
    twice the estimate: then `at_most` has how many times). About `seconds` are spent; `sample_bytes` takes a sample of
    that many bytes of decompressed input instead. `out`: where the run would be made, for its free space. `plugins`,
    `reading`: as for `curate.corpus`. Raises InputError for inputs that cannot be read, PluginError, RecipeError.
    """
    wanted = parse_count(tokens) or TARGET_TOKENS
    if price_per_core_hour is not None and not 0 <= price_per_core_hour < math.inf:
        raise CurateError(f"a core-hour cannot cost {price_per_core_hour}")
    several = [inputs] if isinstance(inputs, str | Path | RemotePath) else list(inputs)
    shards = plan(several)
    for plugin in plugins:
        load(plugin)
    chosen, options, count = open_recipe(recipe), Options(**reading), Local(threads).threads
    total = sum(shard.bytes for shard in shards)
    if not total:
        raise InputError(f"{several[0]}: the inputs are empty, there is nothing to estimate")
    run_one = partial(_sampled, shards, chosen, options, threads, progress or Progress())
    trials = _trials(run_one, total, sample_bytes, seconds)
    main = trials.main
    if not main.documents:
        raise InputError(
            f"{several[0]}: no document in a sample of the inputs; see curate measure for what is rejected"
        )
    scale = wanted / max(main.tokens, 1)
    of_target = _shards_of(scale * main.bytes, total, len(shards))
    price, share = price_per_core_hour, main.bytes / total
    whole = scaled(trials, 1 / share, len(shards), chosen, count, price, within=share)
    free = None if is_remote(out) else shutil.disk_usage(_existing(Path(str(out)))).free
    return {
        "recipe": chosen.name,
        "threads": count,
        "sample": {"bytes": main.bytes, "of": total, "text_bytes": main.text_bytes, "documents": main.documents},
        "free_disk": free,
        "fits": free is None or whole["disk"] <= free,
        "whole": whole,
        "target": scaled(trials, scale, of_target, chosen, cores or count, price, per="tokens"),
    }


def _sampled(
    shards: Sequence[Shard],
    recipe: Recipe,
    options: Options,
    threads: int | None,
    progress: Progress,
    budget: int,
    places: int | None = None,
) -> Trial:
    """Run a sample; from more places than asked for where all files at these are bad and skipped."""
    count = places or places_for(budget)
    while True:
        try:
            return trial(shards, recipe, options, budget, threads, progress, places=count)
        except InputError:
            if not options.skip_bad_files or count >= MOST_PLACES:
                raise
            count *= 2


def _trials(run_one: Callable[..., Trial], total: int, sample_bytes: int | None, seconds: float) -> Trials:
    """Run samples for about so many seconds, each size more than once where there is time, small ones always."""
    run_one(WARM_BYTES)  # loads models, compiles
    if sample_bytes is None:
        first = run_one(SMALL_BYTES)
        speed = SMALL_BYTES / (first.seconds["measure"] + first.seconds["write"])
        sample_bytes = int(min(max(SMALL_BYTES, speed * seconds * 0.4), MOST_BYTES))
    less, places = min(SMALL_BYTES, max(min(sample_bytes, total) // 8, 1)), places_for(sample_bytes)
    kinds = ((sample_bytes, places), (less, places), (less, max(places // 8, 1)))
    begun = time.monotonic()
    tried = [[run_one(*kind)] for kind in kinds]
    for turn in range(1, REPEATS):
        for number, (kind, found) in enumerate(zip(kinds, tried, strict=True)):
            if time.monotonic() - begun < seconds / 2 or (number > 0 and turn == 1):
                found.append(run_one(*kind))
    return Trials.of(*tried)


def _shards_of(bytes_: float, total: int, shards: int) -> float:
    """Return in how many shards so many bytes on disk are, of inputs of which `total` bytes are in `shards`.

    More than there are come in files as large as a plan makes its shards, or larger where these are.
    """
    return max(shards * min(bytes_ / total, 1.0), bytes_ / max(total / shards, TARGET_BYTES))


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
    if not isinstance(run.path, Path):  # a store is never full
        return
    free = shutil.disk_usage(run.path).free
    if total * NEVER_LARGER < free or all(run.stage(stage).get("done") for stage in stages):
        return
    inputs = run.manifest["inputs"]
    names = ("text_column", "id_column", "tokenizer", "max_record_bytes", "max_expansion")
    options = Options(skip_bad_files=run.manifest["skip_bad_files"], **{name: inputs[name] for name in names})
    try:
        quick = trial(shards, recipe, options, QUICK_BYTES, threads, Progress(), report=False)
    except CurateError:
        return
    needed = {stage: round(quick.written[stage] * total / quick.bytes) for stage in stages if stage != "report"}
    there = sum(size_ for stage in needed for folder in FOLDERS[stage] for size_ in run.sizes(folder).values())
    missing = sum(needed.values()) - there
    if missing > free:
        listed = ", ".join(f"{size(bytes_)} by {stage}" for stage, bytes_ in needed.items())
        raise SpaceError(
            f"{run.path}: {size(missing)} more will be written, by a sample of the inputs ({listed}), and "
            f"{size(free)} are free there; choose another --out, or --ignore-disk to go on"
        )
