"""Recipes as TOML: every key known, every value of the right type, every group of filters expanded.

What a wrong key was meant to be is said in the error. What the steps do is not known here.
"""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curate.errors import RecipeError, did_you_mean
from curate.predicates import columns_of
from curate.recipe import (
    BASE_COLUMNS,
    DECISION_COLUMNS,
    RECIPES,
    ClassifierUse,
    Dedup,
    Ensemble,
    Filter,
    Mix,
    Recipe,
    Step,
    Top,
    parse_count,
)

_TOP_KEYS = ("name", "description", "clean", "classifiers", "ensembles", "domains", "steps", "mix")
_STEP_KEYS: dict[str, tuple[str, ...]] = {
    "use": ("use", "profile", "without", "where"),
    "filter": ("name", "filter", "where"),
    "dedup": ("name", "dedup", "keep", "within", "ngram", "bands", "rows", "seed", "verify"),
    "top": ("name", "top", "by", "within"),
}
_ALL_STEP_KEYS = {key for keys in _STEP_KEYS.values() for key in keys}
_MIX_KEYS = ("by", "tokens", "max_epochs", "shares")
_TYPES: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
_MAX_PERMUTATIONS = 16_384
_RESERVED = ("mix", "rejected", "kept")


class _Place:
    """Where in a recipe we are, for messages, with checked access to the table found there."""

    def __init__(self, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        self.where, self.table = where, table
        for key in table:
            if key not in known:
                raise RecipeError(f'{where}: unknown key "{key}"{did_you_mean(key, known)} (known: {", ".join(known)})')

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        value = self.table.get(key, default)
        if value is None or value is default:
            return value
        number = kind is float and isinstance(value, int) and not isinstance(value, bool)
        if not number and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise RecipeError(f"{self.where}: {key} must be {_TYPES[kind]}, not {value!r}")
        return float(value) if number else value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.get(key, list, [])
        if not all(isinstance(item, str) for item in value):
            raise RecipeError(f"{self.where}: {key} must be a list of strings, not {value!r}")
        return tuple(value)

    def fail(self, problem: str) -> RecipeError:
        return RecipeError(f"{self.where}: {problem}")


def parse(text: str, name: str, folder: Path) -> Recipe:
    """Build a Recipe; see `Recipe.parse`."""
    from curate.text import cleaner

    where = f'recipe "{name}"'
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where} is not valid TOML: {error}") from None
    top = _Place(where, table, _TOP_KEYS)
    clean = top.strings("clean") if "clean" in table else ("unicode",)
    for item in clean:
        cleaner(item)
    steps = tuple(
        step
        for number, entry in enumerate(top.get("steps", list, []), 1)
        for step in _steps(f"{where}, step {number}", entry)
    )
    _check_names(where, steps)
    classifiers = tuple(
        _located(_classifier(where, signal, use), folder) for signal, use in top.get("classifiers", dict, {}).items()
    )
    ensembles = tuple(_ensemble(where, *item) for item in top.get("ensembles", dict, {}).items())
    _check_ensembles(where, ensembles)
    return Recipe(
        name=top.get("name", str, name),
        description=top.get("description", str, ""),
        clean=clean,
        classifiers=classifiers,
        ensembles=ensembles,
        domains=tuple(_domain(where, *item) for item in top.get("domains", dict, {}).items()),
        steps=steps,
        mix=_mix(f"{where}, [mix]", top.get("mix", dict, {})),
        text=text,
        folder=str(folder),
    )


def _located(use: ClassifierUse, folder: Path) -> ClassifierUse:
    """Return a classifier with the absolute path of its model, if that is a file beside the recipe."""
    file = folder / use.model
    return dataclasses.replace(use, model=str(file)) if file.is_file() else use


def _check_ensembles(where: str, ensembles: Sequence[Ensemble]) -> None:
    names = {ensemble.name for ensemble in ensembles}
    for ensemble in ensembles:
        if names & set(ensemble.of):
            raise RecipeError(f'{where}, [ensembles] "{ensemble.name}": an ensemble cannot be made of another one')


def _check_names(where: str, steps: Sequence[Step]) -> None:
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise RecipeError(f'{where}: two steps are called "{step.name}"; give one of them another name')
        if step.name in _RESERVED:
            raise RecipeError(f'{where}: a step cannot be called "{step.name}": the word has a meaning in decisions')
        seen.add(step.name)


