"""What has to be measured: the columns that a recipe names decide which signals, classifiers and sketches run.

Measures nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import classifiers
import curate
from curate.errors import RecipeError, did_you_mean
from curate.measure.ranges import check_thresholds
from curate.measure.references import reference_state
from curate.measure.scores import classifier_columns, digest, model
from curate.recipe import BASE_COLUMNS, ClassifierUse, Dedup, Distribution, Recipe, WordList, fingerprint
from curate.signals import registry
from curate.signals.cleaned import check_cleaners
from curate.signals.plugins import registered
from curate.signals.word_lists import word_table

ALWAYS = ("byte_count", "char_count", "token_count")  # what every report counts in


@dataclass(frozen=True)
class Plan:
    """What to measure: cleaners, signals by name, classifiers, sketch parameters, metadata columns."""

    clean: tuple[str, ...] = ()
    signals: tuple[str, ...] = ALWAYS
    classifiers: tuple[ClassifierUse, ...] = ()
    minhash: tuple[tuple[str, Any], ...] | None = None  # bands, rows, seed, and what a shingle is
    metadata: tuple[str, ...] = ()
    tokenizer: str | None = None
    urls: tuple[str, ...] = ()  # metadata columns of which hashes of URLs are kept
    word_lists: tuple[WordList, ...] = ()
    distributions: tuple[Distribution, ...] = ()

    @staticmethod
    def of(recipe: Recipe, tokenizer: str | None = None) -> Plan:
        """Return what a recipe needs: the columns that its steps name decide which signals are measured.

        Columns that are no signal are taken for metadata; `check_metadata` finds out whether they exist.
        """
        outputs = {column: use for use in recipe.classifiers for column in classifier_columns(use)}
        _check_columns_once(recipe)
        check_cleaners(recipe)
        check_thresholds(recipe)
        wanted = recipe.columns
        minhash = {_sketch_parameters(step) for step in recipe.dedups("minhash")}
        if len(minhash) > 1:
            raise RecipeError(f'recipe "{recipe.name}": its minhash steps need the same shingles, bands, rows and seed')
        known = {*registry(), *outputs, *_reference_columns(recipe), *BASE_COLUMNS}
        return Plan(
            clean=recipe.clean,
            signals=tuple(name for name in registry() if name in wanted or name in ALWAYS),
            classifiers=tuple(dict.fromkeys(use for column, use in outputs.items() if column in wanted)),
            minhash=minhash.pop() if minhash else None,
            metadata=tuple(sorted(wanted - known)),
            tokenizer=tokenizer,
            urls=tuple(sorted({step.url_column for step in recipe.dedups("url")})),
            word_lists=tuple(use for use in recipe.word_lists if wanted.intersection(use.columns)),
            distributions=tuple(use for use in recipe.distributions if use.name in wanted),
        )

    def key(self) -> str:
        """Return a hash of everything that the output of measure depends on, inputs aside."""
        models = [(digest(model(use.model).path), model(use.model).card, asdict(use)) for use in self.classifiers]
        tokenizer = digest(Path(self.tokenizer)) if self.tokenizer else None
        lists = [(use.name, digest(Path(use.path))) for use in self.word_lists if word_table(use)]
        references = [(asdict(use), reference_state(use)) for use in self.distributions]
        plugins = [(name, entry.digest) for name, entry in registered().items() if name in self.signals]
        facts = [self.clean, self.signals, models, self.minhash, self.metadata, tokenizer, self.urls, lists, references]
        facts.append(plugins)
        return fingerprint([curate.__version__, *facts])

    def files(self) -> list[str]:
        """Return the files that measuring reads beside the inputs: tokenizer, word lists, models of one's own."""
        files = [*(use.path for use in self.word_lists), *(use.model for use in self.classifiers)]
        return [*files, self.tokenizer] if self.tokenizer else files

    def states(self) -> dict[str, str]:
        """Return what is measured with but is not in the recipe, by what to call it, and a hash of each."""
        found = {f'the word list "{use.name}"': digest(Path(use.path)) for use in self.word_lists}
        found |= {f'the reference of "{use.name}"': fingerprint(reference_state(use)) for use in self.distributions}
        found |= {f'the model of "{use.signal}"': digest(model(use.model).path) for use in self.classifiers}
        plugins = {name: entry.digest for name, entry in registered().items() if name in self.signals}
        return found | {f'the plugin of "{name}"': state for name, state in plugins.items()}

    @staticmethod
    def of_names(names: Sequence[str]) -> Plan:
        """Return a plan for signals by name; shipped classifiers are named after their signal."""
        shipped = classifiers.shipped()
        bases = [name if name in registry() else name.removesuffix("_score") for name in names]
        for base in bases:
            if base not in registry() and base not in shipped:
                known = [*registry(), *shipped]
                raise RecipeError(f'unknown signal "{base}"{did_you_mean(base, known)} (curate signals lists all)')
        uses = tuple(ClassifierUse(base, base) for base in dict.fromkeys(bases) if base not in registry())
        return Plan(signals=tuple(name for name in registry() if name in bases), classifiers=uses)

    @staticmethod
    def from_dict(stored: dict[str, Any]) -> Plan:
        """Rebuild a plan from the manifest, where `dataclasses.asdict` put it."""
        minhash = stored["minhash"]
        return Plan(
            clean=tuple(stored["clean"]),
            signals=tuple(stored["signals"]),
            classifiers=tuple(ClassifierUse(**use) for use in stored["classifiers"]),
            minhash=None if minhash is None else tuple((name, value) for name, value in minhash),
            metadata=tuple(stored["metadata"]),
            tokenizer=stored["tokenizer"],
            urls=tuple(stored.get("urls", ())),
            word_lists=tuple(WordList(**use) for use in stored.get("word_lists", ())),
            distributions=tuple(Distribution(**use) for use in stored.get("distributions", ())),
        )

    def covers(self, other: Plan) -> bool:
        """Tell whether output measured for this plan serves the other one too."""
        return (
            (self.clean, self.tokenizer) == (other.clean, other.tokenizer)
            and set(other.signals) <= set(self.signals)
            and set(other.classifiers) <= set(self.classifiers)
            and set(other.metadata) <= set(self.metadata)
            and {use.name for use in other.word_lists} <= {use.name for use in self.word_lists}
            and set(other.distributions) <= set(self.distributions)
            and other.minhash in (None, self.minhash)
            and set(other.urls) <= set(self.urls)
        )


