"""How fast signals and cleaners are on one core, by family and all together; beside datatrove and dolma.

    python benchmarks/signals.py [FILE...] [--peers DIR] [--write]

FILEs are anything that curate reads with a column "text"; without any, the texts of this Python (`curate demo`).
Prints MB of UTF-8 a second of processor time, the best of several passes. `--peers` measures datatrove's filters and
dolma's taggers too, each in a virtual environment of its own under DIR (made when it is not there: needs the network),
one process, documents in memory, on a sample of the same documents that curate reads in the same run. `--write` puts
the tables into docs/benchmarks-signals.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

# Python puts the folder of a script first, where classifiers.py hides the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import pyarrow as pa  # noqa: E402

from curate.demo import write_corpus  # noqa: E402
from curate.kernels.hashing import text_hash  # noqa: E402
from curate.kernels.minhash import sketch  # noqa: E402
from curate.shards import ReadOptions, plan, read  # noqa: E402
from curate.signals import Documents, compute  # noqa: E402
from curate.signals.registry import families  # noqa: E402
from curate.text import CLEANERS, clean  # noqa: E402

BATCH_BYTES = 4_000_000
MOST_BYTES = 64_000_000
PEER_BYTES = 1_000_000  # of the sample that peers read
PEER_SECONDS = 5.0  # of processor time for each rule of a peer
PEERS = {
    "datatrove": ["datatrove[processing]==0.10.1", "spacy"],
    "dolma": ["dolma==1.2.1", "numpy<2"],
}
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-signals.md"
RULES = ("Gopher", "C4", "FineWeb")
LENGTHS = ("word_count", "mean_word_length")  # Gopher's rules read them

Work = Callable[[pa.Array], object]


def batches(files: Iterable[str]) -> list[pa.Array]:
    """Read texts as batches of about four megabytes, as many as there are up to a limit, spread over the files."""
    texts = [
        batch.texts
        for shard in plan(list(files))
        for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None)
    ]
    joined = pa.concat_arrays([array.cast(pa.large_string()) for array in texts])
    return list(_cut(spread(joined, MOST_BYTES)))


def _cut(texts: pa.Array) -> Iterator[pa.Array]:
    start, size = 0, 0
    for end, length in enumerate(pa.compute.binary_length(texts).to_pylist(), start=1):
        size += length or 0
        if size >= BATCH_BYTES or end == len(texts):
            yield texts[start:end]
            start, size = end, 0


def spread(texts: pa.Array, most: int) -> pa.Array:
    """Return every k-th text, so that what is left holds at most about `most` bytes."""
    step = max(1, round(megabytes(texts) * 1e6 / most))
    return texts.take(pa.array(range(0, len(texts), step)))


def speed(work: Work, texts: list[pa.Array], repeats: int = 5) -> float:
    """Return MB a second of processor time of this thread, the best of some repeats after one to compile."""
    work(texts[0])
    seconds = []
    for _ in range(repeats):
        started = time.thread_time()
        for batch in texts:
            work(batch)
        seconds.append(time.thread_time() - started)
    return sum(megabytes(batch) for batch in texts) / min(seconds)


def megabytes(texts: pa.Array) -> float:
    """Return the size of the texts in UTF-8."""
    return float((pa.compute.sum(pa.compute.binary_length(texts)).as_py() or 0) / 1e6)


def measures(names: Iterable[str]) -> Work:
    """Return the work of measuring signals by name."""
    chosen = list(names)
    return lambda batch: compute(Documents(batch), chosen)


def cleans(name: str) -> Work:
    """Return the work of a cleaner."""
    return lambda batch: clean(batch, [name])


def both(*works: Work) -> Work:
    """Return the work of several."""
    return lambda batch: [work(batch) for work in works]


def of_family(*names: str) -> list[str]:
    """Return the names of the signals of families; Gopher's rules read two lengths too."""
    found = [entry.name for name in names for entry in families()[name]]
    return [*found, *LENGTHS] if "Gopher" in names else found


def ours() -> dict[str, Work]:
    """Return everything that curate's table has a row for."""
    work: dict[str, Work] = {}
    for family, entries in families().items():
        if family != "Cleaning":  # those are measured while cleaning
            work[f"{family} ({len(entries)} signals)"] = measures(entry.name for entry in entries)
    rules = of_family(*RULES)
    work[f"**Gopher, C4 and FineWeb together** ({len(rules)} signals)"] = measures(rules)
    every = [entry.name for family, entries in families().items() if family != "Cleaning" for entry in entries]
    work[f"all {len(every)} signals"] = measures(every)
    work |= {f"cleaner `{name}`": cleans(name) for name in CLEANERS}
    work["exact hash"] = lambda batch: text_hash(Documents(batch).strings)
    work["MinHash sketch (14 bands of 8)"] = lambda batch: sketch(Documents(batch).strings)
    return work


