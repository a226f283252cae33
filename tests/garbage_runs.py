"""What a run over one kind of garbage comes to; used by the tests and by `stress.py`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import curate
from curate.measure.stored import stored_counts
from tests.garbage import Kind

RECIPE = """
clean = ["unicode"]

[[steps]]
name = "short"
filter = "word_count >= 0"

[[steps]]
dedup = "exact"

[[steps]]
dedup = "minhash"

[mix]
by = "topic"
"""


@dataclass
class Outcome:
    """`message` where the run was refused; else what it holds. `accounted`: documents and rejects by its report."""

    message: str | None = None
    ids: set[str] = field(default_factory=set)
    documents: int = 0
    rejected: int = 0
    accounted: int = 0
    skipped: int = 0


def outcome(kind: Kind, place: Path, size: int, skip: bool = False) -> Outcome:
    """Run curate over garbage inside `place`; AssertionError where something appeared outside of the run."""
    folder, out = place / "in" / "put", place / "out" / "run"
    folder.mkdir(parents=True)
    out.parent.mkdir()
    inputs = kind.write(folder, size)
    text = RECIPE if "domain" in kind.name else RECIPE.replace('by = "topic"', 'by = "source"')
    before = _everything(place)
    chosen = [str(item) for item in inputs] if isinstance(inputs, list) else folder
    limit = size // 2 if "megabytes" in kind.name else 256 << 20
    try:
        run = curate.corpus(
            chosen, out, curate.Recipe.parse(text, "garbage"), skip_bad_files=skip, max_record_bytes=limit, threads=2
        )
    except curate.CurateError as error:
        return Outcome(str(error))
    finally:
        new = {path for path in _everything(place) - before if not path.is_relative_to(out)}
        assert not new, f"written outside of the run: {new}"
    counts = [stored_counts(run, shard) for shard in run.measured]
    report = run.report
    return Outcome(
        None,
        set(run.signals().collect()["id"]),
        sum(count.documents for count in counts if count),
        sum(count.rejected for count in counts if count),
        report["input"]["documents"] + report["rejected"]["documents"],
        len(report["skipped_files"]),
    )


def _everything(place: Path) -> set[Path]:
    found = set()
    for folder, folders, files in os.walk(place):
        found |= {Path(folder) / name for name in (*folders, *files)}
    return found
