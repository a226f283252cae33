"""What the S-curve and the audit of deduplication look like in a terminal.

Computes nothing: prints what `curate.dedup.curves`, `audit` and `labelled_pairs` return.
"""

from __future__ import annotations

from typing import Any

from rich.table import Table

from curate.dedup.curve_chart import in_characters
from curate.terminal import _console


def curves(found: dict[str, Any]) -> None:
    """Print what a choice of bands and rows finds and costs."""
    console = _console()
    at, choices = found["at"], found["choices"]
    this = choices["this"]
    console.print(f"[bold]{this['bands']} bands of {this['rows']} rows[/]: {this['permutations']} permutations", end="")
    console.print(f", finds half of the pairs at {this['half_at']:.3f} and {this['found_at']:.1%} at {at:g}\n")
    drawn = {_LABELS[name]: (choice["bands"], choice["rows"]) for name, choice in choices.items()}
    console.print(in_characters(drawn, at), markup=False)
    console.print()
    half = (len(found["curve"]) + 1) // 2
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in (found["curve"][:half], found["curve"][half:]):
        table.add_row("similarity", *(f"{point['similarity']:.2f}" for point in row))
        table.add_row("found", *(_share(point["found"]) for point in row), end_section=True)
    console.print(table)
    console.print()
    console.print(_choices(found))
    console.print(f"pairs counted over: {found['distribution']['said']}", style="dim", markup=False)
    console.print("\n" + _why(found))


_LABELS = {"this": "this choice", "default": "the default", "datasketch": "datasketch's choice"}


def _choices(found: dict[str, Any]) -> Table:
    at = found["at"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("choice")
    for title in ("bands × rows", "half at", f"found at {at:g}", f"pairs ≥ {at:g} found", "missed", "extra below it"):
        table.add_column(title, justify="right")
    for name, choice in found["choices"].items():
        table.add_row(
            _LABELS[name],
            f"{choice['bands']} × {choice['rows']}",
            f"{choice['half_at']:.3f}",
            _share(choice["found_at"]),
            f"{choice['found']:,.1f}",
            f"{choice['missed']:,.1f}",
            f"{choice['extra']:,.1f}",
        )
    return table


def _why(found: dict[str, Any]) -> str:
    theirs, this, at = found["choices"].get("datasketch"), found["choices"]["this"], found["at"]
    if theirs is None:
        return f"datasketch's optimiser was not asked: it searches too long with {found['budget']:,} permutations."
    said = (
        f"datasketch.MinHashLSH(threshold={at:g}, num_perm={found['budget']}) weighs the area under its curve below "
        f"{at:g} against the area above it at {at:g} and more, as if pairs of every similarity were equally many. That "
        f"puts the steepest part of the curve there, and finds {theirs['found_at']:.0%} of the pairs at {at:g}."
    )
    if found["find"] is not None:
        said += (
            f" This choice is asked to find {found['find']:.0%} at {at:g}: the most rows for which enough bands fit, "
            "then the fewest bands."
        )
    more = this["extra"] - theirs["extra"]
    if more > 0 and this["missed"] < theirs["missed"]:
        said += (
            f" It misses {this['missed']:,.1f} instead of {theirs['missed']:,.1f} of these pairs and compares {more:,.1f} "
            "more for nothing; verification rejects those, and nothing brings back a pair that was never found."
        )
    return said


def _share(value: float | None) -> str:
    """Return a share in percent with the digits that tell it from 0 and 1.

    >>> _share(0.99996), _share(0.5), _share(0.0000012)
    ('99.996%', '50.0%', '0.00012%')
    """
    if value is None:
        return "–"
    if value in (0, 1):
        return f"{value:.0%}"
    edge = min(value, 1 - value)
    digits = 1
    while digits < 6 and round(edge * 100, digits) < 10.0**-digits * 2:
        digits += 1
    return f"{value * 100:.{digits}f}%"


def _interval(pair: list[float] | None) -> str:
    return "" if pair is None else f"{pair[0]:.1%} to {pair[1]:.1%}"
