"""What another toolkit says about texts: run by benchmarks/parity.py inside that toolkit's own environment.

    PYTHON benchmarks/parity_peers.py datatrove|dolma|dclm < texts.jsonl > answers.jsonl

Reads one JSON string a line; writes one object a line: values and decisions (true keeps) by rule, null where the
toolkit fails on the document. Needs nothing but the toolkit; for dclm, which is not on PyPI, the rules are written
down here over the word boundaries of uniseg, the library that DCLM calls.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

Answer = Callable[[str], dict[str, Any]]


def dolma() -> Answer:
    """Return gopher_v1, gopher_v2, c4_v1 and c4_v2: every value that the taggers write."""
    from dolma.core.data_types import Document
    from dolma.taggers.c4 import C4Tagger, FasterC4Tagger
    from dolma.taggers.gopher import GopherTagger, GopherTaggerV2

    gopher = {"gopher_v1": GopherTagger(), "gopher_v2": GopherTaggerV2()}
    c4 = {"c4_v1": C4Tagger(), "c4_v2": FasterC4Tagger()}

    def answer(text: str) -> dict[str, Any]:
        document = Document(source="", version="", id="", text=text)
        found: dict[str, Any] = {}
        for name, tagger in gopher.items():
            found |= {f"{name}.{span.type}": span.score for span in tagger.predict(document).spans}
        for name, tagger in c4.items():
            spans = tagger.predict(document).spans
            times = Counter(span.type for span in spans)
            for kind in ("has_curly_brace", "has_lorem_ipsum", "has_javascript", "lines_with_no_ending_punctuation",
                         "lines_with_too_few_words"):  # fmt: skip
                found[f"{name}.{kind}"] = times[kind]
            found[f"{name}.line_count"] = next(span.score for span in spans if span.type == "line_count")
        return found

    return answer


def datatrove() -> Answer:
    """Return what each filter decides with all its other rules switched off, and with its defaults."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4ParagraphFilter,
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    quality = dict.fromkeys(
        ("min_doc_words", "max_doc_words", "min_avg_word_length", "max_avg_word_length", "max_symbol_word_ratio",
         "max_bullet_lines_ratio", "max_ellipsis_lines_ratio", "max_non_alpha_words_ratio", "min_stop_words")
    )  # fmt: skip
    repetition: dict[str, Any] = dict.fromkeys(
        ("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac")
    )
    repetition |= {"top_n_grams": (), "dup_n_grams": ()}
    c4 = {"min_num_sentences": -1, "filter_lorem_ipsum": False, "filter_curly_bracket": False}
    fineweb = {"line_punct_thr": -1.0, "short_line_thr": 2.0, "char_duplicates_ratio": 2.0, "new_line_ratio": 1e9}
    top, duplicate = {2: 0.2, 3: 0.18, 4: 0.16}, {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
    filters = {
        "GopherQuality.words": GopherQualityFilter(**(quality | {"min_doc_words": 50, "max_doc_words": 100000})),
        "GopherQuality.word length": GopherQualityFilter(
            **(quality | {"min_avg_word_length": 3, "max_avg_word_length": 10})
        ),
        "GopherQuality.symbols": GopherQualityFilter(**(quality | {"max_symbol_word_ratio": 0.1})),
        "GopherQuality.bullets": GopherQualityFilter(**(quality | {"max_bullet_lines_ratio": 0.9})),
        "GopherQuality.ellipses": GopherQualityFilter(**(quality | {"max_ellipsis_lines_ratio": 0.3})),
        "GopherQuality.letters": GopherQualityFilter(**(quality | {"max_non_alpha_words_ratio": 0.8})),
        "GopherQuality.stop words": GopherQualityFilter(**(quality | {"min_stop_words": 2})),
        "GopherQuality": GopherQualityFilter(),
        "GopherRepetition.lines": GopherRepetitionFilter(**(repetition | {"dup_line_frac": 0.3})),
        "GopherRepetition.paragraphs": GopherRepetitionFilter(**(repetition | {"dup_para_frac": 0.3})),
        "GopherRepetition.line chars": GopherRepetitionFilter(**(repetition | {"dup_line_char_frac": 0.2})),
        "GopherRepetition.paragraph chars": GopherRepetitionFilter(**(repetition | {"dup_para_char_frac": 0.2})),
        **{f"GopherRepetition.top {n}": GopherRepetitionFilter(**(repetition | {"top_n_grams": ((n, limit),)}))
           for n, limit in top.items()},
        **{f"GopherRepetition.dup {n}": GopherRepetitionFilter(**(repetition | {"dup_n_grams": ((n, limit),)}))
           for n, limit in duplicate.items()},
        "GopherRepetition": GopherRepetitionFilter(),
        "C4Quality.sentences": C4QualityFilter(**(c4 | {"min_num_sentences": 5})),
        "C4Quality.curly bracket": C4QualityFilter(**(c4 | {"filter_curly_bracket": True})),
        "C4Quality.lorem ipsum": C4QualityFilter(**(c4 | {"filter_lorem_ipsum": True})),
        "C4Quality": C4QualityFilter(),
        "C4Paragraph": C4ParagraphFilter(),
        "FineWebQuality.line punctuation": FineWebQualityFilter(**(fineweb | {"line_punct_thr": 0.12})),
        "FineWebQuality.short lines": FineWebQualityFilter(**(fineweb | {"short_line_thr": 0.67})),
        "FineWebQuality.duplicates": FineWebQualityFilter(**(fineweb | {"char_duplicates_ratio": 0.01})),
        "FineWebQuality.newlines": FineWebQualityFilter(**(fineweb | {"new_line_ratio": 0.3})),
        "FineWebQuality": FineWebQualityFilter(),
    }  # fmt: skip

    def decide(rules: Any, text: str) -> bool | None:
        try:  # a document of its own: C4's filter rewrites it
            kept = rules.filter(Document(text=text, id=""))
        except ZeroDivisionError:
            return None
        return bool(kept[0] if isinstance(kept, tuple) else kept)

    def answer(text: str) -> dict[str, Any]:
        from datatrove.utils.text import split_into_words

        found: dict[str, Any] = {name: decide(rules, text) for name, rules in filters.items()}
        return found | {"tokens": len(split_into_words(text))}

    return answer


def dclm() -> Answer:
    """Return DCLM's values, counted the plain way."""
    from itertools import chain

    from uniseg.wordbreak import words as between_boundaries

    stop_words = {"the", "be", "to", "of", "and", "that", "have", "with"}

    def share(part: float, whole: float) -> float:
        return part / whole if whole else 0.0

    def copies(segments: list[str]) -> tuple[float, float]:
        times = Counter(segments)
        again = [segment for segment in segments if times[segment] > 1]
        return share(len(again), len(segments)), share(len("".join(again)), len("".join(segments)))

    def ngrams(words: list[str], n: int) -> float:
        grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        times = Counter(grams)
        best = max(times.values(), default=0)
        if best < 2:
            return 0.0
        total = len("".join(words))
        if n <= 4:
            return best * max(len("".join(gram)) for gram, count in times.items() if count == best) / total
        covered = set(chain.from_iterable(range(i, i + n) for i, gram in enumerate(grams) if times[gram] > 1))
        return share(sum(len(words[i]) for i in covered), total)

    def answer(text: str) -> dict[str, Any]:
        spaced = text.split()
        lines = [line for line in map(str.strip, text.split("\n")) if line]
        paragraphs = [paragraph for paragraph in map(str.strip, text.split("\n\n")) if paragraph]
        words = [word for word in between_boundaries(text) if word[0].isalnum()]
        found: dict[str, Any] = {
            "words": len(words),
            "mean word length": share(len("".join(spaced)), len(spaced)),
            "symbols": share(sum(map(text.count, ("#", "...", ". . .", "…"))), len(spaced)),
            "bullets": share(sum(line.startswith(("●", "•", "*", "-")) for line in lines), len(lines)),
            "ellipses": share(sum(line.endswith(("...", ". . .", "…")) for line in lines), len(lines)),
            "letters": share(sum(any(map(str.isalpha, word)) for word in spaced), len(spaced)),
            "stop words": sum(word.lower() in stop_words for word in spaced),
        }
        found["lines"], found["line chars"] = copies(lines)
        found["paragraphs"], found["paragraph chars"] = copies(paragraphs)
        return found | {f"{n}-grams": ngrams(words, n) for n in range(2, 11)}

    return answer


def main(toolkit: str) -> None:
    """Answer for every text on standard input."""
    answer = {"datatrove": datatrove, "dclm": dclm, "dolma": dolma}[toolkit]()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))))


if __name__ == "__main__":
    main(sys.argv[1])
