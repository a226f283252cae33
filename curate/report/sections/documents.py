"""Documents: sampled texts cut to what a page can hold, the reason marked in them, duplicates beside their survivor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curate.report.charts import SIGNS
from curate.report.numbers import measured
from curate.report.samples import MAX_CHARACTERS
from curate.report.sections.words import shorten, visible

_SIDE = 1_500  # characters of a duplicate, and as many of its survivor, in the comparison
_SAME = 160  # characters of a stretch that both have, where it is longer: its two ends


def some(samples: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Return at most so many samples of each step."""
    seen: Counter[str | None] = Counter()
    chosen = []
    for sample in samples:
        seen[sample["step"]] += 1
        if seen[sample["step"]] <= most:
            chosen.append(sample)
    return chosen


def longest(samples: Sequence[Mapping[str, Any]], room: int) -> int:
    """Return how many characters of each text fit into `room` bytes of HTML, all texts together."""
    most = MAX_CHARACTERS
    while most > 100 and sum(_cost(text[:most]) for sample in samples for text in _texts(sample)) > room:
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
    rows: list[list[list[tuple[str, str]]]] = []
    room = most
    for pair in pairs:
        if room <= 0:
            break
        rows.append([_side(side, room) for side in pair])
        room -= max(sum(len(text) for _, text in side) for side in rows[-1])
    same = not any(kind == "only" for pair in pairs for side in pair for kind, _ in side)
    return {"rows": rows, "same": same, "more": room <= 0}


def _side(pieces: Iterable[tuple[str, str]], room: int) -> list[tuple[str, str]]:
    """Return the pieces of a side in at most `room` characters, long stretches that both have cut in the middle."""
    shown = []
    for kind, text in pieces:
        if kind == "same" and len(text) > _SAME:
            text = f"{text[: _SAME // 2]} … {text[-_SAME // 2 :]}"
        if room > 0:
            shown.append((kind, visible(text[:room])))
        room -= len(text)
    if shown:  # the end of a line is that of its row
        kind, text = shown[-1]
        shown[-1] = (kind, text.rstrip("\n") or "⏎")
    return shown


def _reason(reason: Mapping[str, Any]) -> dict[str, Any]:
    limit = f"{SIGNS[reason['operator']]} {measured(reason['threshold'])}" if "operator" in reason else ""
    return {"signal": reason["signal"], "value": shorten(measured(reason["value"]), 80), "limit": limit}
