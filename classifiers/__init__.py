"""Text in, scores out: fastText models compiled to numba kernels.

Knows nothing of corpora, recipes or runs. Importing it is cheap: numpy, pyarrow and numba load on first use.

>>> model = classifiers.load("language")
>>> labels, scores = model.predict(["How are you?", "Wie geht es dir?"])
>>> labels[:, 0].tolist()
['en', 'de']
"""

from __future__ import annotations

from classifiers.errors import ClassifierError

TYPE_CHECKING = False  # typing itself costs more to import than all else here
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from classifiers.model import Model

__all__ = ["ClassifierError", "Model", "load", "shipped"]


def load(name_or_path: str | PathLike[str]) -> Model:
    """Load a shipped classifier by its name ("language", "quality", "domain") or any fastText file by its path.

    A file is anything that fastText's `supervised` wrote: .bin or .ftz, every loss.
    Raises ClassifierError when there is no such model or the file is not a sound fastText classifier.
    """
    from classifiers.model import load_model

    return load_model(name_or_path)


def shipped() -> list[str]:
    """Return the names of the classifiers that come with this package."""
    from classifiers.card import shipped_names

    return shipped_names()


def __getattr__(name: str) -> Any:
    if name == "Model":
        from classifiers.model import Model

        return Model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
