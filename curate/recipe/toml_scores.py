"""[classifiers] and [ensembles] of a recipe as TOML."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.errors import RecipeError
from curate.recipe.place import Place
from curate.recipe.recipe import BASE_COLUMNS, DECISION_COLUMNS
from curate.recipe.scores import ClassifierUse, Ensemble


def classifier(where: str, signal: str, use: Any) -> ClassifierUse:
    """Read an entry of [classifiers], the model that gives a signal; RecipeError names the entry."""
    place = f'{where}, [classifiers] "{signal}"'
    if not signal.isidentifier():
        raise RecipeError(f"{place}: the name of a signal is letters, digits and underscores")
    check_free(place, signal)
    if isinstance(use, str):
        return ClassifierUse(signal, use)
    if not isinstance(use, dict):
        raise RecipeError(f'{place}: give a model, or {{ model = "…", label = "…" }}')
    table = Place(place, use, ("model", "label", "first", "first_words", "windows", "over", "calibrated"))
    model = table.get("model", str)
    if not model:
        raise table.fail('needs `model`: "language", "quality", "domain" or the path of a fastText model')
    sizes = {key: table.get(key, int) for key in ("first", "first_words", "windows")}
    for key, value in sizes.items():
        if value is not None and value < 1:
            raise table.fail(f"{key} must be at least 1, not {value}")
    over = table.get("over", str, "mean")
    if over not in ("mean", "min"):
        raise table.fail(f'over is "mean" or "min", not "{over}"')
    calibrated = table.get("calibrated", bool, False)
    return ClassifierUse(signal, model, table.get("label", str), over=over, calibrated=calibrated, **sizes)


def located(use: ClassifierUse, folder: Path) -> ClassifierUse:
    """Return a classifier with the absolute path of its model, if that is a file beside the recipe."""
    file = folder / use.model
    return dataclasses.replace(use, model=str(file)) if file.is_file() else use


def ensemble(where: str, name: str, entry: Any) -> Ensemble:
    """Read an entry of [ensembles], the scores that one bucket is made of; RecipeError names the entry."""
    place = f'{where}, [ensembles] "{name}"'
    check_free(place, name)
    if not isinstance(entry, dict):
        raise RecipeError(f'{place}: give {{ of = ["quality", …], buckets = 20 }}')
    table = Place(place, entry, ("of", "buckets"))
    of, buckets = table.strings("of"), table.get("buckets", int, 20)
    if not of:
        raise table.fail("of is the list of scores to combine")
    if not 2 <= buckets <= 1000:
        raise table.fail(f"buckets must be between 2 and 1000, not {buckets}")
    return Ensemble(name, of, buckets)


def check_ensembles(where: str, ensembles: Sequence[Ensemble]) -> None:
    """Raise RecipeError when an ensemble is made of another one."""
    names = {ensemble.name for ensemble in ensembles}
    for ensemble in ensembles:
        if names & set(ensemble.of):
            raise RecipeError(f'{where}, [ensembles] "{ensemble.name}": an ensemble cannot be made of another one')


def check_free(place: str, name: str) -> None:
    """Raise RecipeError when a column of this name is there already."""
    from curate.signals import registry

    if name in (*BASE_COLUMNS, *DECISION_COLUMNS) or name in registry():
        raise RecipeError(f'{place}: "{name}" is the name of a column that curate measures; choose another')
