"""Runs in an object store that fails, and are killed, and end with the bytes of an undisturbed run on a disk.

    python tests/stress_store.py [--runs 5] [--share 0.05] [--kills 10] [--seed 1]

A server of moto's on the loopback, a proxy in front of it that injects faults (see tests/storage/object_store.py), the
small corpus of the tests in five formats, a recipe that trims and shuffles. Ends with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

sys.path.insert(0, str(Path(__file__).parents[1]))

import curate
from curate.storage import backend, retry
from tests.corpora import small_corpus
from tests.storage.object_store import KINDS, Proxy
from tests.storage.runs import TRIMMED_AND_SHUFFLED, answers


def inputs(folder: Path) -> Path:
    """Make the corpus: JSON Lines, plain and compressed in two ways, Parquet, Arrow."""
    small_corpus(folder)
    (folder / "c.jsonl.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes(), mtime=0))
    (folder / "d.jsonl.zst").write_bytes(pa.compress((folder / "b.jsonl").read_bytes(), "zstd", asbytes=True))
    table = pj.read_json(folder / "b.jsonl")
    pq.write_table(table, folder / "e.parquet", row_group_size=10)
    with pa.ipc.new_file(folder / "f.arrow", table.schema) as out:
        out.write_table(table)
    return folder


def curated(out: str, recipe: Path, kill_after: float | None = None) -> bool:
    """Run the command line; tell whether it was killed before it ended."""
    command = [sys.executable, "-m", "curate.cli", "corpus", "s3://store/raw", "--out", out, "--recipe", str(recipe)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, said = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    if process.returncode:
        raise SystemExit(said)
    return False


def main() -> int:
    """Run all; print the table of docs/reliability.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("runs", 5), ("share", 0.05), ("kills", 10), ("seed", 1)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    asked = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    proxy = Proxy(server.get_host_and_port())
    os.environ |= {"AWS_ENDPOINT_URL": proxy.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1"}
    os.environ["FSSPEC_S3"] = '{"config_kwargs": {"read_timeout": 2, "retries": {"total_max_attempts": 1}}}'
    retry.FIRST_WAIT = 0.02
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        recipe = place / "stress.toml"
        recipe.write_text(TRIMMED_AND_SHUFFLED)
        wanted = answers(curate.corpus(inputs(place / "raw"), place / "run", recipe))
        store = backend.filesystem("s3")
        store.mkdir("store")
        for file in (place / "raw").iterdir():
            store.pipe_file(f"s3://store/raw/{file.name}", file.read_bytes())
        injected: Counter[str] = Counter()
        same = 0
        for number in range(asked.runs):
            proxy.faults.calm()
            proxy.faults.slow_seconds = 3.0
            proxy.faults.random(asked.share, asked.seed + number)
            run = curate.corpus("s3://store/raw", f"s3://store/faults-{number}", recipe)
            injected += proxy.faults.injected
            requests = sum(proxy.faults.requests.values())
            proxy.faults.calm()
            same += answers(run) == wanted
        proxy.faults.calm()
        begun = time.monotonic()
        curated("s3://store/timed", recipe)
        whole = time.monotonic() - begun
        source, kills, number, killed_same = random.Random(asked.seed), 0, 0, 0
        while kills < asked.kills:
            while kills < asked.kills and curated(f"s3://store/killed-{number}", recipe, source.random() * whole):
                kills += 1
            curated(f"s3://store/killed-{number}", recipe)
            killed_same += answers(curate.Run(f"s3://store/killed-{number}")) == wanted
            number += 1
    print("| what | times | outcome |\n|---|---:|---|")
    for kind in KINDS:
        print(f"| {kind} | {injected[kind]} |  |")
    print(f"| runs, of about {requests} requests each | {asked.runs} | {same} identical to a local run |")
    print(f"| SIGKILL at a random moment | {kills} | {killed_same} of {number} runs ended identical |")
    return 0 if (same, killed_same) == (asked.runs, number) else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the servers have threads of their own
