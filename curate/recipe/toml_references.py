"""[word_lists] and [distributions] of a recipe as TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curate.errors import RecipeError
from curate.recipe.place import Place
from curate.recipe.references import CORPUS, Distribution, WordList
from curate.recipe.toml_scores import check_free

_MOST_DOCUMENTS = 1_000_000
_MOST_WORDS = 1 << 22


def word_list(where: str, name: str, path: Any, folder: Path) -> WordList:
    """Build a word list; its path is relative to the folder of the recipe."""
    place = f'{where}, [word_lists] "{name}"'
    if not name.isidentifier():
        raise RecipeError(f"{place}: the name of a word list is letters, digits and underscores")
    if not isinstance(path, str) or not path:
        raise RecipeError(f"{place}: give the path of a text file with one word or phrase a line, not {path!r}")
    found = WordList(name, str(folder / Path(path).expanduser()))
    for column in found.columns:
        check_free(place, column)
    return found


def distribution(where: str, name: str, entry: Any, folder: Path) -> Distribution:
    """Build a distribution; the path of a reference is relative to the folder of the recipe."""
    place = f'{where}, [distributions] "{name}"'
    if not name.isidentifier():
        raise RecipeError(f"{place}: the name of a signal is letters, digits and underscores")
    check_free(place, name)
    entry = {"reference": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict):
        raise RecipeError(f'{place}: give "{CORPUS}", the path of texts, or {{ reference = "…", sample = 20000 }}')
    table = Place(place, entry, ("reference", "sample", "vocabulary", "text_column"))
    reference = table.get("reference", str)
    if not reference:
        raise table.fail(f'needs `reference`: "{CORPUS}" or the path of texts')
    default = Distribution(name)
    sample, vocabulary = (table.get(key, int, getattr(default, key)) for key in ("sample", "vocabulary"))
    if not 1 <= sample <= _MOST_DOCUMENTS:
        raise table.fail(f"sample is a number of documents between 1 and {_MOST_DOCUMENTS}, not {sample}")
    if not 1 <= vocabulary <= _MOST_WORDS:
        raise table.fail(f"vocabulary is a number of words between 1 and {_MOST_WORDS}, not {vocabulary}")
    if reference != CORPUS:
        reference = str(folder / Path(reference).expanduser())
    return Distribution(name, reference, sample, vocabulary, table.get("text_column", str, default.text_column))
