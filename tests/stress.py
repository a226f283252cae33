"""Kill runs, break their files, fill their disk, feed them garbage; count what is left. One command:

    python tests/stress.py [--kills 60] [--seed 1] [--quick]

Prints a table and ends with 1 where anything was lost. Takes minutes; the tests have a handful of each instead.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

import curate  # noqa: E402
from curate.engines.local import Local  # noqa: E402
from curate.index import Index  # noqa: E402
from curate.measure.stored import stored_counts  # noqa: E402
from tests.corpora import prose, write_jsonl  # noqa: E402
from tests.garbage import KINDS  # noqa: E402
from tests.garbage_runs import outcome  # noqa: E402

RECIPE = """
clean = ["unicode"]

[[steps]]
name = "long_enough"
filter = "word_count >= 20"

[[steps]]
dedup = "exact"

[[steps]]
dedup = "minhash"
verify = 0.7

[[steps]]
dedup = "lines"
more_than = 6

[[steps]]
dedup = "substring"
min_words = 30

[[steps]]
top = 0.9
by = "word_count"

[mix]
by = "source"
max_epochs = 2
tokens = "{tokens}"
{shuffle}
"""
# Small journals, small parts: the paths that only large files take are taken by all.
SMALL = """
from importlib import import_module
import_module("curate.measure.journal").LEAST_BYTES = 20_000
original = import_module("curate.shards").plan
import_module("curate.pipeline").plan = lambda inputs: original(inputs, target_bytes=60_000)
batches = import_module("curate.shards.batches")
batches.ReadOptions.__init__.__defaults__ = tuple(
    30_000 if value == 4 << 20 else value for value in batches.ReadOptions.__init__.__defaults__)
