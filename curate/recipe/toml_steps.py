"""[[steps]] of a recipe as TOML: one builder a kind of step, every group of filters expanded."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from typing import Any

from curate.errors import RecipeError, did_you_mean
from curate.predicates import columns_of
from curate.recipe.mix import parse_count
from curate.recipe.place import Place
from curate.recipe.recipe import RECIPES
from curate.recipe.steps import Filter, Step, Top
from curate.recipe.toml_dedup import DEDUP_KEYS, METHODS, dedup, keep_order
from curate.recipe.toml_trims import TRIM_KEYS, line_dedup, substring_dedup
from curate.recipe.trims import SubstringDedup

_STEP_KEYS: dict[str, tuple[str, ...]] = {
    "use": ("use", "profile", "without", "where", "name"),
    "filter": ("name", "filter", "where"),
    "dedup": DEDUP_KEYS,
    "top": ("name", "top", "by", "within"),
}
_ALL_STEP_KEYS = {key for keys in (*_STEP_KEYS.values(), *TRIM_KEYS.values()) for key in keys}
_RESERVED = ("mix", "rejected", "kept")


def steps_of(where: str, entry: Any) -> list[Step]:
    """Read one entry of [[steps]]; a preset that it uses gives several. RecipeError names the entry."""
    if not isinstance(entry, dict):
        raise RecipeError(f"{where}: a step is a table, [[steps]]")
    kinds = [kind for kind in _STEP_KEYS if kind in entry]
    if len(kinds) != 1:
        given = ", ".join(entry) or "nothing"
        meant = "".join(did_you_mean(key, _STEP_KEYS) for key in entry if key not in _ALL_STEP_KEYS)
        raise RecipeError(f"{where}: a step has exactly one of use, filter, dedup, top; this one has {given}{meant}")
    if "name" in entry:
        where = f'{where} ("{entry["name"]}")'
    place = Place(where, entry, TRIM_KEYS.get(str(entry.get("dedup")), _STEP_KEYS[kinds[0]]))
    return _BUILDERS[kinds[0]](place)


def check_names(where: str, steps: Sequence[Step]) -> None:
    """Raise RecipeError when two steps have one name, or a name that decisions use themselves."""
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise RecipeError(f'{where}: two steps are called "{step.name}"; give one of them another name')
        if step.name in _RESERVED:
            raise RecipeError(f'{where}: a step cannot be called "{step.name}": the word has a meaning in decisions')
        seen.add(step.name)


def _group(place: Place) -> list[Step]:
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
    where, prefix = _where(place), place.get("name", str)
    chosen = {item: sql for item, sql in group[profile].items() if item not in without}
    return [Filter(f"{prefix}_{item}" if prefix else item, sql, where) for item, sql in chosen.items()]


def _where(place: Place) -> str | None:
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


def group_filters(name: str, place: Place | None = None) -> dict[str, dict[str, str]]:
    """Return a shipped group of filters: profile -> filter name -> predicate."""
    groups = sorted(path.stem for path in (RECIPES / "filters").glob("*.toml"))
    if name not in groups:
        message = f'unknown group of filters "{name}"{did_you_mean(name, groups)} (shipped: {", ".join(groups)})'
        raise place.fail(message) if place else RecipeError(message)
    return _group_file(name)


def _filter(place: Place) -> list[Step]:
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


def _dedup(place: Place) -> list[Step]:
    method = place.get("dedup", str)
    if method not in (*METHODS, *TRIM_KEYS):
        known = (*METHODS, *TRIM_KEYS)
        raise place.fail(f'unknown method "{method}"{did_you_mean(method, known)} ({", ".join(known)})')
    if method == "lines":
        return [line_dedup(place, _where(place))]
    if method == "substring":
        return [substring_dedup(place, _where(place), keep_order(place, SubstringDedup.keep))]
    return dedup(place)


def _top(place: Place) -> list[Step]:
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
