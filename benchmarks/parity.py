"""Profiles beside the toolkits that they are named after, document by document, as a Markdown table.

    python benchmarks/parity.py [FILE...] [--documents 6000] [--venv .parity] [--out docs/parity.md]

FILEs are anything that curate reads with a column "text"; without any, a mix of web, multilingual, code and math from
the folder in CURATE_DATA. Runs dolma's and datatrove's own taggers and filters from PyPI, each in a virtual
environment of its own in the folder `--venv` (made when absent); what they said is kept there and used again for the
same texts. `--out` replaces the tables of a page, from its first table line on to the end of the section.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import operator
import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Python puts the folder of a script first, where classifiers.py hides the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

from curate.predicates import columns_of, expression, thresholds  # noqa: E402
from curate.recipe.toml_steps import group_filters  # noqa: E402
from curate.shards import ReadOptions, plan, read  # noqa: E402
from curate.signals import Documents, compute  # noqa: E402
from curate.signals.datatrove import tokens  # noqa: E402

PEERS = Path(__file__).with_name("parity_peers.py")
ENVIRONMENTS = {
    "dolma": ["dolma==1.2.1"],
    "datatrove": ["datatrove[processing]==0.10.1", "spacy==3.8.18"],
    "dclm": ["uniseg==0.10.1"],
}
MIX = {  # file of CURATE_DATA: share of the documents
    "raw_web/cc_text": 0.20, "raw_web/extraction_bench_pages_main_text": 0.20,
    "raw_web/turku_registers_multiling": 0.20, "lid/udhr": 0.02, "code/code_mixed": 0.15, "math/stacks_hott_tex": 0.09,
    "math/gsm8k_train": 0.05, "quality_labels/spam_assassin": 0.05, "high_quality/openstax_textbooks": 0.04,
}  # fmt: skip
EDGES = ["", " \n ", "word", "one more short document", "one line\n", "a\n\n\nb\n \nb", "• item\n• item\n\n"]
BATCH = 500
LONGEST = 20_000  # characters: on longer documents the toolkits would take hours
EQUAL = 1e-6
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}

GRAMS = {**{n: f"fraction_of_characters_in_most_common_{n}grams" for n in (2, 3, 4)},
         **{n: f"fraction_of_characters_in_duplicate_{n}grams" for n in range(5, 11)}}  # fmt: skip
LINE_RULES = {"fraction_of_lines_starting_with_bullet_point": "bullet_lines",
              "fraction_of_lines_ending_with_ellipsis": "ellipsis_lines",
              "fraction_of_duplicate_lines": "dup_lines",
              "fraction_of_characters_in_duplicate_lines": "dup_line_chars"}  # fmt: skip


def gram_signal(toolkit: str, n: int) -> str:
    return f"{toolkit}_{'top' if n < 5 else 'dup'}_{n}gram"


def dolma_signals() -> dict[str, str]:
    """Return dolma's value -> our signal."""
    found = {
        "gopher_v1.character_count": "char_count", "gopher_v1.word_count": "word_count",
        "gopher_v1.median_word_length": "dolma_median_word_length",
        "gopher_v1.symbol_to_word_ratio": "dolma_symbol_words",
        "gopher_v1.fraction_of_words_with_alpha_character": "gopher_alpha_words",
        "gopher_v1.required_word_count": "dolma_stop_words",
        **{f"gopher_v1.{name}": gram_signal("dolma", n) for n, name in GRAMS.items()},
    }  # fmt: skip
    for version in ("v1", "v2"):
        found |= {f"gopher_{version}.{name}": f"dolma_{version}_{ours}" for name, ours in LINE_RULES.items()}
    flags = {"has_curly_brace": "c4_curly_bracket", "has_lorem_ipsum": "c4_lorem_ipsum",
             "lines_with_no_ending_punctuation": "dolma_c4_unpunctuated_lines",
             "lines_with_too_few_words": "dolma_c4_short_lines", "line_count": "dolma_c4_lines"}  # fmt: skip
    for version in ("v1", "v2"):
        javascript = {"has_javascript": "dolma_c4_v1_javascript" if version == "v1" else "c4_javascript"}
        found |= {f"c4_{version}.{name}": ours for name, ours in (flags | javascript).items()}
    return found