def beside(peer: str) -> dict[str, Work]:
    """Return curate's work for each row of a comparison: the same rules, by the names of the peer's rows."""
    if peer == "dolma":  # none of FineWeb's rules, flags for C4
        return {name: measures(of_family(*name.split(" and "))) for name in ("Gopher", "C4", "Gopher and C4")}
    line_rules = cleans("c4_lines")  # datatrove's C4 filter applies them
    return {
        "Gopher": measures(of_family("Gopher")),
        "C4": both(line_rules, measures(of_family("C4"))),
        "FineWeb": measures(of_family("FineWeb")),
        "Gopher, C4 and FineWeb": both(line_rules, measures(of_family(*RULES))),
    }


def environment(peer: str, folder: Path) -> Path:
    """Return the Python of a peer's virtual environment, made first if it is not there."""
    python = folder / peer / "bin" / "python"
    if not python.is_file():
        print(f"making a virtual environment for {peer} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder / peer)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "uv"], check=True)
        install = [str(python), "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*install, *PEERS[peer]], check=True)
    return python


def measure_peer(peer: str, folder: Path, texts: Path) -> dict[str, float]:
    """Return MB a second of a peer's rules."""
    script = Path(__file__).with_name("signals_peers.py")
    command = [str(environment(peer, folder)), str(script), peer, str(texts), str(PEER_SECONDS)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def comparison(sample: pa.Array, folder: Path) -> Iterator[str]:
    """Yield the lines of the table beside the peers, all measured on the sample."""
    with tempfile.TemporaryDirectory() as scratch:
        texts = Path(scratch) / "texts.json"
        texts.write_text(json.dumps(sample.to_pylist()), encoding="utf-8")
        found = {peer: measure_peer(peer, folder, texts) for peer in PEERS}
    yield "| rules | peer | its MB/s | curate MB/s | times |"
    yield "|---|---|---:|---:|---:|"
    for peer, speeds in found.items():
        for name, work in beside(peer).items():
            value = speed(work, [sample])
            yield f"| {name} | {peer} | {speeds[name]:.2f} | {value:.0f} | {value / speeds[name]:.0f} |"


def page(files: list[str], tables: dict[str, str]) -> str:
    """Return the page of docs."""
    names = " ".join(f"data/{'/'.join(Path(file).parts[-2:])}" for file in files)
    return "\n\n".join([
        "# Speed of signals and cleaners",
        "<!-- Written by benchmarks/signals.py --write: run it again, do not edit. -->",
        f"```bash\npython benchmarks/signals.py {names} --peers DIR --write\n```",
        "MB of UTF-8 a second of processor time on one core, texts in memory as Arrow arrays, the best of five passes. "
        "The machine is shared and its speed varies: compare the numbers of a table with one another.",
        f"{platform.machine()}, Python {platform.python_version()}. {tables['documents']}",
        tables["ours"],
        *(
            [
                "## Beside datatrove and dolma",
                f"datatrove {PEERS['datatrove'][0].split('==')[1]} (`GopherQualityFilter`, `GopherRepetitionFilter`, "
                "`C4QualityFilter`, `FineWebQualityFilter`) and dolma "
                f"{PEERS['dolma'][0].split('==')[1]} (`gopher_v2`, `c4_v2`), each in its own environment, one process, "
                f"documents in memory, on the same sample as curate in the same run: {tables['sample']} "
                "datatrove's filters stop at the first rule that a document fails, curate measures all; where "
                "datatrove's C4 filter applies line rules, curate runs its cleaner `c4_lines` as well.",
                tables["peers"],
            ]
            if "peers" in tables
            else []
        ),
    ]) + "\n"  # fmt: skip


def described(texts: list[pa.Array]) -> str:
    """Say how much text there is."""
    count, size = sum(map(len, texts)), sum(map(megabytes, texts))
    return f"{count:,} documents, {size:.1f} MB, {size / count * 1000:.1f} KB each."


def main() -> None:
    """Measure on files, or on the demo corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="measure datatrove and dolma, in environments there")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-signals.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        texts = batches(given.files or [str(write_corpus(Path(folder)))])
    tables = {"documents": described(texts)}
    print(tables["documents"])
    rows = ["| | MB/s |", "|---|---:|"]
    for name, work in ours().items():
        rows.append(f"| {name} | {speed(work, texts):.0f} |")
        print(rows[-1], flush=True)
    tables["ours"] = "\n".join(rows)
    if given.peers:
        sample = spread(pa.concat_arrays(texts), PEER_BYTES)
        tables["sample"] = described([sample])
        print(tables["sample"])
        tables["peers"] = "\n".join(comparison(sample, given.peers))
        print(tables["peers"])
    if given.write:
        PAGE.write_text(page(given.files or ["(curate demo)"], tables), encoding="utf-8")


if __name__ == "__main__":
    main()
