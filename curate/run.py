"""The run directory: what is where, what is complete, and which recipe and inputs it was made from.

`run.json` is the manifest. Stages ask it whether their output still fits and tell it when they are done; they
do the work themselves.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import curate
from curate.errors import CurateError, InputError, RunError
from curate.events import emit
from curate.lock import LOCK, check_still_held, hold, is_held
from curate.meter import progress_of
from curate.recipe import Recipe, fingerprint
from curate.shards import Shard, atomic_bytes, atomic_file, holds, seal
from curate.shards.walk import printable
from curate.stamps import entries, stamp
from curate.storage import (
    Location,
    RemotePath,
    ask_each,
    each,
    files_below,
    locate,
    remove_tree,
    without_secrets,
)
from curate.storage.scan import scan

if TYPE_CHECKING:
    import polars as pl

MANIFEST = "run.json"
STAGES = ("measure", "decide", "write", "report")
_FOLDERS = ("signals", "sketches", "rejects", "decisions", "distributions", "mix/*", "cuts/*", "state")
_FORMAT = 1  # of the directory; raised when an older curate could not read it


class Run:
    """A run directory.

    >>> run = curate.Run("out")          # doctest: +SKIP
    >>> run.report["output"]["documents"]  # doctest: +SKIP
    """

    def __init__(self, path: str | Location) -> None:
        self.path = locate(path)
        manifest = self.path / MANIFEST
        if not manifest.is_file():
            raise RunError(
                f"{self.path} is not a run: it has no {MANIFEST}; make one with curate corpus INPUT --out {self.path}"
            )
        self.manifest: dict[str, Any] = _read_manifest(manifest)
        if self.manifest.get("format") != _FORMAT:
            raise RunError(f"{self.path} was made by another version of curate; run again with --overwrite")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def create(
        cls,
        path: str | Location,
        inputs: dict[str, Any],
        shards: Sequence[Shard],
        *,
        overwrite: bool = False,
        skip_bad_files: bool = False,
    ) -> Run:
        """Open the run at `path` if it is over the same inputs, or start one.

        Files that changed since are measured again. RunError when the directory holds something else, or a run
        over other inputs unless `overwrite`, which deletes what curate wrote there and nothing else; and when
        another process works on the run.
        """
        path = locate(path)
        wanted = json.loads(json.dumps({**inputs, "shards": entries(shards)}))
        if not (path / MANIFEST).is_file():
            if _holds_something_else(path):
                raise RunError(f"{path} exists and is not a run of curate; choose another --out (nothing was touched)")
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RunError(f"cannot make the run directory {path}: {error.strerror}") from None
        with hold(path):
            manifest = _continued(path, wanted, overwrite)
            manifest |= {"inputs": wanted, "skip_bad_files": skip_bad_files}
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
        if self.stage("measure").get("done"):
            skipped = self.stage("measure")["skipped"]
            return [shard for shard in self.shards if shard.name not in skipped]
        shards = self.shards
        there = ask_each(self.path, lambda shard: self.signals_file(shard).is_file(), shards)
        return [shard for shard, is_there in zip(shards, there, strict=True) if is_there]

    def stamp(self, shard: Shard) -> Any:
        """Return what told that the files of a shard were these: size, modification time, hash of both ends."""
        return self._stamps[shard.name]

    def check_unchanged(self, shard: Shard) -> None:
        """Raise InputError when the files of a shard are not those that were measured."""
        if stamp(shard.paths) != self.stamp(shard):
            raise InputError(
                f"{printable(shard.paths[0])} has changed since it was measured; "
                f"run curate corpus on these inputs again: it measures again what has changed"
            )

    @cached_property
    def _stamps(self) -> dict[str, Any]:
        return {entry["name"]: entry["stamp"] for entry in self.manifest["inputs"]["shards"]}

    def input_key(self) -> str:
        """Return a hash of the state of all input files."""
        return fingerprint(self._stamps)

    def signals_file(self, shard: Shard) -> Location:
        """Signals of a shard, one row a document."""
        return self.path / "signals" / f"{shard.name}.parquet"

    def sketches_file(self, shard: Shard) -> Location:
        """Sketches of a shard, in the same order."""
        return self.path / "sketches" / f"{shard.name}.parquet"

    def rejects_file(self, shard: Shard) -> Location:
        """Records of a shard that are not documents; absent when there are none."""
        return self.path / "rejects" / f"{shard.name}.jsonl"

    def decisions_file(self, shard: Shard) -> Location:
        """Decisions on a shard, in the same order."""
        return self.path / "decisions" / f"{shard.name}.parquet"

    def name_of(self, path: Location) -> str:
        """Return what a file of the run is called in it, with slashes."""
        if isinstance(path, RemotePath):
            return path.relative_to(self.path).as_posix()
        assert isinstance(self.path, Path)
        return path.relative_to(self.path).as_posix()

    @property
    def report(self) -> dict[str, Any]:
        """The report as a dictionary, as in `report.json`."""
        file = self.path / "report.json"
        if not file.is_file():
            raise RunError(f"{self.path} has no report yet; run: curate report {self.path}")
        try:
            report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise RunError(f"cannot read {file}: {error}; to make it again: curate report {self.path}") from None
        return report

    @property
    def recipe(self) -> Recipe:
        """The recipe that the run was last decided with."""
        stored = self.manifest.get("recipe")
        if not stored:
            raise RunError(f"{self.path} has no recipe yet; run: curate measure")
        return Recipe.parse(stored["text"], stored["name"], stored["folder"]).with_mix(stored["changes"])

    def signals(self) -> pl.LazyFrame:
        """Signals of every document."""
        return self._scan("signals", self.signals_file)

    def decisions(self) -> pl.LazyFrame:
        """Decision on every document."""
        return self._scan("decisions", self.decisions_file)

    def mix(self) -> pl.LazyFrame:
        """The documents of the mix, with their text."""
        import polars as pl

        stage = self.stage("write")
        if not stage.get("done"):
            raise RunError(f"the mix of {self.path} is not written; run: curate write {self.path}")
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stage["schema"])))
        columns = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
        files = [file for file in stage["files"] if file.startswith("mix/")]
        if not files:
            return pl.DataFrame(schema=columns).lazy()
        if isinstance(self.path, RemotePath):
            return scan([self.path / file for file in files], columns)
        if stage["format"] == "jsonl.zst":
            return pl.scan_ndjson(self.path / "mix" / "**" / "*.jsonl.zst", schema=columns)
        return pl.scan_parquet(self.path / "mix" / "**" / "*.parquet")

    def _scan(self, folder: str, file_of: Callable[[Shard], Location]) -> pl.LazyFrame:
        import polars as pl

        if isinstance(self.path, RemotePath):  # whose listing may not show all
            files = [file_of(shard) for shard in self.measured]
            there = [
                file for file, is_there in zip(files, each(lambda file: file.is_file(), files), strict=True) if is_there
            ]
            found = [file for file in there if isinstance(file, RemotePath)]
            table = scan(found) if found else None
        else:
            any_there = any((self.path / folder).glob("*.parquet"))
            table = pl.scan_parquet(self.path / folder / "*.parquet", glob=True) if any_there else None
        if table is None:
            raise RunError(f"{self.path} has no {folder}; `curate status {self.path}` says which stage is missing")
        return table

    # What is complete

    def stage(self, name: str) -> dict[str, Any]:
        """Return what the manifest knows of a stage: key, done, seconds."""
        stage: dict[str, Any] = self.manifest["stages"].get(name, {})
        return stage

    def is_done(self, name: str, key: str) -> bool:
        """Tell whether a stage is complete for this key (a hash of everything that it depends on), and still there."""
        stage = self.stage(name)
        return bool(stage.get("done")) and stage.get("key") == key and self._is_there(name)

    def _is_there(self, name: str) -> bool:
        """Tell whether the files of a stage that is done are where it put them, and as they were."""
        return not self._damaged(name)

    def _damaged(self, name: str) -> list[Location]:
        """Return the files of a stage that are gone or are not as the stage left them."""
        files = list(self.stage(name).get("files", {}).items())
        whole = ask_each(self.path, lambda item: holds(self.path / item[0], item[1]), files)
        return [self.path / file for (file, _), as_it_was in zip(files, whole, strict=True) if not as_it_was]

    def delete_damaged(self, name: str) -> None:
        """Delete what is left of damaged files of a stage, so that its tasks find them missing."""
        for path in self._damaged(name):
            path.unlink(missing_ok=True)
            self.log(f"{self.name_of(path)} is not as {name} left it: it is made again")

    def seals(self, *names: str, known: Iterable[Location] = ()) -> dict[str, list[int | str]]:
        """Return what tells files of the run and all files in folders of it, by their path in the run; see `seal`.

        `known`: files that may not be in a listing of their folder yet, or may not be there at all.
        """
        files = dict.fromkeys([self.path / name for name in names if (self.path / name).is_file()])
        for name in names:
            files |= dict.fromkeys(files_below(self.path / name))
        shown = [path for path in [*files, *set(known) - files.keys()] if not path.name.startswith(".")]
        found = zip(shown, ask_each(self.path, _seal_if_there, shown), strict=True)
        return dict(sorted((self.name_of(path), sealed) for path, sealed in found if sealed))

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size of every file in a folder of the run, by its path in the run."""
        files = files_below(self.path / folder)
        return {self.name_of(path): path.stat().st_size for path in files}

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
            if self.manifest["stages"].get(later, {}).pop("done", None):
                self.manifest["stages"][later]["outdated"] = True
        self.save()
        self.log(f"{name} begins")
        emit("stage_begins", stage=name, run=str(self.path))
        begun = time.monotonic()
        try:
            yield stage
        except BaseException as error:
            stage["seconds"] = spent + time.monotonic() - begun
            with suppress(CurateError, OSError):  # what went wrong first is what the user has to know
                self.log(f"{name} stopped: {type(error).__name__}: {error}")
                emit("stage_stopped", stage=name, error=type(error).__name__, message=without_secrets(str(error)))
                self.save()
            raise
        self._clear_partials()
        stage["done"] = True
        stage["seconds"] = spent + time.monotonic() - begun
        self.log(f"{name} done in {stage['seconds']:.1f} s")
        counts = {what: stage[what] for what in ("counts", "documents") if what in stage}
        emit("stage_ends", stage=name, seconds=stage["seconds"], **counts)
        self.save()

    def _clear_partials(self) -> None:
        """Delete what processes left that were killed while they wrote a file."""
        if not isinstance(self.path, Path):  # an object has no other name before it is there
            return
        for folder in _FOLDERS:
            for partial in self.path.glob(f"{folder}/.*.partial"):
                partial.unlink(missing_ok=True)

    def log(self, message: str) -> None:
        """Add a line with date and time to `log.txt`."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {without_secrets(message)}\n"
        file = self.path / "log.txt"
        if isinstance(file, RemotePath):  # to which nothing can be added
            before = file.read_bytes() if file.is_file() else b""
            atomic_bytes(file, before + line.encode(errors="backslashreplace"))
            return
        with file.open("a", encoding="utf-8", errors="backslashreplace") as opened:
            opened.write(line)

    def status(self) -> list[dict[str, Any]]:
        """Return the state of each stage: stage, state (done, running, interrupted, outdated, missing), seconds, note.

        And of the audit, where there is one.

        A running stage has `progress` too: bytes done and in all, rate, seconds left, and what it is at.
        """
        from curate.audit.stored import stored

        rows: list[dict[str, Any]] = []
        progress = progress_of(self.path) if is_held(self.path) else {}
        for name in STAGES:
            stage = self.stage(name)
            outdated = "outdated" if stage.get("outdated") else "interrupted"
            state = "done" if stage.get("done") else outdated if stage else "missing"
            note = f"{len(self.measured)} of {len(self.shards)} shards" if name == "measure" else ""
            row = {"stage": name, "state": state, "seconds": stage.get("seconds", 0.0), "note": note}
            if progress.get("stage") == name and not stage.get("done"):
                row |= {"state": "running", "progress": progress, "seconds": progress["updated"] - progress["began"]}
            rows.append(row)
        audited = stored(self)
        if audited:
            state = "outdated" if audited["outdated"] else "done"
            rows.append({"stage": "audit", "state": state, "seconds": audited["seconds"], "note": ""})
        return rows

    def set_recipe(self, recipe: Recipe) -> None:
        """Remember the recipe that is being decided with."""
        self.manifest["recipe"] = {
            "name": recipe.name,
            "text": recipe.text,
            "changes": recipe.changes,
            "hash": recipe.fingerprint(),
            "folder": recipe.folder,
        }
        self.save()

    def save(self) -> None:
        """Write the manifest. Raises RunError where another process has taken over the run."""
        check_still_held(self.path)
        _write_json(self.path / MANIFEST, self.manifest)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the run for this process; RunError when another process has it. Ends with the process, however."""
        return hold(self.path)