def _steps(where: str, entry: Any) -> list[Step]:
    if not isinstance(entry, dict):
        raise RecipeError(f"{where}: a step is a table, [[steps]]")
    kinds = [kind for kind in _STEP_KEYS if kind in entry]
    if len(kinds) != 1:
        given = ", ".join(entry) or "nothing"
        meant = "".join(did_you_mean(key, _STEP_KEYS) for key in entry if key not in _ALL_STEP_KEYS)
        raise RecipeError(f"{where}: a step has exactly one of use, filter, dedup, top; this one has {given}{meant}")
    if "name" in entry:
        where = f'{where} ("{entry["name"]}")'
    place = _Place(where, entry, _STEP_KEYS[kinds[0]])
    return _BUILDERS[kinds[0]](place)


def _group(place: _Place) -> list[Step]:
    name = place.get("use", str)
    group = group_filters(name, place)
    profile = place.get("profile", str, "paper")
    if profile not in group:
        raise place.fail(
            f'"{name}" has no profile "{profile}"{did_you_mean(profile, group)} (it has: {", ".join(group)})'
        )
    without = place.strings("without")
    for item in without:
        if item not in group[profile]:
            raise place.fail(f'"{name}" has no filter "{item}"{did_you_mean(item, group[profile])}')
    where = _where(place)
    return [Filter(item, sql, where) for item, sql in group[profile].items() if item not in without]


def _where(place: _Place) -> str | None:
    where: str | None = place.get("where", str)
    if where is not None:
        try:
            columns_of(where)
        except RecipeError as error:
            raise place.fail(f"where: {error}") from None
    return where


