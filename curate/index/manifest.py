"""The manifest of an index: which segments belong to it, of which runs they are, and how all of them were sketched.

What is not in the manifest is not in the index, whatever lies in the directory. Reads no segment.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import RunError
from curate.recipe import Dedup, Recipe, fingerprint
from curate.shards.atomic import atomic_bytes

if TYPE_CHECKING:
    from curate.run import Run

MANIFEST = "index.json"
_FORMAT = 1


@dataclass(frozen=True)
class Parameters:
    """How the documents of an index were sketched; two things can only be compared when all of it is equal.

    `minhash`: the sketch parameters of the recipe (ngram, bands, rows, seed, …), None for exact hashes only.
    `exact_within`, `minhash_within`: the columns inside whose equal values each kind of duplicate is looked for.
    `signatures_only`: no shingles are kept, and similarities are estimates from signatures.
    """

    minhash: tuple[tuple[str, Any], ...] | None
    exact_within: tuple[str, ...] = ()
    minhash_within: tuple[str, ...] = ()
    signatures_only: bool = False

    @staticmethod
    def of(recipe: Recipe, minhash: tuple[tuple[str, Any], ...] | None, signatures_only: bool = False) -> Parameters:
        """Return the parameters that a recipe asks for; RecipeError when its steps of one kind differ in `within`."""
        return Parameters(
            minhash,
            _within(recipe, recipe.dedups("exact")),
            _within(recipe, recipe.dedups("minhash")),
            signatures_only and minhash is not None,
        )

    @property
    def bands(self) -> int:
        """Bands of a document, 0 without near-duplicates."""
        return int(dict(self.minhash)["bands"]) if self.minhash else 0

    def difference(self, other: Parameters) -> str | None:
        """Say in words what `other` has that this has not; None when documents of both can be compared."""
        if self.minhash != other.minhash:
            mine, theirs = dict(self.minhash or ()), dict(other.minhash or ())
            if not mine or not theirs:
                return f"{'near-duplicates' if theirs else 'only exact duplicates'}"
            differing = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
            return ", ".join(f"{name} {theirs.get(name)} instead of {mine.get(name)}" for name in differing)
        for name in ("exact_within", "minhash_within"):
            if getattr(self, name) != getattr(other, name):
                return f"within = {list(getattr(other, name))} instead of {list(getattr(self, name))}"
        return None


def _within(recipe: Recipe, steps: list[Dedup]) -> tuple[str, ...]:
    scopes = {step.within for step in steps}
    if len(scopes) > 1:
        raise RunError(
            f'recipe "{recipe.name}": its {steps[0].method} steps look for duplicates within different columns; '
            "an index holds one scope of each kind"
        )
    return scopes.pop() if scopes else ()


@dataclass(frozen=True)
class Entry:
    """A segment: the kept documents of one run. `origin`: what tells the run, by its input files and its directory."""

    segment: str
    run: str
    fingerprint: str
    origin: tuple[str, ...]
    documents: int
    bytes: int
    sources: dict[str, int]
    added: float
    recipe: str = ""
    clean: tuple[str, ...] = ()  # the recipe's cleaners


def origin_of(run: Run) -> tuple[str, ...]:
    """Return what an index knows a run by: the state of its input files, and when its directory was made."""
    return run.input_key(), f"made {run.manifest['created']}"


@dataclass(frozen=True)
class Manifest:
    """Everything that an index is."""

    parameters: Parameters
    entries: list[Entry] = field(default_factory=list)

    def others(self, origin: tuple[str, ...]) -> list[Entry]:
        """Return the entries but those of the run of this origin: no run is a duplicate of itself."""
        return [entry for entry in self.entries if not set(entry.origin) & set(origin)]

    def fingerprint(self, origin: tuple[str, ...]) -> str:
        """Return a hash of what the lookup of a run of this origin depends on."""
        return fingerprint([asdict(self.parameters), [entry.segment for entry in self.others(origin)]])

    def write(self, path: Path) -> None:
        """Make this the manifest of the index at `path`."""
        content = {"format": _FORMAT, "parameters": asdict(self.parameters)}
        content["entries"] = [asdict(entry) for entry in self.entries]
        atomic_bytes(path / MANIFEST, json.dumps(content, indent=1, ensure_ascii=False).encode())

    @staticmethod
    def read(path: Path) -> Manifest:
        """Return the manifest of the index at `path`; RunError when there is none or it cannot be read."""
        file = path / MANIFEST
        if not file.is_file():
            raise RunError(f"{path} is not an index: it has no {MANIFEST}; make one with: curate index add {path} RUN")
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if content["format"] != _FORMAT:
                raise RunError(f"{path} was made by another version of curate; add its runs to a new index")
            stored = content["parameters"]
            minhash = stored["minhash"]
            parameters = Parameters(
                None if minhash is None else tuple((name, value) for name, value in minhash),
                tuple(stored["exact_within"]),
                tuple(stored["minhash_within"]),
                stored["signatures_only"],
            )
            return Manifest(parameters, [Entry(**entry) for entry in content["entries"]])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise RunError(f"{file} is not the manifest of an index ({type(error).__name__}: {error})") from None
