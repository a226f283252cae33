"""Read the score of 0 to 5 out of what a language model wrote about a document.

Takes no guesses: an answer that does not say one score plainly has none, and a reason why.
"""

from __future__ import annotations

import re

HIGHEST = 5

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_AFTER_WORD = re.compile(
    r"""(?:\bscore|\brating|\btotal)["'*_`]*\s*        # "Score", "final score", "educational score"
        (?:\s(?:is|of)\b|[:=\u2013\u2014-])?[\s"'*_`<\[(]*   # ":", "=", "is", with Markdown or JSON around it
        (-?\d+(?:\.\d+)?)                                # the number
        (?!\s*(?:-|–|—|to\b)\s*\d)(?![\d.]*\d)           # not a range such as 0-5
        (?:[*_`"']*\s*(?:/|out\s+of)\s*(\d+))?          # "/5", "out of 5"
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ALONE = re.compile(r"(-?\d+(?:\.\d+)?)(?:\s*(?:/|out\s+of)\s*(\d+))?(?:\s+points?)?\.?", re.IGNORECASE)
_MARKS = re.compile(r"[*_`\"'\s\[\](){}<>]+")
_REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:sorry|unable|not able)|i (?:can(?:no|['’])t|can not|won['’]t|will not|must decline)"
    r"|i apologi[sz]e|as an ai\b|unable to (?:assist|help|comply|provide|process|evaluate))",
    re.IGNORECASE,
)


def parse_score(text: str, problem: str = "") -> tuple[float | None, str | None]:
    """Return (score, None), or (None, reason): "refusal", "cut off", "empty", "out of range" or "malformed".

    `problem` is what the endpoint itself said of the text ("refusal", "cut off"), if anything. The last score that
    the answer names counts; reasoning between <think> and </think> does not.

    >>> parse_score("Clear, but thin. **Score:** 3/5")
    (3.0, None)
    >>> parse_score("I'm sorry, I can't help with that.")
    (None, 'refusal')
    """
    if problem == "refusal":
        return None, problem
    answer = _THOUGHT.sub(" ", text).strip()
    found = list(_AFTER_WORD.finditer(answer))
    match = found[-1] if found else _ALONE.fullmatch(_MARKS.sub(" ", answer).strip())
    if match is None:
        # A line of its own at the end is as plain as a score after its name.
        last = answer.splitlines()[-1] if answer else ""
        match = _ALONE.fullmatch(_MARKS.sub(" ", last).strip())
    if match is None:
        if problem:
            return None, problem
        if not answer:
            return None, "empty"
        return None, "refusal" if _REFUSAL.search(answer) else "malformed"
    score, whole = float(match[1]), match[2]
    if not 0 <= score <= HIGHEST or (whole is not None and int(whole) != HIGHEST):
        return None, "out of range"
    return score, None
