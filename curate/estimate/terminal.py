"""What an estimate looks like in a terminal; computes nothing."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from curate.terminal import console, safe, size

_KNOWN = {"bytes": "on disk", "text_bytes": "text", "documents": "documents", "tokens": "tokens"}
_SAID = {"": "±0%", "?": "unknown"}
_WAITING = (
    "cost: of the work, as the core-hours; held: of all cores from beginning to end, as sure as the time.\n"
    "Decide and report keep one machine at work."
)


def estimate_tables(found: dict[str, Any]) -> None:
    """Print an estimate: the sample, then each stage for all of the inputs and for the target."""
    screen = console()
    sample = found["sample"]
    share = sample["bytes"] / sample["of"]
    screen.print(
        f"recipe {safe(found['recipe'])}, {found['threads']} threads; from a sample of {size(sample['bytes'])} on "
        f"disk ({share:.2%} of the inputs), {sample['documents']:,} documents\n"
    )
    for name, label in (("whole", "the whole input"), ("target", "the target")):
        part = found[name]
        title = (
            f"{label}, {part['cores']:,} cores: {size(part['bytes'])} on disk, {size(part['text_bytes'])} of text, "
            f"{part['documents']:,} documents, {short_count(part['tokens'])} tokens"
        )
        screen.print(f"[bold]{title}[/]")
        screen.print(_stages(part))
        likely = ", ".join(f"{label} {_SAID.get(sure := _sure(part, of), sure)}" for of, label in _KNOWN.items())
        screen.print(f"95% intervals, by how much the places of the sample differ: {likely}\n")
    if found["whole"]["cost"] is not None:
        screen.print(f"{_WAITING}\n")
    if found["free_disk"] is not None:
        screen.print(f"free at --out: {size(found['free_disk'])}")


def _sure(row: dict[str, Any], name: str) -> str:
    """Return how sure an estimate is: half of its interval as a share, or how many times as much it may be."""
    half, most = row["uncertainty"][name], row["at_most"].get(name)
    if most is not None:
        return f"to {most:,.0f}×" if most >= 10 else f"to {most:.1f}×"
    return "?" if half is None else f"±{half:.0%}" if half >= 0.01 else "<±1%" if half else ""


def _with_interval(shown: str, row: dict[str, Any], name: str) -> str:
    return f"{shown} [dim]{_sure(row, name)}[/]".rstrip()


def _stages(part: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage")
    priced = part["cost"] is not None
    for title in ("time", "memory", "disk", "shuffled", "core-hours", *(["cost", "held"] if priced else [])):
        table.add_column(title, justify="right")
    for row in [*part["stages"], part]:
        cells = [_with_interval(duration(row["seconds"]), row, "seconds")]
        cells += [_with_interval(size(row[name]), row, name) for name in ("memory", "disk", "shuffled")]
        cells.append(_with_interval(f"{row['core_hours']:,.2f}", row, "core_hours"))
        cells += [f"{row[name]:,.2f}" for name in ("cost", "cost_held")] if priced else []
        table.add_row(row.get("stage", "in all"), *cells, style=None if "stage" in row else "bold")
    return table


def short_count(number: int) -> str:
    """Return a number with a unit.

    >>> short_count(15_000_000_000_000), short_count(950)
    ('15.0T', '950')
    """
    value = float(number)
    for unit in ("", "k", "M", "B", "T"):
        if value < 1000 or unit == "T":
            return f"{value:.1f}{unit}" if unit else f"{number}"
        value /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """Return a time in the unit that it is felt in.

    >>> duration(0.4), duration(5000), duration(400_000), duration(9e7)
    ('0.4 s', '1 h 23 min', '4 d 15 h', '1041 d')
    """
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h" if days < 100 else f"{days} d"
