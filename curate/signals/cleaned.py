"""What cleaning took away, as numbers: characters, lines and words of each cleaner that a recipe uses.

The only signals that are not about the cleaned text; counted while it is cleaned (`curate.text.clean_and_count`).
"""

from __future__ import annotations

from collections.abc import Iterable

from curate.cleaning.removed import KINDS
from curate.errors import RecipeError, did_you_mean
from curate.recipe import Recipe
from curate.signals.definition import Signal
from curate.text import CLEANERS

_WHAT = {
    "chars": ("characters", "Characters"),
    "lines": ("lines", "Lines (blank ones do not count)"),
    "words": ("words", "White-space words"),
}
_CITED = "The north[12] is cold.\n[edit]\nThe south is warm [citation needed]."
_C4_PAGE = "Menu\nThis line has more than five words."
_WEB_PAGE = "3 likes\nThe story goes on."

# A cleaner that replaces or joins, and takes no lines or words away on purpose, has no signal of them.
_EXAMPLES: dict[str, dict[str, tuple[str, int]]] = {
    "unicode": {"chars": ("bell\a\0", 2), "lines": ("one\n\a\ntwo", 1), "words": ("one \a two", 1)},
    "ftfy": {"chars": ("schÃ¶n", 1)},
    "whitespace": {"chars": ("too  many   spaces ", 4)},
    "newlines": {"chars": ("one\n\n\n\ntwo", 2)},
    "citations": {"chars": (_CITED, 27), "lines": (_CITED, 1), "words": (_CITED, 2)},
    "c4_lines": {"chars": (_C4_PAGE, 5), "lines": (_C4_PAGE, 1), "words": (_C4_PAGE, 1)},
    "refinedweb_lines": {"chars": (_WEB_PAGE, 8), "lines": (_WEB_PAGE, 1), "words": (_WEB_PAGE, 2)},
}  # fmt: skip


def _signal(cleaner: str, kind: str) -> Signal:
    unit, what = _WHAT[kind]
    return Signal(
        f"cleaned_{cleaner}_{kind}", "int64", unit,
        f"{what} that the cleaner `{cleaner}` took away: those that went into it less those that came out, "
        "0 where more came out.",
        "curate", lambda d: d.removed(cleaner)[:, KINDS.index(kind)], _EXAMPLES[cleaner][kind],
    )  # fmt: skip


_OF = {_signal(cleaner, kind): cleaner for cleaner, kinds in _EXAMPLES.items() for kind in kinds}
_CLEANER = {entry.name: cleaner for entry, cleaner in _OF.items()}

SIGNALS = tuple(_OF)


def cleaners_in(names: Iterable[str]) -> frozenset[str]:
    """Return the cleaners whose takings are among the named signals."""
    return frozenset(_CLEANER[name] for name in names if name in _CLEANER)


def check_cleaners(recipe: Recipe) -> None:
    """Raise RecipeError when a recipe names what a cleaner took away that it does not use, or that takes no such."""
    for name in sorted(recipe.columns):
        users = [step.name for step in recipe.steps if name in step.columns] or ["mix"]
        where = f'recipe "{recipe.name}", "{users[0]}"'
        if name in _CLEANER and _CLEANER[name] not in recipe.clean:
            used = ", ".join(f'"{cleaner}"' for cleaner in recipe.clean)
            raise RecipeError(
                f'{where}: "{name}" is what the cleaner "{_CLEANER[name]}" takes away, but the recipe does not use it: '
                f"clean = [{used}]"
            )
        if name not in _CLEANER and any(name.startswith(f"cleaned_{cleaner}_") for cleaner in CLEANERS):
            raise RecipeError(
                f'{where}: unknown signal "{name}"{did_you_mean(name, _CLEANER)} (curate signals lists all)'
            )
