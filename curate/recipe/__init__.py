"""A recipe: what is cleaned, measured, dropped and mixed, read from TOML and checked before anything runs."""

from curate.recipe.mix import Mix, parse_count
from curate.recipe.recipe import BASE_COLUMNS, DECISION_COLUMNS, RECIPES, Recipe, fingerprint, shipped
from curate.recipe.references import Distribution, WordList
from curate.recipe.scores import ClassifierUse, Ensemble
from curate.recipe.steps import Dedup, Filter, Step, Top

__all__ = [
    "BASE_COLUMNS",
    "DECISION_COLUMNS",
    "RECIPES",
    "ClassifierUse",
    "Dedup",
    "Distribution",
    "Ensemble",
    "Filter",
    "Mix",
    "Recipe",
    "Step",
    "Top",
    "WordList",
    "fingerprint",
    "parse_count",
    "shipped",
]