def _holds_something_else(path: Location) -> bool:
    """Tell whether there is something at `path` already, that is no run."""
    if isinstance(path, RemotePath):
        return path.is_file() or any(file.name != LOCK for file, _ in path.below())
    return path.exists() and (not path.is_dir() or any(child.name != LOCK for child in path.iterdir()))


def _seal_if_there(path: Location) -> list[int | str] | None:
    try:
        return seal(path)
    except FileNotFoundError:
        return None


def _continued(path: Location, wanted: dict[str, Any], overwrite: bool) -> dict[str, Any]:
    """Return the manifest to go on with: the one there is if it is over the same inputs, otherwise a new one."""
    fresh = {"format": _FORMAT, "curate": curate.__version__, "created": time.time(), "stages": {}}
    if not (path / MANIFEST).is_file():
        return fresh
    if overwrite:
        _check_inputs_are_outside(path, wanted)
        _read_manifest(path / MANIFEST)  # raises when it is not ours
        _clear(path)
        return fresh
    manifest = Run(path).manifest
    difference = _difference(manifest["inputs"], wanted)
    if difference is None:
        return manifest
    if any((path / "signals").glob("*.parquet")):
        raise RunError(f"{path} holds a run over {difference}; choose another --out, or start over with --overwrite")
    return fresh


