"""A classifier in a terminal: the table of what it is made of, and that of what moved a score.

Computes nothing: `classifiers.explain` does.
"""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from classifiers.explain import Explanation, Part
from curate.terminal import size

_LABELS_SHOWN = 30
_LOSSES = {
    "softmax": "softmax",
    "hs": "hierarchical softmax",
    "ns": "negative sampling",
    "ova": "one-vs-all",
}


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def print_description(found: dict[str, Any]) -> None:
    """Print what `classifiers.explain.describe` returned."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    labels = found["labels"]
    more = f" and {len(labels) - _LABELS_SHOWN} more" if len(labels) > _LABELS_SHOWN else ""
    characters = found["character_ngrams"]
    kept = "" if found["buckets_kept"] is None else f", {found['buckets_kept']:,} kept by pruning"
    rows = {
        "file": f"{found['file']} ({size(found['bytes'])}, format {found['format_version']})",
        "labels": f"{len(labels)}: {', '.join(labels[:_LABELS_SHOWN])}{more}",
        "positive": found["positive"] or "none: name a label to score",
        "loss": _LOSSES[found["loss"]],
        "dimensions": str(found["dim"]),
        "words": f"{found['words']:,}",
        "word n-grams": f"1 to {found['word_ngrams']}",
        "character n-grams": f"{characters[0]} to {characters[1]}" if characters else "none",
        "buckets": f"{found['buckets']:,}{kept}" if found["buckets"] else "none",
        "input matrix": f"{found['input_rows']:,} x {found['dim']}, {'quantised' if found['quantised'] else 'float32'}",
        "output matrix": f"{found['output_rows']:,} x {found['dim']}",
        "calibration": _calibration(found["calibration"]),
    }
    for name, value in rows.items():
        table.add_row(name, escape(value))
    _console().print(table)


def _calibration(stored: Any) -> str:
    if not isinstance(stored, dict):
        return "none: scores rank, they are no probabilities"
    labels = stored.get("labels")
    method = str(stored.get("method", "fitted"))
    return f"{method}, for {', '.join(labels)}" if isinstance(labels, dict) else method


def print_explanation(found: Explanation, top: int) -> None:
    """Print the probability and the `top` words and n-grams that moved it most."""
    console = _console()
    against = "" if found.against is None else f" against {found.against} ({found.against_probability:.4f})"
    console.print(
        f"\n[bold]{escape(found.label)}[/] {found.probability:.4f}{escape(against)}: log-odds {found.value:+.3f}, "
        f"the sum over {found.known:,} features"
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("adds", justify="right")
    table.add_column("times", justify="right")
    table.add_column("word or n-gram")
    for part in found.words[:top]:
        style = "green" if part.contribution > 0 else "red"
        table.add_row(f"{part.contribution:+.4f}", str(part.count), _visible(part), style=style)
    rest = found.words[top:]
    if rest:
        added = sum(part.contribution for part in rest)
        table.add_row(f"{added:+.4f}", str(sum(part.count for part in rest)), f"{len(rest):,} more", style="dim")
    console.print(table)


def _visible(part: Part) -> str:
    text = escape(part.text if part.text.isprintable() else repr(part.text)[1:-1])
    return text if len(text) <= 70 else text[:69] + "…"
