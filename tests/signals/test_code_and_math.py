"""Signals of code, mathematics and compression: on small texts, and against their twins on texts made to be hard."""

from __future__ import annotations

import random
import string
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.signals import Documents, compute, registry
from tests import naive_code
from tests.corpora import prose


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


_PIECES = st.sampled_from(
    [
        *("41 ", "0x41,", "\\x41", "4f", "DEAD", "beef, ", "ab\n", "00 ", "ab 12 cd 34 ef 56 78 9a ", "0x", "\\", "x"),
        *("\\u00e9", "\\u00e9" * 8, "\\u12", "QUJD" * 16, "QUJD" * 15 + "QUJ", "=", "é", "漢", "_", ",", " ", "\n"),
        *("'", '"', "`", "it's ", "a" * 60, "\\'", '\\"', "\\\n", "é" * 101),
        *("# c\n", "#include\n", "// c\n", "/* c", "*/\n", "<!--", "-->\n", '"""', "'''", "-- x\n"),
        *("--x\n", "%\n", ";"),
        *("$x^2$ ", "$5 and $6", "$$", "$", "\\frac{1}{2}", "\\alpha", "C:\\new", "\\(", "\\)", "\\[", "\\]", "\\b\\b"),
        *("a = b", "x = 1 ", "x==1", "?q=1&r=2", "∑", "×", "→", "a <= 3", "y=-2", "f(x) = 3x", "\t", "ab.cd", "1"),
    ]
)
HARD = st.lists(_PIECES, max_size=40).map("".join)


def assert_like_twins(texts: list[str]) -> None:
    found = compute(Documents(texts), naive_code.SIGNALS)
    for name, twin in naive_code.SIGNALS.items():
        expected = np.array([twin(text) for text in texts], registry()[name].dtype)
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, err_msg=f"{name} of {texts!r}")


@settings(max_examples=1000)
@given(st.lists(HARD, max_size=3))
def test_signals_of_code_and_mathematics_agree_with_their_twins(texts: list[str]) -> None:
    assert_like_twins(texts)


@settings(max_examples=300)
@given(st.text("0aF ,x\\\n_é", max_size=80))
def test_hexadecimal_sequences_are_those_of_the_regular_expression(text: str) -> None:
    assert_like_twins([text])


@settings(max_examples=300)
@given(st.text("$\\a(b)[]^ 5\n=", max_size=40))
def test_formulas_are_those_of_the_slow_search(text: str) -> None:
    assert_like_twins([text])


@pytest.mark.parametrize(
    ("line", "latex", "math"),
    [
        (r"\begin{theorem} Every group acts.", True, True),
        (r"so \(a\) and b", True, True),
        (r"where $n \geq 1$ holds", True, True),
        (r"it costs $5 or $6", False, False),
        (r"open C:\new\folder or \\server\share", False, False),
        (r"print('\nEnd')", False, False),
        (r"^\d+\b\w+$", False, False),
        ("3 + 4 = 7", False, True),
        ("f(x) = 2x", False, True),
        ("if a == 3:", False, False),
        ("https://example.org/?id=5", False, False),
        ("name = value", False, False),
        ("x ∈ A", False, True),
        ("a plain sentence, from 1999 to 2001.", False, False),
    ],
)
def test_what_a_line_of_mathematics_is(line: str, latex: bool, math: bool) -> None:
    assert (value("math_latex_lines", line), value("math_lines", line)) == (latex, math)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("# note\nx", 6 / 7),
        ("#include <a>\nx", 0),
        ("/* a\n * b\n */\nint c;", 9 / 15),
        ("x /* not at the start */", 0),
        ('"""One line."""\nx', 15 / 16),
        ("-- sql\nx", 6 / 7),
        ("--flag\nx", 0),
    ],
)
def test_what_a_comment_line_is(text: str, share: float) -> None:
    assert value("code_comment_ratio", text) == pytest.approx(share)


def test_an_apostrophe_inside_a_word_opens_no_string() -> None:
    assert value("code_long_string_ratio", f"don't {'x' * 150} can't") == 0
    assert value("code_long_string_ratio", f"'{'x' * 150}'") == pytest.approx(150 / 152)


def test_a_base64_run_may_go_over_lines_and_needs_64_characters() -> None:
    assert value("code_base64_ratio", "QUJD" * 8 + "\n" + "QUJD" * 8) == 1
    assert value("code_base64_ratio", "A" * 63) == 0


def test_an_array_of_bytes_is_one_hexadecimal_sequence() -> None:
    text = ",".join(f"0x{byte:02x}" for byte in range(20))
    assert value("code_longest_encoded", text) == len(text)


def test_a_line_of_log_messages_is_covered_where_the_document_is_not_repeated() -> None:
    log = "error: cannot open the file at once " * 4
    assert value("llama3_line_dup_5gram", f"{log}\nAnd this line says something else altogether.") > 0.7
    assert value("llama3_line_dup_5gram", "one two three four five\none two three four five") == 0
    assert value("gopher_dup_5gram", "one two three four five\none two three four five") == 1


def test_text_that_repeats_itself_compresses_better_than_prose_and_prose_better_than_noise() -> None:
    noise = "".join(random.Random(1).choices(string.printable, k=600))
    ratios = [value("compression_ratio", text) for text in ("spam " * 200, prose(1), noise)]
    assert ratios == sorted(ratios)
    assert value("compression_ratio", "x") > 1


@pytest.mark.parametrize(
    "piece", ["\\(", "\\[", "\\$", "$", "a=", "'\\'", '"\\', "`'", "41 ", "\\u00e9", "/*", "=  ", "?a=", "ab  "]
)
def test_a_line_of_a_megabyte_of_anything_takes_no_longer_than_prose(piece: str) -> None:
    names = [name for name in naive_code.SIGNALS if name.startswith(("code_", "math_"))]
    compute(Documents([piece]), names)
    started = time.thread_time()
    compute(Documents(["?x" + piece * (1_000_000 // len(piece))]), names)
    assert time.thread_time() - started < 1  # a pass over a megabyte takes about 20 ms; a quadratic one minutes
