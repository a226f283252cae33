"""A `dedup` step of a recipe as TOML: which keys each method has, and what they may say.

What the step does is in `curate.decide.duplicates`.
"""

from __future__ import annotations

from typing import Any, Literal

from curate.errors import RecipeError, did_you_mean
from curate.kernels.shingling import NORMALISATIONS, SHINGLES
from curate.recipe.place import Place
from curate.recipe.steps import Dedup, Step

_EVERY = ("name", "dedup", "keep", "within", "priority", "protect", "alarm")
_SHINGLES = ("ngram", "shingle", "normalise", "fold_numbers")
_BANDS = ("bands", "rows", "find", "at", "permutations", "seed")
METHODS: dict[str, tuple[str, ...]] = {  # method -> the keys that only it has
    "exact": (),
    "url": ("url_column",),
    "minhash": (*_SHINGLES, *_BANDS, "verify", "short"),
}
DEDUP_KEYS = (*_EVERY, *(key for keys in METHODS.values() for key in keys))

SHORT = ("exact", "keep", "drop")
# Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.2.2: 9 for long documents, 5 for e-mails.
CHARACTERS = 9
CONTAINMENT = 0.8  # of a document's shingles in its survivor, where `verify = "containment"` gives no number
_FIND, _AT = 0.95, 0.8
_MAX_PERMUTATIONS = 16_384


def dedup(place: Place) -> list[Step]:
    """Return the step in a list, as every builder does."""
    method = place.get("dedup", str)
    for key in place.table:
        if key not in _EVERY and key not in METHODS[method]:
            owners = [name for name, keys in METHODS.items() if key in keys]
            raise place.fail(f'"{key}" has no meaning for dedup = "{method}", only for {", ".join(owners)}')
    default = Dedup(f"dedup_{method}", method)
    step = Dedup(
        name=place.get("name", str, default.name),
        method=method,
        keep=keep_order(place, default.keep),
        within=place.strings("within"),
        priority=_sources(place, "priority"),
        protect=_sources(place, "protect"),
        alarm=_share(place, "alarm", default.alarm, "a share of a source's documents"),
        url_column=place.get("url_column", str, default.url_column),
        **(_minhash(place, default) if method == "minhash" else {"verify": None}),
    )
    if not step.url_column:
        raise place.fail("url_column is the name of the metadata column that holds the URL; it cannot be empty")
    return [step]


def _minhash(place: Place, default: Dedup) -> dict[str, Any]:
    shingle = _one_of(place, "shingle", default.shingle, SHINGLES)
    ngram = _whole(place, "ngram", CHARACTERS if shingle == "char" else default.ngram)
    verify, measure = _verify(place, default.verify)
    return {
        "ngram": ngram,
        "shingle": shingle,
        "normalise": _one_of(place, "normalise", default.normalise, NORMALISATIONS),
        "fold_numbers": place.get("fold_numbers", bool, default.fold_numbers),
        "seed": _seed(place, default.seed),
        "verify": verify,
        "measure": measure,
        "short": _one_of(place, "short", default.short, SHORT),
        **_bands(place, default),
    }


def _bands(place: Place, default: Dedup) -> dict[str, Any]:
    """Bands and rows as given, or chosen for the share `find` of the pairs with similarity `at`."""
    if not {"find", "at", "permutations"} & place.table.keys():
        bands, rows = _whole(place, "bands", default.bands), _whole(place, "rows", default.rows)
        if bands * rows > _MAX_PERMUTATIONS:
            raise place.fail(f"bands times rows must be at most {_MAX_PERMUTATIONS}, not {bands * rows}")
        return {"bands": bands, "rows": rows}
    from curate.dedup.bands import PERMUTATIONS, choose

    if {"bands", "rows"} & place.table.keys():
        raise place.fail("find and at choose bands and rows: give either what is to be found, or bands and rows")
    permutations = _whole(place, "permutations", PERMUTATIONS)
    if permutations > _MAX_PERMUTATIONS:
        raise place.fail(f"permutations must be at most {_MAX_PERMUTATIONS}, not {permutations}")
    find, at = place.get("find", float, _FIND), place.get("at", float, _AT)
    try:
        bands, rows = choose(find, at, permutations)
    except RecipeError as error:
        raise place.fail(str(error)) from None
    return {"bands": bands, "rows": rows, "find": find, "at": at}


def _verify(place: Place, default: float | None) -> tuple[float | None, Literal["jaccard", "containment"]]:
    """The threshold of verification (None: no verification) and what it is of."""
    value: Any = place.table.get("verify", default)
    measure: Literal["jaccard", "containment"] = "jaccard"
    if value is False:
        return None, measure
    if isinstance(value, dict) and len(value) == 1:
        name, value = next(iter(value.items()))
    elif isinstance(value, str):
        name, value = value, CONTAINMENT if value == "containment" else default
    else:
        name = measure
    if name not in ("jaccard", "containment"):
        raise place.fail(f'verify: unknown measure "{name}"{did_you_mean(name, ["jaccard", "containment"])}')
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise place.fail(
            "verify must be a Jaccard similarity above 0 and up to 1, false, "
            f'"containment" or {{ containment = {CONTAINMENT} }}, not {value!r}'
        )
    return float(value), "containment" if name == "containment" else "jaccard"


def keep_order(place: Place, default: str) -> str:
    """Return which copy a step keeps: columns, each with ASC or DESC; RecipeError for anything else."""
    keep: str = place.get("keep", str, default)
    for part in keep.split(","):
        words = part.split()
        if not 1 <= len(words) <= 2 or words[1:] not in ([], ["ASC"], ["DESC"]) or not words[0].isidentifier():
            raise place.fail(
                f'keep = "{keep}": write columns with ASC or DESC, such as "quality DESC, char_count DESC"'
            )
    return keep


def _sources(place: Place, key: str) -> tuple[str, ...]:
    sources = place.strings(key)
    for source in sources:
        if sources.count(source) > 1:
            raise place.fail(f'{key} names the source "{source}" twice')
    return sources


def _one_of(place: Place, key: str, default: str, known: tuple[str, ...]) -> str:
    value: str = place.get(key, str, default)
    if value not in known:
        raise place.fail(f'{key} must be one of {", ".join(known)}, not "{value}"{did_you_mean(value, known)}')
    return value


def _whole(place: Place, key: str, default: int) -> int:
    value: int = place.get(key, int, default)
    if value < 1 or value > 10_000:
        raise place.fail(f"{key} must be between 1 and 10000, not {value}")
    return value


def _seed(place: Place, default: int) -> int:
    seed: int = place.get("seed", int, default)
    if not 0 <= seed < 2**32:
        raise place.fail(f"seed must be between 0 and {2**32 - 1}, not {seed}")
    return seed


def _share(place: Place, key: str, default: float, what: str) -> float:
    value: float = place.get(key, float, default)
    if not 0 < value <= 1:
        raise place.fail(f"{key} must be {what}, above 0 and up to 1, not {value:g}")
    return value
