"""A run whose every task is pickled and runs in another process is the run that threads make: engines rely on that.

Tasks and drivers share the run directory and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import cloudpickle
import pyarrow.parquet as pq
import pytest

import curate
from curate.decide import population
from curate.engines.local import Local
from curate.engines.workers import Workers
from curate.kernels.warmup import ensure_compiled
from tests.corpora import prose

RECIPE = """
name = "every-kind-of-step"

[distributions]
oddness = "corpus"

[ensembles]
bucket = { of = ["word_count", "char_count"], buckets = 4 }

[[steps]]
name = "long enough"
filter = "word_count >= 3 AND oddness < 100"

[[steps]]
dedup = "exact"
priority = ["b", "a"]
within = ["language"]

[[steps]]
dedup = "url"
keep = "date DESC"

[[steps]]
name = "near"
dedup = "minhash"
ngram = 3
verify = 0.6
fold_numbers = true
protect = ["b"]
keep = "bucket DESC"

[[steps]]
name = "nearer"
dedup = "minhash"
ngram = 3
fold_numbers = true
verify = false
within = ["source"]

[[steps]]
name = "paragraphs"
dedup = "lines"
unit = "paragraph"
more_than = 2

[[steps]]
dedup = "lines"
more_than = 3
min_length = 5

[[steps]]
dedup = "substring"
min_words = 12

[[steps]]
top = 0.8
by = "bucket"
within = ["language"]

[[steps]]
name = "longish"
filter = "char_count > 1000"

[mix]
by = "language"
tokens = "4k"
shares = { en = 0.7, de = 0.3 }
rehydrate = true
shuffle = true
"""


def _work(payload: bytes) -> bytes:
    task, item = cloudpickle.loads(payload)
    workers = Workers(1)
    try:
        return cloudpickle.dumps(task(item, workers))
    finally:
        workers.close()


class Processes(Local):
    """An engine that sends every task and item, pickled, to one of two other processes, and takes its result back."""

    pool: ProcessPoolExecutor
    sent: list[int]

    def run(self, task: Any, items: Sequence[Any], give_up: Any = None) -> Iterator[tuple[Any, Any]]:
        payloads = [cloudpickle.dumps((task, item)) for item in items]
        self.sent += map(len, payloads)
        futures = {self.pool.submit(_work, payload): item for payload, item in zip(payloads, items, strict=True)}
        for future in as_completed(futures):
            yield futures[future], cloudpickle.loads(future.result())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files with copies of every kind, in two languages and two sources."""
    folder = tmp_path_factory.mktemp("separate")
    footer = "All rights reserved by the harbour museum and its friends.\n\n"
    for number, source in enumerate(("a", "a", "b")):
        (folder / source).mkdir(exist_ok=True)
        with (folder / source / f"{number}.jsonl").open("w") as file:
            for k in range(60):
                own = number * 60 + k
                text = prose(own % 90 if k % 3 else own)
                if k % 5 == 0:
                    text = prose(7 + k // 20) + f" Number {own} of all the copies."
                if k % 7 == 0:
                    text += "\n\n" + prose(1000 + k % 4, 6)
                record = {
                    "id": f"{number}-{k}",
                    "text": f"Read what {source} says.\n{text}\n\n{footer}",
                    "language": "en" if k % 4 else "de",
                }
                record |= {"url": f"http://a.org/{own % 110}", "date": f"2026-01-{1 + k % 28:02d}"}
                file.write(json.dumps(record if k % 11 else {**record, "text": "!"}) + "\n")
    return folder


def _contents(run: curate.Run) -> dict[str, Any]:
    """Everything that a run decided and wrote, without paths and times."""
    found: dict[str, Any] = {}
    for folder in ("signals", "sketches", "decisions", "cuts", "rejects", "mix"):
        for file in sorted((run.path / folder).rglob("*")):
            if file.is_file():
                content = pq.read_table(file).to_pydict() if file.suffix == ".parquet" else file.read_bytes()
                found[file.relative_to(run.path).as_posix()] = hashlib.sha256(repr(content).encode()).hexdigest()
    report = dict(run.report)
    found["report"] = {
        name: report[name] for name in ("steps", "mix", "duplicates", "trims", "sources") if name in report
    }
    return found


def test_tasks_in_other_processes_that_share_only_the_run_make_the_same_run(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_compiled(lambda message: None, everything=True)
    recipe = curate.Recipe.parse(RECIPE, "every-kind-of-step")
    sources = [f"a={inputs / 'a'}", f"b={inputs / 'b'}"]
    here = curate.corpus(sources, tmp_path / "here", recipe=recipe, threads=2, ignore_disk=True)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        Processes.pool, Processes.sent = pool, []
        monkeypatch.setattr("curate.engines.choose.Local", Processes)
        monkeypatch.setattr(population, "LINKED_HERE", 0)  # so that linking is done by tasks as well
        there = curate.corpus(sources, tmp_path / "there", recipe=recipe, threads=2, ignore_disk=True)
    did = {step["name"]: step["dropped"] for step in there.report["steps"]}
    did |= {name: facts["documents_touched"] for name, facts in there.stage("decide")["trims"].items()}
    assert all(did.values()), did
    assert len(Processes.sent) > 50
    assert _contents(there) == _contents(here)
