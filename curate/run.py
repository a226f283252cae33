"""The run directory: what is where, what is complete, and which recipe and inputs it was made from.

`run.json` is the manifest. Stages ask it whether their output still fits and tell it when they are done; they
do the work themselves.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import curate
from curate.errors import RunError
from curate.recipe import Recipe
from curate.shards import Shard, atomic_file

if TYPE_CHECKING:
    import polars as pl

MANIFEST = "run.json"
STAGES = ("measure", "decide", "write", "report")
_FORMAT = 1  # of the directory; raised when an older curate could not read it


class Run:
    """A run directory.

    >>> run = curate.Run("out")          # doctest: +SKIP
    >>> run.report["output"]["documents"]  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        manifest = self.path / MANIFEST
        if not manifest.is_file():
            raise RunError(
                f"{self.path} is not a run: it has no {MANIFEST}; make one with curate corpus INPUT --out {self.path}"
            )
        try:
            self.manifest: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise RunError(f"cannot read {manifest}: {error}; run again with --overwrite") from None
        if self.manifest.get("format") != _FORMAT:
            raise RunError(f"{self.path} was made by another version of curate; run again with --overwrite")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def create(cls, path: str | Path, inputs: dict[str, Any], shards: Sequence[Shard], *, overwrite: bool) -> Run:
        """Open the run at `path` if it is over the same inputs, or start one.

        RunError when the directory holds something else, or a run over other inputs, unless `overwrite`
        (which only ever deletes runs).
        """
        path = Path(path)
        wanted = {**inputs, "shards": [{**asdict(shard), "stamp": stamp(shard)} for shard in shards]}
        wanted = json.loads(json.dumps(wanted))
        if (path / MANIFEST).is_file():
            if overwrite:
                shutil.rmtree(path)
            else:
                run = cls(path)
                if run.manifest["inputs"] != wanted:
                    other = _difference(run.manifest["inputs"], wanted)
                    raise RunError(
                        f"{path} holds a run over {other}; choose another --out, or start over with --overwrite"
                    )
                return run
        elif path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(f"{path} exists and is not a run of curate; choose another --out (nothing was touched)")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot make the run directory {path}: {error.strerror}") from None
        manifest = {
            "format": _FORMAT,
            "curate": curate.__version__,
            "created": time.time(),
            "inputs": wanted,
            "stages": {},
        }
        _write_json(path / MANIFEST, manifest)
        return cls(path)

    # What is where

    @property
    def shards(self) -> list[Shard]:
        """Every input shard, in order, whether it could be read or not."""
        return [
            Shard(**{**{k: v for k, v in entry.items() if k != "stamp"}, "paths": tuple(entry["paths"]),
                     "part": tuple(entry["part"]) if entry["part"] else None})
            for entry in self.manifest["inputs"]["shards"]
        ]  # fmt: skip

    @property
    def measured(self) -> list[Shard]:
        """The shards that were measured, in order: all but those that could not be read and were skipped."""
        return [shard for shard in self.shards if self.signals_file(shard).is_file()]

    def signals_file(self, shard: Shard) -> Path:
        """Signals of a shard, one row a document."""
        return self.path / "signals" / f"{shard.name}.parquet"

    def sketches_file(self, shard: Shard) -> Path:
        """Sketches of a shard, in the same order."""
        return self.path / "sketches" / f"{shard.name}.parquet"

    def rejects_file(self, shard: Shard) -> Path:
        """Records of a shard that are not documents; absent when there are none."""
        return self.path / "rejects" / f"{shard.name}.jsonl"

    def decisions_file(self, shard: Shard) -> Path:
        """Decisions on a shard, in the same order."""
        return self.path / "decisions" / f"{shard.name}.parquet"

    @property
    def report(self) -> dict[str, Any]:
        """The report as a dictionary, as in `report.json`."""
        file = self.path / "report.json"
        if not file.is_file():
            raise RunError(f"{self.path} has no report yet; run: curate report {self.path}")
        report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return report

    @property
    def recipe(self) -> Recipe:
        """The recipe that the run was last decided with."""
        stored = self.manifest.get("recipe")
        if not stored:
            raise RunError(f"{self.path} has no recipe yet; run: curate measure")
        return Recipe.parse(stored["text"], stored["name"]).with_tokens(stored["tokens"])

    def signals(self) -> pl.LazyFrame:
        """Signals of every document."""
        return self._scan("signals", "*.parquet")

    def decisions(self) -> pl.LazyFrame:
        """Decision on every document."""
        return self._scan("decisions", "*.parquet")

    def mix(self) -> pl.LazyFrame:
        """The documents of the mix, with their text."""
        import polars as pl

        if any((self.path / "mix").rglob("*.jsonl.zst")):
            return pl.scan_ndjson(self.path / "mix" / "**" / "*.jsonl.zst")
        return self._scan("mix", "**/*.parquet")

    def _scan(self, folder: str, pattern: str) -> pl.LazyFrame:
        import polars as pl

        if not any((self.path / folder).glob(pattern)):
            raise RunError(f"{self.path} has no {folder}; `curate status {self.path}` says which stage is missing")
        return pl.scan_parquet(self.path / folder / pattern, glob=True)

    # What is complete

    def stage(self, name: str) -> dict[str, Any]:
        """Return what the manifest knows of a stage: key, done, seconds."""
        stage: dict[str, Any] = self.manifest["stages"].get(name, {})
        return stage

    def is_done(self, name: str, key: str) -> bool:
        """Tell whether a stage is complete for this key (a hash of everything that it depends on)."""
        stage = self.stage(name)
        return bool(stage.get("done")) and stage.get("key") == key

    @contextmanager
    def doing(self, name: str, key: str, **facts: Any) -> Iterator[dict[str, Any]]:
        """Record that a stage runs for `key`, then that it is done; later stages stop counting as done.

        What the caller puts into the yielded dictionary is stored with the stage. Seconds add up over
        interruptions with the same key.
        """
        before = self.stage(name)
        spent = before.get("seconds", 0.0) if before.get("key") == key and not before.get("done") else 0.0
        stage: dict[str, Any] = {"key": key, "done": False, "seconds": spent, **facts}
        self.manifest["stages"][name] = stage
        for later in STAGES[STAGES.index(name) + 1 :]:
            self.manifest["stages"].get(later, {}).pop("done", None)
        self.save()
        begun = time.monotonic()
        try:
            yield stage
            stage["done"] = True
        finally:
            stage["seconds"] = spent + time.monotonic() - begun
            self.save()

    def status(self) -> list[dict[str, Any]]:
        """Return the state of each stage: stage, state (done, interrupted, missing), seconds, note."""
        rows = []
        for name in STAGES:
            stage = self.stage(name)
            state = "done" if stage.get("done") else "interrupted" if stage else "missing"
            note = f"{len(self.measured)} of {len(self.shards)} shards" if name == "measure" else ""
            rows.append({"stage": name, "state": state, "seconds": stage.get("seconds", 0.0), "note": note})
        return rows

    def set_recipe(self, recipe: Recipe) -> None:
        """Remember the recipe that is being decided with."""
        self.manifest["recipe"] = {
            "name": recipe.name,
            "text": recipe.text,
            "tokens": recipe.mix.tokens,
            "hash": recipe.fingerprint(),
        }
        self.save()

    def save(self) -> None:
        """Write the manifest."""
        _write_json(self.path / MANIFEST, self.manifest)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; RunError when another process has it. Ends with the process, however."""
        with (self.path / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(
                    f"another curate is working on {self.path}; wait for it, or choose another --out"
                ) from None
            yield


def stamp(shard: Shard) -> list[list[int]]:
    """Return size and modification time (ns) of the files of a shard: what tells that an input has changed."""
    return [[status.st_size, status.st_mtime_ns] for status in map(os.stat, shard.paths)]


def _write_json(path: Path, value: Any) -> None:
    with atomic_file(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False).encode())


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Say in words how the inputs of a run differ from those asked for."""
    for key, label in (
        ("text_column", "--text-column"),
        ("id_column", "--id-column"),
        ("tokenizer", "--tokenizer"),
    ):
        if old.get(key) != new.get(key):
            return f"the same directory with {label} {old.get(key)} instead of {new.get(key)}"
    before = {entry["name"]: entry for entry in old["shards"]}
    after = {entry["name"]: entry for entry in new["shards"]}
    if before.keys() != after.keys():
        return f"other inputs ({len(before)} shards, not the {len(after)} given now)"
    changed = next((entry["paths"][0] for name, entry in after.items() if before[name] != entry), "inputs")
    return f"inputs that have changed since ({changed})"
