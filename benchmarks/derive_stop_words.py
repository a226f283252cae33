"""Derive the stop words of each language: the words that are frequent in reference text, and frequent all through it.

    python benchmarks/derive_stop_words.py DATA [--words LANGUAGE] > curate/signals/stop_words.txt

DATA is the folder with lid/ntrex128.jsonl.zst (NTREX-128: 1,997 sentences of news from 123 articles, translated to 128
languages; CC BY-SA 4.0). FineWeb2 takes the words above a frequency in reference text (Penedo et al. 2025); here a word
must also be spread over the text about as evenly as chance would spread it, so that what some articles were about
(names, places) stays out.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections import Counter
from pathlib import Path

# Python puts the folder of a script first, where classifiers.py hides the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from classifiers.training.sources import read_jsonl  # noqa: E402
from curate.signals import Documents  # noqa: E402
from curate.signals.stop_words import MOST_WORDS  # noqa: E402

FREQUENCY = 0.0015  # of all words
PARTS = 120  # of consecutive sentences, about an article each
SPREAD = 0.6  # parts with the word, by the parts with it if its copies were spread by chance

# Languages by share of web text, and others that the reference has; a language with two scripts has two lists. Burmese
# is not among them: the reference has it in Zawgyi, an encoding that is not Unicode's.
LANGUAGES = {
    "en": "eng", "ru": "rus", "de": "deu", "ja": "jpn", "es": "spa", "zh": "zho-CN", "fr": "fra", "it": "ita",
    "pt": "por-BR", "nl": "nld", "pl": "pol", "tr": "tur", "cs": "ces", "id": "ind", "vi": "vie", "fa": "fas",
    "ko": "kor", "ar": "arb", "hu": "hun", "uk": "ukr", "el": "ell", "sv": "swe", "ro": "ron", "da": "dan",
    "fi": "fin", "th": "tha", "sk": "slk", "nb": "nob", "bg": "bul", "he": "heb", "hi": "hin", "ca": "cat",
    "lt": "lit", "hr": "hrv", "sl": "slv", "et": "est", "sr-Cyrl": "srp-Cyrl", "sr-Latn": "srp-Latn", "lv": "lav",
    "zh-Hant": "zho-TW", "ms": "msa", "bn": "ben", "ta": "tam", "te": "tel", "mr": "mar", "ml": "mal", "kn": "kan",
    "gu": "guj", "pa": "pan", "ur": "urd", "ne": "nep", "si": "sin", "ka": "kat", "hy": "hye", "az": "aze-Latn",
    "kk": "kaz", "uz": "uzb", "ky": "kir", "mk": "mkd", "sq": "sqi", "bs": "bos", "is": "isl", "eu": "eus",
    "gl": "glg", "ga": "gle", "cy": "cym", "mt": "mlt", "be": "bel", "af": "afr", "sw": "swa", "tl": "fil",
    "am": "amh", "km": "khm", "lo": "lao", "mn": "mon", "nn": "nno", "so": "som", "ha": "hau", "yo": "yor",
}  # fmt: skip


def words_of(sentences: list[str]) -> list[list[str]]:
    """Return the Unicode words of each part of the text, lower-cased as the kernel does."""
    size = -(-len(sentences) // PARTS)
    texts = [" \n ".join(sentences[start : start + size]) for start in range(0, len(sentences), size)]
    documents = Documents(texts)
    data, found = documents.strings.data.tobytes(), documents.unicode_words
    spans = list(zip(found.start.tolist(), found.stop.tolist(), strict=True))
    parts = zip(found.first.tolist(), found.first[1:].tolist(), strict=False)
    return [[_lower(data[start:stop].decode()) for start, stop in spans[a:b]] for a, b in parts]


def _lower(word: str) -> str:
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in word)


def by_chance(count: int) -> float:
    """Return how many of the parts hold at least one of `count` copies thrown at random."""
    return PARTS * (1 - (1 - 1 / PARTS) ** count)


def stop_words(sentences: list[str]) -> dict[str, float]:
    """Return the stop words of a text with their frequency, most frequent first."""
    parts = words_of(sentences)
    times = Counter(word for part in parts for word in part)
    spread = Counter(word for part in parts for word in set(part))
    total = times.total()
    chosen = [
        word
        for word, count in sorted(times.items(), key=lambda item: (-item[1], item[0]))
        if count >= FREQUENCY * total and spread[word] >= SPREAD * by_chance(count) and not word.isdecimal()
    ]
    return {word: times[word] / total for word in chosen[:MOST_WORDS]}


def main() -> None:
    """Print the data file, or the words of one language with their frequencies."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("data", type=Path)
    options.add_argument("--words", metavar="LANGUAGE")
    given = options.parse_args()
    texts: dict[str, list[str]] = {}
    for record in read_jsonl(given.data / "lid" / "ntrex128.jsonl.zst"):
        texts.setdefault(record["lang"], []).append(unicodedata.normalize("NFC", record["text"]))
    if given.words:
        for word, share in stop_words(texts[LANGUAGES[given.words]]).items():
            print(f"{share:.4f} {word}")
        return
    for language, name in LANGUAGES.items():
        print(language, *stop_words(texts[name]))


if __name__ == "__main__":
    main()
