"""The registry says what is true: every example is computed, every entry is complete."""

from __future__ import annotations

import pytest

from curate.errors import RecipeError
from curate.signals import Documents, Signal, compute, registry, signal
from curate.signals.registry import families


@pytest.mark.parametrize("entry", registry().values(), ids=list(registry()))
def test_the_example_of_a_signal_is_computed(entry: Signal) -> None:
    text, value = entry.example
    found = compute(Documents([text]), [entry.name])[entry.name][0].item()
    assert found == (pytest.approx(value, abs=6e-4) if entry.dtype == "float32" else value)
    assert value, "an example of zero shows little"
    assert isinstance(value, {"int64": int, "float32": float, "bool": bool}[entry.dtype])


@pytest.mark.parametrize("entry", registry().values(), ids=list(registry()))
def test_an_entry_reads_like_a_dictionary(entry: Signal) -> None:
    facts = entry.as_dict()
    assert list(facts) == ["name", "definition", "unit", "dtype", "range", "source", "example"]
    assert all(facts.values())
    assert facts["definition"].endswith(".")


def test_names_are_unique_over_families() -> None:
    assert len(registry()) == sum(map(len, families().values()))


def test_a_wrong_name_gets_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match=r'unknown signal "wordcount"; did you mean "word_count"\?'):
        signal("wordcount")


def test_signals_come_in_the_order_asked_for_and_in_their_type() -> None:
    found = compute(Documents(["a {", "b"]), ["c4_curly_bracket", "word_count", "mean_word_length"])
    assert {name: str(values.dtype) for name, values in found.items()} == {
        "c4_curly_bracket": "bool",
        "word_count": "int64",
        "mean_word_length": "float32",
    }
