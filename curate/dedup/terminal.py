"""What the S-curve and the audit of deduplication look like in a terminal.

Computes nothing: prints what `curate.dedup.curves`, `audit` and `labelled_pairs` return.
"""

from __future__ import annotations

from typing import Any

from rich.table import Table

from curate.dedup.curve_chart import in_characters
from curate.terminal import console, safe


def curves(found: dict[str, Any]) -> None:
    """Print what a choice of bands and rows finds and costs."""
    screen = console()
    at, choices = found["at"], found["choices"]
    this = choices["this"]
    screen.print(f"[bold]{this['bands']} bands of {this['rows']} rows[/]: {this['permutations']} permutations", end="")
    screen.print(f", finds half of the pairs at {this['half_at']:.3f} and {this['found_at']:.1%} at {at:g}\n")
    drawn = {_LABELS[name]: (choice["bands"], choice["rows"]) for name, choice in choices.items()}
    screen.print(in_characters(drawn, at), markup=False)
    screen.print()
    half = (len(found["curve"]) + 1) // 2
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in (found["curve"][:half], found["curve"][half:]):
        table.add_row("similarity", *(f"{point['similarity']:.2f}" for point in row))
        table.add_row("found", *(_share(point["found"]) for point in row), end_section=True)
    screen.print(table)
    screen.print()
    screen.print(_choices(found))
    screen.print(f"pairs counted over: {found['distribution']['said']}", style="dim", markup=False)
    screen.print("\n" + _why(found))


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
            f" It misses {this['missed']:,.1f} instead of {theirs['missed']:,.1f} of these pairs and compares "
            f"{more:,.1f} more for nothing; verification rejects those, and nothing brings back a pair that was "
            "never found."
        )
    return said


def _share(value: float | None) -> str:
    """Return a share in percent, with the digits that tell it from 0 and 1.

    >>> _share(0.99996), _share(0.5), _share(0.0000012), _share(None)
    ('99.996%', '50.0%', '<0.001%', '–')
    """
    if value is None:
        return "–"
    if value in (0, 1):
        return f"{value:.0%}"
    if not 1e-5 <= value <= 1 - 1e-5:
        return "<0.001%" if value < 0.5 else ">99.999%"
    edge = min(value, 1 - value)
    digits = 1 if edge >= 0.002 else 2 if edge >= 0.0002 else 3
    return f"{value * 100:.{digits}f}%"


def _interval(pair: list[float] | None) -> str:
    return "" if pair is None else f"{_share(pair[0])} to {_share(pair[1])}"


def audit_tables(found: dict[str, Any]) -> None:
    """Print an audit by brute force."""
    screen = console()
    sample, step, limit = found["sample"], found["step"], found["threshold"]
    screen.print(
        f"[bold]{safe(step['name'])}[/]: {step['bands']} bands of {step['rows']} rows, duplicates from {limit:g}"
    )
    drawn = "all of them" if sample["census"] else f"{sample['in_buckets']:,} by whole buckets of the first band"
    screen.print(
        f"{sample['documents']:,} of {sample['of']:,} documents compared all with all ({drawn}): "
        f"{sample['pairs_compared']:,} pairs\n"
    )
    recall = found["recall"]
    screen.print(_recall(recall["by_similarity"], recall["judged_bands"], step["bands"]))
    if recall["judged_bands"] < step["bands"]:
        screen.print(
            f"Judged by the {recall['judged_bands']} bands that did not draw the sample; the last column adds what the "
            "first one finds, by theory.",
            style="dim",
        )
    candidates, removals = found["candidates"], found["removals"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "share", "95% interval", "of"):
        table.add_column(title, justify="left" if not title else "right")
    precision = candidates["precision"]
    table.add_row(
        f"candidate pairs that are {limit:g} similar", _share(precision), _interval(candidates["interval"]),
        f"{candidates['pairs']:,} pairs",
    )  # fmt: skip
    _figure(table, "documents with a better duplicate that stayed: removed", removals["recall"], "documents")
    if removals["recall_of_all"] != removals["recall"]:
        _figure(table, "  counting those drawn with it, too", removals["recall_of_all"], "documents")
    _figure(table, "removed documents similar enough to their survivor", removals["precision"], "documents")
    for name, label in (("candidate", "candidate clusters"), ("final", "clusters after verification")):
        cluster = found["clusters"][name]
        _figure(table, f"purity of {cluster['clusters']:,} {label}", cluster, "documents")
    screen.print()
    screen.print(table)
    chain = removals["only_better_ones_that_went"]
    screen.print(
        f"{chain['documents']:,} documents have better duplicates only among those that went; {chain['kept']:,} of "
        "them were kept, as chains are not merged."
    )


def pair_tables(found: dict[str, Any]) -> None:
    """Print an audit by labelled pairs."""
    screen = console()
    step, limit, pairs = found["step"], found["threshold"], found["pairs"]
    screen.print(
        f"[bold]{safe(step['name'])}[/]: {step['bands']} bands of {step['rows']} rows, duplicates from {limit:g}"
    )
    screen.print(f"{pairs['judged']:,} of {pairs['in_file']:,} labelled pairs, {pairs['documents']:,} documents\n")
    screen.print(_recall(found["recall"], step["bands"], step["bands"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "share", "95% interval", "of"):
        table.add_column(title, justify="left" if not title else "right")
    _figure(table, f"labelled pairs of {limit:g} and more found by the bands", found["found_at_threshold"], "pairs")
    _figure(table, "of these pairs lost a document", found["settled"], "pairs")
    _figure(table, "documents with a better duplicate that stayed: removed", found["removals"], "documents")
    _figure(table, "labelled similarity is ours, to 0.0001", found["difference"]["same"], "pairs")
    screen.print()
    screen.print(table)


def _figure(table: Table, label: str, figure: dict[str, Any], unit: str) -> None:
    table.add_row(label, _share(figure["share"]), _interval(figure["interval"]), f"{figure['of']:,} {unit}")


def _recall(bins: list[dict[str, Any]], judged: int, bands: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("similarity", "pairs", "found", "95% interval", "the curve"):
        table.add_column(title, justify="left" if title == "similarity" else "right")
    if judged < bands:
        table.add_column(f"all {bands} bands", justify="right")
    for entry in bins:
        if not entry["pairs"]:
            continue
        row = [
            f"{entry['from']:.2f} to {entry['to']:.2f}",
            f"{entry['pairs']:,}",
            _share(entry["recall"]),
            _interval(entry["interval"]),
            _share(entry["theory"]),
        ]
        table.add_row(*row, *([_share(entry["all_bands"])] if judged < bands else []))
    return table
