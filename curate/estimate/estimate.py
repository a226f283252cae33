"""What a run will take, before it is made: time, memory and disk of each stage, from a sample of the inputs.

What to run for it, and on what; how it is scaled is in `curate.estimate.scaling`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.engines.local import Local
from curate.errors import CurateError, InputError, SpaceError
from curate.estimate.input_sample import places_for
from curate.estimate.scaling import scaled
from curate.estimate.trial import FOLDERS, Trial, Trials, clock_spread, quickest, trial
from curate.pipeline import Options, open_recipe
from curate.progress import Progress
from curate.recipe import Recipe, parse_count
from curate.run import STAGES, Run
from curate.shards import plan
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
    progress: Progress | None = None,
    **reading: Any,
) -> dict[str, Any]:
    """Estimate a run over `inputs`: `sample`, `whole` and `target`, JSON-like.

    `whole` is for all of the inputs on `threads` threads, `target` for `tokens` of the same kind of text on `cores`
    cores (threads); each has documents, tokens, bytes, and for each of its stages seconds, memory, disk, bytes
    shuffled, core_hours and cost, their sums, and `uncertainty`: half of the 95% interval of some of them, as a share,
    by how much the places differ that the sample is from, and for seconds how much repeated
    trials do. About `seconds` are spent; `sample_bytes` takes a sample of
    that many bytes of decompressed input instead. `out`: where the run would be made, for its free space. `reading`:
    as for `curate.corpus`. Raises InputError for inputs that cannot be read, RecipeError.
    """
    progress = progress or Progress()
    several = [inputs] if isinstance(inputs, str | Path | RemotePath) else list(inputs)
    shards = plan(several)
    chosen, options = open_recipe(recipe), Options(**reading)
    total = sum(shard.bytes for shard in shards)
    if not total:
        raise InputError(f"{several[0]}: the inputs are empty, there is nothing to estimate")
    trial(shards, chosen, options, WARM_BYTES, threads, progress)  # loads models, compiles
    if sample_bytes is None:
        first = trial(shards, chosen, options, SMALL_BYTES, threads, progress)
        speed = SMALL_BYTES / (first.seconds["measure"] + first.seconds["write"])
        sample_bytes = int(min(max(SMALL_BYTES, speed * seconds * 0.4), MOST_BYTES))
    less, places = min(SMALL_BYTES, max(min(sample_bytes, total) // 8, 1)), places_for(sample_bytes)
    kinds = ((sample_bytes, places), (less, places), (less, max(places // 8, 1)))
    tried: list[list[Trial]] = []
    begun = time.monotonic()
    while len(tried) < 1 or (len(tried) < REPEATS and time.monotonic() - begun < seconds / 2):
        tried.append([trial(shards, chosen, options, size, threads, progress, places=at) for size, at in kinds])
    main, small, few = (quickest(of_kind) for of_kind in zip(*tried, strict=True))
    trials = Trials(main, small, few, clock_spread([first for first, _, _ in tried]))
    if not main.documents:
        raise InputError(
            f"{several[0]}: no document in a sample of the inputs; see curate measure for what is rejected"
        )
    count = Local(threads).threads
    wanted = parse_count(tokens) or TARGET_TOKENS
    parts = {}
    for name, scale, on, within in (
        ("whole", total / main.bytes, count, main.bytes / total),
        ("target", wanted / max(main.tokens, 1), cores or count, 0.0),
    ):
        grown = len(shards) * scale * main.bytes / total
        parts[name] = scaled(trials, scale, grown, chosen, on, price_per_core_hour, within=within)
    free = None if is_remote(out) else shutil.disk_usage(_existing(Path(str(out)))).free
    return {
        "recipe": chosen.name,
        "threads": count,
        "sample": {"bytes": main.bytes, "of": total, "text_bytes": main.text_bytes, "documents": main.documents},
        "free_disk": free,
        "fits": free is None or parts["whole"]["disk"] <= free,
        **parts,
    }


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
