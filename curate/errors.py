"""What can go wrong, worded for the person who runs the tool.

CurateError
├── InputError      an input cannot be found or read
├── RecipeError     a recipe is wrong: unknown key, unknown signal, value out of range
├── EngineError     the cluster that a run shall work on cannot be reached, or fails at tasks
├── EndpointError   a language model's endpoint cannot be reached or refuses to answer
├── PluginError     a signal of the user's cannot be loaded, fails, or returns something else than it says
├── StorageError    an object store cannot be reached, refuses access, or needs something installed
├── RunError        a run directory is missing, incomplete, locked or holds something else
└── SpaceError      the disk is full

Every message says what happened, where, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CurateError(Exception):
    """Root of every error that curate raises on purpose; its text is meant to be shown as it is."""


class InputError(CurateError):
    """An input is missing, unreadable, or not what its name says."""


class RecipeError(CurateError):
    """A recipe, or an option that changes one, asks for something that does not exist."""


class EngineError(CurateError):
    """The place where tasks run is missing, has no room for them, or lost them every time."""


class EndpointError(CurateError):
    """The endpoint of a language model cannot be reached, or refuses every request."""


class PluginError(CurateError):
    """Code of the user's, which defines a signal, is missing or does something wrong."""


class StorageError(CurateError):
    """An object store cannot be reached, refuses access, or needs what is not installed."""


class RunError(CurateError):
    """A run directory cannot be used as asked."""


class SpaceError(RunError):
    """There was no space left to write to."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean "x"?"` for the closest known name, or an empty string.

    >>> did_you_mean("lang_score", ["language_score", "quality"])
    '; did you mean "language_score"?'
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
