"""`curate classifier …`: train, evaluate, score, inspect and label; each command calls one function and prints.

Like `cli`, it imports nothing heavy before a command needs it.
"""

from __future__ import annotations

import click


@click.group()
def classifier() -> None:
    """Train, evaluate, use and look into fastText classifiers.

    \b
    Example:
      curate classifier --help
    """
