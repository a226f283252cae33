"""What a run looks like in a terminal: progress on stderr, quiet when that is no terminal, and the summary table."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from curate.mix.allocation import Allocation
from curate.progress import Progress as Silent
from curate.storage import Location

_STAGES = {
    "measure": "measuring documents",
    "decide": "deciding what to keep",
    "write": "writing the mix",
    "report": "writing the report",
    "audit": "training small models",
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


def summary(report: dict[str, Any], path: Location) -> None:
    """Print what came in, what each step dropped, what was kept, how fast, and where the report is."""
    out = console()
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
            f"  {safe(step['name'])}",
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
    out.print(table)
    for name, facts in report["duplicates"].items():
        out.print(safe(_duplicates(name, facts)), style="dim")
    for line in trimmed(report):
        out.print(safe(line), style="dim")
    if len(report["mix"]) > 1:
        out.print(_mix_table(report["mix"]))
    timing = report["timing"]
    out.print(
        f"\n{timing['seconds']:.1f} s, {timing['mb_per_second']:.1f} MB of text a second on {timing['threads']} threads"
    )
    for warning in report["warnings"]:
        out.print(f"[yellow]note:[/] {safe(warning)}")
    out.print(f"report: {path / 'report.html'}\nmix:    {path / 'mix'}", soft_wrap=True, markup=False)


def _duplicates(name: str, facts: dict[str, Any]) -> str:
    """Return one line about a dedup step: what the candidates came to, and what was too short to compare."""
    line = f"{name}: {facts['candidates']:,} candidates"
    if facts.get("precision") is not None:
        line += f", {facts['precision']:.1%} of them duplicates, {facts['spared']:,} spared"
    if facts.get("in_index"):
        line += f", {facts['in_index']:,} more dropped for documents of the index"
    few = facts["short"]["documents"] + facts["empty"]["documents"] if "short" in facts else 0
    if few:
        gone = facts["short"]["dropped"] + facts["empty"]["dropped"]
        line += f"; {few:,} short documents, {gone:,} dropped"
    return line


def trimmed(report: dict[str, Any]) -> list[str]:
    """Return a line on each step that trimmed: what it cut, and of that what most often."""
    lines = []
    for name, facts in report.get("trims", {}).items():
        what = "passages" if facts["unit"] == "substring" else f"{facts['unit']}s"
        count = facts.get("lines_removed", facts.get("spans_removed"))
        cut = f"{count:,} {what} cut from {facts['documents_touched']:,} documents, {size(facts['bytes_removed'])}"
        often = f"; most often: {' '.join(facts['top'][0]['text'].split())[:60]}" if facts["top"] else ""
        lines.append(f"{name}: {cut}{often}")
    return lines


def _mix_table(mix: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("\nmix")
    for column in ("tokens", "share", "target", "epochs"):
        table.add_column(f"\n{column}", justify="right")
    for entry in mix:
        target = entry["target_share"]
        table.add_row(
            f"  {safe(entry['domain'])}",
            f"{entry['tokens']:,}",
            f"{entry['share']:.1%}",
            "" if target is None else f"{target:.1%}",
            f"{entry['epochs']:.2f}",
        )
    return table


def allocations(found: Sequence[Allocation]) -> None:
    """Print what each class of a mix gives, with the classes inside it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("mix")
    for column in ("available", "tokens", "share", "epochs", ""):
        table.add_column(column, justify="right")
    total = sum(entry.tokens for entry in found) or 1.0

    def add(entry: Allocation, depth: int) -> None:
        table.add_row(
            "  " * depth + safe(entry.domain),
            f"{entry.available:,}",
            f"{entry.tokens:,.0f}",
            f"{entry.tokens / total:.1%}",
            f"{entry.epochs:.2f}",
            "all it can give" if entry.capped else "",
        )
        for part in entry.parts:
            add(part, depth + 1)

    for entry in found:
        add(entry, 0)
    console().print(table)


def console() -> Console:
    """Return the console for results: as wide as the terminal, 120 columns where there is none."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey: a corpus is not to be trusted."""
    return "".join(ch if ch.isprintable() or ch in "\n\t" else "\N{REPLACEMENT CHARACTER}" for ch in text)


def safe(text: str) -> str:
    """Return a short text that neither the terminal nor rich's markup takes for more than text."""
    return escape(printable(text))
