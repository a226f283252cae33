"""What a classifier looks like in a terminal: how it was trained, and how good it is.

Computes nothing; the figures are those of `curate.classifier.evaluate`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from curate.report.numbers import count, decimal, percent
from curate.terminal import size

_MOST_ROWS = 12  # of labels, sources and languages; JSON and the page have more


def trained(card: dict[str, Any], out: Path) -> None:
    """Print what a new model was made of, how good it is on what was held out, and where it is."""
    console = _console()
    parts = [name for name in ("train", "validation", "test") if name in card["parts"]]
    facts = ("documents", "empty", "repeated", "contradictory", "sampled_out")
    used = [name for name in facts if name == "documents" or any(facts[name] for facts in card["data"].values())]
    table = _table("label", *(name.replace("_", " ") for name in used), *parts)
    for label, found in card["data"].items():
        cells = [found[name] for name in used] + [card["parts"][part][label] for part in parts]
        table.add_row(escape(label), *map(count, cells))
    console.print(table)
    _figures(console, card["metrics"])
    fitted = card.get("calibration")
    if fitted and fitted["method"] == "isotonic" and fitted["documents"] < 1000:
        console.print("[yellow]note:[/] calibrated on fewer than 1,000 documents; give more, or use --calibrate platt")
    console.print(f"\nmodel: {out} ({size(card['model_bytes'])})\ncard:  {out.with_suffix('.json')}", soft_wrap=True)


def evaluated(result: dict[str, Any]) -> None:
    """Print the figures of an evaluation."""
    console = _console()
    _figures(console, result)
    if result["positive"] is None:
        console.print("\n[yellow]note:[/] the model has no positive label; thresholds need --positive LABEL")
    if result["rejected"]:
        console.print(f"[yellow]note:[/] {result['rejected']:,} records are not documents and were passed over")


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"\n{first}")
    for column in columns:
        table.add_column(f"\n{column}", justify="right")
    return table


def _figures(console: Console, result: dict[str, Any]) -> None:
    console.print(
        f"\n{result['documents']:,} documents: accuracy {percent(result['accuracy'])}, "
        f"macro-F1 {decimal(result['macro_f1'], 3)}"
    )
    table = _table("label", "documents", "precision", "recall", "F1", "ROC-AUC", "average precision")
    for row in result["labels"][:_MOST_ROWS]:
        measures = [decimal(row[name], 3) for name in ("precision", "recall", "f1", "roc_auc", "average_precision")]
        table.add_row(escape(row["label"]), count(row["documents"]), *measures)
    console.print(table)
    _hidden(console, result["labels"], "labels")
    for what in ("sources", "languages"):
        if len(result[what]) > 1:
            _groups(console, what, result[what])
    if result["positive"]:
        _detail(console, result["positive"])


def _groups(console: Console, what: str, groups: list[dict[str, Any]]) -> None:
    table = _table(what.removesuffix("s"), "documents", "accuracy", "macro-F1", "ROC-AUC", "most mistakes")
    for row in groups[:_MOST_ROWS]:
        table.add_row(
            escape(row["name"]),
            count(row["documents"]),
            percent(row["accuracy"]),
            decimal(row["macro_f1"], 3),
            decimal(row["roc_auc"], 3),
            escape(_mistakes(row["confusion"])),
        )
    console.print(table)
    _hidden(console, groups, what)


def _mistakes(confusion: dict[str, dict[str, int]]) -> str:
    wrong = [
        (n, f"{true} → {said}: {n:,}") for true, row in confusion.items() for said, n in row.items() if said != true
    ]
    return max(wrong, default=(0, ""))[1]


def _hidden(console: Console, rows: Iterable[Any], what: str) -> None:
    hidden = len(list(rows)) - _MOST_ROWS
    if hidden > 0:
        console.print(f"… and {hidden:,} more {what} (--json has all)", style="dim")


def _detail(console: Console, detail: dict[str, Any]) -> None:
    table = _table("keep", "threshold", "tokens kept", "documents", "precision", "recall")
    table.title, table.title_justify = f"\nthresholds of {escape(detail['label'])}", "left"
    for row in detail["thresholds"]:
        table.add_row(
            f"best {row['share']:.0%}",
            f"{row['threshold']:.6g}",
            percent(row["kept"]),
            count(row["documents"]),
            percent(row["precision"]),
            percent(row["recall"]),
        )
    console.print(table)
    errors = {name: decimal(curve["error"], 4) for name, curve in detail["calibration"].items()}
    told = ", ".join(f"{error} ({name} score)" for name, error in errors.items())
    console.print(f"\nexpected calibration error: {told}")
