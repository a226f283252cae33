"""Cut and disturb training text so that a model meets what the web holds: pieces, capitals, URLs, markup.

Knows nothing of labels; every choice comes from the random generator that is passed in.
"""

from __future__ import annotations

import random
import re

SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？।۔።])\s*")
CHROME = (
    "Home", "Login", "Facebook", "Twitter", "Share", "YouTube", "Copyright", "All rights reserved", "Cookie", "Menu",
    "Blog", "Online", "Newsletter", "Video", "Google", "WhatsApp", "Instagram", "E-Mail", "Download", "Top", "PDF",
    "Read more", "Contact", "Search", "News", "Support", "Windows", "iPhone", "Privacy Policy", "Sign up", "Next",
)  # fmt: skip


def sentences(text: str, shortest: int = 20, longest: int = 600) -> list[str]:
    """Split `text` at line ends and sentence ends; pieces outside the given length in characters are left out."""
    pieces = (piece.strip() for line in text.split("\n") for piece in SENTENCE_END.split(line))
    return [piece for piece in pieces if shortest <= len(piece) <= longest]


def piece(text: str, rng: random.Random, fewest: int = 1, most: int = 8) -> str:
    """Return a few words in a row; of a script without spaces, some characters in a row."""
    words = text.split()
    if len(words) * 12 < len(text):
        size = rng.randint(5, 40)
        start = rng.randrange(max(1, len(text) - size))
        return text[start : start + size]
    size = rng.randint(fewest, most)
    start = rng.randrange(max(1, len(words) - size + 1))
    return " ".join(words[start : start + size])


def recase(text: str, rng: random.Random) -> str:
    """Return `text` in lower case, capitals or title case, most often unchanged."""
    dice = rng.random()
    if dice < 0.12:
        return text.lower()
    if dice < 0.18:
        return text.upper()
    if dice < 0.22:
        return text.title()
    return text


def clutter(rng: random.Random) -> str:
    """Return a scrap that says nothing of language or quality: an URL, a number, a date, a tag, a menu word."""
    kind = rng.randrange(8)
    letters = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9)))
    number = rng.randint(0, 10 ** rng.randint(1, 6))
    if kind == 0:
        return f"https://www.{letters}.{rng.choice(('com', 'org', 'net', 'info', 'io'))}/{number}"
    if kind == 1:
        return f"{letters}@{letters[:4]}.com"
    if kind == 2:
        return f"{rng.randint(1, 28)}.{rng.randint(1, 12)}.{rng.randint(1990, 2025)}"
    if kind == 3:
        return rng.choice(("|", "»", "•", "-", "*", "©", "...", "→", "#", "::", "–"))
    if kind == 4:
        return f'<div class="{letters}">'
    if kind == 5:
        return str(number) + rng.choice(("", "%", " €", " $", " km", "x", ":00"))
    return rng.choice(CHROME)


def disturb(text: str, rng: random.Random, chance: float = 0.2) -> str:
    """Put scraps of clutter between the words of `text` with the given chance; at most one for each six words."""
    if rng.random() >= chance:
        return text
    words = text.split(" ")
    for _ in range(rng.randint(1, max(1, len(words) // 6))):
        words.insert(rng.randint(0, len(words)), clutter(rng))
    return " ".join(words)


def chunk(text: str, rng: random.Random, fewest: int = 10, most: int = 400) -> str:
    """Return some words in a row, their number drawn so that every order of magnitude is as likely."""
    words = text.split()
    size = int(fewest * (most / fewest) ** rng.random())
    start = rng.randrange(max(1, len(words) - size + 1))
    return " ".join(words[start : start + size])


def plain(text: str, rng: random.Random) -> str:
    """Return `text` without what tells its source: tokenisation, wikitext and dictionary markup, quote style."""
    text = text.replace("<unk>", " ").replace("\u2060", "").replace("@-@", "-")
    text = re.sub(r" ?@([,.])@ ?", r"\1", text)
    text = re.sub(
        r"(= )+=|={2,}|\[\[(?:File|Image):[^\]]*\]\]|[{}\[\]*`]+|^[-=~^#.|+\s]{3,}$", " ", text, flags=re.MULTILINE
    )
    text = re.sub(r" ([,.;:!?%)])", r"\1", re.sub(r" (n't|'s|'re|'ve|'ll|'d|'m)\b", r"\1", text))
    if rng.random() < 0.5:
        text = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2014: "-", 0x2013: "-"})
    return text


def spaced(text: str, rng: random.Random, chance: float = 0.04) -> str:
    """Return `text` with spaces before its punctuation, as tokenised corpora have it, with the given chance."""
    return re.sub(r"([.,!?;:()])", r" \1 ", text) if rng.random() < chance else text
