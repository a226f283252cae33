"""What can go wrong with a classifier, worded for the person who gave it.

Knows nothing of how a model is read or scored.
"""

from __future__ import annotations


class ClassifierError(ValueError):
    """A model cannot be found, read or asked what was asked; the text names the file and says what to do."""
