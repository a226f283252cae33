"""[mix] of a recipe as TOML: a division of tokens, in it further ones, and how documents are repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.errors import did_you_mean
from curate.recipe.mix import METHODS, Division, Mix, Quality, parse_count
from curate.recipe.place import Place

_DIVISION_KEYS = ("by", "method", "shares", "alpha", "max_epochs", "at_most", "within")
_MIX_KEYS = (*_DIVISION_KEYS, "tokens", "quality", "rehydrate", "max_copies", "once", "shuffle")
_QUALITY_KEYS = ("by", "buckets", "weights", "drop", "most", "growth")


def mix(where: str, table: dict[str, Any]) -> Mix:
    """Build the mix; RecipeError says which key is wrong."""
    place = Place(where, table, _MIX_KEYS)
    tokens = table.get("tokens")
    if isinstance(tokens, bool) or not isinstance(tokens, int | str | None):
        raise place.fail(f'tokens must be a number or a string such as "10B", not {tokens!r}')
    quality = place.get("quality", dict)
    made = _quality(f"{where} quality", quality) if quality is not None else None
    rehydrate = place.get("rehydrate", bool, False)
    weighs = made is not None or rehydrate
    division = _division(place, outermost=True, epochs=made.most if made else 10.0 if rehydrate else None)
    copies = place.get("max_copies", int, 10)
    if copies < 1:
        raise place.fail(f"max_copies must be at least 1, not {copies}")
    if "max_copies" in table and not weighs:
        raise place.fail("max_copies is for quality or rehydrate: without them max_epochs limits every document")
    return Mix(
        **vars(division),
        tokens=parse_count(tokens),
        quality=made,
        rehydrate=rehydrate,
        max_copies=copies,
        once=place.get("once", bool, False),
        shuffle=place.get("shuffle", bool, False),
    )


def _division(place: Place, *, outermost: bool, epochs: float | None = None) -> Division:
    shares = place.get("shares", dict, {})
    method = place.get("method", str, "shares" if shares else "natural")
    if method not in METHODS:
        raise place.fail(f'unknown method "{method}"{did_you_mean(method, METHODS)} ({", ".join(METHODS)})')
    if bool(shares) != (method == "shares"):
        raise place.fail(f'method = "{method}" ' + ("takes no shares" if shares else "needs shares"))
    _check_shares(place, shares)
    by = place.get("by", str, ("domain" if shares else "source") if outermost else None)
    if not by:
        raise place.fail("needs `by`, the column that divides the documents")
    alpha = place.get("alpha", float, 0.3)
    if not 0 <= alpha <= 1:
        raise place.fail(f"alpha must be between 0 (even) and 1 (natural), not {alpha}")
    if "alpha" in place.table and method != "temperature":
        raise place.fail('alpha is for method = "temperature"')
    usual = epochs or (4.0 if method != "natural" or not outermost else 1.0)
    limit, limits = _one_or_each(place, "max_epochs", usual, 1000)
    most, mosts = _one_or_each(place, "at_most", 1.0, 1)
    inner = {
        name: _division(_inner(place, name, entry), outermost=False)
        for name, entry in place.get("within", dict, {}).items()
    }
    return Division(by, method, {k: float(v) for k, v in shares.items()}, alpha, limit, limits, most, mosts, inner)


def _inner(place: Place, name: str, entry: Any) -> Place:
    where = f'{place.where}, within "{name}"'
    if not isinstance(entry, dict):
        raise place.fail(f'within "{name}" must be a table such as {{ by = "language", method = "unimax" }}')
    return Place(where, entry, _DIVISION_KEYS)


def _check_shares(place: Place, shares: Mapping[str, Any]) -> None:
    for name, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or share < 0:
            raise place.fail(f'the share of "{name}" must be a number of at least 0, not {share!r}')
    if shares and abs(sum(shares.values()) - 1) > 1e-6:
        raise place.fail(f"the shares add up to {sum(shares.values()):g}, not 1")


def _one_or_each(place: Place, key: str, usual: float, top: float) -> tuple[float, dict[str, float]]:
    """Read a number for all classes, or a table with one for each; `default` in it is for the others."""
    value = place.table.get(key, usual)
    table = value if isinstance(value, dict) else {"default": value}
    for name, number in table.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= top:
            of = "" if name == "default" else f' of "{name}"'
            raise place.fail(f"{key}{of} must be above 0 and at most {top:g}, not {number!r}")
    each = {name: float(number) for name, number in table.items() if name != "default"}
    return float(table.get("default", usual)), each


def _quality(where: str, table: dict[str, Any]) -> Quality:
    place = Place(where, table, _QUALITY_KEYS)
    by = place.get("by", str)
    if not by:
        raise place.fail('needs `by`, the signal that ranks documents, such as by = "quality"')
    weights = place.get("weights", list, [])
    if not all(isinstance(w, int | float) and not isinstance(w, bool) and w >= 0 for w in weights):
        raise place.fail(f"weights must be numbers of at least 0, from the worst bucket to the best, not {weights!r}")
    if weights and not any(weights):
        raise place.fail("one of the weights must be above 0")
    for key in ("drop", "most", "growth", "buckets") if weights else ():
        if key in table:
            raise place.fail(f"{key} shapes the curve, which weights replace: give one or the other")
    buckets = len(weights) or place.get("buckets", int, 20)
    drop, most, growth = (
        place.get(key, float, usual) for key, usual in (("drop", 0.4), ("most", 7.0), ("growth", 0.0))
    )
    if not 0 <= drop < 1:
        raise place.fail(f"drop is a share of the tokens from 0 to below 1, not {drop}")
    if most < 1 or growth < 0:
        raise place.fail("most must be at least 1 and growth at least 0")
    if not 1 <= buckets <= 1000:
        raise place.fail(f"buckets must be between 1 and 1000, not {buckets}")
    return Quality(by, buckets, tuple(float(w) for w in weights), drop, most, growth)
