"""Documents: sampled texts cut to what a page can hold, the reason marked in them, duplicates beside their survivor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curate.report.charts import SIGNS
from curate.report.numbers import measured
from curate.report.samples import MAX_CHARACTERS
from curate.report.sections.words import shorten, visible

_TEXT_BUDGET = 2_500_000  # bytes of HTML that sample texts may take; the rest of the page needs under 2 MB
_SIDE = 1_500  # characters of a duplicate, and as many of its survivor, in the comparison
_SAME = 160  # characters of a stretch that both have, where it is longer: its two ends


def longest(samples: Sequence[Mapping[str, Any]]) -> int:
    """Return how many characters of each text the page can hold and stay small."""
    most = MAX_CHARACTERS
    while most > 100 and sum(_cost(text[:most]) for sample in samples for text in _texts(sample)) > _TEXT_BUDGET:
        most //= 2
    return most


def _texts(sample: Mapping[str, Any]) -> Iterable[str]:
    yield sample["text"]
    for side in (0, 1):
        if sample.get("difference"):
            yield "".join(text for pair in sample["difference"] for _, text in pair[side])


def _cost(text: str) -> int:
    return len(text.encode()) + 4 * sum(text.count(character) for character in "&<>'\"")


def documents(samples: Sequence[Mapping[str, Any]], rules: Mapping[str, str], most: int) -> list[dict[str, Any]]:
    """Return the samples with texts of at most `most` characters and the reason as a sentence of parts."""
    return [
        {
            **sample,
            "id": shorten(str(sample["id"]), 300),
            "survivor": None if sample["survivor"] is None else shorten(str(sample["survivor"]), 300),
            "pieces": pieces(sample["text"][:most], sample.get("highlight", ())),
            "preview": visible(" ".join(sample["text"][:400].split())[:180]),
            "cut": sample.get("begin", 0) + min(most, len(sample["text"])) < (sample["characters"] or 0),
            "begin": sample.get("begin", 0),
            "shown": min(most, len(sample["text"])),
            "rule": sample["rule"] or rules.get(sample["step"] or "", ""),
            "reasons": [_reason(reason) for reason in sample["reasons"]],
            "sides": sides(sample.get("difference"), min(most, _SIDE)),
        }
        for sample in samples
    ]


def pieces(text: str, spans: Iterable[Sequence[int]]) -> list[tuple[bool, str]]:
    """Cut a text into (marked, piece), in order.

    >>> pieces("a bad b", [(2, 5)])
    [(False, 'a '), (True, 'bad'), (False, ' b')]
    """
    found: list[tuple[bool, str]] = []
    at = 0
    for start, end in spans:
        start, end = max(start, at), min(end, len(text))
        if end > start:
            found += [(False, visible(text[at:start]))] if start > at else []
            found.append((True, visible(text[start:end])))
            at = end
    return found + ([(False, visible(text[at:]))] if at < len(text) else [])


def sides(pairs: Sequence[Any] | None, most: int) -> dict[str, Any] | None:
    """Return the comparison of a duplicate with its survivor as rows of two sides, what is long and equal shortened."""
    if pairs is None:
        return None
    rows: list[Any] = []
    room = most
    for left, right in pairs:
        row = [_side(left), _side(right)]
        room -= max(sum(len(text) for _, text in side) for side in row)
        if room < 0 and rows:
            break
        rows.append(row)
    same = not any(kind == "only" for pair in pairs for side in pair for kind, _ in side)
    return {"rows": rows, "same": same, "more": len(rows) < len(pairs)}


def _side(pieces: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    shown = []
    for kind, text in pieces:
        limit = _SAME if kind == "same" else 4 * _SAME
        if len(text) > limit:
            text = f"{text[: limit // 2]} … {text[-limit // 2 :]}"
        shown.append((kind, visible(text.rstrip("\n") or "⏎")))
    return shown


def _reason(reason: Mapping[str, Any]) -> dict[str, Any]:
    limit = f"{SIGNS[reason['operator']]} {measured(reason['threshold'])}" if "operator" in reason else ""
    return {"signal": reason["signal"], "value": shorten(measured(reason["value"]), 80), "limit": limit}
