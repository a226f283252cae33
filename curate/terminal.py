"""What a run looks like in a terminal: progress on stderr, quiet when that is no terminal, and the summary table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from curate.corpus import Progress as Silent

_STAGES = {
    "measure": "measuring documents",
    "decide": "deciding what to keep",
    "write": "writing the mix",
    "report": "writing the report",
}


def say(message: str) -> None:
    """Tell the person at the terminal something that is not a result."""
    Console(stderr=True, highlight=False).print(message, style="dim", markup=False)


class Bars(Silent):
    """Draws one bar a stage on stderr; a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:22}"),
            BarColumn(),
            TextColumn("{task.fields[unit]}"),
            DownloadColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: Any = None

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[None]:
        """Draw a bar while the block runs; one that pulses where the total is not known."""
        self._task = self._bars.add_task(_STAGES[name], total=total or None, unit="")
        yield
        done = self._bars.tasks[self._bars.task_ids.index(self._task)]
        whole = done.total or 1
        self._bars.update(self._task, total=whole, completed=whole)

    def advance(self, size: int) -> None:
        """Move the bar of the current stage."""
        self._bars.advance(self._task, size)

    def say(self, message: str) -> None:
        """Print a line above the bars."""
        self._console.print(message, style="dim", markup=False, highlight=False)


def size(number: float) -> str:
    """Return a number of bytes in decimal units.

    >>> size(12_340_000)
    '12.3 MB'
    """
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


def summary(report: dict[str, Any], path: Path) -> None:
    """Print what came in, what each step dropped, what was kept, how fast, and where the report is."""
    console = _console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for unit in ("documents", "text", "tokens"):
        table.add_column(unit, justify="right")
    given, kept = report["input"], report["output"]
    table.add_row("in", f"{given['documents']:,}", size(given["bytes"]), f"{given['tokens']:,}", style="bold")
    quiet = 0
    for step in report["steps"]:
        if not step["dropped"]:
            quiet += 1
            continue
        table.add_row(
            f"  {_safe(step['name'])}",
            f"−{step['dropped']:,}",
            f"−{size(step['bytes_in'] - step['bytes_out'])}",
            f"−{step['tokens_in'] - step['tokens_out']:,}",
        )
    if quiet:
        table.add_row(f"  {quiet} more steps dropped nothing", style="dim")
    table.add_row("kept", f"{kept['documents']:,}", size(kept["bytes"]), f"{kept['tokens']:,}", style="bold")
    written = kept["written"]
    if written["documents"] != kept["documents"]:
        table.add_row(
            "written, with repeats",
            f"{written['documents']:,}",
            size(written["bytes"]),
            f"{written['tokens']:,}",
            style="bold",
        )
    console.print(table)
    for name, facts in report["duplicates"].items():
        console.print(_safe(_duplicates(name, facts)), style="dim")
    if len(report["mix"]) > 1:
        console.print(_mix_table(report["mix"]))
    timing = report["timing"]
    console.print(
        f"\n{timing['seconds']:.1f} s, {timing['mb_per_second']:.1f} MB of text a second on {timing['threads']} threads"
    )
    for warning in report["warnings"]:
        console.print(f"[yellow]note:[/] {_safe(warning)}")
    console.print(f"report: {path / 'report.html'}\nmix:    {path / 'mix'}", soft_wrap=True, markup=False)


def _duplicates(name: str, facts: dict[str, Any]) -> str:
    """Return one line about a dedup step: what the candidates came to, and what was too short to compare."""
    line = f"{name}: {facts['candidates']:,} candidates"
    if facts.get("precision") is not None:
        line += f", {facts['precision']:.1%} of them duplicates, {facts['spared']:,} spared"
    few = facts["short"]["documents"] + facts["empty"]["documents"] if "short" in facts else 0
    if few:
        gone = facts["short"]["dropped"] + facts["empty"]["dropped"]
        line += f"; {few:,} short documents, {gone:,} dropped"
    return line


