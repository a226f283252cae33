"""How much of a document is mathematics, by lines.

No paper publishes thresholds for such shares; OpenWebMath (Paster et al. 2023, section 3) uses the same evidence,
LaTeX commands and formulas, to find pages with mathematics.
"""

from __future__ import annotations

from curate.kernels.lines import LINES
from curate.signals.definition import Signal
from curate.signals.documents import ratio

_SOURCE = "curate, after Paster et al. 2023 (OpenWebMath), section 3"

SIGNALS = (
    Signal("math_latex_lines", "float32", "share of lines",
           "Lines with LaTeX: a command of two letters or more (no path, escape or regular expression), "
           r"\(…\), \[…\], $$…$$, or $…$ as pandoc reads it, with one of \ ^ _ = + - < > { } inside.",
           _SOURCE, lambda d: ratio(d.math_lines[:, 0], d.line_counts[:, LINES]),
           ("Let $x^2 = 2$.\nIt costs $5 or $6.", 0.5), high=1),
    Signal("math_lines", "float32", "share of lines",
           "Lines with LaTeX (math_latex_lines), with a character of U+2200 to U+22FF (∑, ≤, ∈), or with an equation: "
           "= between two operands and a digit or one of + - * / ^ × ÷ on the line; no query strings of addresses.",
           _SOURCE, lambda d: ratio(d.math_lines[:, 1], d.line_counts[:, LINES]),
           ("Let $x^2 = 2$.\n3 + 4 = 7\nHence.\nSo.", 0.5), high=1),
)  # fmt: skip
