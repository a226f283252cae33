"""Train the shipped `domain` model: `general`, `math` or `code`.

Run as `python -m classifiers.training.domain DATA -o FOLDER`; `classifiers.training.measure_quality` evaluates it.
Technical prose with code blocks counts as general.
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

from classifiers.card import write_card
from classifiers.training.augment import chunk, disturb
from classifiers.training.fit import Example, fit
from classifiers.training.sources import Record, Sources, held_out

SEED = 20261123
HELD_OUT_SOURCES = (
    "iipc/webarchive-commons",
    "google/cld3",
    "beowolx/rensa",
    "markusmobius/go-trafilatura",
    "postlight/mercury-parser",
    "HoTT/book",
    "QwenLM/Qwen2.5-Math mawps",
)
"""Whole repositories and books kept for evaluation."""
COUNTS = {
    "general": {
        "raw_web/cc_text": 14000, "raw_web/turku_registers_multiling": 6000, "high_quality/wikipedia_misc": 3000,
        "high_quality/books_standardebooks": 3000, "high_quality/peps_rustbook_progit": 2500,
        "high_quality/debian_docs_multiling": 3000, "high_quality/foldoc_dict": 2000, "lid/xquad_contexts": 2500,
        "quality_labels/spam_assassin": 3000, "quality_labels/clickbait_headlines": 2000, "lid/ntrex128": 4000,
    },
    "math": {
        "math/stacks_hott_tex": 9000, "math/gsm8k_train": 6000, "math/college_math_asdiv_mathqa": 6000,
    },
    "code": {"code/code_mixed": 20000},
}  # fmt: skip

TRAIN = {
    "loss": "softmax",
    "dim": 8,
    "wordNgrams": 2,
    "bucket": 1 << 19,
    "minCount": 3,
    "lr": 0.15,
    "epoch": 3,
    "seed": 1,
}
QUANTISE = {"qnorm": True, "dsub": 2, "cutoff": 40000, "retrain": True, "lr": 0.1, "epoch": 1}
ABOUT = "What a text is: general prose, math (formulas and word problems) or code (source files)."
LIMITS = [
    "math knows LaTeX source and school problems: of the HoTT book's sections (category theory in LaTeX, another "
    "author's macros) a third comes out as general; formulas as web pages show them were not in the training "
    "data.",
    "Prose about mathematics or physics with few formulas is general (OpenStax physics and sociology: 4% math).",
    "Technical prose with code blocks is general by definition; a text is one label, mixed texts are not split.",
    "Code means whole source files of Python, Java, JavaScript, Rust, C++, Go, Scala, shell and SQL; other "
    "languages are recognised as far as they look alike.",
    "Web pages of tables and numbers are taken for math or code in 1-3% of cases.",
]


def for_training(record: Record) -> bool:
    """Whether a record may be trained on; English Debian pages of another nominal language may."""
    return record["source"] not in HELD_OUT_SOURCES and not held_out(record) and bool(record["text"].strip())


def examples(sources: Sources) -> list[Example]:
    """Return the shuffled training examples."""
    rng = random.Random(SEED)
    made: list[Example] = []
    for label, counts in COUNTS.items():
        for name, count in counts.items():
            records = [record for record in sources.training(name) if for_training(record)]
            for _ in range(count):
                text = rng.choice(records)["text"]
                if rng.random() < 0.5:
                    text = re.sub(r"<<[^>]*>>", "", text)  # calculator marks of gsm8k
                if label == "math" and rng.random() < 0.3:
                    text = re.sub(r"[$\\\\{}]+|label|ref|noindent", " ", text)  # as formulas come out of web pages
                made.append((label, disturb(chunk(text, rng), rng, 0.1 if label == "general" else 0.02)))
    rng.shuffle(made)
    return made


def main() -> None:
    """Train and write domain.ftz and its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for domain.ftz and domain.json")
    options = parser.parse_args()
    sources = Sources(options.data)
    model = options.out / "domain.ftz"
    card = fit(examples(sources), model, TRAIN, QUANTISE)
    write_card(model, {"name": "domain", "about": ABOUT, "sources": sources.used, "limits": LIMITS, **card})


if __name__ == "__main__":
    main()
