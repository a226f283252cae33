"""Mojibake, white space, citations and RefinedWeb's lines: as in plain Python, on any text; twice is once."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.arrow import to_array
from curate.text import CLEANERS, clean
from tests.naive_cleaning import CLEANERS as TWINS
from tests.signals.texts import TEXTS


def cleaned(texts: object, name: str) -> list[str]:
    array = to_array(clean(texts, [name]))
    array.validate(full=True)  # raises unless it is UTF-8
    return list(array.to_pylist())


def one(text: str, name: str) -> str:
    return cleaned([text], name)[0]


def misread(text: str, encoding: str) -> str:
    """UTF-8 read as another encoding, as ftfy's sloppy codecs read it."""
    return text.encode("utf-8", "replace").decode(encoding)


_ENCODINGS = ["latin-1", *(f"sloppy-windows-{page}" for page in (1252, 1251, 1250, 1253, 1254, 1257))]
_ENCODINGS += ["iso-8859-2", "macroman", "cp437"]
# Those in which every byte has a meaning.
_TOTAL = ["latin-1", "cp437", "mac-roman", *(f"sloppy-windows-{page}" for page in (1252, 1251, 1253))]
_PLAIN = "schön voilà naïve “quoted” don’t — привет Ελλάδα 漢字 日本 €5 £5 Ø å Å ß 😀 … ½ ° ñ a bc"
_WORDS = st.sampled_from(_PLAIN.split())
_SPACED = st.lists(_WORDS, max_size=6).map(" ".join)
_TEXT = st.one_of(_SPACED, st.text(max_size=8)).map(lambda text: text.encode("utf-8", "replace").decode())
_MISREAD = st.builds(misread, _TEXT, st.sampled_from(_TOTAL))
_LOST = st.sampled_from([" ", "?", "\ufffd", "\x1a"])
_DAMAGED = st.builds(str.replace, _MISREAD, st.sampled_from(["\u00a0", "\u0080", "\u0099", "Ã", "\u00a9"]), _LOST)
_GARBLED = st.lists(st.one_of(_SPACED, _MISREAD, _DAMAGED, TEXTS), max_size=4).map(" \n".join)

_LINES = st.sampled_from(
    """
3 likes|1,234 Shares!|1.2K comments|12 liked|ABC DEF|ABc def|2024|20 24|Home|  indented code here|read more...|sign-in
All of it. Read more...|Sign-in to go on|SIGN-IN|Items in cart|two items in cart now|\t|x  y|Sign-in Read more...|É È
one two three four five six seven eight nine ten items in cart|é è|٣ likes|naïve 漢字 line|
""".strip("\n")
    .replace("\n", "|")
    .split("|")
)
_PAGES = st.lists(st.one_of(_LINES, _LINES, TEXTS), max_size=8).map("\n".join)
_MARKS = st.lists(st.sampled_from(["[", "]", "1", "23", "edit", "[citation needed]", " ", "\n", "é"]), max_size=16)
_BLANKS = st.lists(
    st.sampled_from([*"ab é漢", " ", " ", "\t", "\n", "\n", "\u00a0", "\u3000", "\u2028", "\x85", "\r", "\f", "\x1d"])
).map("".join)
_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)

_OF: dict[str, st.SearchStrategy[str]] = {
    "ftfy": st.one_of(_GARBLED, _GARBLED, _ANY),
    "whitespace": st.one_of(_BLANKS, _BLANKS, TEXTS, _ANY),
    "newlines": st.one_of(_BLANKS, TEXTS),
    "citations": st.one_of(_MARKS.map("".join), TEXTS),
    "refinedweb_lines": st.one_of(_PAGES, _PAGES, TEXTS, _ANY),
}


@pytest.mark.parametrize("name", _OF)
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_cleaner_agrees_with_plain_python(name: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(_OF[name], max_size=3))
    assert cleaned(texts, name) == [TWINS[name](text) for text in texts]


def test_every_cleaner_has_a_twin() -> None:
    assert set(TWINS) == set(CLEANERS)


@pytest.mark.parametrize("name", ["whitespace", "newlines", "citations"])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_cleaning_twice_is_cleaning_once(name: str, data: st.DataObject) -> None:
    once = cleaned(data.draw(st.lists(_OF[name], max_size=3)), name)
    assert cleaned(once, name) == once


@pytest.mark.parametrize("name", _OF)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_slice_is_cleaned_like_its_texts(name: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(_OF[name], min_size=1, max_size=4))
    array = pa.array(["left  out [1] schÃ¶n", *texts, "3 likes\n\n\n\n"]).slice(1, len(texts))
    assert cleaned(array, name) == cleaned(texts, name)