def _check_inputs_are_outside(path: Location, wanted: dict[str, Any]) -> None:
    for entry in wanted["shards"]:
        for file in entry["paths"]:
            if _is_inside(locate(file), path):
                raise RunError(
                    f"--overwrite would delete the input {file}, which is inside {path}; choose another --out"
                )


def _is_inside(file: Location, folder: Location) -> bool:
    if isinstance(file, Path) and isinstance(folder, Path):
        return file.resolve().is_relative_to(folder.resolve())
    return isinstance(file, RemotePath) and file.is_relative_to(folder)


def _clear(path: Location) -> None:
    """Delete what curate wrote into a run directory, and nothing else."""
    for pattern in (
        "signals/*.parquet",
        "sketches/*.parquet",
        "rejects/*.jsonl",
        "decisions/*.parquet",
        "distributions/*.parquet",
        *(f"{folder}/.*.partial" for folder in _FOLDERS),
    ):
        for file in path.glob(pattern):
            file.unlink(missing_ok=True)
    clear_mix(path)
    remove_tree(path / "cuts")
    remove_tree(path / "state")
    for name in (
        MANIFEST,
        "report.json",
        "report.html",
        "report.md",
        "mix.json",
        "mix.csv",
        "README.md",
        "audit.json",
        "log.txt",
    ):
        (path / name).unlink(missing_ok=True)


