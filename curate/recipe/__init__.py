"""A recipe: what is cleaned, measured, dropped and mixed, read from TOML and checked before anything runs."""

from curate.recipe.mix import Division, Mix, Quality, parse_count
from curate.recipe.recipe import BASE_COLUMNS, DECISION_COLUMNS, RECIPES, Recipe, fingerprint, shipped
from curate.recipe.references import Distribution, WordList
from curate.recipe.scores import ClassifierUse, Ensemble
from curate.recipe.steps import Dedup, Filter, Step, Top
from curate.recipe.trims import LineDedup, SubstringDedup, Trim

__all__ = [
    "BASE_COLUMNS",
    "DECISION_COLUMNS",
    "RECIPES",
    "ClassifierUse",
    "Dedup",
    "Distribution",
    "Division",
    "Ensemble",
    "Filter",
    "LineDedup",
    "Mix",
    "Quality",
    "Recipe",
    "Step",
    "SubstringDedup",
    "Top",
    "Trim",
    "WordList",
    "fingerprint",
    "parse_count",
    "shipped",
]