@pytest.mark.parametrize("encoding", _ENCODINGS)
@pytest.mark.parametrize("text", ["déjà vu – “schön”", "naïve façade", "Größe: 5 €"])
def test_what_ftfy_can_repair_is_shown_to_it(text: str, encoding: str) -> None:
    import ftfy  # noqa: F401  # registers the sloppy encodings

    garbled = misread(text, encoding)
    assert one(garbled, "ftfy") == TWINS["ftfy"](garbled)


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII", "schön und Straße", "привет, мир", "漢字かな", "מה שלומך", "“quotes” and – dashes…", "5 €",
        "&amp; ﬁne ｆｕｌｌ “curly”\r\n",
    ],
)  # fmt: skip
def test_text_that_is_not_mojibake_stays(text: str) -> None:
    assert one(text, "ftfy") == text


def test_only_suspects_are_shown_to_ftfy(monkeypatch: pytest.MonkeyPatch) -> None:
    from curate.cleaning import characters

    shown: list[str] = []
    monkeypatch.setattr(characters, "_repair", lambda: lambda text: shown.append(text) or text)
    cleaned(["ASCII only", "schön", "schÃ¶n", "漢字", "a\x80b", ""], "ftfy")
    assert shown == ["schÃ¶n", "a\x80b"]


def test_without_ftfy_the_message_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['ftfy'] = None\n"
        "import curate\n"
        "try: curate.measure(['x'], recipe=curate.Recipe.parse('clean = [\"ftfy\"]'))\n"
        "except curate.CurateError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "the cleaner \"ftfy\" needs the package ftfy: pip install 'curate-corpus[ftfy]'"
    )  # fmt: skip


def test_code_keeps_its_indentation_and_loses_alignment() -> None:
    code = "def f(x):\n\tif x:\n        return  1    # one\n"
    assert one(code, "whitespace") == "def f(x):\n\tif x:\n        return 1 # one\n"


@pytest.mark.parametrize(
    ("text", "tidy"),
    [("a \t b", "a b"), ("a\tb", "a\tb"), ("a \nb\u3000\n", "a\nb\n"), ("a\n\n\n\nb", "a\n\nb"),
     ("a\n \n\t\n \nb", "a\n\nb"),
     ("\u00a0\u00a0x", "\u00a0\u00a0x"), ("x\u00a0 y", "x y"), ("   ", ""), ("\n\n\n", "\n\n"), ("漢　　字", "漢 字")],
)  # fmt: skip
def test_white_space_is_tidied(text: str, tidy: str) -> None:
    assert one(text, "whitespace") == tidy


def test_the_newline_cap_touches_nothing_else() -> None:
    assert one(" a  b \n\n\n\n \n\n c ", "newlines") == " a  b \n\n \n\n c "


@pytest.mark.parametrize(
    ("text", "rest"),
    [("Water[3] is wet.[citation needed]", "Water is wet."), ("History[edit]\nIt", "History\nIt"), ("a[[1]]b", "ab"),
     ("a[i] = b[0]", "a[i] = b"), ("[Edit] [note 1] [1a]", "[Edit] [note 1] [1a]")],
)  # fmt: skip
def test_citation_marks_go_and_other_brackets_stay(text: str, rest: str) -> None:
    assert one(text, "citations") == rest


LONG = "eleven words are too many for us to lose the items in cart"


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("SALE NOW ON", ""), ("IBM and AT&T", "IBM and AT&T"), ("2024", ""), ("12 likes", ""), ("(1.2K Shares)", ""),
        ("12 likes from us", "12 likes from us"), ("Home", ""), ("Two words", "Two words"),
        ("3 items in cart now", "3 now"), ("The whole story. Read more...", "The whole story."),
        ("Read more... of it", "Read more... of it"), ("Sign-in to see it", "to see it"), ("read more...", ""),
        (LONG, LONG),
    ],
)  # fmt: skip
def test_refinedweb_drops_lines_and_phrases(line: str, rest: str) -> None:
    assert one(f"First line.\n{line}\nLast line.", "refinedweb_lines") == "\n".join(
        part for part in ("First line.", rest, "Last line.") if part
    )


def test_refinedweb_keeps_empty_lines_between_paragraphs_and_strips_the_document() -> None:
    text = "\n\nMENU\n  One paragraph.\n\nAnother one.\n \n3 likes\n"
    assert one(text, "refinedweb_lines") == "One paragraph.\n\nAnother one."


@pytest.mark.parametrize("name", CLEANERS)
def test_one_line_of_megabytes_is_cleaned(name: str) -> None:
    text = "word é [1]  " * 200_000
    assert len(one(text, name)) <= len(text)
    assert cleaned(["", None], name) == ["", ""]
    assert cleaned([], name) == []
