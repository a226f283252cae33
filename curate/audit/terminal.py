"""What an audit looks like in a terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from curate.storage import Location
from curate.terminal import console, safe, size

_MOST_COLUMNS = 5  # of references; the JSON has all


def audit_tables(found: dict[str, Any], run: Location | None) -> None:
    """Print the arms, the tasks, what each step bought, and what to be careful about."""
    out = console()
    sample = found["sample"]
    out.print(
        f"Bits per byte of text that no model has seen, after training on {size(sample['bytes'])} of each, "
        f"{sample['seeds']} times: lower is better.\n"
    )
    out.print(_arms(found))
    if "second" in found:
        out.print(_arms({**found, **found["second"]}))
        out.print(agreement_line(found), style="dim")
    for task in found["tasks"]:
        out.print(_task(found, task))
    if found["steps"]:
        out.print(_steps(found["steps"]))
    leaks = found["leaks"]
    out.print(
        f"\n{leaks['documents']:,} of {leaks['looked_at']:,} documents were near a reference and left out of training"
        + (f", {leaks['held_out']:,} were held out" if leaks["held_out"] else "")
        + f"; {found['seconds']:.0f} s",
        style="dim",
    )
    for warning in found["warnings"]:
        out.print(f"[yellow]note:[/] {safe(warning)}")
    if run is not None:
        out.print(f"report: {run / 'report.html'}#audit\ndata:   {run / 'audit.json'}", soft_wrap=True, markup=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def _arms(found: dict[str, Any]) -> Table:
    names = [one["name"] for one in found["references"]]
    shown = names if len(names) <= _MOST_COLUMNS else names[:_MOST_COLUMNS]
    table = _table("trained on", *(safe(name) for name in shown), "mean", "95%", "against random", "95%")
    for arm in found["arms"]:
        figures = arm["bits_per_byte"]
        mean = figures["mean"]
        table.add_row(
            safe(arm["name"]),
            *(f"{figures['references'][name]['value']:.3f}" for name in shown),
            f"{mean['value']:.3f}",
            between(mean["interval"]),
            "" if "difference" not in mean else f"{mean['difference']:+.3f}",
            "" if "difference" not in mean else between(mean["difference_interval"], sign=True),
        )
    return table


def agreement_line(found: dict[str, Any]) -> str:
    """Return how far the second proxy agrees with the first, as a sentence."""
    second = found["second"]
    ranks = second["agreement"]
    line = f"\n{found['proxy']} (first) and {second['proxy']} order {ranks['agreed']} of {ranks['pairs']} pairs alike"
    if ranks["kendall"] is None or ranks["spearman"] is None:
        return line
    return f"{line}; Kendall {ranks['kendall']:.2f}, Spearman {ranks['spearman']:.2f} on average over references"


def _task(found: dict[str, Any], task: dict[str, Any]) -> Table:
    table = _table(
        f"\n{safe(task['name'])}, {task['questions']:,} questions", "\nmargin", "\n95%", "\naccuracy", "\n95%"
    )
    for arm in found["arms"]:
        margin, accuracy = (arm["tasks"][measure]["tasks"][task["name"]] for measure in ("margin", "accuracy"))
        table.add_row(
            safe(arm["name"]),
            f"{margin['value']:+.3f}",
            between(margin["interval"], sign=True),
            f"{accuracy['value']:.1%}",
            " to ".join(f"{bound:.1%}" for bound in accuracy["interval"]),
        )
    return table


def _steps(steps: list[dict[str, Any]]) -> Table:
    table = _table("\nwhat each step bought", "\ntokens paid", "\nbits per byte", "\n95%", "\nalone", "\n95%", "\n")
    idle = 0
    for step in steps:
        if step["gain"] is None and step["gain_alone"] is None:
            idle += 1
            continue
        cells = []
        for gain in (step["gain"], step["gain_alone"]):
            cells += ["", ""] if gain is None else [
                f"{gain['mean']['value']:+.4f}",
                between(gain["mean"]["interval"], sign=True, digits=4),
            ]  # fmt: skip
        verdict = {"buys": "", "free": "", "nothing": "buys nothing", "harms": "harms"}[step["verdict"]]
        table.add_row(f"  {safe(step['name'])}", f"{step['tokens_paid']:.2%}", *cells, verdict)
    if idle:
        table.add_row(f"  {idle} more steps change nothing", style="dim")
    return table


def between(interval: list[float], *, sign: bool = False, digits: int = 3) -> str:
    """Return the ends of an interval.

    >>> between([-0.01, 0.02], sign=True)
    '-0.010 to +0.020'
    """
    form = f"{'+' if sign else ''}.{digits}f"
    return " to ".join(format(bound, form) for bound in interval)
