"""A recipe: what is cleaned, measured, dropped and mixed.

Knows names and types; what a step does to documents is in `decide`, `dedup` and `mix`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.errors import RecipeError, did_you_mean
from curate.predicates import columns_of
from curate.recipe.mix import Mix
from curate.recipe.scores import ClassifierUse, Ensemble
from curate.recipe.steps import Dedup, Step

RECIPES = Path(__file__).parent.with_name("recipes")

BASE_COLUMNS = ("doc", "id", "source", "shard", "row")  # what every row of signals begins with
DECISION_COLUMNS = ("kept", "dropped_by", "failed", "cluster", "cluster_size", "survivor", "similarity", "weight")


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
    changes: dict[str, Any] = field(default_factory=dict)  # keys of [mix] that were given another value since

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
        from curate.recipe.toml import parse

        return parse(text, name, Path(folder).absolute())

    def with_tokens(self, tokens: int | None) -> Recipe:
        """Return the recipe with another token budget; None changes nothing."""
        return self if tokens is None else self.with_mix({"tokens": tokens})

    def with_mix(self, changes: dict[str, Any]) -> Recipe:
        """Return the recipe with other keys in its [mix], as TOML has them; RecipeError for a wrong one."""
        if not changes:
            return self
        from curate.recipe.toml_mix import mix

        changes = {**self.changes, **changes}
        table = {**tomllib.loads(self.text).get("mix", {}), **changes}
        if "shares" in changes:
            table = {key: value for key, value in table.items() if key != "method"}
        made = mix(f'recipe "{self.name}", [mix]', table)
        return dataclasses.replace(self, mix=made, changes=changes)

    @property
    def columns(self) -> frozenset[str]:
        """Every measured column that a step, an ensemble, a domain or the mix reads."""
        named = {column for step in self.steps for column in step.columns}
        named.update(column for _, sql in self.domains for column in columns_of(sql))
        named.update(column for column in self.mix.named if column != "domain" or not self.domains)
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
