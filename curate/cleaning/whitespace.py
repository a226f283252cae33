"""Cleaners of white space; words and their order stay.

Knows nothing of the other kinds of cleaning.
"""

from __future__ import annotations

import numpy as np

from classifiers.arrow import Strings
from curate.kernels.unicode import tables
from curate.kernels.whitespace import cap_newlines, tidy


def whitespace(strings: Strings) -> Strings:
    """Two or more spaces or tabs inside a line become one space, none stay at its end, at most one blank line.

    Spaces are those of Unicode; one by itself stays what it is. White space that begins a line stays, so code keeps
    its indentation; columns that were aligned with spaces inside lines do not. Runs after `unicode`, which makes
    newlines of the other line ends.
    """
    out, offsets = np.empty(strings.nbytes, np.uint8), np.empty_like(strings.offsets)
    size = tidy(strings.data, strings.offsets, tables(), out, offsets)
    return Strings(out[:size], offsets)


def newlines(strings: Strings) -> Strings:
    """More than two newlines in a row become two (DCLM, `newline_removal_modifier` with max_consecutive 2)."""
    out, offsets = np.empty(strings.nbytes, np.uint8), np.empty_like(strings.offsets)
    size = cap_newlines(strings.data, strings.offsets, out, offsets)
    return Strings(out[:size], offsets)
