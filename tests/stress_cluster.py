"""Kill nodes, workers and drivers of runs on a Ray cluster; count what is left. One command:

    python tests/stress_cluster.py [--rounds 3] [--seed 1] [--memory]

Three nodes of one CPU each, on this machine. Every kind of fault in every stage, --rounds times, at a random moment of
it; then the run has to be the same, byte for byte, as one on threads that nothing happened to. Prints a table and ends
with 1 where anything was lost. With --memory also a worker that Ray kills for taking too much: about 8 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.corpora import prose, write_jsonl  # noqa: E402
from tests.engines.conftest import Nodes  # noqa: E402
from tests.stress import RECIPE, digests  # noqa: E402

STAGES = ("measure", "decide", "write")
KINDS = ("worker killed", "node killed", "driver killed")
FILES, DOCUMENTS = 60, 150


class Cluster:
    """The nodes, the corpus, and the run that all others have to be equal to."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place, self.random = place, random.Random(seed)
        self.recipe = place / "recipe.toml"
        self.recipe.write_text(RECIPE.format(tokens="900k", shuffle="shuffle = true"))
        for number in range(FILES):
            first = number * DOCUMENTS
            records = [{"id": f"d{i}", "text": prose(i, 12 + i % 60)} for i in range(first, first + DOCUMENTS)]
            records += [{"id": f"c{number}", "text": prose((number * 37) % 900, 12 + (number * 37) % 900 % 60)}]
            records += [
                {"id": f"n{number}", "text": prose(number * 91) + " One more short remark."},
                {"id": 1, "text": 5},
            ]
            write_jsonl(place / "in" / f"part-{number:02d}.jsonl", records)
        assert self.driver(place / "undisturbed").wait() == 0
        self.expected = digests(place / "undisturbed")
        self.nodes = Nodes()
        self.injected: Counter[tuple[str, str]] = Counter()
        self.survived: Counter[tuple[str, str]] = Counter()

    def driver(self, out: Path, *more: object) -> subprocess.Popen[bytes]:
        """Start a run."""
        command = [sys.executable, "-m", "curate.cli", "corpus", self.place / "in", "--out", out]
        command += ["--recipe", self.recipe, "--threads", 2, *more]
        log = (self.place / "driver.log").open("ab")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen([*map(str, command)], stdout=log, stderr=log, env=environment)

    def on_ray(self, out: Path, events: Path) -> subprocess.Popen[bytes]:
        """Start a run on the cluster."""
        address = self.nodes.address
        return self.driver(
            out, "--engine", "ray", "--address", address, "--memory-per-task", "1GiB", "--json-log", events
        )

    def try_once(self, kind: str, stage: str, number: int) -> None:
        """Do one thing to one run in one stage, and look at what comes of it."""
        self.nodes.become(3)
        out, events = self.place / f"run-{number}", self.place / f"events-{number}.jsonl"
        driver = self.on_ray(out, events)
        wait_for(driver, events, stage)
        time.sleep(self.random.uniform(0, 1.5))
        still_there = stage_now(events) == stage
        if kind == "driver killed":
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            driver = self.on_ray(out, events)
        elif kind == "node killed":
            self.nodes.kill_one()
        else:
            still_there = kill_a_worker(self.random) and still_there
        code = driver.wait(timeout=300)
        where = (kind, stage if still_there else "between stages")
        self.injected[where] += 1
        if code == 0 and digests(out) == self.expected:
            self.survived[where] += 1
        else:
            print(f"FAILED: {kind} in {stage}, exit {code}: {out}", file=sys.stderr, flush=True)


def told(events: Path) -> list[dict[str, object]]:
    """Return the events of a run so far."""
    if not events.exists():
        return []
    return [json.loads(line) for line in events.read_text().splitlines() if line.endswith("}")]


def wait_for(driver: subprocess.Popen[bytes], events: Path, stage: str) -> None:
    """Wait until a stage has begun and, in measure, the first shards are done."""
    wanted = "shard_done" if stage == "measure" else "stage_begins"
    while driver.poll() is None:
        if any(event["event"] == wanted and event.get("stage") == stage for event in told(events)):
            return
        time.sleep(0.02)


def stage_now(events: Path) -> str:
    """Return the stage that began last and has not ended."""
    begun = [event["stage"] for event in told(events) if event["event"] in ("stage_begins", "stage_ends")]
    ended = [event["stage"] for event in told(events) if event["event"] == "stage_ends"]
    return str(begun[-1]) if begun and begun[-1] not in ended else ""


def kill_a_worker(source: random.Random) -> bool:
    """Kill a process of Ray that is at a task, or any worker where none is; tell whether one was at a task."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if title.startswith("ray::"):
            found.append((title.startswith("ray::curate"), int(folder.name)))
    busy = [entry for entry in found if entry[0]] or found
    if not busy:
        return False
    at_task, number = source.choice(busy)
    os.kill(number, signal.SIGKILL)
    return at_task


def too_much_memory(place: Path) -> tuple[str, bool]:
    """Have a worker take memory until Ray kills it, once; tell whether its task was done again."""
    import psutil
    from ray.cluster_utils import Cluster as RayCluster

    from curate.engines.ray import Ray
    from tests.engines.tasks import MOST_GB, Fails

    memory = psutil.virtual_memory()
    share = (memory.total - memory.available + (MOST_GB - 2) * 2**30) / memory.total
    os.environ["RAY_memory_usage_threshold"] = f"{share:.3f}"  # noqa: SIM112 (as Ray spells it)
    os.environ["RAY_memory_monitor_refresh_ms"] = "50"  # noqa: SIM112
    cluster = RayCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    with Ray(cluster.address, memory_per_task="1GiB") as engine:
        found = sorted(engine.run(Fails(place, "memory"), ["one", "bad", "two"]))
    cluster.shutdown()
    again = len(list(place.glob("try-*"))) > 1
    return f"killed by Ray and done again: {again}", [result for _, result in found] == ["BAD", "ONE", "TWO"]


def main() -> None:
    """Do everything, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="curate-stress-") as place:
        cluster = Cluster(Path(place), given.seed)
        plan = [(kind, stage) for kind in KINDS for stage in STAGES for _ in range(given.rounds)]
        for number, (kind, stage) in enumerate(plan):
            cluster.try_once(kind, stage, number)
        cluster.nodes.cluster.shutdown()
        print("\n| fault on a cluster of three nodes | times | runs that ended identical |\n|---|---:|---:|")
        for where, times in sorted(cluster.injected.items()):
            print(f"| {where[0]} in {where[1]} | {times} | {cluster.survived[where]} |")
        passed = cluster.injected == cluster.survived
        if given.memory:
            folder = Path(place) / "memory"
            folder.mkdir()
            outcome, well = too_much_memory(folder)
            passed = passed and well
            print(f"| a worker takes too much memory | 1 | {outcome} |")
    print(f"\n{(time.monotonic() - begun) / 60:.0f} minutes, seed {given.seed}")
    sys.exit(not passed)


if __name__ == "__main__":
    main()
