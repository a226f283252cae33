"""Two texts side by side: what they share, what only one of them has, word by word.

For people who look at a duplicate and its survivor; how similar they are is measured elsewhere.
"""

from __future__ import annotations

import difflib
import re

_WORDS = 4_000  # of each text that are compared: what fits on a few screens

Piece = tuple[str, str]  # ("same" or "only", text)


def difference(text: str, other: str) -> list[tuple[list[Piece], list[Piece]]]:
    """Return pairs of stretches of both texts, in order; a stretch is cut into pieces that are shared and not.

    A pair covers about a line of each text. Texts are compared up to their first 4,000 words.
    """
    left, right = _split(text), _split(other)
    matcher = difflib.SequenceMatcher(None, [w.strip() for w in left], [w.strip() for w in right], autojunk=False)
    pairs: list[tuple[list[Piece], list[Piece]]] = [([], [])]
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag == "equal":
            for offset in range(a_end - a):
                _add(pairs[-1][0], "same", left[a + offset])
                _add(pairs[-1][1], "same", right[b + offset])
                if "\n" in left[a + offset] and "\n" in right[b + offset]:
                    pairs.append(([], []))
        else:
            for word in left[a:a_end]:
                _add(pairs[-1][0], "only", word)
            for word in right[b:b_end]:
                _add(pairs[-1][1], "only", word)
    return [pair for pair in pairs if any(pair)]


def _split(text: str) -> list[str]:
    """Cut a text into words, each with the white space after it."""
    return re.findall(r"\S+\s*|^\s+", text)[:_WORDS]


def _add(pieces: list[Piece], kind: str, word: str) -> None:
    if pieces and pieces[-1][0] == kind:
        pieces[-1] = (kind, pieces[-1][1] + word)
    else:
        pieces.append((kind, word))
