"""What becomes of a stage some of whose items fail: the others are done, then one error tells of all that failed.

Knows no engine.
"""

from __future__ import annotations

from curate.errors import CurateError, EngineError, PluginError, RecipeError, SpaceError

MOST = 20
"""Failures after which a stage stops: something is wrong with all of its items."""

_OF_ALL = (SpaceError, RecipeError, PluginError)  # what the other items have in common


class Failures:
    """The errors of some of `total` items."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._failed = 0
        self._errors: list[CurateError] = []  # items that went wrong together have one

    def take(self, error: CurateError) -> None:
        """Remember that an item failed. Raises at once what is wrong with all items, and where too many failed."""
        if isinstance(error, _OF_ALL):
            raise error
        self._failed += 1
        if not self._errors or self._errors[-1] is not error:
            self._errors.append(error)
        if len(self._errors) > MOST:
            self.tell("; the rest was not tried")

    def tell(self, others: str = ", the others are done") -> None:
        """Raise what went wrong: the error of a single item as it is, else an EngineError that names all."""
        if not self._failed:
            return
        if self._failed == 1:
            raise self._errors[0]
        lines = [f"  {error}" for error in self._errors[:MOST]]
        raise EngineError(
            f"{self._failed} of {self._total} tasks failed{others}; the same command goes on with what is left:\n"
            + "\n".join(lines)
        )
