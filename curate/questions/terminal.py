"""Answers about a run as they look in a terminal; what comes from a corpus is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from curate.questions.difference import Piece
from curate.questions.tune import Sweep
from curate.terminal import console, printable, safe

_STATE = {"dropped": "[red]✗ dropped[/]", "would drop": "[yellow]✗ would drop[/]", "passed": "[green]✓[/]"}
_EXCERPT = 1_200  # characters of a text
_ROWS = 40  # of a difference
_BAR = 30  # characters of the longest bar


def explanation(document: dict[str, Any]) -> None:
    """Print what became of a document: the verdict, every step with its values, its survivor, its text."""
    out = console()
    verdict = f"kept, weight {document['weight']}" if document["kept"] else f"dropped by {document['dropped_by']}"
    out.print(f"[bold]{safe(document['id'])}[/]  {verdict}")
    out.print(f"source {safe(document['source'])}, domain {safe(document['domain'])}, row {document['row']}")
    for file in document["files"]:
        out.print(f"written to {safe(file)}", soft_wrap=True)
    steps = Table(box=None, pad_edge=False, show_header=False)
    for step in document["steps"]:
        steps.add_row(_STATE.get(step["state"], step["state"]), step["name"], safe(_values(step.get("values", []))))
    out.print(steps)
    signals = {name: value for name, value in document["signals"].items() if value is not None}
    out.print("\n[bold]signals[/]")
    out.print(", ".join(f"{safe(name)} {safe(_number(value))}" for name, value in signals.items()))
    if document["survivor"]:
        out.print(f"\n[bold]duplicate of {safe(document['survivor'])}[/]{_similarity(document)}")
        if document["survivor_in_index"]:
            out.print("(run and id of a document in the index of earlier runs, which keeps no texts)")
        _side_by_side(document["difference"] or [])
    out.print("\n[bold]text[/]")
    out.print(_excerpt(document["text"]), markup=False)
    out.print()


def sample(document: dict[str, Any]) -> None:
    """Print one document: id, the rule with the values that met or failed it, the text with what counts for it."""
    out = console()
    state = "" if document["kept"] else f", dropped by {document['dropped_by']}"
    out.print(f"[bold]{safe(document['id'])}[/]  ({safe(document['source'])}, {safe(document['domain'])}{safe(state)})")
    if document["rule"]:
        style = "green" if document["step"] != document["dropped_by"] else "red"
        out.print(f"[{style}]{safe(document['step'])}[/]: {safe(_values(document['reasons']))}")
    if document["survivor"]:
        out.print(f"duplicate of {safe(document['survivor'])}{_similarity(document)}")
    out.print(_highlighted(document["text"], document["highlight"]))
    out.rule(style="dim")


def table(frame: Any) -> None:
    """Print a polars DataFrame as a table, every row."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name, dtype in frame.schema.items():
        shown.add_column(safe(name), justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        shown.add_row(*("" if value is None else safe(str(value)) for value in row))
    console().print(shown)


def comparison(found: dict[str, Any], names: tuple[str, str]) -> None:
    """Print what one run keeps and another does not."""
    out, counts = console(), found["documents"]
    out.print(f"{counts['both']:,} documents in both, {counts['kept_in_both']:,} kept by both")
    for only, name in zip(("only_a", "only_b"), names, strict=True):
        if counts[only]:
            out.print(f"{counts[only]:,} documents only in {safe(name)}: left out here")
    for kind, dropping, keeping in (("gained", *names), ("lost", *reversed(names))):
        out.print(
            f"\n[bold]{kind}[/]: {counts[kind]:,} documents that {safe(keeping)} keeps and {safe(dropping)} drops"
        )
        if found[kind]:
            _rows(found[kind], f"dropped by, in {dropping}")
    moved = [row for row in found["shares"] if abs(row["after"] - row["before"]) >= 0.0005]
    if moved:
        out.print("\n[bold]shares of the mix that moved[/]")
        shares = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("", *names):
            shares.add_column(safe(column), justify="left" if not column else "right")
        for row in moved:
            shares.add_row(safe(row["domain"]), f"{row['before']:.1%}", f"{row['after']:.1%}")
        out.print(shares)
    for kind in ("gained", "lost"):
        for document in found["samples"][kind]:
            out.rule(style="dim")
            step = safe(str(document["step"]))
            out.print(f"[bold]{kind}[/] {safe(document['id'])}  {step}: {safe(_values(document['reasons']))}")
            out.print(_excerpt(document["text"][: _EXCERPT // 3]), markup=False)


def sweep(found: Sweep) -> None:
    """Print what each threshold of a filter keeps."""
    out = console()
    out.print(f"[bold]{safe(found.filter)}[/]: {safe(found.rule)}")
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in (f"{found.signal} {found.operator}", "documents", "tokens", "of all tokens", "change", ""):
        shown.add_column(safe(column), justify="right" if column else "left")
    most = max((row["share"] for row in found.rows), default=0.0) or 1.0
    for row in found.rows:
        bar = "█" * round(_BAR * row["share"] / most)
        change = "in use" if row["now"] else f"{row['change']:+,}"
        cells = (f"{row['threshold']:g}", f"{row['documents']:,}", f"{row['tokens']:,}", f"{row['share']:.1%}", change)
        shown.add_row(*cells, bar, style="bold" if row["now"] else None)
    out.print(shown)
    out.print("[dim]kept before the mix is drawn; all other steps as they were[/]")


def _rows(rows: Sequence[dict[str, Any]], title: str) -> None:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in (title, "documents", "tokens"):
        shown.add_column(safe(column), justify="left" if column == title else "right")
    for row in rows:
        shown.add_row(safe(str(row["step"])), f"{row['documents']:,}", f"{row['tokens']:,}")
    console().print(shown)


def _side_by_side(pairs: Sequence[tuple[Sequence[Piece], Sequence[Piece]]]) -> None:
    """Print two texts side by side, with what only one of them has in colour."""
    shown = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    shown.add_column("this document", ratio=1)
    shown.add_column("its survivor", ratio=1)
    for left, right in pairs[:_ROWS]:
        shown.add_row(_pieces(left, "red"), _pieces(right, "green"))
    console().print(shown)
    if len(pairs) > _ROWS:
        console().print(f"[dim]and {len(pairs) - _ROWS} more lines[/]")


def _pieces(pieces: Sequence[Piece], style: str) -> Text:
    text = Text()
    for kind, part in pieces:
        text.append(printable(part), style=f"bold {style}" if kind == "only" else "dim")
    text.rstrip()
    return text


def _highlighted(text: str, spans: Sequence[tuple[int, int]]) -> Text:
    shown = Text(_excerpt(text))
    for start, end in spans:
        if start < _EXCERPT:
            shown.stylize("bold yellow", start, min(end, _EXCERPT))
    return shown


def _similarity(document: dict[str, Any]) -> str:
    return "" if document["similarity"] is None else f", similarity {document['similarity']:.3f}"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value}"


def _values(reasons: Sequence[dict[str, Any]]) -> str:
    """Return `word_count 12 (needs >= 50)` for each column of a rule."""
    parts = []
    for reason in reasons:
        value, needs = _number(reason["value"]), ""
        if "operator" in reason:
            needs = f" (needs {reason['operator']} {reason['threshold']:g})"
            value = repr(reason["value"]) if value == _number(reason["threshold"]) else value
        parts.append(f"{reason['signal']} {value}{needs}")
    return ", ".join(parts)


def _excerpt(text: str) -> str:
    return printable(text[:_EXCERPT]) + (" […]" if len(text) > _EXCERPT else "")