import_module("curate.write.stage").MOST_BYTES = 100_000
"""
CHILD = f"import sys\n{SMALL}\nfrom curate.cli import main\nmain(sys.argv[1:])"
PARTS = ("signals", "sketches", "rejects", "decisions", "cuts", "mix")
STAGES = ("measure", "decide", "write", "report")
MENU = "Share this page with your friends"


def make_corpus(folder: Path) -> Path:
    """Every format; duplicates of all kinds, lines that repeat, records that are none."""
    texts = [f"{MENU}\n{prose(i)}" if i % 5 == 0 else prose(i, 12 + i % 60) for i in range(1200)]
    texts += [prose(i) for i in range(30)] + [prose(i) + " One more short remark." for i in range(30, 60)]
    texts += [f"{prose(5000 + i)}\n\n{prose(7000, 12)}" for i in range(30)] + ["Too short."] * 5
    records = [{"id": f"d{i}", "text": text, "year": 2000 + i % 20} for i, text in enumerate(texts)]
    for number in range(3):
        write_jsonl(folder / f"plain{number}.jsonl", records[number:600:3])
    with (folder / "plain1.jsonl").open("ab") as file:
        file.write(b'{"text": 5}\n{"text": "no end\n{"id": 3}\n\xff\xfe\n')
    lines = "".join(json.dumps(record) + "\n" for record in records[600:1000])
    (folder / "large.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    table = pa.Table.from_pylist(records[1000:])
    pq.write_table(table, folder / "table.parquet", row_group_size=100)
    return folder


def digests(run: Path) -> dict[str, str]:
    """Hash every file that a stage leaves, and what the report says of the documents."""
    found = {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in PARTS
        for path in sorted((run / part).rglob("*"))
        if path.is_file()
    }
    report = json.loads((run / "report.json").read_text())
    for name in ("input", "output", "rejected", "steps", "mix", "sources", "trims"):
        found[f"report: {name}"] = json.dumps(report[name], sort_keys=True)
    return found


class Stress:
    """One corpus, its undisturbed runs, and everything that is done to others like them."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place = place
        self.random = random.Random(seed)
        self.rows: list[tuple[str, str, str]] = []
        self.failures: list[str] = []
        self.corpus = make_corpus(place / "in")
        self.recipes = {}
        for name, shuffle in (("folders", ""), ("shuffled", "shuffle = true")):
            self.recipes[name] = place / f"{name}.toml"
            self.recipes[name].write_text(RECIPE.format(tokens="90k", shuffle=shuffle))
        self.index = place / "index"
        earlier = place / "earlier"
        write_jsonl(place / "earlier.jsonl", ({"id": f"e{i}", "text": prose(i)} for i in range(40, 120)))
        recipe = curate.Recipe.parse(RECIPE.format(tokens="90k", shuffle=""), "folders")
        run = curate.corpus(place / "earlier.jsonl", earlier, recipe)
        Index.add(self.index, run, Local(1))
        self.expected = {}
        for name in self.recipes:
            code, said = self.finish(place / f"undisturbed-{name}", name)
            assert code == 0, said
            self.expected[name] = digests(place / f"undisturbed-{name}")
        print(f"undisturbed: {len(self.expected['folders'])} files and figures to compare", flush=True)

    def command(self, run: Path, name: str) -> list[str]:
        recipe = str(self.recipes[name])
        return [sys.executable, "-c", CHILD, "corpus", str(self.corpus), "--out", str(run), "--recipe", recipe,
                "--index", str(self.index), "--threads", "2", "--ignore-disk", "--skip-bad-files"]  # fmt: skip

    def finish(self, run: Path, name: str, prefix: tuple[str, ...] = ()) -> tuple[int, str]:
        done = subprocess.run(
            [*prefix, *self.command(run, name)], capture_output=True, text=True, timeout=300, cwd=ROOT
        )
        return done.returncode, done.stderr

    def finish_here(self, run: Path, name: str) -> tuple[int, str]:
        """Do what `finish` does in this process, ten times as fast."""
        exec(SMALL, {})
        try:
            curate.corpus(self.corpus, run, self.recipes[name], index=self.index, threads=2, ignore_disk=True,
                          skip_bad_files=True)  # fmt: skip
        except curate.CurateError as error:
            return 1, f"error: {error}"
        except Exception:
            return 1, traceback.format_exc()
        return 0, ""

    def same(self, run: Path, name: str, what: str) -> bool:
        """Tell whether a finished run is like the undisturbed one; remember it as a failure otherwise."""
        found = digests(run)
        differing = sorted(
            file for file in found.keys() | self.expected[name].keys()
            if found.get(file) != self.expected[name].get(file)
        )  # fmt: skip
        if differing:
            self.failures.append(f"{what}: {len(differing)} differ, such as {differing[0]}")
        return not differing

    # Kills

    def kills(self, wanted: int) -> None:
        """Kill runs, each at a random moment of a stage chosen in turn, until enough of them were alive."""
        landed: Counter[str] = Counter()
        finished = same = 0
        life, delays = 0, dict.fromkeys(STAGES, 0.4)
        while sum(landed.values()) < wanted:
            life += 1
            name = ("folders", "shuffled")[life % 2]
            run = self.place / "killed"
            shutil.rmtree(run, ignore_errors=True)
            for stage in ("measure", "measure", "measure", "decide", "decide", "write", "write", "report"):
                if sum(landed.values()) < wanted:
                    self._kill_once(run, name, stage, delays, landed)
            code, said = self.finish(run, name)
            finished += code == 0
            if code:
                self.failures.append(f"after kills: exit {code}: {said.strip()[-300:]}")
                continue
            same += self.same(run, name, f"after kills of run {life}")
            self._conserved(run)
            print(f"kills: {sum(landed.values())} {dict(landed)}; {same} of {life} runs identical", flush=True)
        self.rows.append(
            ("SIGKILL at a random moment", str(sum(landed.values())), f"{same} of {finished} runs ended identical")
        )
        self.rows += [(f"… in {stage}", str(count), "") for stage, count in sorted(landed.items())]

    def _kill_once(self, run: Path, name: str, stage: str, delays: dict[str, float], landed: Counter[str]) -> None:
        log = run / "log.txt"
        before = log.read_text().count("begins") if log.is_file() else 0
        child = subprocess.Popen(
            self.command(run, name), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        begun = time.monotonic()
        while child.poll() is None and time.monotonic() - begun < 120:
            lines = [line for line in log.read_text().splitlines() if "begins" in line] if log.is_file() else []
            if any(f" {stage} begins" in line for line in lines[before:]):
                break
            time.sleep(0.01)
        with suppress(subprocess.TimeoutExpired):
            child.wait(self.random.uniform(0, delays[stage]))
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            child.wait()
            landed[_stage_at(run)] += 1
            delays[stage] = min(1.2, delays[stage] * 1.1)
        else:
            delays[stage] *= 0.5

    def _conserved(self, path: Path) -> None:
        """Count the documents of a run by its files and by its report."""
        run = curate.Run(path)
        counts = [stored_counts(run, shard) for shard in run.measured]
        documents = sum(count.documents for count in counts if count)
        report = run.report
        out = report["output"]["documents"] + sum(step["dropped"] for step in report["steps"])
        if not documents == report["input"]["documents"] == out:
            self.failures.append(f"documents: {documents} measured, {report['input']['documents']} reported, {out} out")
        self.documents = (documents, report["rejected"]["documents"], out)

    # Faults

    def damages(self, quick: bool) -> None:
        """Break files of runs that are finished or were stopped, then give the same command again."""
        ways: dict[str, Callable[[Path], None]] = {
            "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
            "emptied": lambda path: os.truncate(path, 0),
            "deleted": Path.unlink,
            "a bit flipped": self._flip,
        }
        targets = ("signals/*", "sketches/*", "decisions/*", "cuts/*/*.parquet", "cuts/*/*.json", "mix/*/*",
                   "state/*.json", "run.json", "report.json", "rejects/*")  # fmt: skip
        for pattern in targets[: 3 if quick else None]:
            for way, damage in ways.items():
                identical = refused = 0
                for state in (
                    ("finished", "before write") if pattern[:3] in ("sig", "ske", "dec", "cut") else ("finished",)
                ):
                    run = self.place / "damaged"
                    shutil.rmtree(run, ignore_errors=True)
                    shutil.copytree(self.place / "undisturbed-folders", run)
                    if state == "before write":
                        self._forget_stage(run, "write")
                    if pattern.startswith("state"):
                        self._forget_stage(run, "write", done_only=True)
                    files = sorted(run.glob(pattern))
                    if not files:
                        self.failures.append(f"nothing to damage: {pattern}")
                        continue
                    damage(self.random.choice(files))
                    what = f"{way}: {pattern}, {state}"
                    ended = self._again(run, what)
                    identical += ended == "identical"
                    refused += ended == "refused"
                result = ", ".join(filter(None, [identical and f"{identical} identical",
                                                 refused and f"{refused} stopped with a message"]))  # fmt: skip
                self.rows.append((f"{pattern} {way}", str(identical + refused), result))
                print(f"{pattern} {way}: {result}", flush=True)

    def _flip(self, path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
        path.write_bytes(content)

    def _forget_stage(self, run: Path, stage: str, done_only: bool = False) -> None:
        manifest = json.loads((run / "run.json").read_text())
        if done_only:
            manifest["stages"][stage]["done"] = False
        else:
            del manifest["stages"][stage]
        (run / "run.json").write_text(json.dumps(manifest))

    def _again(self, run: Path, what: str) -> str:
        """Give the same command up to three times, as a person would who reads the message."""
        for attempt in range(3):
            code, said = self.finish_here(run, "folders")
            if code == 0:
                # A flipped bit may sit where nothing looks: in the middle of a mix that is not read again.
                return "identical" if self.same(run, "folders", what) else "differs"
            if "Traceback" in said or not said.strip().startswith("error:"):
                self.failures.append(f"{what}: exit {code}: {said.strip()[-400:]}")
                return "traceback"
            if "run.json" in said and attempt == 0:
                return "refused"
        return "refused"

    def full_disk(self) -> None:
        """Run on a disk that fills up: a small tmpfs where one can be mounted, else a limit on the size of files."""
        ended: Counter[str] = Counter()
        disk = self.place / "disk"
        for kilobytes in (150, 400, 700, 1000, 1400, 1800, 2200):
            with _tmpfs(disk, kilobytes) as mounted:
                kind = "full disk (tmpfs)" if mounted else "file size limit (RLIMIT_FSIZE; no tmpfs here)"
                limit = () if mounted else ("bash", "-c", f'ulimit -f {max(kilobytes // 20, 8)}; exec "$@"', "-")
                code, said = self.finish(disk / "run", "folders", limit)
                if code == 0:
                    ended["had room"] += 1
                    continue
                if "Traceback" in said or not said.strip().startswith("error:"):
                    self.failures.append(f"full disk at {kilobytes} kB: {said.strip()[-400:]}")
                    continue
                ended["stopped with a message"] += 1
                if mounted:
                    subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
                code, said = self.finish_here(disk / "run", "folders")
                if code:
                    self.failures.append(f"full disk at {kilobytes} kB, then room: {said.strip()[-400:]}")
                else:
                    ended["then identical"] += self.same(disk / "run", "folders", f"full disk at {kilobytes} kB")
        total = ended["had room"] + ended["stopped with a message"]
        self.rows.append((kind, str(total), ", ".join(f"{count} {what}" for what, count in ended.items())))
        print(self.rows[-1], flush=True)

    def permissions(self) -> None:
        """Take away the right to read or write a folder; without the privilege of root to do so anyway."""
        drop = ("setpriv", "--inh-caps=-dac_override,-dac_read_search", "--bounding-set=-dac_override,-dac_read_search")
        prefix = drop if os.geteuid() == 0 else ()
        count = 0
        for folder in ("signals", "sketches", "decisions", "mix", "state", "cuts", "."):
            for mode in (0o500, 0o000):
                run = self.place / "locked"
                shutil.rmtree(run, ignore_errors=True)
                shutil.copytree(self.place / "undisturbed-folders", run)
                manifest = json.loads((run / "run.json").read_text())
                manifest["stages"] = {}
                (run / "run.json").write_text(json.dumps(manifest))
                (run / folder).chmod(mode)
                code, said = self.finish(run, "folders", prefix)
                (run / folder).chmod(0o755)
                if code and ("Traceback" in said or "error:" not in said.lower()):
                    self.failures.append(f"permission {mode:o} on {folder}: {said.strip()[-400:]}")
                    continue
                code, said = self.finish_here(run, "folders")
                count += code == 0 and self.same(run, "folders", f"permission {mode:o} on {folder}")
                if code:
                    self.failures.append(f"permission {mode:o} on {folder}, then given: {said.strip()[-400:]}")
        self.rows.append(("permission revoked on a folder", "14", f"{count} identical after it was given back"))
        print(self.rows[-1], flush=True)

    def garbage(self, size: int) -> None:
        """Run over every kind of garbage."""
        refused = counted = rejects = documents = 0
        for kind in KINDS:
            place = self.place / "garbage"
            shutil.rmtree(place, ignore_errors=True)
            try:
                found = outcome(kind, place, size if kind.large else 1 << 20)
            except Exception as error:  # what must not be: every kind is counted
                self.failures.append(f"garbage: {kind.name}: {type(error).__name__}: {error}"[:400])
                continue
            if kind.refused:
                refused += bool(found.message and re.search(kind.refused, found.message))
                ok = bool(found.message)
            else:
                ok = not found.message and set(kind.good) <= found.ids and found.rejected >= kind.rejects
                ok = ok and found.documents + found.rejected == found.accounted
                counted += ok
                rejects += found.rejected
                documents += found.documents
            if not ok:
                self.failures.append(f"garbage: {kind.name}: {found}"[:400])
        self.rows.append(("kinds of garbage refused with a message", str(refused), ""))
        self.rows.append(
            ("kinds of garbage taken", str(counted), f"{documents:,} documents and {rejects:,} rejects counted")
        )


def _stage_at(run: Path) -> str:
    """Return the stage that a run is in by its manifest."""
    try:
        stages = json.loads((run / "run.json").read_text())["stages"]
    except (OSError, ValueError):
        return "before measure"
    for stage in reversed(STAGES):
        if stage in stages and not stages[stage].get("done") and not stages[stage].get("outdated"):
            return stage
    return "between stages"


@contextmanager
def _tmpfs(path: Path, kilobytes: int) -> Iterator[bool]:
    """Mount a small disk; without the right to, give an empty folder and False."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "curate-stress", str(path)]
    mounted = subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(path)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="A tenth of it, to try the script.")
    parser.add_argument("--only", choices=["kills", "damages", "disk", "permissions", "garbage"])
    given = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="curate-stress-") as place:
        stress = Stress(Path(place), given.seed)
        parts: dict[str, Callable[[], None]] = {
            # First: what follows makes the sizes of parts small in this process.
            "garbage": lambda: stress.garbage((2 if given.quick else 100) << 20),
            "kills": lambda: stress.kills(6 if given.quick else given.kills),
            "damages": lambda: stress.damages(given.quick),
            "disk": stress.full_disk,
            "permissions": stress.permissions,
        }
        for name, part in parts.items():
            if given.only in (None, name):
                part()
        stress._conserved(Path(place) / "undisturbed-folders")
        documents, rejects, out = stress.documents
        stress.rows.append(
            ("documents in, of each run", f"{documents:,}", f"{out:,} kept or dropped, {rejects} records rejected")
        )
    print("\n| what | times | outcome |\n|---|---:|---|")
    for row in stress.rows:
        print("| " + " | ".join(row) + " |")
    print(f"\n{len(stress.failures)} failures, {(time.monotonic() - begun) / 60:.0f} minutes, seed {given.seed}")
    for failure in stress.failures:
        print(f"FAILED {failure}")
    sys.exit(bool(stress.failures))


if __name__ == "__main__":
    main()