@functools.cache
def _group_file(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((RECIPES / "filters" / f"{name}.toml").read_text(encoding="utf-8"))


def group_filters(name: str, place: _Place | None = None) -> dict[str, dict[str, str]]:
    """Return a shipped group of filters: profile -> filter name -> predicate."""
    groups = sorted(path.stem for path in (RECIPES / "filters").glob("*.toml"))
    if name not in groups:
        message = f'unknown group of filters "{name}"{did_you_mean(name, groups)} (shipped: {", ".join(groups)})'
        raise place.fail(message) if place else RecipeError(message)
    return _group_file(name)


def _filter(place: _Place) -> list[Step]:
    sql = place.get("filter", str)
    name = place.get("name", str)
    if not name:
        raise place.fail("a filter needs a name: it is what a dropped document is labelled with")
    try:
        columns = columns_of(sql)
    except RecipeError as error:
        raise place.fail(str(error)) from None
    if not columns:
        raise place.fail(f"the predicate `{sql}` names no signal, so it keeps everything or nothing")
    return [Filter(name, sql, _where(place))]


def _dedup(place: _Place) -> list[Step]:
    method = place.get("dedup", str)
    if method not in ("exact", "minhash"):
        raise place.fail(f'unknown method "{method}"{did_you_mean(method, ["exact", "minhash"])} (exact, minhash)')
    if method == "exact":
        for key in ("ngram", "bands", "rows", "seed", "verify"):
            if key in place.table:
                raise place.fail(f'"{key}" has no meaning for exact duplicates')
    default = Dedup(f"dedup_{method}", method)
    numbers = {key: place.get(key, int, getattr(default, key)) for key in ("ngram", "bands", "rows", "seed")}
    for key, value in numbers.items():
        if value < 1 or value > 10_000:
            raise place.fail(f"{key} must be between 1 and 10000, not {value}")
    if numbers["bands"] * numbers["rows"] > _MAX_PERMUTATIONS:
        raise place.fail(
            f"bands times rows must be at most {_MAX_PERMUTATIONS}, not {numbers['bands'] * numbers['rows']}"
        )
    step = Dedup(
        name=place.get("name", str, default.name),
        method=method,
        keep=place.get("keep", str, default.keep),
        within=place.strings("within"),
        verify=_verify(place, default.verify) if method == "minhash" else None,
        **numbers,
    )
    for part in step.keep.split(","):
        words = part.split()
        if not 1 <= len(words) <= 2 or words[1:] not in ([], ["ASC"], ["DESC"]) or not words[0].isidentifier():
            raise place.fail(
                f'keep = "{step.keep}": write columns with ASC or DESC, such as "quality DESC, char_count DESC"'
            )
    return [step]


def _verify(place: _Place, default: float | None) -> float | None:
    value = place.table.get("verify", default)
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise place.fail(f"verify must be a Jaccard similarity above 0 and up to 1, or false, not {value!r}")
    return float(value)


def _top(place: _Place) -> list[Step]:
    by = place.get("by", str)
    if not by:
        raise place.fail('top needs `by`, the signal that ranks documents, such as by = "quality"')
    within = place.strings("within")
    share, tokens = 1.0, None
    if isinstance(place.table["top"], str):
        tokens = parse_count(place.table["top"])
        if within:
            raise place.fail("top with a number of tokens is over all documents; within needs a share such as 0.1")
    else:
        share = place.get("top", float)
        if not 0 < share <= 1:
            raise place.fail(f'top is a share of tokens above 0 and up to 1, or a number such as "10B", not {share}')
    return [Top(place.get("name", str, f"top_{by}"), share, by, tokens, within)]


_BUILDERS = {"use": _group, "filter": _filter, "dedup": _dedup, "top": _top}


def _classifier(where: str, signal: str, use: Any) -> ClassifierUse:
    place = f'{where}, [classifiers] "{signal}"'
    if not signal.isidentifier():
        raise RecipeError(f"{place}: the name of a signal is letters, digits and underscores")
    _check_free(place, signal)
    if isinstance(use, str):
        return ClassifierUse(signal, use)
    if not isinstance(use, dict):
        raise RecipeError(f'{place}: give a model, or {{ model = "…", label = "…" }}')
    table = _Place(place, use, ("model", "label", "first", "first_words", "windows", "over", "calibrated"))
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


def _check_free(place: str, name: str) -> None:
    """Raise RecipeError when a column of this name is there already."""
    from curate.signals import registry

    if name in (*BASE_COLUMNS, *DECISION_COLUMNS) or name in registry():
        raise RecipeError(f'{place}: "{name}" is the name of a column that curate measures; choose another')


def _ensemble(where: str, name: str, entry: Any) -> Ensemble:
    place = f'{where}, [ensembles] "{name}"'
    _check_free(place, name)
    if not isinstance(entry, dict):
        raise RecipeError(f'{place}: give {{ of = ["quality", …], buckets = 20 }}')
    table = _Place(place, entry, ("of", "buckets"))
    of, buckets = table.strings("of"), table.get("buckets", int, 20)
    if not of:
        raise table.fail("of is the list of scores to combine")
    if not 2 <= buckets <= 1000:
        raise table.fail(f"buckets must be between 2 and 1000, not {buckets}")
    return Ensemble(name, of, buckets)


def _domain(where: str, name: str, sql: Any) -> tuple[str, str]:
    if not isinstance(sql, str):
        raise RecipeError(f'{where}, [domains] "{name}": give an SQL predicate, not {sql!r}')
    try:
        columns_of(sql)
    except RecipeError as error:
        raise RecipeError(f'{where}, [domains] "{name}": {error}') from None
    return name, sql


def _mix(where: str, table: dict[str, Any]) -> Mix:
    place = _Place(where, table, _MIX_KEYS)
    tokens = place.table.get("tokens")
    if isinstance(tokens, bool) or not isinstance(tokens, int | str | None):
        raise place.fail(f'tokens must be a number or a string such as "10B", not {tokens!r}')
    shares = place.get("shares", dict, {})
    epochs = place.get("max_epochs", float, 4.0 if shares else 1.0)
    if not 0 < epochs <= 1000:
        raise place.fail(f"max_epochs must be above 0 and at most 1000, not {epochs}")
    for name, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or share < 0:
            raise place.fail(f'the share of "{name}" must be a number of at least 0, not {share!r}')
    if shares and abs(sum(shares.values()) - 1) > 1e-6:
        raise place.fail(f"the shares add up to {sum(shares.values()):g}, not 1")
    by = place.get("by", str, "domain" if shares else "source")
    return Mix(by, parse_count(tokens), epochs, {name: float(share) for name, share in shares.items()})