def dclm_signals() -> dict[str, str]:
    """Return DCLM's value -> our signal."""
    return {
        "words": "dclm_word_count", "mean word length": "mean_word_length", "symbols": "dclm_symbol_ratio",
        "bullets": "dclm_bullet_lines", "ellipses": "dclm_ellipsis_lines", "letters": "gopher_alpha_words",
        "stop words": "dclm_stop_words", "lines": "gopher_dup_lines", "line chars": "gopher_dup_line_chars",
        "paragraphs": "dclm_dup_paragraphs", "paragraph chars": "dclm_dup_paragraph_chars",
        **{f"{n}-grams": gram_signal("dclm", n) for n in range(2, 11)},
    }  # fmt: skip


def datatrove_predicates() -> dict[str, str]:
    """Return datatrove's rule -> the predicate of profile "datatrove"; a filter as a whole is all of its rules."""
    gopher, c4, fineweb = (group_filters(group)["datatrove"] for group in ("gopher", "c4", "fineweb"))
    quality = {
        "words": gopher["gopher_word_count"], "word length": gopher["gopher_mean_word_length"],
        "symbols": f"{gopher['gopher_hash_ratio']} AND {gopher['gopher_ellipsis_ratio']}",
        "bullets": gopher["gopher_bullet_lines"], "ellipses": gopher["gopher_ellipsis_lines"],
        "letters": gopher["gopher_alpha_words"], "stop words": gopher["gopher_stop_words"],
    }  # fmt: skip
    repetition = {
        "lines": gopher["gopher_dup_lines"], "paragraphs": gopher["gopher_dup_paragraphs"],
        "line chars": gopher["gopher_dup_line_chars"], "paragraph chars": gopher["gopher_dup_paragraph_chars"],
        **{f"top {n}": gopher[f"gopher_top_{n}gram"] for n in (2, 3, 4)},
        **{f"dup {n}": gopher[f"gopher_dup_{n}gram"] for n in range(5, 11)},
    }  # fmt: skip
    rules = {
        "GopherQuality": quality,
        "GopherRepetition": repetition,
        "C4Quality": {"sentences": c4["c4_sentences"], "curly bracket": c4["c4_curly_bracket"],
                      "lorem ipsum": c4["c4_lorem_ipsum"]},
        "FineWebQuality": {"line punctuation": fineweb["fineweb_line_punct_ratio"],
                           "short lines": fineweb["fineweb_short_line_ratio"],
                           "duplicates": fineweb["fineweb_char_dup_ratio"],
                           "newlines": fineweb["fineweb_newline_ratio"]},
    }  # fmt: skip
    found = {f"{name}.{rule}": sql for name, entries in rules.items() for rule, sql in entries.items()}
    found |= {name: " AND ".join(entries.values()) for name, entries in rules.items()}
    return found | {"C4Paragraph": "datatrove_c4_third_line >= 200"}