def _check_columns_once(recipe: Recipe) -> None:
    """Raise RecipeError when two sections of a recipe fill the same column."""
    columns = [column for use in recipe.classifiers for column in classifier_columns(use)]
    columns += [ensemble.name for ensemble in recipe.ensembles] + _reference_columns(recipe)
    for column in columns:
        if column in registered():
            raise RecipeError(
                f'recipe "{recipe.name}": "{column}" is a signal of {registered()[column].plugin}; rename one'
            )
        if columns.count(column) > 1:
            raise RecipeError(
                f'recipe "{recipe.name}": two classifiers, ensembles, word lists or distributions make the column '
                f'"{column}"; rename one'
            )


def _reference_columns(recipe: Recipe) -> list[str]:
    lists = [column for use in recipe.word_lists for column in use.columns]
    return lists + [use.name for use in recipe.distributions]


def _sketch_parameters(step: Dedup) -> tuple[tuple[str, Any], ...]:
    return (*step.shingling._asdict().items(), ("bands", step.bands), ("rows", step.rows), ("seed", step.seed))


def check_known(recipe: Recipe, wanted: Sequence[str], found: set[str]) -> None:
    """Raise RecipeError when one of the columns `wanted` is neither a signal nor among those `found`."""
    outputs = {column for use in recipe.classifiers for column in classifier_columns(use)}
    known = {*registry(), *outputs, *_reference_columns(recipe), *BASE_COLUMNS, *found}
    for name in wanted:
        if name not in known:
            users = [step.name for step in recipe.steps if name in step.columns] or ["mix"]
            if name == "domain":
                raise RecipeError(
                    f'recipe "{recipe.name}": nothing says what the domain of a document is; add [domains], '
                    'a classifier called "domain", or mix by another column, such as by = "source"'
                )
            if name.removesuffix("_score") in classifiers.shipped():
                use = name.removesuffix("_score")
                raise RecipeError(
                    f'recipe "{recipe.name}", "{users[0]}": "{name}" is what a classifier gives; add [classifiers] '
                    f'with {use} = "{use}"'
                )
            raise RecipeError(
                f'recipe "{recipe.name}", "{users[0]}": unknown signal "{name}"{did_you_mean(name, known)} '
                f"(curate signals lists all; metadata columns of the inputs: {', '.join(sorted(found)) or 'none'})"
            )
