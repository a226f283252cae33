"""A recipe: what is cleaned, measured, dropped and mixed, read from TOML and checked before anything runs.

Knows names and types; what a step does to documents is in `decide`, `dedup` and `mix`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.errors import RecipeError, did_you_mean
from curate.predicates import columns_of

RECIPES = Path(__file__).with_name("recipes")

BASE_COLUMNS = ("doc", "id", "source", "shard", "row")  # what every row of signals begins with
DECISION_COLUMNS = ("kept", "dropped_by", "failed", "cluster", "cluster_size", "survivor", "similarity", "weight")
_SIZES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


@dataclass(frozen=True)
class Filter:
    """Keeps the documents for which an SQL predicate over signals is true (false and null drop).

    Documents that do not meet `where` are not judged: they pass.
    """

    name: str
    sql: str
    where: str | None = None
    kind: str = "filter"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the predicates name."""
        return tuple(sorted({*columns_of(self.sql), *(columns_of(self.where) if self.where else ())}))


@dataclass(frozen=True)
class Dedup:
    """Keeps one document of each group of duplicates: the first in the order `keep`.

    `method` "exact" compares normalised texts, "minhash" finds near-duplicates by `bands` of `rows` hashes over
    word `ngram`s. `verify` is the exact Jaccard similarity with its survivor that a document needs to be
    dropped, or None to trust the bands. `within`: duplicates are looked for inside equal values of these columns.
    """

    name: str
    method: str
    keep: str = "char_count DESC"
    within: tuple[str, ...] = ()
    ngram: int = 5
    bands: int = 14
    rows: int = 8
    seed: int = 1
    verify: float | None = 0.7
    kind: str = "dedup"

    @property
    def keep_order(self) -> tuple[tuple[str, bool], ...]:
        """Columns of the survivor policy in order, with True for descending."""
        parts = [part.split() for part in self.keep.split(",")]
        return tuple((part[0], part[1:] == ["DESC"]) for part in parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the policy and the scope name."""
        return (*(name for name, _ in self.keep_order), *self.within)


@dataclass(frozen=True)
class Top:
    """Keeps the best documents by a column until they hold `share` of the tokens, in all or in each group.

    With `tokens` instead, until they hold that many in all.
    """

    name: str
    share: float
    by: str
    tokens: int | None = None
    within: tuple[str, ...] = ()
    kind: str = "top"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the step names."""
        return (self.by, *self.within)


Step = Filter | Dedup | Top


@dataclass(frozen=True)
class Mix:
    """What the output is made of: shares by the values of column `by`, a token budget, a cap on repetition."""

    by: str = "source"
    tokens: int | None = None
    max_epochs: float = 4.0
    shares: dict[str, float] = field(default_factory=dict)

    @property
    def samples(self) -> bool:
        """Whether documents are sampled at all; otherwise every kept document is written once."""
        return self.tokens is not None or bool(self.shares)


@dataclass(frozen=True)
class ClassifierUse:
    """A fastText model and the signal it gives: the score of `label`, or the best label and its score.

    How a long document is read: `first` reads only so many characters of it, `first_words` only so many words;
    `windows` scores every stretch of about so many characters by itself, and the document has the `over` ("mean" or
    "min") of them. Otherwise all at once. `calibrated` gives the probability that the model's card makes of a score.
    """

    signal: str
    model: str
    label: str | None = None
    first: int | None = None
    first_words: int | None = None
    windows: int | None = None
    over: str = "mean"
    calibrated: bool = False


@dataclass(frozen=True)
class Ensemble:
    """A column made of several scores: each is ranked into `buckets` of equal tokens, the highest rank counts.

    Source: Su et al. 2024 (Nemotron-CC), section 3.2: 20 buckets, maximum over the classifiers.
    """

    name: str
    of: tuple[str, ...]
    buckets: int = 20


@dataclass(frozen=True)
class Recipe:
    """A validated recipe; `text` is the TOML that it was read from, empty when built in code, `folder` where."""

    name: str
    description: str = ""
    clean: tuple[str, ...] = ("unicode",)
    classifiers: tuple[ClassifierUse, ...] = ()
    ensembles: tuple[Ensemble, ...] = ()
    domains: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = ()
    mix: Mix = field(default_factory=Mix)
    text: str = ""
    folder: str = ""

    @staticmethod
    def load(source: str | Path) -> Recipe:
        """Read a shipped recipe by name, or a TOML file by path."""
        path = Path(source)
        if path.suffix != ".toml" and not path.is_file():
            path = RECIPES / f"{source}.toml"
            if not path.is_file():
                raise RecipeError(
                    f'unknown recipe "{source}"{did_you_mean(str(source), shipped())} '
                    f"(shipped: {', '.join(shipped())}; or give the path of a .toml file)"
                )
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f'cannot read recipe "{source}": {error}') from None
        return Recipe.parse(text, path.stem if path.parent == RECIPES else str(source), path.parent)

    @staticmethod
    def parse(text: str, name: str = "recipe", folder: str | Path = ".") -> Recipe:
        """Build a recipe from TOML; RecipeError says which key of which step is wrong and what was meant.

        Paths of models are relative to `folder`, that of the recipe's file.
        """
        from curate import recipe_toml

        return recipe_toml.parse(text, name, Path(folder).absolute())

    def with_tokens(self, tokens: int | None) -> Recipe:
        """Return the recipe with another token budget; None changes nothing."""
        return self if tokens is None else dataclasses.replace(self, mix=dataclasses.replace(self.mix, tokens=tokens))

    @property
    def columns(self) -> frozenset[str]:
        """Every measured column that a step, an ensemble, a domain or the mix reads."""
        named = {column for step in self.steps for column in step.columns}
        named.update(column for _, sql in self.domains for column in columns_of(sql))
        if not (self.domains and self.mix.by == "domain"):
            named.add(self.mix.by)
        made = {ensemble.name: ensemble.of for ensemble in self.ensembles}
        named.update(column for name in named & made.keys() for column in made[name])
        return frozenset(named - made.keys())

    def dedups(self, method: str) -> list[Dedup]:
        """Return the deduplication steps of one method."""
        return [step for step in self.steps if isinstance(step, Dedup) and step.method == method]

    def fingerprint(self) -> str:
        """Return a hash of what decide reads: steps, domains and mix; comments and layout do not count."""
        body = [dataclasses.asdict(step) for step in self.steps]
        made = [dataclasses.asdict(ensemble) for ensemble in self.ensembles]
        return fingerprint([body, made, self.domains, dataclasses.asdict(self.mix)])


def fingerprint(value: Any) -> str:
    """Return a short stable hash of a JSON-like value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def shipped() -> list[str]:
    """Return the names of the shipped recipes; the default comes first."""
    names = sorted(path.stem for path in RECIPES.glob("*.toml"))
    return sorted(names, key=lambda name: name != "web")


def parse_count(text: str | int | None) -> int | None:
    """Read "10B", "1.5M", "300k" or a number as an integer.

    >>> parse_count("1.5M")
    1500000
    """
    if text is None:
        return None
    body = str(text).strip().lower().replace("_", "").replace(",", "")
    unit = body[-1:] if body[-1:] in _SIZES and body[-1:] else ""
    try:
        value = float(body.removesuffix(unit)) * _SIZES[unit]
    except ValueError:
        value = -1.0
    if not 1 <= value < float("inf"):
        raise RecipeError(f'"{text}" is not a number of tokens; write for example 300M, 10B or 1.5T')
    return round(value)
