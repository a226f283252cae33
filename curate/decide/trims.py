"""What the steps that trim do: cut repeated lines or passages out of the documents still alive, drop what is left over.

Works in passes over the texts (`curate.decide.passes`). What it found is kept under a key of all that it depends on, so
that deciding again with other later steps reads no text again, and nothing stale is ever used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

import curate
from curate.decide.columns import signal_column
from curate.decide.cuts import SIZES, Cuts, cuts_file
from curate.decide.duplicates import keep_ranks
from curate.decide.passes import Texts, Visitor, scratch
from curate.decide.population import Extended, Population, starts
from curate.dedup.lines import LineCuts, LineKeys
from curate.dedup.occurrences import KEY_BYTES, Flagging, Frequent, Occurrences
from curate.dedup.substrings import Fingerprints, PassageCuts, PassageKeys
from curate.dedup.trimmed import PartTrimmed, Top, Trimmer, merged
from curate.recipe import Dedup, LineDedup, Recipe, SubstringDedup, Trim, fingerprint
from curate.recipe.trims import UNITS
from curate.shards import atomic_bytes, seal
from curate.storage import Location, remove_tree

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

COUNTING_BYTES = 1 << 30  # what counting may take of memory, all threads together
MOST_SHOWN = 20
_FACTS = "facts.json"


@dataclass(frozen=True)
class Trimmed:
    """What a trim step did.

    `folder` holds the cuts of this step and all earlier ones, a file a part. `dropped`: numbers of documents.
    `sizes` int64 (n, 3): SIZES of every document of the population after the step. `facts` go into the report.
    """

    folder: Location
    dropped: Numbers
    sizes: Numbers = field(repr=False)
    facts: dict[str, Any]

    def files(self, parts: Sequence[str]) -> list[Location]:
        """Return the files that the step left for these parts."""
        return [*(cuts_file(self.folder, part) for part in parts), self.folder / _FACTS]


def trim(
    population: Population, recipe: Recipe, step: Trim, alive: Bools, chosen: Bools, earlier: Trimmed | None
) -> Trimmed:
    """Trim the documents that are alive and `chosen`; a step done before on the same texts is only read."""
    texts = population.texts
    ensembles = [asdict(ensemble) for ensemble in recipe.ensembles]
    masks = [hashlib.sha256(np.packbits(mask).tobytes()).hexdigest() for mask in (alive, chosen)]
    rule = {key: value for key, value in asdict(step).items() if key not in ("name", "where")}
    before = earlier.folder if earlier else None
    key = fingerprint([curate.__version__, texts.key, rule, ensembles, masks, str(before and before.name)])
    folder = texts.folder / key
    if not _is_done(folder, texts.names):
        remove_tree(folder)
        folder.mkdir(parents=True)
        begin = starts(population)
        rows = [np.flatnonzero((alive & chosen)[low:high]) for low, high in pairwise(begin)]
        with scratch(texts) as place:
            work = _Work(population, texts, rows, before, folder, place)
            found = _lines(work, step) if isinstance(step, LineDedup) else _substrings(work, step)
        unit = step.unit if isinstance(step, LineDedup) else "substring"
        what = "lines_removed" if isinstance(step, LineDedup) else "spans_removed"
        examples = sorted(found.top.values(), key=lambda item: (-item[0], item[1]))[:MOST_SHOWN]
        top = [{"text": text, "count": count} for count, text in examples]
        facts = {"unit": unit, what: found.removed, "top": top, "files": _seals(folder, texts.names)}
        sealed = {**facts, "checksum": fingerprint(facts)}
        atomic_bytes(folder / _FACTS, json.dumps(sealed, ensure_ascii=False).encode())
    return _load(population, folder, earlier)


@dataclass(frozen=True)
class _Work:
    """What the passes of a step need: documents by part, and where to read and write."""

    population: Population
    texts: Texts
    rows: Sequence[Numbers]
    earlier: Location | None
    folder: Location
    scratch: Location

    @property
    def numbers(self) -> Numbers:
        """Numbers of all the documents."""
        begin = starts(self.population)
        return np.concatenate(
            [np.zeros(0, np.int64), *(rows + low for rows, low in zip(self.rows, begin, strict=False))]
        )

    def by_part(self, values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Divide an array with one entry a document over the parts."""
        return np.split(values, np.cumsum([len(rows) for rows in self.rows])[:-1])

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a signal of the documents."""
        chosen = np.zeros(sum(self.population.sizes), np.bool_)
        chosen[self.numbers] = True
        return signal_column(self.population, chosen, name)

    def occurrences(self, name: str, most: int, *, ranked: bool) -> Occurrences:
        """Return scratch files for at most so many keys, divided so that counting stays within its memory."""
        partitions = 1 + most * KEY_BYTES * self.texts.threads // COUNTING_BYTES
        return Occurrences(self.scratch / name, partitions, ranked)

    def visit(self, visitors: Sequence[Visitor]) -> None:
        """Make a pass over the documents for what it leaves on disk."""
        for _ in self.texts.visit(self.rows, visitors, self.earlier):
            pass

    def cut(self, visitors: Sequence[Visitor]) -> _Outcome:
        """Make the pass that cuts."""
        outcome = _Outcome([PartTrimmed() for _ in visitors])
        for part, summary in self.texts.visit(self.rows, visitors, self.earlier):
            outcome.removed += summary.removed
            outcome.top = merged([outcome.top, summary.top])
            outcome.dropped[part] = summary.dropped
        return outcome

    def trimmers(self) -> list[Trimmer]:
        """Return what writes the cuts of each part."""
        return [Trimmer(name, self.folder, self.earlier, self.texts.tokenizer) for name in self.texts.names]

    def flag(self, occurrences: Occurrences, more_than: int, gone: Bools) -> Frequent:
        """Count all partitions."""
        task = Flagging(occurrences, self.texts.names, more_than, gone)
        total = Frequent.of([])
        for found in self.texts.each(task, range(occurrences.partitions)):
            total = Frequent.of([total, found])
        return total


@dataclass
class _Outcome:
    """What the pass that cuts did: documents dropped by part, units cut from others, examples."""

    dropped: list[PartTrimmed]
    removed: int = 0
    top: Top = field(default_factory=dict)


def _lines(work: _Work, step: LineDedup) -> _Outcome:
    doc = work.column("doc").astype(np.uint64)
    buckets = max(1, -(-len(doc) // step.bucket))
    salts = bucket_salts(doc, buckets)
    occurrences = work.occurrences("lines", int(work.column("byte_count").sum()) // (step.min_length + 1), ranked=False)
    keys = [
        LineKeys(name, rows, salt, UNITS[step.unit], step.min_length, occurrences)
        for name, rows, salt in zip(work.texts.names, work.rows, work.by_part(salts), strict=True)
    ]
    work.visit(keys)
    frequent = work.flag(occurrences, step.more_than, np.zeros(0, np.bool_))
    visitors = [
        LineCuts(key, trimmer, step.min_left, frequent) for key, trimmer in zip(keys, work.trimmers(), strict=True)
    ]
    return work.cut(visitors)


def bucket_salts(doc: npt.NDArray[np.uint64], buckets: int) -> npt.NDArray[np.uint64]:
    """Return uint64 (n,): a number for the bucket of each document, drawn by document number; 0 if there is one."""
    mixed = (doc ^ (doc >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    bucket = ((mixed >> np.uint64(32)) * np.uint64(buckets)) >> np.uint64(32)
    salt = bucket * np.uint64(0x9E3779B97F4A7C15)
    return (salt ^ (salt >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


def _substrings(work: _Work, step: SubstringDedup) -> _Outcome:
    policy = Dedup(step.name, "exact", keep=step.keep)
    ranks = keep_ranks(work.population, work.numbers, policy).astype(np.uint32)
    words = int(work.column("byte_count").sum()) // 2  # at most
    gone = np.zeros(len(ranks), np.bool_)
    few = work.occurrences("fingerprints", 8 * words // step.min_words, ranked=False)
    fingerprints = [Fingerprints(name, step.min_words, few) for name in work.texts.names]
    work.visit(fingerprints)
    work.flag(few, 1, gone)
    occurrences = work.occurrences("passages", words, ranked=True)
    keys = [
        PassageKeys(fingerprint.part, rows, rank, fingerprint, occurrences)
        for fingerprint, rows, rank in zip(fingerprints, work.rows, work.by_part(ranks), strict=True)
    ]
    work.visit(keys)

    def cut(before: Sequence[PartTrimmed]) -> _Outcome:
        frequent = work.flag(occurrences, 1, gone)
        visitors = [
            PassageCuts(key, trimmer, step.drop_at, frequent, dropped)
            for key, trimmer, dropped in zip(keys, work.trimmers(), before, strict=True)
        ]
        return work.cut(visitors)

    found = cut([PartTrimmed() for _ in keys])
    if not any(len(part.removed) for part in found.dropped):
        return found
    # A passage that only stayed in a document which goes has to stay in another: count again without those.
    for key, part in zip(keys, found.dropped, strict=True):
        gone[key.ranks[np.searchsorted(key.chosen, part.cuts.rows)]] = True
    return cut(found.dropped)


def _seals(folder: Location, parts: Sequence[str]) -> dict[str, Any]:
    files = [cuts_file(folder, part) for part in parts]
    return {file.name: seal(file) for file in files if file.is_file()}


def _is_done(folder: Location, parts: Sequence[str]) -> bool:
    """Tell whether a step has been done to the end, and its files are there as it left them."""
    facts = folder / _FACTS
    if not facts.is_file():
        return False
    try:
        stored = json.loads(facts.read_text(encoding="utf-8"))
        whole = stored.pop("checksum") == fingerprint(stored)
        files: dict[str, Any] = stored["files"]
    except (ValueError, KeyError, TypeError, AttributeError):  # damaged
        return False
    return whole and len(files) == len(parts) and files == _seals(folder, parts)


def _load(population: Population, folder: Location, earlier: Trimmed | None) -> Trimmed:
    """Read what a step did, and count what it cut from documents that stay."""
    before = earlier.sizes if earlier else _sizes(population)
    after = before.copy()
    dropped = []
    for name, low in zip(population.texts.names, starts(population), strict=False):
        cuts = Cuts.of_step(folder, name)
        stays = ~cuts.dropped
        after[cuts.rows[stays] + low] = cuts.sizes[stays]
        dropped.append(cuts.rows[cuts.dropped] + low)
    numbers = np.concatenate([np.zeros(0, np.int64), *dropped])
    lost = before - after
    sums = dict(zip(SIZES, lost.sum(axis=0).tolist(), strict=True))
    stored = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    del stored["files"], stored["checksum"]
    facts = {
        **stored,
        "documents_touched": int((lost[:, 0] > 0).sum()),
        "documents_dropped": len(numbers),
        "bytes_removed": sums["byte_count"],
        "tokens_removed": sums["token_count"],
    }
    return Trimmed(folder, numbers, after, facts)


def _sizes(population: Population) -> Numbers:
    everyone = np.ones(sum(population.sizes), np.bool_)
    return np.stack([signal_column(population, everyone, name, np.int64) for name in SIZES], axis=1)


def forget_others(texts: Texts, used: Iterable[Trimmed]) -> None:
    """Delete the cuts of steps that are no longer decided by."""
    folders = {trimmed.folder for trimmed in used}
    for folder in texts.folder.glob("*/"):
        if folder not in folders:
            remove_tree(folder)


def resized(population: Population, trimmed: Trimmed) -> Population:
    """Return the population with the sizes of its documents after a step."""
    return Extended(population, {name: trimmed.sizes[:, number] for number, name in enumerate(SIZES)})
