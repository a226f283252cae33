"""What in a text made a signal what it is: the stretches to highlight when a person looks at a document.

For a few documents on a screen; signals themselves are measured by kernels.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

Span = tuple[int, int]

_BULLETS = ("•", "‣", "●", "*", "-")
_ENDS = tuple(".?!。？！؟।")
_SHORT_LINE = 30  # characters, as for fineweb_short_line_ratio
_NGRAM = re.compile(r"_(top|dup)_(\d+)gram$")


def evidence(signals: Iterable[str], text: str) -> list[Span]:
    """Return the stretches of `text` that count for any of the signals, [start, end) in characters, in order.

    Empty for signals about the text as a whole, such as its length.
    """
    found: set[Span] = set()
    for name in signals:
        ngram = _NGRAM.search(name)
        if ngram:
            found.update(_ngrams(text, int(ngram[2]), only_top=ngram[1] == "top"))
            continue
        for part, finder in _FINDERS:
            if part in name:
                found.update(finder(text))
                break
    return _joined(sorted(found))


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined


def _lines(text: str, pattern: str = r"[^\n]+") -> list[Span]:
    """Return the lines of a text without the white space around them; blank ones are left out."""
    spans = []
    for match in re.finditer(pattern, text):
        line = match.group()
        start = match.start() + len(line) - len(line.lstrip())
        if line.strip():
            spans.append((start, start + len(line.strip())))
    return spans


def _which(spans: list[Span], text: str, wanted: Callable[[str], bool]) -> list[Span]:
    return [(start, end) for start, end in spans if wanted(text[start:end])]


def _repeated(spans: list[Span], text: str) -> list[Span]:
    counts = Counter(text[start:end] for start, end in spans)
    return _which(spans, text, lambda block: counts[block] > 1)


def _paragraphs(text: str) -> list[Span]:
    return _lines(text, r"(?:[^\n]|\n(?![ \t]*\n))+")


def _ngrams(text: str, n: int, *, only_top: bool) -> list[Span]:
    found = list(re.finditer(r"\S+", text))
    words, strings = [match.span() for match in found], [match.group() for match in found]
    runs = list(zip(*(strings[i:] for i in range(n)), strict=False))
    counts = Counter(runs)
    if only_top:
        most = max(counts.values(), default=0)
        top = max(
            (run for run, count in counts.items() if count == most > 1), key=lambda run: len("".join(run)), default=()
        )
        repeated = {top}
    else:
        repeated = {run for run, count in counts.items() if count > 1}
    return [(words[i][0], words[i + n - 1][1]) for i, run in enumerate(runs) if run in repeated]


def _matches(pattern: str) -> Callable[[str], list[Span]]:
    return lambda text: [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


_FINDERS: tuple[tuple[str, Callable[[str], list[Span]]], ...] = (
    ("dup_line", lambda text: _repeated(_lines(text), text)),
    ("char_dup", lambda text: _repeated(_lines(text), text)),
    ("dup_paragraph", lambda text: _repeated(_paragraphs(text), text)),
    ("bullet", lambda text: _which(_lines(text), text, lambda line: line.startswith(_BULLETS))),
    ("ellipsis_lines", lambda text: _which(_lines(text), text, lambda line: line.endswith(("...", "…")))),
    ("ellipsis", _matches(r"\.\.\.|…")),
    ("hash_ratio", _matches("#")),
    ("symbol", _matches(r"#|\.\.\.|…")),
    ("short_line", lambda text: _which(_lines(text), text, lambda line: len(line) <= _SHORT_LINE)),
    ("line_punct", lambda text: _which(_lines(text), text, lambda line: not line.endswith(_ENDS))),
    ("curly_bracket", _matches("{")),
    ("lorem_ipsum", _matches("lorem ipsum")),
    ("javascript", _matches("javascript")),
    ("alpha_words", lambda text: _which([m.span() for m in re.finditer(r"\S+", text)], text, _has_no_letter)),
    ("url", _matches(r"(?:https?://|www\.)\S+")),
    ("digit", _matches(r"\d+")),
)


def _has_no_letter(word: str) -> bool:
    return not any(ch.isalpha() for ch in word)
