"""Steps that trim documents, `dedup = "lines"` and `dedup = "substring"`, as TOML."""

from __future__ import annotations

from typing import Any

from curate.errors import RecipeError, did_you_mean
from curate.recipe.mix import parse_count
from curate.recipe.place import Place
from curate.recipe.trims import UNITS, LineDedup, SubstringDedup, Trim

TRIM_KEYS: dict[str, tuple[str, ...]] = {
    "lines": ("name", "dedup", "unit", "more_than", "bucket", "min_length", "min_left", "where"),
    "substring": ("name", "dedup", "min_words", "drop_at", "keep", "where"),
}


def line_dedup(place: Place, where: str | None) -> Trim:
    """Read a step that cuts repeated lines, paragraphs or sentences; `where` limits it to documents."""
    default = LineDedup("dedup_lines")
    unit = place.get("unit", str, default.unit)
    if unit not in UNITS:
        raise place.fail(f'unknown unit "{unit}"{did_you_mean(unit, UNITS)} (there are: {", ".join(UNITS)})')
    name = place.get("name", str, default.name if unit == "line" else f"dedup_{unit}s".replace("-", "_"))
    return LineDedup(
        name,
        unit,
        more_than=_at_least(place, "more_than", 1, default.more_than),
        bucket=_bucket(place, default.bucket),
        min_length=_at_least(place, "min_length", 1, default.min_length),
        min_left=_at_least(place, "min_left", 0, default.min_left),
        where=where,
    )


def substring_dedup(place: Place, where: str | None, keep: str) -> Trim:
    """Read a step that cuts repeated runs of words; `where` limits it to documents, `keep` says which copy stays."""
    default = SubstringDedup("dedup_substring")
    words = _at_least(place, "min_words", 2, default.min_words)
    if words > 10_000:
        raise place.fail(f"min_words must be at most 10000, not {words}")
    share = place.get("drop_at", float, default.drop_at)
    if not 0 < share <= 1:
        raise place.fail(f"drop_at is a share of a document's words above 0 and up to 1, not {share}")
    return SubstringDedup(place.get("name", str, default.name), words, share, keep, where)


def _at_least(place: Place, key: str, lowest: int, default: int) -> int:
    value: int = place.get(key, int, default)
    if not lowest <= value < 2**31:
        raise place.fail(f"{key} must be a whole number of at least {lowest}, not {value}")
    return value


def _bucket(place: Place, default: int) -> int:
    given: Any = place.table.get("bucket", default)
    try:
        if isinstance(given, bool) or not isinstance(given, int | str):
            raise RecipeError("")
        count = parse_count(given)
    except RecipeError:
        raise place.fail(f'bucket is a number of documents, such as "30M" or 500000, not {given!r}') from None
    return default if count is None else count
