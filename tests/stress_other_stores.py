"""Try a store that the tests have no server for: a run there must be that of a disk, byte for byte, and be resumable.

    python tests/stress_other_stores.py az://NAME [--kills 10] [--seed 1]

NAME is a bucket or container to be made, or an empty one; the environment leads to it. docs/storage.md says with which
servers this was done. `--read-only` compares runs on the disk over what is below NAME/raw already, as for `hf://`;
`python tests/stress_other_stores.py FOLDER --write` writes that into FOLDER/raw. Prints a Markdown table; ends with 1
where anything is not as it must be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

import curate
from curate.engines.local import Local
from curate.questions.explain import explain
from curate.questions.query import query
from curate.storage import RemotePath, backend, locate, lock
from tests.corpora import small_corpus
from tests.storage.runs import TRIMMED_AND_SHUFFLED, answers

SQL = "SELECT dropped_by, count(*) AS n FROM decisions GROUP BY dropped_by ORDER BY dropped_by"
WANTING = 6  # threads that want one lock


def inputs(folder: Path) -> Path:
    """Make the corpus: three formats, and a name that has to be quoted in an address."""
    small_corpus(folder, 300)
    for name in ("a", "b"):
        text = (folder / f"{name}.jsonl").read_bytes()
        (folder / f"{name}.jsonl.zst").write_bytes(pa.compress(text, "zstd", asbytes=True))
    pq.write_table(pj.read_json(folder / "b.jsonl"), folder / "e.parquet", row_group_size=40)
    (folder / "a.jsonl").unlink()
    (folder / "b.jsonl").rename(folder / "ö +1 50% #2.jsonl")
    return folder


def start(source: str, out: str, recipe: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "curate.cli", "corpus", source, "--out", out, "--recipe", str(recipe)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def killed_and_resumed(base: str, recipe: Path, wanted: dict[str, bytes], kills: int, seed: int) -> tuple[int, int]:
    """Kill runs at random moments until they end by themselves; return how many ended so, and how many were right."""
    begun = time.monotonic()
    start(f"raw={base}/raw", f"{base}/timed", recipe).communicate()
    whole = time.monotonic() - begun
    source, killed, runs, same = random.Random(seed), 0, 0, 0
    while killed < kills:
        while True:
            process = start(f"raw={base}/raw", f"{base}/killed-{runs}", recipe)
            try:
                process.communicate(timeout=source.random() * whole if killed < kills else None)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                killed += 1
        same += process.returncode == 0 and answers(curate.Run(f"{base}/killed-{runs}")) == wanted
        runs += 1
    return runs, same


def second_is_refused(base: str, recipe: Path) -> bool:
    """Start a run, and again while it is at work: the second says who has it, the first ends well."""
    first = start(f"raw={base}/raw", f"{base}/both", recipe)
    while not locate(f"{base}/both/.lock").exists() and first.poll() is None:
        time.sleep(0.05)
    second = start(f"raw={base}/raw", f"{base}/both", recipe)
    said = second.communicate()[1]
    first.communicate()
    return (first.returncode, second.returncode) == (0, 1) and f"process {first.pid} on" in said


def holders(path: RemotePath) -> int:
    """Let threads want one lock at the same moment; return how many got it."""
    got: list[int] = []
    barrier = threading.Barrier(WANTING)

    def want() -> None:
        barrier.wait()
        with suppress(lock.HeldError), lock.hold_object(path):
            got.append(1)
            barrier.wait()
            return
        barrier.wait()

    threads = [threading.Thread(target=want) for _ in range(WANTING)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(got)


def outcomes(base: str, place: Path, on_disk: curate.Run, recipe: Path, asked: argparse.Namespace) -> Iterator[tuple]:
    """Yield what was tried, how often, and how often it was right."""
    wanted = answers(on_disk)
    there = curate.corpus(f"raw={base}/raw", place / "there", recipe)
    yield "inputs there, the run on a disk: identical", 1, answers(there) == wanted
    pattern = [f"raw={base}/raw/{name}" for name in ("*.jsonl*", "[e].parquet")]
    yield "inputs by a pattern: identical", 1, answers(curate.corpus(pattern, place / "globbed", recipe)) == wanted
    if asked.read_only:
        return
    run = curate.corpus(f"raw={base}/raw", f"{base}/run", recipe)
    yield "a run there: identical", 1, answers(run) == wanted
    again = curate.corpus(f"raw={base}/raw", f"{base}/run", recipe)
    yield "again: all is done", 1, json.dumps(again.manifest["stages"]) == json.dumps(run.manifest["stages"])
    same = query(run, SQL).equals(query(on_disk, SQL)) and [row["state"] for row in run.status()] == ["done"] * 4
    same &= explain(run, "near3", Local(2))[0]["dropped_by"] == explain(on_disk, "near3", Local(2))[0]["dropped_by"]
    yield "query, status, explain: the same", 1, same
    less = curate.corpus(f"raw={base}/raw", f"{base}/run", recipe, tokens="20k")
    local = curate.corpus(f"raw={place}/raw", place / "run", recipe, tokens="20k")
    yield "another budget in the same run: identical", 1, answers(less) == answers(local)
    yield ("a run that is at work refuses a second process", 1, second_is_refused(base, recipe))
    path = locate(f"{base}/many/.lock")
    assert isinstance(path, RemotePath)
    yield f"{WANTING} want a lock at once: one has it", 20, sum(holders(path) == 1 for _ in range(20))
    runs, same_runs = killed_and_resumed(base, recipe, wanted, asked.kills, asked.seed)
    yield f"runs killed {asked.kills} times in all at random moments and resumed: identical", runs, same_runs


def main() -> int:
    """Try all; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--write", action="store_true", help="write the inputs into the local folder BASE, no more")
    asked = parser.parse_args()
    if asked.write:
        inputs(Path(asked.base) / "raw")
        return 0
    base = asked.base.rstrip("/")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        recipe = place / "stress.toml"
        recipe.write_text(TRIMMED_AND_SHUFFLED)
        on_disk = curate.corpus(f"raw={inputs(place / 'raw')}", place / "run", recipe)
        if not asked.read_only:
            store = backend.filesystem(base.partition("://")[0])
            with suppress(Exception):  # it is there already
                store.mkdir(base.partition("://")[2])
            for file in (place / "raw").iterdir():
                store.pipe_file(f"{base}/raw/{file.name}", file.read_bytes())
        wrong = 0
        print("| what | times | as it must be |\n|---|---:|---:|")
        for what, times, right in outcomes(base, place, on_disk, recipe, asked):
            print(f"| {what} | {times} | {int(right)} |", flush=True)
            wrong += int(right) != times
    return int(wrong > 0)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # libraries of stores keep threads