def _mix_table(mix: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("\nmix")
    for column in ("tokens", "share", "target", "epochs"):
        table.add_column(f"\n{column}", justify="right")
    for entry in mix:
        target = entry["target_share"]
        table.add_row(
            f"  {_safe(entry['domain'])}",
            f"{entry['tokens']:,}",
            f"{entry['share']:.1%}",
            "" if target is None else f"{target:.1%}",
            f"{entry['epochs']:.2f}",
        )
    return table


_STATE = {"dropped": "[red]✗ dropped[/]", "would drop": "[yellow]✗ would drop[/]", "passed": "[green]✓[/]"}
_EXCERPT = 1_200  # characters of a text


def explanation(document: dict[str, Any]) -> None:
    """Print what became of a document: the verdict, every step with its values, its survivor, its text."""
    console = _console()
    verdict = f"kept, weight {document['weight']}" if document["kept"] else f"dropped by {document['dropped_by']}"
    console.print(f"[bold]{_safe(document['id'])}[/]  {verdict}")
    console.print(f"source {_safe(document['source'])}, domain {_safe(document['domain'])}, row {document['row']}")
    steps = Table(box=None, pad_edge=False, show_header=False)
    for step in document["steps"]:
        steps.add_row(_STATE.get(step["state"], step["state"]), step["name"], _safe(_values(step.get("values", []))))
    console.print(steps)
    if document["survivor"]:
        similarity = "" if document["similarity"] is None else f", similarity {document['similarity']:.3f}"
        console.print(f"\n[bold]duplicate of {_safe(document['survivor'])}[/]{similarity}")
        if document["survivor_in_index"]:
            console.print("(run and id of a document in the index of earlier runs, which keeps no texts)")
        else:
            console.print(_excerpt(document["survivor_text"] or ""), markup=False)
    console.print("\n[bold]text[/]")
    console.print(_excerpt(document["text"]), markup=False)
    console.print()


def sample(document: dict[str, Any]) -> None:
    """Print one document of `curate show`: id, the rule with the values that met or failed it, the text."""
    console = _console()
    console.print(f"[bold]{_safe(document['id'])}[/]  ({_safe(document['source'])}, {_safe(document['domain'])})")
    if document["rule"]:
        console.print(f"[red]{_safe(document['step'])}[/]: {_safe(_values(document['reasons']))}")
    if document["survivor"]:
        similarity = "" if document["similarity"] is None else f", similarity {document['similarity']:.3f}"
        console.print(f"duplicate of {_safe(document['survivor'])}{similarity}")
    console.print(_excerpt(document["text"]), markup=False)
    console.rule(style="dim")


def table(frame: Any) -> None:
    """Print a polars DataFrame as a table, every row."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name, dtype in frame.schema.items():
        shown.add_column(_safe(name), justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        shown.add_row(*("" if value is None else _safe(str(value)) for value in row))
    _console().print(shown)


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def _values(reasons: list[dict[str, Any]]) -> str:
    """Return `word_count 12 (needs >= 50)` for each column of a rule."""
    parts = []
    for reason in reasons:
        value = f"{reason['value']:.4g}" if isinstance(reason["value"], float) else f"{reason['value']}"
        needs = f" (needs {reason['operator']} {reason['threshold']:g})" if "operator" in reason else ""
        parts.append(f"{reason['signal']} {value}{needs}")
    return ", ".join(parts)


def _excerpt(text: str) -> str:
    return _printable(text[:_EXCERPT]) + (" […]" if len(text) > _EXCERPT else "")


def _printable(text: str) -> str:
    """Return a text without anything that a terminal would obey: a corpus is not to be trusted."""
    return "".join(ch if ch.isprintable() or ch in "\n\t" else "\N{REPLACEMENT CHARACTER}" for ch in text)


def _safe(text: str) -> str:
    """Return a short text that neither the terminal nor rich's markup takes for more than text."""
    return escape(_printable(text))
