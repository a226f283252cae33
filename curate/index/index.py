"""The index as a whole: what it holds, and the ways to change it and to ask it.

How segments are written and searched is in the modules beside this one.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.duplicates import protected_documents
from curate.decide.groups import group_keys
from curate.decide.population import Population, RunPopulation
from curate.dedup.keys import SHORT, band_columns, hash_of, key_pieces
from curate.errors import RunError, did_you_mean
from curate.index.build import build_segment, without
from curate.index.directory import changing, check_place, collect, locked, new_folder, size_of
from curate.index.lookup import Best, Verification, candidate_pairs, first_of, offsets_of
from curate.index.manifest import MANIFEST, Entry, Manifest, Parameters, origin_of
from curate.index.segment import Segment
from curate.index.sets import mask, shingle_counts, shingle_stretches, signature_stretches
from curate.measure.plan import Plan
from curate.recipe import Dedup, fingerprint
from curate.tables import read_frame

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """Documents that an index knows; entry i of every array is about the same one.

    `documents` int64: their numbers in the population, ascending. `run`, `id`: of the document in the index that
    each is a duplicate of. `similarity` float32: to that one; an estimate where the index holds signatures only, NaN
    where the step does not verify. `candidates`: documents that shared a key with the index.
    """

    documents: I64
    run: pa.Array
    id: pa.Array
    similarity: npt.NDArray[np.float32]
    candidates: int

    @property
    def names(self) -> pa.Array:
        """Run and id as one string, "RUN:ID"."""
        return pa.compute.binary_join_element_wise(self.run, self.id, pa.scalar(":", pa.large_string()))


class Index:
    """An index at a path. `Index(path)` opens one; the first `add` makes it."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest = Manifest.read(self.path)

    @property
    def clean(self) -> tuple[str, ...]:
        """The cleaners of the first run, which inputs that are no run are cleaned by."""
        return tuple(self.manifest.entries[0].clean) if self.manifest.entries else ()

    @staticmethod
    def add(
        path: str | Path,
        run: Run,
        engine: Engine,
        *,
        name: str | None = None,
        signatures_only: bool = False,
    ) -> Entry | None:
        """Add the kept documents of a decided run; make the index if there is none. None when it has that run.

        `name` is what matches will call the run, by default the name of its directory.
        Raises RunError when the run is not decided, was sketched in another way than the index, or when the index has
        another run of that name.
        """
        path = Path(path)
        stage = run.stage("decide")
        if not stage.get("done"):
            raise RunError(f"{run.path} is not decided; run: curate decide {run.path}")
        name = name or (run.path.resolve() if isinstance(run.path, Path) else run.path).name
        if ":" in name or not name:
            raise RunError(f'"{name}" cannot name a run in an index: choose another --name, without a colon')
        parameters = Parameters.of(run.recipe, Plan.of(run.recipe).minhash, signatures_only)
        check_place(path)
        with changing(path):
            manifest = Manifest.read(path) if (path / MANIFEST).is_file() else Manifest(parameters)
            origin = origin_of(run)
            key = fingerprint([origin[0], run.stage("measure")["key"], stage["key"], stage["files"]])
            for entry in manifest.entries:
                if entry.fingerprint == key:
                    return None
                same = bool(set(entry.origin) & set(origin))
                if entry.run == name or same:
                    what = "of the same inputs or directory" if same else "with other documents"
                    also = "" if same else ", or choose another --name"
                    raise RunError(
                        f'{path} already has a run "{entry.run}" {what}; '
                        f"forget that one first (curate index forget {path} --run {entry.run}){also}"
                    )
            if signatures_only and not manifest.parameters.signatures_only:
                raise RunError(f"{path} keeps shingles; --signatures-only is for a new index")
            _check(manifest.parameters, parameters, f"{run.path} was sketched with", path)
            segment = new_folder(path, name)
            population = RunPopulation(run, engine, run.recipe.clean)
            kept, sources = _kept(run)
            extended = _with_ensembles(population, run)
            build_segment(extended, kept, manifest.parameters, segment, engine.memory)
            entry = Entry(
                segment.name,
                name,
                key,
                origin,
                len(kept),
                size_of(segment),
                sources,
                time.time(),
                run.recipe.name,
                tuple(run.recipe.clean),
            )
            replace(manifest, entries=[*manifest.entries, entry]).write(path)
            return entry

    def matches(
        self,
        population: Population,
        alive: npt.NDArray[np.bool_],
        step: Dedup,
        *,
        memory: int,
        folder: Path,
        origin: tuple[str, ...] = (),
    ) -> Match:
        """Return the documents where `alive` is true that a dedup step would drop for one of the index.

        Runs of this `origin` do not count: no run is a duplicate of itself.
        """
        with self.reading():
            entries = self.manifest.others(origin)
            segments = [Segment(self.path / "segments" / entry.segment) for entry in entries]
            offsets = offsets_of([entry.documents for entry in entries])
            numbers = np.flatnonzero(alive)
            numbers = numbers[~protected_documents(population, numbers, step)]
            alive = mask(population, numbers)
            groups = group_keys(population, alive, step.within) if len(numbers) else None
            exact = step.method == "exact"
            named = [hash_of("exact")] if exact else band_columns(step.bands)
            named += [SHORT] if not exact and step.short == "exact" else []
            columns = [key_pieces(population, alive, column, groups) for column in named]
            keys = [segment.exact if exact else segment.keys for segment in segments]
            pairs = candidate_pairs(columns, len(numbers), keys, offsets, memory, folder)
            pairs = replace(pairs, asked=numbers[pairs.asked])
            if exact or step.verify is None or not len(pairs.asked):
                best = first_of(pairs, 1.0 if exact else float("nan"))
            else:
                best = self._verified(population, pairs, step, segments, offsets, memory, folder)
            return self._named(best, entries, segments, offsets, len(np.unique(pairs.asked)))

    def _verified(
        self,
        population: Population,
        pairs: Any,
        step: Dedup,
        segments: list[Segment],
        offsets: I64,
        memory: int,
        folder: Path,
    ) -> Best:
        positional = self.manifest.parameters.signatures_only
        candidates = np.unique(pairs.asked)
        weights = (
            np.full(len(candidates), 4 * step.bands * step.rows)
            if positional
            else 4 * (shingle_counts(population, candidates).astype(np.int64) + 16)
        )
        verification = Verification(pairs, weights, memory // 8, positional)
        if positional:
            sets = signature_stretches(population, verification.documents, verification.cuts)
        else:
            sets = shingle_stretches(population, verification.documents, step.shingling, verification.cuts)
        return verification.best(sets, segments, offsets, step.verify or 0.0, step.measure, folder)

    def _named(self, best: Best, entries: list[Entry], segments: list[Segment], offsets: I64, candidates: int) -> Match:
        """Look up run and id of the documents of the index that were matched."""
        known, inverse = np.unique(best.known, return_inverse=True)
        ids: list[pa.Array] = [pa.array([], pa.large_string())]
        for segment, begin, end in zip(segments, offsets[:-1], offsets[1:], strict=True):
            low, high = np.searchsorted(known, [begin, end])
            for _, _, table in segment.rows(known[low:high] - begin, ["id"]):
                ids.append(table["id"].combine_chunks().cast(pa.large_string()))
        runs = pa.array([entry.run for entry in entries], pa.large_string())
        of_run = runs.take(pa.array(np.searchsorted(offsets, best.known, "right") - 1))
        return Match(
            best.documents, of_run, pa.concat_arrays(ids).take(pa.array(inverse.ravel())), best.similarity, candidates
        )

    def check(self, steps: Sequence[Dedup], minhash: tuple[tuple[str, Any], ...] | None, what: str) -> None:
        """Raise RunError unless the index can answer for these dedup steps."""
        mine = self.manifest.parameters
        for step in steps:
            if step.method == "exact":
                theirs = replace(mine, exact_within=step.within)
            elif step.method == "minhash":
                if step.verify is not None and step.measure == "containment" and mine.signatures_only:
                    raise RunError(
                        f'step "{step.name}" of {what} verifies by containment, which signatures cannot tell; make the '
                        f"index {self.path} without --signatures-only"
                    )
                theirs = replace(mine, minhash=minhash, minhash_within=step.within)
            else:
                continue
            _check(mine, theirs, f'step "{step.name}" of {what} has', self.path)

    def merge(self, others: Sequence[Index]) -> list[Entry]:
        """Take over the runs of other indices that this one does not have; return them.

        RunError when they were sketched in another way, or when two different runs have one name.
        """
        with changing(self.path):
            manifest = Manifest.read(self.path)
            added: list[Entry] = []
            for other in others:
                _check(manifest.parameters, other.manifest.parameters, f"{other.path} has", self.path)
                if manifest.parameters.signatures_only != other.manifest.parameters.signatures_only:
                    raise RunError(f"of {self.path} and {other.path} one holds signatures only: they cannot be merged")
                for entry in other.manifest.entries:
                    present = [*manifest.entries, *added]
                    if any(entry.fingerprint == there.fingerprint for there in present):
                        continue
                    if any(entry.run == there.run for there in present):
                        raise RunError(f'{self.path} and {other.path} have different runs called "{entry.run}"')
                    folder = new_folder(self.path, entry.run)
                    with other.reading():
                        shutil.copytree(other.path / "segments" / entry.segment, folder, dirs_exist_ok=True)
                    added.append(replace(entry, segment=folder.name))
            self.manifest = replace(manifest, entries=[*manifest.entries, *added])
            self.manifest.write(self.path)
        return added

    def forget(self, *, run: str | None = None, source: str | None = None) -> int:
        """Remove a run, or the documents of a source from every run; return how many documents that were.

        Nothing of them stays on disk. RunError when there is no such run or source.
        """
        with changing(self.path):
            manifest = Manifest.read(self.path)
            left: list[Entry] = []
            forgotten = 0
            known = (
                {entry.run for entry in manifest.entries}
                if run is not None
                else {name for entry in manifest.entries for name in entry.sources}
            )
            wanted = run if run is not None else source
            if wanted not in known:
                kind = "run" if run is not None else "source"
                raise RunError(f'{self.path} has no {kind} "{wanted}"{did_you_mean(str(wanted), known)}')
            for entry in manifest.entries:
                if run is not None:
                    gone = entry.documents if entry.run == run else 0
                else:
                    gone = entry.sources.get(str(source), 0)
                forgotten += gone
                if not gone and entry.run != run:
                    left.append(entry)
                elif gone < entry.documents:
                    folder = new_folder(self.path, entry.run)
                    without(Segment(self.path / "segments" / entry.segment), str(source), folder)
                    sources = {name: count for name, count in entry.sources.items() if name != source}
                    left.append(
                        replace(
                            entry,
                            segment=folder.name,
                            documents=entry.documents - gone,
                            sources=sources,
                            bytes=size_of(folder),
                            fingerprint=fingerprint([entry.fingerprint, "without", source]),
                        )
                    )
            self.manifest = replace(manifest, entries=left)
            self.manifest.write(self.path)
            collect(self.path, self.manifest)
        return forgotten

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep others from changing the index while it is read."""
        with locked(self.path, fcntl.LOCK_SH, "is changing"):
            self.manifest = Manifest.read(self.path)
            yield


def _check(mine: Parameters, theirs: Parameters, whose: str, path: Path) -> None:
    difference = mine.difference(theirs)
    if difference:
        raise RunError(f"{whose} {difference}: it cannot be compared with the index {path}")


def _kept(run: Run) -> tuple[I64, dict[str, int]]:
    """Return the numbers of a run's kept documents, and how many each source has."""

    kept: list[I64] = [np.zeros(0, np.int64)]
    sources: Counter[str] = Counter()
    begin = 0
    for shard in run.measured:
        frame = read_frame(run.decisions_file(shard), ["kept", "source"])
        kept.append(np.flatnonzero(frame["kept"].to_numpy()) + begin)
        for source, count in frame.filter("kept")["source"].value_counts().iter_rows():
            sources[str(source)] += count
        begin += len(frame)
    return np.concatenate(kept), dict(sorted(sources.items()))


def _with_ensembles(population: RunPopulation, run: Run) -> Population:
    from curate.decide.ensembles import with_ensembles

    return with_ensembles(population, run.recipe)