def clear_mix(path: Location, known: Iterable[str] = ()) -> None:
    """Delete the files of the mix that curate wrote, and folders that are empty then.

    `known`: those of which the manifest says that they are in the run, whether a listing shows them or not.
    """
    parts = {*(path / "mix").glob("*/part-*"), *(path / file for file in known if file.startswith("mix/"))}
    for _ in ask_each(path, lambda file: file.unlink(missing_ok=True), parts):
        pass
    for folder in (path / "mix").glob("*/"):
        with suppress(OSError):  # somebody keeps something there
            folder.rmdir()
    for done in (path / "state").glob("write-*.json"):
        done.unlink(missing_ok=True)
    remove_tree(path / "state" / "shuffle")


def _read_manifest(path: Location) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except (ValueError, OSError, RecursionError) as error:
        raise RunError(
            f"cannot read {path}: {error}; if it is no run of curate, choose another --out; "
            f"if it is, its manifest is damaged: delete {path.parent} and run again"
        ) from None
    if not isinstance(manifest, dict) or not {"format", "curate", "inputs", "stages"} <= manifest.keys():
        raise RunError(f"{path} is not the manifest of a run of curate; choose another --out (nothing was touched)")
    return manifest


def _write_json(path: Location, value: Any) -> None:
    with atomic_file(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "surrogateescape"))


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """Say in words how the inputs of a run differ from those asked for; None when only files have changed."""
    for key, label in (
        ("text_column", "--text-column"),
        ("id_column", "--id-column"),
        ("tokenizer", "--tokenizer"),
        ("max_record_bytes", "--max-record-bytes"),
    ):
        if old.get(key) != new.get(key):
            return f"the same inputs with {label} {old.get(key)} instead of {new.get(key)}"
    before, after = ({entry["name"]: entry["paths"] for entry in inputs["shards"]} for inputs in (old, new))
    gone, added = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    if gone or added:
        example = before[gone[0]][0] if gone else after[added[0]][0]
        return f"other inputs ({len(added)} shards are new and {len(gone)} are gone, such as {example})"
    return None