def texts_of(files: list[Path], most: int) -> list[str]:
    """Return documents of the files, evenly from all of each, and a few of our own at the edges of the rules."""
    if files:
        shares = dict.fromkeys(files, 1 / len(files))
    elif "CURATE_DATA" in os.environ:
        shares = {Path(os.environ["CURATE_DATA"]) / f"{name}.jsonl.zst": share for name, share in MIX.items()}
    else:
        sys.exit("name files, or set CURATE_DATA to the folder with corpora")
    found = []
    for file, share in shares.items():
        texts: list[str] = []
        for shard in plan([str(file)]):
            for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None):
                texts += [text for text in batch.texts.to_pylist() if text and len(text) <= LONGEST]
        wanted = max(1, round(share * most))
        found += [texts[i * len(texts) // wanted] for i in range(wanted)] if wanted < len(texts) else texts
    return found + EDGES


def python_of(toolkit: str, folder: Path) -> Path:
    """Return the Python of a toolkit's environment, made when absent."""
    home = folder / toolkit
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        print(f"installing {' '.join(ENVIRONMENTS[toolkit])} into {home} …", file=sys.stderr)
        venv.create(home, clear=True, with_pip=True)
        # uv, because pip's resolver does not come to an end with dolma's old s3fs.
        subprocess.run([python, "-m", "pip", "install", "-q", "uv"], check=True)
        subprocess.run(
            [home / "bin" / "uv", "pip", "install", "-q", "--python", python, *ENVIRONMENTS[toolkit]], check=True
        )
        (home / "ready").touch()
    return python


def answers(texts: list[str], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Ask every toolkit about every text, all toolkits at once; what they said before is read again."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    key = hashlib.sha256((lines + PEERS.read_text()).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "texts.jsonl").write_text(lines)
    running = {}
    for toolkit in ENVIRONMENTS:
        file = folder / f"{toolkit}-{key}.jsonl"
        if not file.exists():
            python = python_of(toolkit, folder)
            with (folder / "texts.jsonl").open() as source, file.with_suffix(".part").open("w") as target:
                command = [python, PEERS, toolkit]
                running[file] = subprocess.Popen(command, stdin=source, stdout=target, stderr=subprocess.DEVNULL)
    for file, process in running.items():
        if process.wait():
            sys.exit(f"{file.stem} failed; run it by hand: PYTHON {PEERS} TOOLKIT < {folder}/texts.jsonl")
        file.with_suffix(".part").rename(file)
    files = {toolkit: folder / f"{toolkit}-{key}.jsonl" for toolkit in ENVIRONMENTS}
    return {toolkit: [json.loads(line) for line in file.open()] for toolkit, file in files.items()}


def measured(texts: list[str], names: list[str]) -> pl.DataFrame:
    """Measure signals on the texts as they are, without cleaning."""
    parts = [pl.DataFrame(compute(Documents(texts[i : i + BATCH]), names)) for i in range(0, len(texts), BATCH)]
    return pl.concat(parts)


def same_word_count(texts: list[str], said: list[dict[str, Any]]) -> float:
    """Return the share of documents for which spaCy and our rules find equally many words."""
    ours = np.concatenate([np.diff(tokens(Documents(texts[i : i + BATCH])).first) for i in range(0, len(texts), BATCH)])
    return float(np.mean(ours == np.array([answer["tokens"] for answer in said])))


def limits(profile: str) -> dict[str, list[tuple[str, float]]]:
    """Return what a profile asks of each signal, as comparisons with numbers."""
    found: dict[str, list[tuple[str, float]]] = {}
    for group in ("gopher", "c4"):
        for sql in group_filters(group).get(profile, {}).values():
            for column, sign, number in thresholds(sql):
                found.setdefault(column, []).append((sign, number))
            if sql.startswith("NOT "):
                found[sql.removeprefix("NOT ")] = [("<", 0.5)]
    return found


def compare_values(
    signals: dict[str, str], said: list[dict[str, Any]], ours: pl.DataFrame, profile: str
) -> Iterator[str]:
    """Yield table rows: a value of the toolkit, our signal, share of documents with the same value and decision."""
    asked = limits(profile)
    for name, signal in signals.items():
        theirs = np.array([answer.get(name, 0.0) for answer in said], float)
        flag = ours[signal].dtype == pl.Boolean
        theirs = (theirs > 0).astype(float) if flag else theirs
        mine = ours[signal].cast(pl.Float64).to_numpy()
        same = np.abs(mine - theirs) <= EQUAL * np.maximum(1, np.abs(theirs))
        wanted = asked.get(signal, asked.get(signal.replace("_v2_", "_v1_"), []))
        tests: list[tuple[Callable[[Any, Any], Any], float]] = [(COMPARE[sign], number) for sign, number in wanted]
        if tests:
            cut = np.float32 if ours[signal].dtype == pl.Float32 else float
            kept = np.all([test(theirs, number) for test, number in tests], axis=0)
            agreed = kept == np.all([test(mine.astype(cut), cut(number)) for test, number in tests], axis=0)
            yield f"| {name} | `{signal}` | {same.mean():.2%} | {agreed.mean():.2%} | {1 - kept.mean():.1%} |"
        else:
            yield f"| {name} | `{signal}` | {same.mean():.2%} | – | |"


def compare_decisions(said: list[dict[str, Any]], ours: pl.DataFrame) -> Iterator[str]:
    """Yield table rows: a rule of datatrove, our predicate, share of documents with the same decision."""
    for rule, sql in datatrove_predicates().items():
        theirs = [answer[rule] for answer in said]
        mine = ours.select(expression(sql).alias("kept"))["kept"].to_list()
        judged = [(a, b) for a, b in zip(theirs, mine, strict=True) if a is not None]
        same = np.mean([a == b for a, b in judged])
        dropped = np.mean([not a for a, _ in judged])
        shown = f"`{sql}`" if len(sql) < 60 else "all of its rules" if "." not in rule else "both"
        differ, failed = sum(a != b for a, b in judged), len(said) - len(judged)
        yield f"| {rule} | {shown} | {same:.2%} | {differ} | {dropped:.1%} | {failed} |"


def report(texts: list[str], said: dict[str, list[dict[str, Any]]]) -> str:
    """Return the tables."""
    dolma, dclm, predicates = dolma_signals(), dclm_signals(), datatrove_predicates()
    names = {*dolma.values(), *dclm.values(), *(column for sql in predicates.values() for column in columns_of(sql))}
    ours = measured(texts, [*sorted(names)])
    size = sum(len(text.encode()) for text in texts) / 1e6
    head = "| value of the toolkit | signal | same value | same decision | it drops |\n|---|---|---|---|---|"
    lines = [
        f"{len(texts):,} documents of at most {LONGEST:,} characters, {size:.1f} MB. A value is the same",
        "when it differs by at most 10⁻⁶ (relative where it is above 1). Every rule is judged by itself, the others",
        'off; "it drops" is the toolkit.',
        "",
        "### dolma 1.2.1",
        "",
        head,
        *compare_values(dolma, said["dolma"], ours, "dolma"),
        "",
        "### datatrove 0.10.1",
        "",
        "| rule | predicate | same decision | documents that differ | it drops | it fails on |",
        "|---|---|---|---|---|---|",
        *compare_decisions(said["datatrove"], ours),
        "",
        f"Documents with as many words as spaCy finds in them: {same_word_count(texts, said['datatrove']):.2%}.",
        "",
        "### DCLM's definitions over uniseg 0.10.1",
        "",
        head,
        *compare_values(dclm, said["dclm"], ours, "dclm"),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compare, and print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--documents", type=int, default=6000, help="about so many (default 6000)")
    parser.add_argument("--venv", type=Path, default=Path(".parity"), help="folder for environments and answers")
    parser.add_argument("--out", type=Path, help="page whose section '## Measured' gets the tables")
    given = parser.parse_args()
    texts = texts_of(given.files, given.documents)
    tables = report(texts, answers(texts, given.venv.absolute()))
    if given.out is None:
        print(tables)
        return
    page = given.out.read_text()
    given.out.write_text(
        re.sub(r"(## Measured\n\n).*?(?=\n## |\Z)", lambda m: m.group(1) + tables, page, flags=re.DOTALL)
    )


if __name__ == "__main__":
    main()
