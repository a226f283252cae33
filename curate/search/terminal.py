"""What a search for shares found, in a terminal and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.table import Table

from curate.search.regmix import RegMix
from curate.search.search import Search
from curate.terminal import console, safe, size

_MIXTURES = ("present", "proportional", "found")


def as_dict(found: Search) -> dict[str, Any]:
    """Return what a search found as JSON has it, without the recipe."""
    facts = {name: value for name, value in vars(found).items() if name not in ("recipe", "mixtures")}
    return {**facts, "mixtures": {name: asdict(mixture) for name, mixture in found.mixtures.items()}}


def print_search(found: Search) -> None:
    """Print the shares, what another share of a class would cost, and the bits per byte of each reference."""
    out = console()
    table = _table("share of tokens", *_MIXTURES, "at most", "without it", "half of it", "twice")
    best = found.mixtures["found"].shares
    for name, share in best.items():
        table.add_row(
            f"  {safe(name)}",
            *(f"{found.mixtures[mixture].shares[name]:.1%}" for mixture in _MIXTURES),
            f"{min(found.most[name], 1):.1%}",
            *(_change(found.curves[name], share, times) for times in (0.0, 0.5, 2.0)),
        )
    out.print(table)
    of = "on average over the references" if found.objective == "mean" else "of the worst reference"
    out.print(f"  the last three columns: more bits per byte {of}, other classes in proportion\n", style="dim")
    _print_costs(
        f"bits per byte, models trained on {size(found.trained_bytes)}",
        {name: mixture.trained for name, mixture in found.mixtures.items()},
    )
    _print_costs(
        "bits per byte, sum of the models of the classes",
        {name: mixture.interpolated for name, mixture in found.mixtures.items()},
    )
    copies = {name: count for name, count in found.copies.items() if count}
    if copies:
        listed = ", ".join(f"{count:,} of {name}" for name, count in copies.items())
        out.print(safe(f"left out, as near-copies of reference texts: {listed}"), style="dim")
    _print_recipe(best)


def print_regmix(found: RegMix) -> None:
    """Print the shares, the predicted losses, and how well the regressions predict."""
    out = console()
    table = _table("share of tokens", *_MIXTURES)
    for name in found.shares["found"]:
        table.add_row(f"  {safe(name)}", *(f"{found.shares[mixture][name]:.1%}" for mixture in _MIXTURES))
    out.print(table)
    _print_costs("predicted loss", found.predicted)
    for fit in found.fits:
        rank = "" if fit.spearman is None else f", rank correlation {fit.spearman:.2f}"
        out.print(
            safe(
                f"{fit.loss}: {fit.method}, off by {fit.error:.4g} on rows left out, "
                f"where losses vary by {fit.spread:.4g}{rank}"
            ),
            style="dim",
        )
    _print_recipe(found.shares["found"])


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _change(curve: list[tuple[float, float]], share: float, times: float) -> str:
    """Return how much the objective rises when a share is multiplied; nothing where a cap forbids it."""
    if share == 0:
        return ""
    costs = dict(curve)
    here = costs[min(costs, key=lambda at: abs(at - share))]
    near = min(costs, key=lambda at: abs(at - times * share))
    return f"{costs[near] - here:+.4f}" if abs(near - times * share) < 1e-3 else ""


def _print_costs(title: str, costs: Mapping[str, Mapping[str, float]]) -> None:
    table = _table(title, *_MIXTURES)
    references = list(costs["found"])
    for name in references:
        table.add_row(f"  {safe(name)}", *(f"{costs[mixture][name]:.4f}" for mixture in _MIXTURES))
    if len(references) > 1:
        means = (float(np.mean(list(costs[mixture].values()))) for mixture in _MIXTURES)
        table.add_row("  mean", *(f"{mean:.4f}" for mean in means), style="bold")
    console().print(table)


def _print_recipe(shares: Mapping[str, float]) -> None:
    keys = {name: name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name) for name in shares}
    listed = ", ".join(f"{keys[name]} = {share:.4g}" for name, share in shares.items())
    console().print(safe(f"\nin a recipe, [mix]: shares = {{ {listed} }}\n"), soft_wrap=True)
