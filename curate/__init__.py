"""curate: turn a raw text corpus into a high-quality training mix, with a reason for every document.

The public API; names are loaded on first use, so that importing this costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from curate.errors import (
    CurateError,
    EngineError,
    InputError,
    PluginError,
    RecipeError,
    RunError,
    SpaceError,
    StorageError,
)

if TYPE_CHECKING:
    from curate import dedup
    from curate.audit.audit import audit
    from curate.corpus import corpus
    from curate.decide.stage import decide
    from curate.measure.texts import measure
    from curate.recipe import Recipe
    from curate.run import Run
    from curate.signals.plugins import signal
    from curate.write.stage import write

__version__ = "0.1.0"

__all__ = [
    "CurateError",
    "EngineError",
    "InputError",
    "PluginError",
    "Recipe",
    "RecipeError",
    "Run",
    "RunError",
    "SpaceError",
    "StorageError",
    "audit",
    "corpus",
    "decide",
    "dedup",
    "measure",
    "signal",
    "write",
]

_HOMES = {
    "Recipe": "curate.recipe",
    "Run": "curate.run",
    "audit": "curate.audit.audit",
    "corpus": "curate.corpus",
    "decide": "curate.decide.stage",
    "measure": "curate.measure.texts",
    "signal": "curate.signals.plugins",
    "write": "curate.write.stage",
}


class _Package(ModuleType):
    """Lets `curate.measure` be the function although `curate/measure/` is a package of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _HOMES):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name == "dedup":
            return import_module("curate.dedup")
        if name not in _HOMES:
            raise AttributeError(f"module 'curate' has no attribute '{name}'")
        return getattr(import_module(_HOMES[name]), name)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *__all__})


sys.modules[__name__].__class__ = _Package
