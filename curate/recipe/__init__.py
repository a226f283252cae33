"""A recipe: what is cleaned, measured, dropped and mixed, read from TOML and checked before anything runs."""

from curate.recipe.mix import Division, Mix, Quality, parse_count
from curate.recipe.recipe import BASE_COLUMNS, DECISION_COLUMNS, RECIPES, Recipe, fingerprint, shipped
from curate.recipe.scores import ClassifierUse, Ensemble
from curate.recipe.steps import Dedup, Filter, Step, Top

__all__ = [
    "BASE_COLUMNS",
    "DECISION_COLUMNS",
    "RECIPES",
    "ClassifierUse",
    "Dedup",
    "Division",
    "Ensemble",
    "Filter",
    "Mix",
    "Quality",
    "Recipe",
    "Step",
    "Top",
    "fingerprint",
    "parse_count",
    "shipped",
]
