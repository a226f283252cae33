"""The run directory: what is where, what is complete, and which recipe and inputs it was made from.

`run.json` is the manifest. Stages ask it whether their output still fits and tell it when they are done; they
do the work themselves.
"""

from __future__ import annotations

import base64
import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import curate
from curate.errors import InputError, RunError
from curate.events import emit
from curate.meter import progress_of
from curate.recipe import Recipe, fingerprint
from curate.shards import Shard, atomic_file, holds, seal
from curate.shards.walk import printable

if TYPE_CHECKING:
    import polars as pl

MANIFEST = "run.json"
STAGES = ("measure", "decide", "write", "report")
_LOCK = ".lock"
_LOCK_ATTEMPTS = 4
_FOLDERS = ("signals", "sketches", "rejects", "decisions", "distributions", "mix/*", "cuts/*", "state")
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
        self.manifest: dict[str, Any] = _read_manifest(manifest)
        if self.manifest.get("format") != _FORMAT:
            raise RunError(f"{self.path} was made by another version of curate; run again with --overwrite")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def create(
        cls,
        path: str | Path,
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
        path = Path(path)
        wanted = json.loads(json.dumps({**inputs, "shards": [_entry(shard) for shard in shards]}))
        if not (path / MANIFEST).is_file():
            if path.exists() and (not path.is_dir() or any(child.name != _LOCK for child in path.iterdir())):
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
        return [shard for shard in self.shards if self.signals_file(shard).is_file()]

    def stamp(self, shard: Shard) -> Any:
        """Return what told that the files of a shard were these: size, modification time, hash of both ends."""
        return self._stamps()[shard.name]

    def check_unchanged(self, shard: Shard) -> None:
        """Raise InputError when the files of a shard are not those that were measured."""
        if _stamp(shard.paths) != self.stamp(shard):
            raise InputError(
                f"{printable(shard.paths[0])} has changed since it was measured; "
                f"run curate corpus on these inputs again: it measures again what has changed"
            )

    def _stamps(self) -> dict[str, Any]:
        return {entry["name"]: entry["stamp"] for entry in self.manifest["inputs"]["shards"]}

    def input_key(self) -> str:
        """Return a hash of the state of all input files."""
        return fingerprint(self._stamps())

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
        return self._scan("signals", "*.parquet")

    def decisions(self) -> pl.LazyFrame:
        """Decision on every document."""
        return self._scan("decisions", "*.parquet")

    def mix(self) -> pl.LazyFrame:
        """The documents of the mix, with their text."""
        import polars as pl

        stage = self.stage("write")
        if not stage.get("done"):
            raise RunError(f"the mix of {self.path} is not written; run: curate write {self.path}")
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stage["schema"])))
        columns = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
        if not any(file.startswith("mix/") for file in stage["files"]):
            return pl.DataFrame(schema=columns).lazy()
        if stage["format"] == "jsonl.zst":
            return pl.scan_ndjson(self.path / "mix" / "**" / "*.jsonl.zst", schema=columns)
        return pl.scan_parquet(self.path / "mix" / "**" / "*.parquet")

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
        """Tell whether a stage is complete for this key (a hash of everything that it depends on), and still there."""
        stage = self.stage(name)
        return bool(stage.get("done")) and stage.get("key") == key and self._is_there(name)

    def _is_there(self, name: str) -> bool:
        """Tell whether the files of a stage that is done are where it put them, and as they were."""
        return not self._damaged(name)

    def _damaged(self, name: str) -> list[Path]:
        """Return the files of a stage that are gone or are not as the stage left them."""
        files = self.stage(name).get("files", {})
        return [self.path / file for file, sealed in files.items() if not holds(self.path / file, sealed)]

    def delete_damaged(self, name: str) -> None:
        """Delete what is left of damaged files of a stage, so that its tasks find them missing."""
        for path in self._damaged(name):
            path.unlink(missing_ok=True)
            self.log(f"{path.relative_to(self.path)} is not as {name} left it: it is made again")

    def seals(self, *names: str) -> dict[str, list[int | str]]:
        """Return what tells files of the run and all files in folders of it, by their path in the run; see `seal`."""
        given = [self.path / name for name in names]
        files = (path for top in given for path in ([top] if top.is_file() else sorted(top.rglob("*"))))
        return {
            path.relative_to(self.path).as_posix(): seal(path)
            for path in files
            if path.is_file() and not path.name.startswith(".")
        }

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size of every file in a folder of the run, by its path in the run."""
        files = sorted(path for path in (self.path / folder).rglob("*") if path.is_file())
        return {path.relative_to(self.path).as_posix(): path.stat().st_size for path in files}

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
            with suppress(RunError, OSError):  # what went wrong first is what the user has to know
                self.log(f"{name} stopped: {type(error).__name__}: {error}")
                emit("stage_stopped", stage=name, error=type(error).__name__, message=str(error))
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
        for folder in _FOLDERS:
            for partial in self.path.glob(f"{folder}/.*.partial"):
                partial.unlink(missing_ok=True)

    def log(self, message: str) -> None:
        """Add a line with date and time to `log.txt`."""
        with (self.path / "log.txt").open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")

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
        """Write the manifest."""
        _write_json(self.path / MANIFEST, self.manifest)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the run for this process; RunError when another process has it. Ends with the process, however."""
        return hold(self.path)


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a run directory for this process; see `Run.locked`."""
    try:
        lock = (path / _LOCK).open("w")
    except OSError as error:
        raise RunError(f"{path / _LOCK}: cannot be written: {error.strerror}") from None
    with lock:
        for attempt in range(_LOCK_ATTEMPTS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:  # or `is_held` looked, for a moment
                if attempt == _LOCK_ATTEMPTS - 1:
                    raise RunError(
                        f"another curate is working on {path}; wait for it, or choose another --out"
                    ) from None
                time.sleep(0.05)
        yield


def is_held(path: Path) -> bool:
    """Tell whether a process works on a run directory."""
    try:
        with (path / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _entry(shard: Shard) -> dict[str, Any]:
    """Return what the manifest holds of a shard: itself, with absolute paths, and the state of its files."""
    paths = tuple(str(Path(path).absolute()) for path in shard.paths)
    return {**asdict(shard), "paths": paths, "stamp": _stamp(paths)}


def _stamp(paths: Sequence[str]) -> list[Any]:
    """Return the state of input files: of each its size, modification time, and a hash of both ends if readable."""
    states: list[Any] = []
    for path in paths:
        try:
            state = Path(path).stat()
        except OSError as error:
            raise InputError(f"{printable(path)}: cannot be read: {error.strerror}") from None
        try:
            ends = seal(path)[1]
        except OSError:  # measuring says so, or skips it
            ends = ""
        states.append([state.st_size, state.st_mtime_ns, ends])
    return states


def _continued(path: Path, wanted: dict[str, Any], overwrite: bool) -> dict[str, Any]:
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


def _check_inputs_are_outside(path: Path, wanted: dict[str, Any]) -> None:
    root = path.resolve()
    for entry in wanted["shards"]:
        for file in entry["paths"]:
            if Path(file).resolve().is_relative_to(root):
                raise RunError(
                    f"--overwrite would delete the input {file}, which is inside {path}; choose another --out"
                )


def _clear(path: Path) -> None:
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
            file.unlink()
    clear_mix(path)
    shutil.rmtree(path / "cuts", ignore_errors=True)
    shutil.rmtree(path / "state", ignore_errors=True)
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


def clear_mix(path: Path) -> None:
    """Delete the files of the mix that curate wrote, and folders that are empty then."""
    for file in (path / "mix").glob("*/part-*"):
        file.unlink()
    for folder in (path / "mix").glob("*/"):
        with suppress(OSError):  # somebody keeps something there
            folder.rmdir()
    for done in (path / "state").glob("write-*.json"):
        done.unlink()
    shutil.rmtree(path / "state" / "shuffle", ignore_errors=True)


def _read_manifest(path: Path) -> dict[str, Any]:
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


def _write_json(path: Path, value: Any) -> None:
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
