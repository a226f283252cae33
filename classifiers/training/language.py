"""Train the shipped `language` model: text to ISO 639 code.

Run as `python -m classifiers.training.language DATA -o FOLDER`; `classifiers.training.measure` evaluates it.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from classifiers.card import write_card
from classifiers.training.augment import disturb, piece, recase, sentences
from classifiers.training.fit import Example, fit
from classifiers.training.sources import Record, Sources

SEED = 20261123
HELD_OUT_FROM = 1800
"""NTREX is parallel: the same lines are held out in every language, from this one on."""
TITLES_HELD_OUT = {"Warsaw", "Normans", "Nikola_Tesla", "Oxygen", "Steam_engine", "Black_Death", "Geology", "Huguenot"}

_NTREX = """
afr:af amh:am arb:ar aze:az bak:ba bel:be bem:bem ben:bn bod:bo bos:bs bul:bg cat:ca ces:cs ckb:ckb cym:cy dan:da
deu:de div:dv dzo:dz ell:el eng:en est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fil:tl fin:fi fra:fr fuc:ff gle:ga
glg:gl guj:gu hau:ha heb:he hin:hi hmn:hmn hrv:hr hun:hu hye:hy ibo:ig ind:id isl:is ita:it jpn:ja kan:kn kat:ka
kaz:kk khm:km kin:rw kir:ky kmr:ku kor:ko lao:lo lav:lv lit:lt ltz:lb mal:ml mar:mr mkd:mk mlg:mg mlt:mt mon:mn
mri:mi msa:ms mya:my nde:nd nep:ne nld:nl nno:nn nob:no nso:nso nya:ny orm:om pan:pa pol:pl por:pt prs:fa pus:ps
ron:ro rus:ru shi:shi sin:si slk:sk slv:sl smo:sm sna:sn snd:sd som:so spa:es sqi:sq srp:sr ssw:ss swa:sw swe:sv
tah:ty tam:ta tat:tt tel:te tgk:tg tha:th tir:ti ton:to tsn:tn tuk:tk tur:tr uig:ug ukr:uk urd:ur uzb:uz ven:ve
vie:vi wol:wo xho:xh yor:yo yue:yue zho:zh zul:zu
"""
NTREX_CODES = dict(pair.split(":") for pair in _NTREX.split())
"""NTREX code without its region or script. Variants of a language share a label; Dari counts as Persian, Filipino as
Tagalog, Bokmål as `no`. Hassaniya Arabic (`mey`) is left out: too close to `ar` for 1,800 sentences."""
_UDHR = """
br ceb co cv eo fy gd gn gv haw hsb ht ia ilo iu jv kab kl la lg ln mai nv oc os qu rm sa sah sc se sg st su ts wa
yi
"""
UDHR_CODES = set(_UDHR.split())
"""Languages whose only text here is the Universal Declaration of Human Rights, beside those that NTREX has too."""
UDHR_ALIASES = {"nb": "no"}

LARGE = {"ar", "cs", "da", "de", "el", "es", "fi", "fr", "hu", "id", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro"}
LARGE |= {"ru", "sv", "th", "tr", "uk", "vi", "zh"}
DERIVED = {"large": 9000, "small": 4000, "tiny": 500}
ENGLISH = 60000

TRAIN = {
    "loss": "softmax",
    "dim": 16,
    "minn": 2,
    "maxn": 3,
    "bucket": 1 << 19,
    "minCount": 20,
    "lr": 0.7,
    "epoch": 4,
    "seed": 1,
}
QUANTISE = {"qnorm": True, "dsub": 2, "cutoff": 60000, "retrain": True, "lr": 0.5, "epoch": 2}

ABOUT = "Language of a text: ISO 639-1 code where there is one, else ISO 639-3. Variants of a language share a label."
LIMITS = [
    "Croatian, Bosnian and Serbian in Latin script are mistaken for one another: half of the time at 50 characters, "
    "one time in five at 1,000.",
    "Malay and Indonesian, Xhosa, Zulu, Swati and Ndebele, the two Norwegian standards and Danish, Galician and "
    "Portuguese are confused below 50 characters.",
    "Kirundi is not a label and comes out as Kinyarwanda (rw), Nigerian Pidgin as English; other languages that are "
    "not labels come out as a neighbour, often with a high score.",
    "Labels learned from the Universal Declaration only (br, co, eo, la, oc and others; fewer than 1,000 in "
    "`examples`) saw about 60 sentences: trust them on long text only.",
    "Of German or French pages full of English names and menus, about 1 in 100 is called English.",
    "Program code, lists of numbers and markup have no language; they come out as anything, mostly as English.",
    "Trained mostly on news, web pages, e-mail and documentation; poetry, chat and transliterated text were not.",
]


def ntrex_line(record: Record) -> int:
    """Return the line of an NTREX record; a second text with the same id is marked `#2`."""
    return int(record["id"].rsplit("/", 1)[1].split("#")[0])


def pools(sources: Sources) -> dict[str, list[str]]:
    """Return the training sentences of each language."""
    pool: dict[str, list[str]] = defaultdict(list)
    for record in sources.training("lid/ntrex128"):
        code = NTREX_CODES.get(record["lang"].split("-")[0])
        if code and ntrex_line(record) < HELD_OUT_FROM:
            pool[code].append(record["text"])
    known = set(pool)
    for record in sources.training("lid/udhr"):
        code = record["bcp47"].split("-")[0]
        code = UDHR_ALIASES.get(code, code)
        if code in known or code in UDHR_CODES:
            pool[code].extend(sentences(record["text"]))
    for record in sources.training("lid/xquad_contexts"):
        if record["title"] not in TITLES_HELD_OUT:
            pool[record["lang"]].extend(sentences(record["text"]))
    documentation: dict[str, list[str]] = defaultdict(list)
    for record in sources.training("high_quality/debian_docs_multiling"):
        if record.get("lang") and "installation-guide" in record["source"]:
            documentation[record["lang"].split("_")[0].split("-")[0]].extend(sentences(record["text"], 40))
    rng = random.Random(SEED)
    for code, found in sorted(documentation.items()):
        pool[code].extend(rng.sample(found, min(1200, len(found))))
    pool["en"].extend(english(sources, rng))
    return pool


def english(sources: Sources, rng: random.Random) -> list[str]:
    """Return further English sentences, from web pages, books, e-mail, headlines and reference works."""
    shares = {
        "raw_web/cc_text": 12000,
        "quality_labels/spam_assassin": 5000,
        "high_quality/books_standardebooks": 4000,
        "quality_labels/clickbait_headlines": 6000,
        "high_quality/foldoc_dict": 3000,
        "high_quality/wikipedia_misc": 3000,
        "high_quality/peps_rustbook_progit": 2000,
    }
    found = []
    for name, share in shares.items():
        texts = [record["text"] for record in sources.training(name) if record.get("lang", "en") == "en"]
        pieces = [sentence for text in texts for sentence in sentences(text, 15) if mostly_ascii(sentence)]
        found += rng.sample(pieces, min(share, len(pieces)))
    return found


def mostly_ascii(text: str) -> bool:
    """Whether at most one character in 20 is not ASCII: keeps foreign quotations out of the English pool."""
    return sum(character > "\x7f" for character in text) * 20 <= len(text)


def examples(sources: Sources) -> list[Example]:
    """Return the shuffled training examples: each sentence once, and others made of them."""
    made: list[Example] = []
    found = pools(sources)
    for code, pool in sorted(found.items()):
        rng = random.Random(f"{SEED} {code}")
        size = "large" if code in LARGE else "small" if len(pool) > 1500 else "tiny"
        count = ENGLISH if code == "en" else DERIVED[size]
        made += [(code, disturb(recase(text, rng), rng)) for text in pool]
        made += [(code, derive(pool, rng)) for _ in range(count)]
        if not any(map(mostly_ascii, pool[:20])):
            made += [(code, among_english(derive(pool, rng), found["en"], rng)) for _ in range(count // 3)]
    random.Random(SEED).shuffle(made)
    return made


def derive(pool: list[str], rng: random.Random) -> str:
    """Return several sentences in a row, or a piece of one, disturbed."""
    start = rng.randrange(len(pool))
    if rng.random() < 0.35:
        return disturb(recase(" ".join(pool[start : start + rng.randint(2, 5)]), rng), rng, 0.4)
    return disturb(recase(piece(pool[start], rng, 2), rng), rng, 0.15)


def among_english(text: str, english: list[str], rng: random.Random) -> str:
    """Return `text` with about as many English words before, behind or within it.

    Pages in other scripts are full of them; without this a few English words outweigh a sentence of Chinese, which is
    one "word" to fastText.
    """
    words = text.split(" ")
    for _ in range(rng.randint(1, 3)):
        words.insert(rng.choice((0, len(words), rng.randint(0, len(words)))), piece(rng.choice(english), rng, 1, 10))
    return " ".join(words)


def main() -> None:
    """Train and write language.ftz and its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for language.ftz and language.json")
    options = parser.parse_args()
    sources = Sources(options.data)
    model = options.out / "language.ftz"
    card = fit(examples(sources), model, TRAIN, QUANTISE)
    write_card(model, {"name": "language", "about": ABOUT, "sources": sources.used, "limits": LIMITS, **card})


if __name__ == "__main__":
    main()
